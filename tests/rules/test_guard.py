"""The guard: what it lets through, and what each of its rules holds back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from rules.actions import NO_KEY, Action, ActionEvidence, ActionState, Cause, action_id
from rules.intervals import TimeInterval
from rules.keys import Flip, Keys
from rules.model import CONSOLE, DEFAULT_WORKSPACE, UNATTRIBUTED, Scope
from rules.offences import Offence, Offender
from rules.policy import Brake, KeyAction, Mode, Policy, Protect
from rules.quieted import Silenced
from rules.situation import Situation
from tests.rules.offending import (
    AUTO,
    FOUR,
    MINUTE,
    NOW,
    ORG,
    USD,
    after,
    alert,
    key,
    keys,
    offence,
    planned,
    situation,
)

HOUR = 60 * MINUTE
DAY = 24 * HOUR


def one(at: Situation) -> Action:
    """The only row that is planned now."""
    (row,) = planned(at)
    return row


def refused(row: Action, *words: str) -> None:
    assert row.state is ActionState.REFUSED, (row.state, row.waits, row.reason)
    assert not row.open
    for word in words:
        assert word in row.reason


def waits(row: Action, *words: str) -> None:
    assert row.state is ActionState.PROPOSED, (row.state, row.reason)
    for word in words:
        assert word in row.waits


def test_a_budget_that_is_surely_over_its_limit_stops_its_key_in_the_same_cycle() -> None:
    row = one(situation(offence("key-1")))
    assert (row.key, row.state, row.intent_at) == ("key-1", ActionState.INTENT, NOW)
    assert "Too much. $100.00 of it are surely too much." in row.reason
    assert (row.amount, row.by, row.alert) == (100 * USD, "policy", "alert-1")
    assert row.evidence is not None
    assert (row.evidence.certain, row.evidence.bound, row.evidence.key_excess) == (1100 * USD, 1000 * USD, 200 * USD)


@pytest.mark.parametrize("state", list(ActionState))
def test_a_cause_never_gets_a_second_plan_whatever_became_of_the_first(state: ActionState) -> None:
    at = situation(offence("key-1"))
    row = replace(one(at), state=state, intent_at=NOW, approved_at=NOW)
    later = after(at, [row], offences=(offence("key-2", scope=row.cause.scope),))
    assert all(each.key == "key-1" for each in planned(later, NOW + MINUTE))


def test_another_threshold_of_the_same_budget_is_another_cause() -> None:
    first = offence("key-1")
    second = offence("key-2", cause=replace(first.cause, instance="2026-11/120"))
    assert [(row.key, row.state) for row in planned(situation(first, second))] == [
        ("key-1", ActionState.INTENT),
        ("key-2", ActionState.INTENT),
    ]


def test_off_proposes_nothing() -> None:
    assert not planned(situation(offence("key-1"), policy=replace(AUTO, mode="off")))
    assert not planned(situation(offence("key-1", action=KeyAction("off"))))


def test_switching_off_lets_what_waits_expire() -> None:
    at = situation(offence("key-1"), policy=replace(AUTO, grace=15 * MINUTE))
    row = one(at)
    (gone,) = planned(after(at, [row], policy=replace(AUTO, mode="off")), NOW + MINUTE)
    assert (gone.state, gone.reason) == (ActionState.EXPIRED, "Shutoff was switched off before it was done.")


def test_a_dry_run_says_what_it_would_have_done_and_does_nothing() -> None:
    refused(one(situation(offence("key-1"), policy=replace(AUTO, mode="dry_run"))), "Dry run", "would have been")
    refused(one(situation(offence("key-1", action=KeyAction("dry_run")))), "Dry run")


def test_a_dry_run_waits_out_the_grace_as_the_real_one_does() -> None:
    policy = replace(AUTO, mode="dry_run", grace=15 * MINUTE)
    at = situation(offence("key-1"), policy=policy)
    row = one(at)
    waits(row, "somebody may still say no")
    (done,) = planned(after(at, [row]), NOW + 15 * MINUTE)
    refused(done, "Dry run")


def test_a_rule_can_ask_for_less_than_the_policy_and_never_for_more() -> None:
    waits(one(situation(offence("key-1", action=KeyAction("approve")))), "approve")
    cautious = replace(AUTO, mode="approve")
    waits(one(situation(offence("key-1", action=KeyAction("auto")), policy=cautious)), "approve")


# ---------------------------------------------------------------------------------------------- money


@pytest.mark.parametrize(("amount", "acts"), [(49.99, False), (50, True)])
def test_below_the_least_amount_nothing_is_proposed(amount: float, acts: bool) -> None:
    assert bool(planned(situation(offence("key-1", amount=amount)))) is acts


def test_an_amount_that_shrinks_below_the_least_holds_back_what_was_proposed() -> None:
    at = situation(offence("key-1"), policy=replace(AUTO, grace=MINUTE))
    row = one(at)
    (held,) = planned(after(at, [row], offences=(offence("key-1", amount=10),)), NOW + 5 * MINUTE)
    waits(held, "$10.00", "$50.00")


# ---------------------------------------------------------------------------------------------- which key


@pytest.mark.parametrize(("nobody", "words"), [(CONSOLE, "Console"), (UNATTRIBUTED, "No key is known")])
def test_what_has_no_key_cannot_be_stopped_and_that_is_said(nobody: str, words: str) -> None:
    refused(one(situation(offence(nobody))), words)


def test_a_key_that_is_not_listed_is_refused() -> None:
    refused(one(situation(offence("key-9"))), "not listed")


@pytest.mark.parametrize("status", ["inactive", "archived", "expired", "something new"])
def test_a_key_that_does_not_work_is_refused(status: str) -> None:
    refused(one(situation(offence("key-1"), directory=keys(key("key-1", status=status), key("key-2")))), status)


def test_where_nobody_knows_which_key_it_is_none_is_touched_and_it_is_said_once() -> None:
    at = situation(offence(unknown="it is spread over many"))
    row = one(at)
    refused(row, "No key is touched: it is spread over many.")
    assert row.key == ""
    assert not planned(after(at, [row]), NOW + MINUTE)


def test_once_the_keys_are_known_they_are_planned_for_after_all() -> None:
    at = situation(offence(unknown="it is spread over many"))
    later = after(at, planned(at), offences=(offence("key-1", "key-2"),))
    assert [row.key for row in planned(later, NOW + MINUTE)] == ["key-1", "key-2"]


def test_of_a_wider_breach_a_key_with_little_excess_of_its_own_is_left_alone() -> None:
    wide = offence("key-1", "key-2")
    small = Offender("key-2", "wrk-a", 120 * USD, 100 * USD)
    first, second = planned(situation(replace(wide, offenders=(wide.offenders[0], small))))
    assert first.state is ActionState.INTENT
    refused(second, "$20.00", "$50.00")


def test_of_a_wider_breach_a_key_that_is_calm_again_is_left_alone() -> None:
    wide = offence("key-1", "key-2")
    calm = replace(wide.offenders[1], goes_on=False)
    refused(planned(situation(replace(wide, offenders=(wide.offenders[0], calm))))[1], "back to its usual spend")


def test_the_last_active_key_of_a_workspace_needs_approval() -> None:
    alone = keys(key("key-1", "wrk-b"), key("key-2", "wrk-b", status="inactive"), key("key-3"))
    waits(one(situation(offence("key-1"), directory=alone)), "approve")


def test_of_two_keys_that_are_all_a_workspace_has_one_is_left_to_a_person() -> None:
    two = keys(key("key-1", "wrk-b"), key("key-2", "wrk-b"), key("key-3"))
    first, second = planned(situation(offence("key-1", "key-2"), directory=two))
    assert first.state is ActionState.INTENT
    assert (second.state, second.mode) == (ActionState.PROPOSED, "approve")


def test_what_rests_on_a_stand_in_price_needs_approval() -> None:
    waits(one(situation(offence("key-1", unpriced=("claude-new",)))), "approve")


# ---------------------------------------------------------------------------------------------- protected


@pytest.mark.parametrize(
    "protect",
    [
        Protect(api_key=("key-1",)),
        Protect(api_key=("key-*",)),
        Protect(workspace=("wrk-a",)),
    ],
)
def test_a_protected_id_is_never_touched(protect: Protect) -> None:
    refused(one(situation(offence("key-1"), policy=replace(AUTO, protect=protect))), "protected")


def test_the_keys_of_claude_code_are_protected_unless_that_is_turned_off() -> None:
    directory = keys(key("key-1", "wrk-cc"), key("key-2", "wrk-cc"), **{"wrk-cc": "Claude Code"})
    refused(one(situation(offence("key-1"), directory=directory)), "Claude Code")
    allowed = replace(AUTO, protect=Protect(claude_code=False))
    assert one(situation(offence("key-1"), directory=directory, policy=allowed)).state is ActionState.INTENT


def test_protection_that_comes_while_it_waits_still_counts() -> None:
    at = situation(offence("key-1"), policy=replace(AUTO, grace=15 * MINUTE))
    guarded = replace(AUTO, grace=15 * MINUTE, protect=Protect(api_key=("key-1",)))
    (row,) = planned(after(at, planned(at), policy=guarded), NOW + 20 * MINUTE)
    refused(row, "protected")


# ---------------------------------------------------------------------------------------------- data


@pytest.mark.parametrize(("age", "acts"), [(90, True), (91, False)])
def test_usage_that_is_complete_until_too_long_ago_holds_everything(age: int, acts: bool) -> None:
    row = one(situation(offence("key-1"), watermark=NOW - age * MINUTE))
    assert (row.state is ActionState.INTENT) is acts


def test_where_nothing_was_read_nothing_is_done() -> None:
    waits(one(situation(offence("key-1"), watermark=None)), "complete only until")


def test_no_data_proposes_nothing_and_holds_what_waits() -> None:
    assert not planned(situation(offence("key-1"), no_data="usage has stopped coming"))
    at = situation(offence("key-1"), policy=replace(AUTO, grace=MINUTE))
    (row,) = planned(after(at, planned(at), offences=(), no_data="usage has stopped coming"), NOW + 5 * MINUTE)
    waits(row, "usage has stopped coming")


def test_an_alert_that_fires_without_a_breach_in_this_judgement_holds_what_waits() -> None:
    at = situation(offence("key-1"), policy=replace(AUTO, grace=MINUTE))
    (row,) = planned(after(at, planned(at), offences=()), NOW + 5 * MINUTE)
    waits(row, "no complete data")


def test_an_alert_that_ended_ends_what_waits_for_it() -> None:
    at = situation(offence("key-1"), policy=replace(AUTO, grace=MINUTE))
    (row,) = planned(after(at, planned(at), offences=(), firing=frozenset()), NOW + 5 * MINUTE)
    assert (row.state, row.reason) == (ActionState.EXPIRED, "The alert ended before it was done.")


def test_a_period_that_ended_ends_what_waits_for_it() -> None:
    at = situation(offence("key-1", period_end=NOW + 5 * MINUTE), policy=replace(AUTO, grace=10 * MINUTE))
    (row,) = planned(after(at, planned(at)), NOW + 5 * MINUTE)
    assert (row.state, row.reason) == (ActionState.EXPIRED, "The period ended before it was done.")


def test_of_a_period_that_is_over_nothing_is_proposed() -> None:
    assert not planned(situation(offence("key-1", period_end=NOW)))


def anomaly(data: int = 0, more: int = 0) -> Offence:
    found = offence("key-1", kind="anomaly", amount=100 + more)
    return replace(found, data_as_of=NOW + data * MINUTE)


@pytest.mark.parametrize(
    ("second", "acts"),
    [
        (anomaly(data=5, more=1), True),
        (anomaly(data=5), False),
        (anomaly(more=1), False),
    ],
)
def test_an_anomaly_needs_two_versions_of_the_data(second: Offence, acts: bool) -> None:
    at = situation(anomaly())
    row = one(at)
    waits(row, "two versions")
    (later,) = planned(after(at, [row], offences=(second,)), NOW + 5 * MINUTE) or (row,)
    assert (later.state is ActionState.INTENT) is acts


def strayed(observed: float, usual: float, **other: int) -> Offence:
    """An anomaly of a key that spent so much, so much of it expected."""
    return replace(anomaly(**other), offenders=(Offender("key-1", "wrk-a", round(observed * USD), round(usual * USD)),))


@pytest.mark.parametrize("mode", ["auto", "dry_run"])
def test_an_anomaly_of_few_times_the_usual_may_be_a_launch_and_stops_nothing_by_itself(mode: Mode) -> None:
    row = one(situation(strayed(490, 100), policy=replace(AUTO, mode=mode)))
    assert row.key == NO_KEY
    refused(row, "4.9 times", "launch")
    assert one(situation(strayed(500, 100), policy=replace(AUTO, mode=mode))).key == "key-1"


def test_it_is_refused_once_and_planned_for_when_it_has_grown_to_so_many_times_the_usual() -> None:
    at = situation(strayed(300, 100))
    at = after(at, planned(at))
    assert not planned(at, NOW + 5 * MINUTE)
    (row,) = planned(after(at, (), offences=(strayed(900, 100, data=5),)), NOW + 5 * MINUTE)
    assert (row.key, row.state) == ("key-1", ActionState.PROPOSED)


def test_a_person_may_approve_stopping_a_key_at_few_times_the_usual() -> None:
    row = one(situation(strayed(300, 100), policy=replace(AUTO, mode="approve")))
    assert (row.key, row.state) == ("key-1", ActionState.PROPOSED)


def test_an_anomaly_that_shrinks_to_few_times_the_usual_holds_what_was_proposed() -> None:
    at = situation(strayed(900, 100))
    row = one(at)
    (held,) = planned(after(at, [row], offences=(strayed(400, 100, data=5, more=1),)), NOW + 5 * MINUTE)
    waits(held, "4.0 times")


def test_of_a_key_too_young_for_anybody_to_know_its_usual_spend_a_person_decides() -> None:
    young = (Offender("key-1", "wrk-a", 300 * USD, 0, known=False),)
    for each in (replace(anomaly(), offenders=young), offence("key-1", scope=Scope(ORG), offenders=young)):
        row = one(situation(each))
        assert (row.mode, row.state) == ("approve", ActionState.PROPOSED)
    own = one(situation(offence("key-1", offenders=young)))
    assert (own.mode, own.state) == ("auto", ActionState.INTENT)


def test_of_an_anomaly_that_the_key_has_had_before_a_person_decides() -> None:
    again = (Offender("key-1", "wrk-a", 300 * USD, 20 * USD, precedent=True),)
    row = one(situation(replace(anomaly(), offenders=again)))
    assert (row.mode, row.state) == ("approve", ActionState.PROPOSED)
    assert one(situation(offence("key-1", offenders=again))).state is ActionState.INTENT, "its own limit is its own"


def test_of_a_wider_breach_a_key_at_few_times_its_usual_may_be_a_launch_and_a_person_decides() -> None:
    slow = (Offender("key-1", "wrk-a", 300 * USD, 100 * USD, lately=4.9),)
    row = one(situation(offence("key-1", scope=Scope(ORG), offenders=slow)))
    assert (row.mode, row.state) == ("approve", ActionState.PROPOSED)
    fast = (replace(slow[0], lately=5.0),)
    assert one(situation(offence("key-1", scope=Scope(ORG), offenders=fast))).state is ActionState.INTENT
    assert one(situation(offence("key-1", offenders=slow))).state is ActionState.INTENT, "its own limit is its own"


def test_a_silence_holds_what_its_alert_asks_for() -> None:
    quiet = alert(silenced=Silenced("s1", NOW + DAY, "ana", "known"))
    waits(one(situation(offence("key-1", alert=quiet))), "silence")


# ---------------------------------------------------------------------------------------------- leave


def test_the_grace_runs_from_the_proposal_and_then_it_is_done() -> None:
    at = situation(offence("key-1"), policy=replace(AUTO, grace=15 * MINUTE))
    row = one(at)
    waits(row, "somebody may still say no")
    assert row.due_at == NOW + 15 * MINUTE
    assert not planned(after(at, [row]), NOW + 14 * MINUTE)
    (done,) = planned(after(at, [row]), NOW + 15 * MINUTE)
    assert done.state is ActionState.INTENT


def test_what_nobody_approves_within_half_an_hour_expires_and_is_not_asked_again() -> None:
    at = situation(offence("key-1"), policy=replace(AUTO, mode="approve"), watermark=NOW)
    row = one(at)
    assert not planned(after(at, [row]), NOW + 29 * MINUTE)
    (gone,) = planned(after(at, [row]), NOW + 30 * MINUTE)
    assert (gone.state, gone.reason) == (ActionState.EXPIRED, "Nobody approved it within 30 minutes.")
    assert not planned(after(at, [gone]), NOW + 31 * MINUTE)


def test_what_is_approved_is_begun_without_waiting_for_the_grace_or_the_night_to_end() -> None:
    night = TimeInterval("night")
    policy = replace(AUTO, mode="approve", grace=HOUR, not_during=(night,))
    at = situation(offence("key-1"), policy=policy)
    row = replace(one(at), state=ActionState.APPROVED, approved_at=NOW + MINUTE)
    (begun,) = planned(after(at, [row]), NOW + 2 * MINUTE)
    assert begun.state is ActionState.INTENT


def test_what_was_approved_and_could_not_be_begun_for_half_an_hour_expires() -> None:
    at = situation(offence("key-1"), policy=replace(AUTO, mode="approve"))
    row = replace(one(at), state=ActionState.APPROVED, approved_at=NOW)
    (gone,) = planned(after(at, [row], no_data="nothing is known"), NOW + 30 * MINUTE)
    assert (gone.state, gone.reason[:15]) == (ActionState.EXPIRED, "It was approved")


def test_nothing_is_done_by_itself_in_a_forbidden_interval() -> None:
    night = TimeInterval("night", times=((0, 6 * 60),))
    at = situation(offence("key-1"), policy=replace(AUTO, not_during=(night,)))
    midnight = NOW.replace(hour=23, minute=59) + MINUTE
    fresh = replace(at, watermark=midnight)
    (row,) = planned(fresh, midnight)
    waits(row, '"night"')
    (done,) = planned(replace(after(fresh, [row]), watermark=midnight + 6 * HOUR), midnight + 6 * HOUR)
    assert done.state is ActionState.INTENT


def test_what_cannot_be_begun_for_a_day_expires() -> None:
    at = situation(offence("key-1"), policy=replace(AUTO, not_during=(TimeInterval("always"),)))
    (gone,) = planned(after(at, planned(at)), NOW + DAY)
    assert gone.state is ActionState.EXPIRED
    assert '"always"' in gone.reason


def test_the_brake_holds_everything_and_the_grace_begins_anew_after_it() -> None:
    policy = replace(AUTO, grace=15 * MINUTE)
    held = Brake(NOW + HOUR, "ana", NOW, "a launch")
    at = situation(offence("key-1"), policy=policy, watermark=NOW)
    row = one(at)
    (still,) = planned(after(at, [row], brake=held), NOW + 30 * MINUTE)
    waits(still, "paused", "a launch")
    braked = after(at, [still], watermark=NOW + 30 * MINUTE)
    (anew,) = planned(braked, NOW + 31 * MINUTE)
    waits(anew, "may still say no")
    assert anew.due_at == NOW + 45 * MINUTE


def test_a_stricter_mode_counts_at_once_for_what_waits() -> None:
    at = situation(offence("key-1"), policy=replace(AUTO, grace=15 * MINUTE))
    cautious = replace(AUTO, mode="approve", grace=15 * MINUTE)
    (row,) = planned(after(at, planned(at), policy=cautious), NOW + 16 * MINUTE)
    waits(row, "approve")
    assert (row.mode, row.expires_at) == ("approve", NOW + 46 * MINUTE)


def test_a_laxer_mode_does_not_count_for_what_was_proposed_under_a_stricter_one() -> None:
    at = situation(offence("key-1"), policy=replace(AUTO, mode="approve"))
    assert not planned(after(at, planned(at), policy=AUTO), NOW + MINUTE)


# ---------------------------------------------------------------------------------------------- limits


def test_a_cycle_begins_no_more_than_its_limit_and_the_next_ones_the_rest() -> None:
    at = situation(offence("key-0", "key-1", "key-2"), policy=replace(AUTO, max_per_cycle=1))
    rows = planned(at)
    assert [row.state for row in rows] == [ActionState.INTENT, ActionState.PROPOSED, ActionState.PROPOSED]
    waits(rows[1], "1 a cycle")
    more = planned(after(at, rows), NOW + MINUTE)
    assert [row.state for row in more] == [ActionState.INTENT]


def test_a_day_begins_no_more_than_its_limit_and_the_rest_is_refused_for_good() -> None:
    rows = planned(situation(offence("key-0", "key-1", "key-2"), policy=replace(AUTO, max_per_day=2)))
    assert [row.state for row in rows] == [ActionState.INTENT, ActionState.INTENT, ActionState.REFUSED]
    refused(rows[2], "24 hours", "2 keys")


@pytest.mark.parametrize(("share", "most"), [("0.10", 1), ("0.5", 2), ("0.74", 2), ("0.75", 3)])
def test_the_share_of_the_active_keys_is_rounded_down_and_at_least_one(share: str, most: int) -> None:
    policy = replace(AUTO, max_share=Fraction(share))
    rows = planned(situation(offence("key-0", "key-1", "key-2"), policy=policy))
    assert sum(row.state is ActionState.INTENT for row in rows) == most


@pytest.mark.parametrize(
    ("state", "sent", "counts"),
    [
        (ActionState.INTENT, False, True),
        (ActionState.SENT, True, True),
        (ActionState.CONFIRMED, True, True),
        (ActionState.ABANDONED, True, True),
        (ActionState.ABANDONED, False, False),
        (ActionState.REFUSED, False, False),
    ],
)
def test_what_may_have_been_sent_counts_towards_the_day(state: ActionState, sent: bool, counts: bool) -> None:
    at = situation(offence("key-0"), policy=replace(AUTO, max_per_day=1))
    row = replace(one(at), state=state, sent_at=NOW if sent else None)
    fresh = offence("key-1", cause=replace(row.cause, instance="2026-11/120"))
    later = after(at, [row], offences=(fresh,))
    (second,) = planned(later, NOW + MINUTE)
    assert (second.state is ActionState.REFUSED) is counts


def test_after_24_hours_and_the_time_that_sending_may_take_the_day_is_free_again() -> None:
    at = situation(offence("key-0"), policy=replace(AUTO, max_per_day=1))
    row = replace(one(at), state=ActionState.CONFIRMED, sent_at=NOW)
    fresh = offence("key-1", cause=replace(row.cause, instance="2026-11/120"))
    for later, free in ((DAY + 14 * MINUTE, False), (DAY + 15 * MINUTE, True)):
        moment = NOW + later
        (second,) = planned(after(at, [row], offences=(fresh,), watermark=moment), moment)
        assert (second.state is ActionState.INTENT) is free


def test_what_people_do_by_hand_is_not_counted() -> None:
    at = situation(offence("key-0"), policy=replace(AUTO, max_per_day=1))
    by_hand = replace(one(at), id="hand", state=ActionState.CONFIRMED, sent_at=NOW)
    by_hand = replace(by_hand, cause=replace(by_hand.cause, kind="hand"))
    fresh = offence("key-1", cause=replace(by_hand.cause, kind="budget", instance="2026-11/120"))
    (row,) = planned(after(at, [by_hand], offences=(fresh,)), NOW + MINUTE)
    assert row.state is ActionState.INTENT


# ---------------------------------------------------------------------------------------------- people


def turned_on(ago: timedelta, *, seen: bool = True) -> tuple[Keys, Action]:
    """A key that this program stopped ten hours ago, and that is on again; whether a listing saw it change."""
    row = replace(one(situation(offence("key-1"))), id="before", state=ActionState.CONFIRMED)
    row = replace(row, cause=replace(row.cause, instance="2026-10/100"), intent_at=NOW - 30 * DAY)
    row = replace(row, sent_at=NOW - 10 * HOUR, confirmed_at=NOW - 10 * HOUR)
    flip = Flip("active", NOW - ago - 5 * MINUTE, NOW - ago)
    return keys(*FOUR.by_id.values(), flips={"key-1": (flip,)} if seen else {}), row


@pytest.mark.parametrize("seen", [True, False])
def test_a_key_that_somebody_turned_back_on_is_left_alone_for_a_day(seen: bool) -> None:
    directory, row = turned_on(2 * HOUR, seen=seen)
    at = situation(offence("key-1"), directory=directory, journal=(row,))
    refused(planned(at)[-1], "turned the key back on")


def test_a_key_that_was_asked_off_and_never_seen_off_may_have_been_turned_on_and_is_left_alone() -> None:
    directory, row = turned_on(2 * HOUR, seen=False)
    row = replace(row, state=ActionState.ABANDONED, confirmed_at=None, updated_at=NOW - 9 * HOUR)
    at = situation(offence("key-1"), directory=directory, journal=(row,))
    refused(planned(at)[-1], "turned the key back on")


def test_while_something_is_being_done_to_a_key_what_waits_for_it_goes_on_waiting() -> None:
    at = situation(offence("key-1"), policy=replace(AUTO, grace=5 * MINUTE))
    row = one(at)
    other = replace(row, id="other", cause=replace(row.cause, instance="2026-11/120"), state=ActionState.SENT)
    (still,) = planned(after(at, [row, replace(other, sent_at=NOW)]), NOW + 5 * MINUTE)
    waits(still, "something else")


def test_a_day_after_somebody_turned_it_on_it_may_be_stopped_for_another_cause() -> None:
    directory, row = turned_on(DAY)
    row = replace(row, sent_at=NOW - 30 * HOUR, confirmed_at=NOW - 30 * HOUR)
    at = situation(offence("key-1"), directory=directory, journal=(row,))
    assert planned(at)[-1].state is ActionState.INTENT


def test_turning_it_on_again_by_this_program_is_nobodys_word() -> None:
    directory, row = turned_on(2 * HOUR)
    ours = replace(row, id="ours", what="reactivate", sent_at=NOW - 2 * HOUR - MINUTE, confirmed_at=NOW - 2 * HOUR)
    at = situation(offence("key-1"), directory=directory, journal=(row, ours))
    assert planned(at)[-1].state is ActionState.INTENT


def test_a_key_that_a_person_turned_on_through_this_program_is_left_alone_as_well() -> None:
    directory, row = turned_on(2 * HOUR)
    by_hand = replace(row, id="hand", what="reactivate", sent_at=NOW - 2 * HOUR - MINUTE, confirmed_at=NOW - 2 * HOUR)
    by_hand = replace(by_hand, cause=replace(row.cause, kind="hand"))
    at = situation(offence("key-1"), directory=directory, journal=(row, by_hand))
    refused(planned(at)[-1], "turned the key back on")


def test_a_key_that_another_decision_is_about_is_left_to_that() -> None:
    at = situation(offence("key-1"), policy=replace(AUTO, grace=15 * MINUTE))
    row = one(at)
    fresh = offence("key-1", cause=replace(row.cause, instance="2026-11/120"))
    assert not planned(after(at, [row], offences=(*at.offences, fresh)), NOW + MINUTE)


# ---------------------------------------------------------------------------------------------- intents left behind


def left_behind(**policy: object) -> Action:
    """What becomes of an intent that a kill left, under another policy."""
    at = situation(offence("key-1"))
    row = one(at)
    changed = after(at, [row], policy=replace(AUTO, **policy))  # type: ignore[arg-type]
    (now,) = planned(changed, NOW + MINUTE) or (row,)
    return now


def test_an_intent_that_a_kill_left_stays_one_where_nothing_has_changed() -> None:
    assert left_behind().state is ActionState.INTENT


def test_an_intent_that_a_kill_left_is_not_carried_out_once_the_key_is_protected() -> None:
    refused(left_behind(protect=Protect(api_key=("key-1",))), "protected")


def test_an_intent_that_a_kill_left_is_not_carried_out_once_the_mode_allows_less() -> None:
    assert left_behind(mode="off").state is ActionState.EXPIRED
    refused(left_behind(mode="dry_run"), "dry run")
    waits(left_behind(mode="approve"), "approve")


def test_an_intent_that_a_kill_left_ends_with_its_alert() -> None:
    at = situation(offence("key-1"))
    (gone,) = planned(after(at, planned(at), offences=(), firing=frozenset()), NOW + MINUTE)
    assert gone.state is ActionState.EXPIRED


# ---------------------------------------------------------------------------------------------- reset


def stopped(**other: object) -> Action:
    row = one(situation(offence("key-1", period_end=NOW - HOUR + DAY)))
    evidence = replace(row.evidence, period_end=NOW - HOUR)  # type: ignore[type-var]
    done = replace(row, state=ActionState.CONFIRMED, sent_at=NOW - DAY, confirmed_at=NOW - DAY, evidence=evidence)
    return replace(done, created_at=NOW - DAY, **other)  # type: ignore[arg-type]


OFF = keys(key("key-1", status="inactive"), key("key-2"))
AGAIN = replace(AUTO, reactivate_at_reset=True)


def test_at_the_reset_a_key_comes_back_if_that_is_asked_for() -> None:
    row = one(situation(policy=AGAIN, directory=OFF, journal=(stopped(),)))
    assert (row.what, row.key, row.state) == ("reactivate", "key-1", ActionState.INTENT)
    assert not planned(situation(policy=AGAIN, directory=OFF, journal=(stopped(), row)))
    assert not planned(situation(policy=AUTO, directory=OFF, journal=(stopped(),)))


def test_before_the_period_ends_nothing_comes_back() -> None:
    running = stopped()
    running = replace(running, evidence=replace(running.evidence, period_end=NOW + MINUTE))  # type: ignore[type-var]
    assert not planned(situation(policy=AGAIN, directory=OFF, journal=(running,)))


@pytest.mark.parametrize("status", ["active", "archived", "expired"])
def test_a_key_that_is_not_off_does_not_come_back(status: str) -> None:
    directory = keys(key("key-1", status=status), key("key-2"))
    assert not planned(situation(policy=AGAIN, directory=directory, journal=(stopped(),)))


def test_a_key_that_somebody_changed_meanwhile_does_not_come_back() -> None:
    flips = (Flip("active", NOW - 9 * HOUR, NOW - 8 * HOUR), Flip("inactive", NOW - 8 * HOUR, NOW - 7 * HOUR))
    directory = keys(*OFF.by_id.values(), flips={"key-1": flips})
    assert not planned(situation(policy=AGAIN, directory=directory, journal=(stopped(),)))


@pytest.mark.parametrize("state", [state for state in ActionState if state is not ActionState.CONFIRMED])
def test_a_key_that_this_program_did_not_surely_stop_does_not_come_back(state: ActionState) -> None:
    rows = planned(situation(policy=AGAIN, directory=OFF, journal=(stopped(state=state),)))
    assert not [row for row in rows if row.what == "reactivate"]


def test_nothing_comes_back_while_the_brake_holds_or_in_a_dry_run() -> None:
    held = Brake(None, "ana", NOW)
    assert not planned(situation(policy=AGAIN, directory=OFF, journal=(stopped(),), brake=held))
    for mode in ("off", "dry_run"):
        policy = replace(AGAIN, mode=mode)  # type: ignore[arg-type]
        assert not planned(situation(policy=policy, directory=OFF, journal=(stopped(),)))


def test_the_default_policy_does_nothing() -> None:
    policy = Policy()
    assert (policy.mode, policy.max_per_cycle, policy.max_per_day, policy.max_share) == ("off", 1, 3, Fraction(1, 10))
    assert (policy.grace, policy.min_amount, policy.reactivate_at_reset) == (15 * MINUTE, 50 * USD, False)
    assert not planned(situation(offence("key-1"), policy=policy))


def test_the_default_workspace_is_a_workspace_like_any_other() -> None:
    directory = keys(key("key-1", DEFAULT_WORKSPACE), key("key-2", DEFAULT_WORKSPACE))
    assert one(situation(offence("key-1"), directory=directory)).state is ActionState.INTENT
    wide = offence("key-1", scope=Scope(ORG, workspace=DEFAULT_WORKSPACE))
    assert one(situation(wide, directory=directory)).state is ActionState.INTENT


# ---------------------------------------------------------------------------------------------- every field and word


def test_a_proposal_holds_everything_that_is_known_of_its_key_and_its_cause() -> None:
    found = offence("key-1", unpriced=("claude-new",), share=0.7, confidence=0.9)
    directory = keys(key("key-0"), key("key-1", name="batch"), **{"wrk-a": "Checkout"})
    row = one(situation(found, directory=directory, policy=replace(AUTO, grace=15 * MINUTE)))
    assert row == Action(
        id=row.id,
        organization=ORG,
        cause=found.cause,
        what="deactivate",
        key="key-1",
        key_name="batch",
        workspace="wrk-a",
        workspace_name="Checkout",
        state=ActionState.PROPOSED,
        reason="Too much. $100.00 of it are surely too much.",
        mode="approve",
        amount=100 * USD,
        created_at=NOW,
        updated_at=NOW,
        by="policy",
        alert="alert-1",
        evidence=ActionEvidence(
            since=found.since,
            observed=1100 * USD,
            certain=1100 * USD,
            bound=1000 * USD,
            key_observed=300 * USD,
            key_expected=100 * USD,
            share=0.7,
            confidence=0.9,
            error=0.2,
            data_as_of=NOW,
            period_end=found.period_end,
            unpriced=("claude-new",),
        ),
        due_at=NOW + 15 * MINUTE,
        expires_at=NOW + 30 * MINUTE,
        waits="somebody must approve it",
    )


def test_a_key_that_comes_back_is_a_row_of_its_own_with_the_names_of_the_one_that_stopped_it() -> None:
    before = stopped()
    row = one(situation(policy=AGAIN, directory=OFF, journal=(before,)))
    assert row == Action(
        id=action_id(row.cause, "key-1", "reactivate"),
        organization=ORG,
        cause=Cause("reset", before.cause.rule, before.cause.scope, before.id),
        what="reactivate",
        key="key-1",
        key_name=before.key_name,
        workspace=before.workspace,
        workspace_name=before.workspace_name,
        state=ActionState.INTENT,
        reason="The period for which it was deactivated has ended, and nobody has changed it since.",
        mode="auto",
        amount=0,
        created_at=NOW,
        updated_at=NOW,
        by="policy",
        alert=before.alert,
        intent_at=NOW,
    )


def test_a_drill_comes_back_in_the_next_cycle_whatever_the_reset_says() -> None:
    drilled = replace(stopped(), cause=replace(stopped().cause, kind="drill"), evidence=None)
    for mode in ("approve", "auto", "dry_run"):
        row = one(situation(policy=replace(AUTO, mode=mode), directory=OFF, journal=(drilled,)))  # type: ignore[arg-type]
        assert (row.what, row.reason) == (
            "reactivate",
            "It was deactivated as a drill, which ends with turning it on again.",
        )
    assert not planned(situation(policy=replace(AUTO, mode="off"), directory=OFF, journal=(drilled,)))
    begun = replace(drilled, state=ActionState.SENT)
    assert not planned(situation(policy=AUTO, directory=OFF, journal=(begun,)))


def test_two_keys_come_back_although_one_before_them_may_not() -> None:
    off = keys(*(key(f"key-{number}", status="inactive") for number in range(3)))
    first, second, third = (replace(stopped(), key=f"key-{number}", id=f"row-{number}") for number in range(3))
    first = replace(first, cause=replace(first.cause, kind="anomaly"))
    rows = planned(situation(policy=AGAIN, directory=off, journal=(first, second, third)))
    assert [row.key for row in rows] == ["key-1", "key-2"]


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (situation(offence(CONSOLE)), "It is used in the Console: there is no key that could be deactivated."),
        (
            situation(offence(UNATTRIBUTED)),
            "No key is known to have spent it: there is no key that could be deactivated.",
        ),
        (situation(offence("key-9")), "The key is not listed by the API, so it cannot be deactivated."),
        (
            situation(offence("key-1"), policy=replace(AUTO, protect=Protect(api_key=("key-1",)))),
            'The key is protected: protect.api_key names it ("key-1").',
        ),
        (
            situation(offence("key-1"), policy=replace(AUTO, max_per_day=0)),
            "The limit of the last 24 hours is reached: 0 keys.",
        ),
        (
            situation(offence("key-1"), policy=replace(AUTO, mode="dry_run")),
            "Dry run: the key would have been deactivated now. Too much. $100.00 of it are surely too much.",
        ),
    ],
)
def test_a_refusal_says_in_a_sentence_why(at: Situation, reason: str) -> None:
    row = one(at)
    assert (row.state, row.reason, row.waits) == (ActionState.REFUSED, reason, "")


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (
            situation(offence("key-1"), watermark=None),
            "usage is known to be complete only until more than 90 minutes ago",
        ),
        (situation(offence("key-1"), policy=replace(AUTO, max_per_cycle=0)), "0 a cycle is the limit"),
        (situation(offence("key-1", action=KeyAction("approve"))), "somebody must approve it"),
        (situation(offence("key-1"), policy=replace(AUTO, grace=MINUTE)), "somebody may still say no"),
        (
            situation(offence("key-1"), policy=replace(AUTO, not_during=(TimeInterval("always"),))),
            'nothing is done by itself during "always"',
        ),
        (situation(anomaly()), "an anomaly must be seen in two versions of the data"),
        (
            situation(offence("key-1"), brake=Brake(NOW + HOUR, "ana", NOW)),
            "actions are paused until 2026-11-20 13:03 UTC (ana)",
        ),
        (situation(offence("key-1"), brake=Brake(None, "ana", NOW, "a launch")), "actions are paused (a launch)"),
    ],
)
def test_what_it_waits_for_is_said_in_a_clause(at: Situation, words: str) -> None:
    row = one(at)
    assert (row.state, row.waits) == (ActionState.PROPOSED, words)


def test_somebody_who_turned_it_on_is_told_with_the_time_at_which_it_was_seen() -> None:
    directory, before = turned_on(2 * HOUR)
    row = planned(situation(offence("key-1"), directory=directory, journal=(before,)))[-1]
    assert row.reason == "Somebody turned the key back on at 2026-11-20 10:03 UTC: it is left alone 24 hours."


def test_what_waits_is_decided_in_the_order_in_which_it_was_proposed() -> None:
    at = situation(offence("key-1", "key-2"), policy=replace(AUTO, grace=5 * MINUTE, max_per_cycle=1))
    first, second = planned(at)
    late = after(at, [replace(second, created_at=NOW - MINUTE), first])
    rows = planned(late, NOW + 5 * MINUTE)
    assert [(row.key, row.state) for row in rows if row.state is ActionState.INTENT] == [("key-2", ActionState.INTENT)]


def test_a_row_that_nothing_has_changed_is_not_written_again() -> None:
    at = situation(offence("key-1"), policy=replace(AUTO, grace=15 * MINUTE))
    assert not planned(after(at, planned(at)), NOW + MINUTE)
    (row,) = planned(after(at, planned(at)), NOW + 15 * MINUTE)
    assert row.updated_at == NOW + 15 * MINUTE
