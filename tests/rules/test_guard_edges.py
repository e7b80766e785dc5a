"""The guard at its edges: exactly the least amount, exactly the last moment, and what is nobody's word."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from rules.actions import Action, ActionState
from rules.keys import Flip, Keys
from rules.model import Scope
from rules.offences import Offender
from rules.policy import LEAST_MULTIPLE, KeyAction
from rules.quieted import Silenced
from rules.touched import changed_by_hand
from tests.rules.offending import AUTO, FOUR, MINUTE, NOW, USD, after, alert, key, keys, offence, planned, situation

HOUR = 60 * MINUTE
DAY = 24 * HOUR
GRACE = replace(AUTO, grace=15 * MINUTE)


def test_what_no_longer_waits_says_no_more_what_it_waited_for() -> None:
    at = situation(offence("key-1"), policy=GRACE)
    waiting = planned(at)
    assert waiting[0].waits
    (begun,) = planned(after(at, waiting), NOW + 15 * MINUTE)
    assert (begun.state, begun.waits) == (ActionState.INTENT, "")
    (gone,) = planned(after(at, waiting, offences=(), firing=frozenset()), NOW + MINUTE)
    assert (gone.state, gone.waits) == (ActionState.EXPIRED, "")
    dry = situation(offence("key-1"), policy=replace(GRACE, mode="dry_run"))
    (told,) = planned(after(dry, planned(dry)), NOW + 15 * MINUTE)
    assert (told.state, told.waits) == (ActionState.REFUSED, "")


@pytest.mark.parametrize("most", [1, 2, 3])
def test_a_cycle_begins_as_many_as_its_limit_says(most: int) -> None:
    rows = planned(situation(offence("key-0", "key-1", "key-2"), policy=replace(AUTO, max_per_cycle=most)))
    assert sum(row.state is ActionState.INTENT for row in rows) == most


def test_the_decision_that_no_key_is_touched_has_the_figures_of_the_breach() -> None:
    found = offence(unknown="it is spread over many")
    (row,) = planned(situation(found))
    assert (row.key, row.workspace, row.mode) == ("", "", "auto")
    assert row.evidence is not None
    assert (row.evidence.key_observed, row.evidence.key_expected) == (found.observed, found.bound)


def test_a_key_that_is_busy_does_not_keep_the_next_one_from_being_planned() -> None:
    at = situation(offence("key-1"), policy=GRACE)
    wide = offence("key-1", "key-2", cause=replace(offence("key-1").cause, instance="2026-11/120"))
    rows = planned(after(at, planned(at), offences=(*at.offences, wide)), NOW + MINUTE)
    assert [row.key for row in rows] == ["key-2"]


def test_what_needs_approval_stays_a_dry_run_where_that_is_the_mode() -> None:
    (row,) = planned(situation(offence("key-1", unpriced=("new",)), policy=replace(GRACE, mode="dry_run")))
    assert (row.mode, row.expires_at) == ("dry_run", None)


def test_an_intent_that_a_kill_left_ends_where_its_key_is_calm_by_now() -> None:
    wide = offence("key-1", "key-2")
    at = situation(wide)
    calm = replace(wide, offenders=tuple(replace(each, goes_on=False) for each in wide.offenders))
    rows = planned(after(at, planned(at), offences=(calm,)), NOW + MINUTE)
    assert {row.state for row in rows} == {ActionState.REFUSED}
    assert {row.reason for row in rows} == {"The key is back to its usual spend: deactivating it would save nothing."}


def test_an_intent_that_needs_approval_by_now_is_none_any_more() -> None:
    at = situation(offence("key-1"))
    (row,) = planned(after(at, planned(at), policy=replace(AUTO, mode="approve")), NOW + MINUTE)
    assert (row.intent_at, row.waits) == (None, "somebody must approve it")


def test_a_key_that_became_its_workspace_s_last_one_while_it_waited_needs_approval() -> None:
    at = situation(offence("key-1", "key-2"), policy=GRACE, watermark=NOW)
    alone = keys(key("key-1", "wrk-b"), key("key-2"), key("key-3"))
    rows = planned(after(at, planned(at), keys=alone), NOW + 16 * MINUTE)
    assert {row.key: row.mode for row in rows} == {"key-1": "approve", "key-2": "auto"}


def test_a_mode_that_was_lowered_to_a_dry_run_asks_nobody() -> None:
    at = situation(offence("key-1"), policy=GRACE)
    (row,) = planned(after(at, planned(at), policy=replace(GRACE, mode="dry_run")), NOW + MINUTE)
    assert (row.mode, row.expires_at) == ("dry_run", None)


def test_a_neighbour_that_was_stopped_long_ago_and_works_again_is_no_missing_neighbour() -> None:
    before = replace(planned(situation(offence("key-2")))[0], id="old", state=ActionState.CONFIRMED)
    before = replace(
        before, cause=replace(before.cause, instance="old"), intent_at=NOW - 9 * DAY, sent_at=NOW - 9 * DAY
    )
    two = keys(key("key-1", "wrk-b"), key("key-2", "wrk-b"))
    rows = planned(situation(offence("key-1"), directory=two, journal=(before,)))
    assert rows[-1].mode == "auto"


def test_switching_off_counts_whether_or_not_the_breach_is_seen() -> None:
    at = situation(offence("key-1"), policy=GRACE)
    (gone,) = planned(after(at, planned(at), offences=(), policy=replace(GRACE, mode="off")), NOW + MINUTE)
    assert gone.reason == "Shutoff was switched off before it was done."
    (own,) = planned(after(at, planned(at), offences=(offence("key-1", action=KeyAction("off")),)), NOW + MINUTE)
    assert own.reason == "Shutoff was switched off before it was done."


def test_exactly_the_least_amount_is_enough_in_all_and_of_a_key() -> None:
    exact = Offender("key-1", "wrk-a", 60 * USD, 10 * USD)
    wide = replace(offence("key-1", "key-2", amount=50), offenders=(exact,))
    (row,) = planned(situation(wide))
    assert row.state is ActionState.INTENT


def test_exactly_five_times_the_usual_is_enough_for_an_anomaly() -> None:
    times = replace(
        offence("key-1", kind="anomaly"),
        offenders=(Offender("key-1", "wrk-a", round(LEAST_MULTIPLE) * 50 * USD, 50 * USD),),
    )
    (row,) = planned(situation(times))
    assert row.waits == "an anomaly must be seen in two versions of the data"


def test_what_holds_it_is_said_in_these_words() -> None:
    at = situation(offence("key-1"), policy=replace(AUTO, grace=MINUTE))
    (unseen,) = planned(after(at, planned(at), offences=()), NOW + MINUTE)
    assert unseen.waits == "no complete data say that it still holds"
    quiet = alert(silenced=Silenced("s1", NOW + DAY, "ana", "known"))
    assert planned(situation(offence("key-1", alert=quiet)))[0].waits == "a silence holds the alert"
    (row,) = planned(at)
    other = replace(row, id="other", cause=replace(row.cause, instance="2026-11/120"), state=ActionState.SENT)
    (still,) = planned(after(at, [row, replace(other, sent_at=NOW)]), NOW + MINUTE)
    assert still.waits == "something else is being done to the key"


# ---------------------------------------------------------------------------------------------- whose doing it was

AGAIN = replace(AUTO, reactivate_at_reset=True)
OFF = keys(key("key-1", status="inactive"), key("key-2"))
SENT = NOW - 20 * HOUR


def stopped(**other: object) -> Action:
    (row,) = planned(situation(offence("key-1")))
    evidence = replace(row.evidence, period_end=NOW)  # type: ignore[type-var]
    row = replace(row, state=ActionState.CONFIRMED, sent_at=SENT, confirmed_at=SENT, evidence=evidence)
    return replace(row, **{"created_at": SENT, **other})  # type: ignore[arg-type]


def comes_back(directory: Keys, *journal: Action) -> bool:
    rows = planned(situation(policy=AGAIN, directory=directory, journal=journal or (stopped(),)))
    return any(row.what == "reactivate" for row in rows)


def flipped(before: datetime, seen: datetime, status: str = "inactive") -> Keys:
    return keys(*OFF.by_id.values(), flips={"key-1": (Flip(status, before, seen),)})


def test_at_the_very_end_of_its_period_a_key_comes_back() -> None:
    assert comes_back(OFF)
    later = replace(stopped(), evidence=replace(stopped().evidence, period_end=NOW + MINUTE))  # type: ignore[type-var]
    assert not comes_back(OFF, later)


@pytest.mark.parametrize(
    ("before", "seen", "ours"),
    [
        (SENT - 5 * MINUTE, SENT + 5 * MINUTE, True),
        (SENT, SENT + 5 * MINUTE, True),
        (SENT - 5 * MINUTE, SENT, True),
        (SENT + MINUTE, SENT + 5 * MINUTE, False),
    ],
)
def test_a_change_that_this_program_s_own_write_explains_is_nobody_s(
    before: datetime, seen: datetime, ours: bool
) -> None:
    assert comes_back(flipped(before, seen)) is ours


def test_a_change_of_another_key_s_write_explains_nothing() -> None:
    other = stopped(id="other", key="key-2")
    other = replace(other, sent_at=SENT + 2 * MINUTE, state=ActionState.REFUSED)
    assert not comes_back(flipped(SENT + MINUTE, SENT + 5 * MINUTE), stopped(), other)


@pytest.mark.parametrize(
    ("change", "back"),
    [
        ({"state": ActionState.REFUSED, "sent_at": None}, True),
        ({"state": ActionState.SENT}, False),
        ({"state": ActionState.ABANDONED}, False),
        ({"state": ActionState.ABANDONED, "key": "key-2"}, True),
        ({"state": ActionState.ABANDONED, "created_at": SENT}, True),
    ],
)
def test_a_later_decision_about_the_key_leaves_it_off_if_anything_came_of_it(
    change: dict[str, object], back: bool
) -> None:
    later = stopped(**{"id": "later", "created_at": SENT + HOUR, **change})
    later = replace(later, cause=replace(later.cause, kind="anomaly"))
    rows = planned(situation(policy=AGAIN, directory=OFF, journal=(stopped(), later), firing=frozenset({"alert-1"})))
    assert any(row.what == "reactivate" for row in rows) is back


def test_a_key_that_was_not_listed_since_it_was_stopped_does_not_come_back_yet() -> None:
    assert not comes_back(keys(key("key-1", status="inactive", listed_at=SENT), key("key-2")))
    assert comes_back(keys(key("key-1", status="inactive", listed_at=SENT + MINUTE), key("key-2")))


def test_a_drill_comes_back_although_a_budget_s_key_before_it_does_not() -> None:
    drill = stopped(id="drill", cause=replace(stopped().cause, kind="drill"), key="key-3")
    directory = keys(*OFF.by_id.values(), key("key-3", status="inactive"))
    rows = planned(situation(directory=directory, journal=(stopped(), drill)))
    assert [(row.what, row.key) for row in rows] == [("reactivate", "key-3")]


@pytest.mark.parametrize(("listed", "left_alone"), [(SENT, False), (SENT + timedelta(seconds=1), True)])
def test_a_key_listed_as_active_after_it_was_stopped_was_turned_on(listed: datetime, left_alone: bool) -> None:
    directory = keys(key("key-1", listed_at=listed), key("key-2"))
    fresh = offence("key-1", cause=replace(offence("key-1").cause, instance="2026-11/120"))
    row = planned(situation(fresh, directory=directory, journal=(stopped(),)))[-1]
    assert ("turned the key back on" in row.reason) is left_alone


@pytest.mark.parametrize("at", [NOW - 2 * HOUR - 5 * MINUTE, NOW - 2 * HOUR])
def test_turning_on_at_either_end_of_what_was_seen_is_this_program_s(at: datetime) -> None:
    flip = Flip("active", NOW - 2 * HOUR - 5 * MINUTE, NOW - 2 * HOUR)
    directory = keys(*FOUR.by_id.values(), flips={"key-1": (flip,)})
    ours = stopped(
        id="ours", what="reactivate", sent_at=at, confirmed_at=at, cause=replace(stopped().cause, kind="reset")
    )
    fresh = offence("key-1", cause=replace(offence("key-1").cause, instance="2026-11/120"), scope=Scope("org-1"))
    row = planned(situation(fresh, directory=directory, journal=(stopped(), ours)))[-1]
    assert row.state is ActionState.INTENT


@pytest.mark.parametrize(
    ("story", "said"),
    [("It burns", "It burns. $100.00"), ("It burns.", "It burns. $100.00"), ("", "$100.00")],
)
def test_the_reason_is_the_story_of_the_alert_and_what_is_surely_too_much(story: str, said: str) -> None:
    found = offence("key-1")
    found = replace(found, alert=replace(found.alert, summary=story), certain=found.bound + 100 * USD)
    (row,) = planned(situation(found, policy=GRACE))
    assert row.reason == f"{said} of it are surely too much."


def test_a_workspace_that_is_not_listed_is_called_by_its_id() -> None:
    unlisted = replace(keys(key("key-1", "wrk-z")), workspaces={})
    (row,) = planned(situation(offence("key-1"), directory=unlisted, policy=GRACE))
    assert (row.workspace, row.workspace_name) == ("wrk-z", "wrk-z")


def test_what_this_program_never_saw_done_counts_as_changed_by_somebody() -> None:
    (row,) = planned(situation(offence("key-1"), policy=GRACE))
    assert changed_by_hand(row, (), keys(key("key-1")))


def test_what_a_person_approved_at_few_times_the_usual_is_begun_at_few_times_the_usual() -> None:
    found = offence("key-1", kind="anomaly", offenders=(Offender("key-1", "wrk-a", 300 * USD, 100 * USD),))
    asking = situation(found, policy=replace(AUTO, mode="approve"))
    (row,) = planned(asking)
    row = replace(row, state=ActionState.APPROVED, approved_at=NOW, by="ann")
    later = replace(found, data_as_of=NOW + 5 * MINUTE, observed=found.observed + USD)
    (begun,) = planned(after(asking, (row,), offences=(later,), watermark=NOW), NOW + 5 * MINUTE)
    assert (begun.state, begun.by) == (ActionState.INTENT, "ann")


@pytest.mark.parametrize("unknown", ["", "it is spread over many"])
def test_a_key_that_explains_a_wider_breach_no_longer_waits_as_long_as_that_is_so(unknown: str) -> None:
    wide = offence("key-1", "key-2")
    at = situation(wide, policy=GRACE)
    others = replace(wide, offenders=() if unknown else wide.offenders[1:], unknown=unknown)
    rows = planned(at)
    later = planned(after(at, rows, offences=(others,), watermark=NOW), NOW + 16 * MINUTE)
    (first,) = [row for row in later if row.key == "key-1"]
    assert (first.state, first.waits) == (
        ActionState.PROPOSED,
        "by now it is not among the keys that explain the excess",
    )
    again = planned(after(at, (*rows, *later), offences=(wide,), watermark=NOW), NOW + 17 * MINUTE)
    assert [row.state for row in again if row.key == "key-1"] == [ActionState.INTENT]
