"""The algebra of the life cycle; its rules stand as scenarios in test_alert_scenarios.py."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.lifecycle import Advance, advance, applied
from rules.model import (
    Alert,
    AnomalyEvidence,
    Breach,
    BudgetEvidence,
    Clear,
    Names,
    NoData,
    Scope,
    Severity,
    SourceEvidence,
    State,
    Subject,
    Verdict,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
END = datetime(2026, 12, 1, tzinfo=UTC)
CONFIGURED = {("budget", "spend"), ("source", "failing")}
MINUTE = timedelta(minutes=1)


def state(source: int) -> Subject:
    return Subject("failing", "source", Scope("org_1"), str(source))


def in_breach(
    source: int, value: int = 1, hold: int = 0, keep: int = 0, data_as_of: datetime = NOW, started: datetime = NOW
) -> Breach:
    evidence = SourceEvidence(str(source), "broken", started, "blind", "wait", data_as_of)
    return Breach(
        state(source),
        Severity.WARNING,
        started,
        value,
        None,
        None,
        evidence,
        hold_for=hold * MINUTE,
        keep_firing_for=keep * MINUTE,
    )


def crossed(percent: float, key: str = "apikey_a", closes_at: datetime = END, spent: int = 100) -> Breach:
    evidence = BudgetEvidence(
        "November 2026", NOW, END, "UTC", percent, (), spent=spent, limit=100, settled=0, data_as_of=NOW
    )
    subject = Subject("spend", "budget", Scope("org_1", api_key=key), f"2026-11-01T00:00:00Z/{percent:g}")
    return Breach(subject, Severity.INFO, NOW, spent, None, 100, evidence, closes_at=closes_at)


def step(alerts: tuple[Alert, ...], verdicts: list[Verdict], now: datetime = NOW) -> Advance:
    return advance(alerts, verdicts, CONFIGURED, Names(), now)


sources = st.integers(0, 3)
verdict_lists = st.lists(
    st.one_of(
        st.builds(in_breach, sources, st.integers(0, 5), st.integers(0, 2), st.integers(0, 2)),
        st.builds(lambda source: Clear(state(source)), sources),
        st.builds(lambda source: NoData(state(source), "?"), sources),
        st.builds(crossed, st.sampled_from([50.0, 80.0, 100.0]), st.sampled_from(["apikey_a", "apikey_b"])),
    ),
    max_size=8,
)


@given(st.lists(verdict_lists, max_size=5), verdict_lists, st.randoms(use_true_random=False))
def test_the_order_of_verdicts_and_alerts_does_not_matter(
    before: list[list[Verdict]], verdicts: list[Verdict], random: Random
) -> None:
    alerts: tuple[Alert, ...] = ()
    for at, earlier in enumerate(before):
        alerts = applied(alerts, step(alerts, earlier, NOW + at * MINUTE).alerts)
    now = NOW + len(before) * MINUTE
    expected = step(alerts, verdicts, now)
    shuffled, mixed = list(verdicts), list(alerts)
    random.shuffle(shuffled)
    random.shuffle(mixed)
    assert step(tuple(mixed), shuffled, now) == expected


@given(st.lists(verdict_lists, min_size=1, max_size=5))
def test_a_judgement_repeated_changes_nothing(story: list[list[Verdict]]) -> None:
    alerts: tuple[Alert, ...] = ()
    for at, verdicts in enumerate(story):
        now = NOW + at * MINUTE
        alerts = applied(alerts, step(alerts, verdicts, now).alerts)
        # A state that resolved is not open: the store hands over what is open, and events.
        known = tuple(alert for alert in alerts if alert.is_event or alert.state is not State.RESOLVED)
        assert step(known, verdicts, now) == Advance()


@given(st.lists(verdict_lists, max_size=4), st.lists(sources), st.integers(0, 600))
def test_no_data_never_changes_a_state(story: list[list[Verdict]], unknown: list[int], later: int) -> None:
    alerts: tuple[Alert, ...] = ()
    for at, verdicts in enumerate(story):
        alerts = applied(alerts, step(alerts, verdicts, NOW + at * MINUTE).alerts)
    after = NOW + (len(story) + later) * MINUTE
    assert step(alerts, [NoData(state(source), "?") for source in unknown], after) == Advance()


@given(st.lists(verdict_lists, max_size=6))
def test_every_change_of_state_is_one_that_a_life_has(story: list[list[Verdict]]) -> None:
    allowed = {
        (None, State.PENDING),
        (None, State.FIRING),
        (State.PENDING, State.FIRING),
        (State.PENDING, State.RESOLVED),
        (State.FIRING, State.RESOLVED),
    }
    alerts: tuple[Alert, ...] = ()
    for at, verdicts in enumerate(story):
        outcome = step(alerts, verdicts, NOW + at * MINUTE)
        states = {alert.id: alert.state for alert in alerts}
        for change in outcome.transitions:
            assert (change.before, change.after) in allowed
            assert states.get(change.alert_id) is change.before
            assert next(alert.state for alert in outcome.alerts if alert.id == change.alert_id) is change.after
        alerts = applied(alerts, outcome.alerts)


def test_of_several_thresholds_the_highest_is_told_and_names_the_rest() -> None:
    outcome = step((), [crossed(80.0), crossed(100.0), crossed(50.0), crossed(50.0, "apikey_b")])
    loud = {change.alert_id for change in outcome.transitions if not change.silent}
    told = {
        (alert.subject.scope.api_key, alert.evidence.threshold_percent, alert.evidence.also_crossed)
        for alert in outcome.alerts
        if alert.id in loud and isinstance(alert.evidence, BudgetEvidence)
    }
    assert told == {("apikey_a", 100.0, (50.0, 80.0)), ("apikey_b", 50.0, ())}
    assert {change.why for change in outcome.transitions if change.silent} == {"told with 100 %"}


def test_what_was_told_inside_a_crossing_stays_there_as_it_goes_on() -> None:
    first = step((), [crossed(50.0), crossed(80.0)])
    second = step(first.alerts, [crossed(50.0, spent=120), crossed(80.0, spent=120)], NOW + MINUTE)
    assert second.transitions == ()
    assert {a.evidence.also_crossed for a in second.alerts if isinstance(a.evidence, BudgetEvidence)} == {(50.0,), ()}
    assert {alert.value for alert in second.alerts} == {120}
    assert all("$0.00" in alert.summary or "<$0.01" in alert.summary for alert in second.alerts)


def test_an_event_that_closed_is_not_told_again_and_one_whose_time_is_over_never_begins() -> None:
    fired = step((), [crossed(50.0)])
    closed = step(fired.alerts, [], END)
    (alert,) = closed.alerts
    assert (alert.state, alert.ends_at) == (State.RESOLVED, END)
    assert [(change.silent, change.why) for change in closed.transitions] == [(True, "period ended")]
    late = END + timedelta(hours=5)
    assert step(closed.alerts, [crossed(50.0, closes_at=late + timedelta(days=1))], late) == Advance()
    assert step(closed.alerts, [crossed(50.0, closes_at=late + timedelta(days=1), spent=170)], late) == Advance()
    assert step((), [crossed(50.0, closes_at=END)], late) == Advance()


def test_an_alert_is_rewritten_when_its_figures_change_and_not_when_only_their_age_does() -> None:
    first = step((), [in_breach(1)])
    assert step(first.alerts, [in_breach(1, data_as_of=NOW + MINUTE)], NOW + MINUTE) == Advance()
    (changed,) = step(first.alerts, [in_breach(1, value=2)], NOW + MINUTE).alerts
    assert (changed.value, changed.id, changed.starts_at) == (2, first.alerts[0].id, NOW)


def test_a_name_that_changed_is_taken_over_while_the_alert_goes_on() -> None:
    verdicts: list[Verdict] = [crossed(50.0)]
    first = advance((), verdicts, CONFIGURED, Names({"apikey_a": "old"}, {"apikey_a": "wrkspc_1"}), NOW)
    assert first.alerts[0].names == {"apikey_a": "old", "wrkspc_1": "wrkspc_1"}
    (renamed,) = advance(first.alerts, verdicts, CONFIGURED, Names({"apikey_a": "new"}), NOW + MINUTE).alerts
    assert 'key "new" (apikey_a)' in renamed.summary


def test_each_stretch_of_a_state_is_an_alert_of_its_own() -> None:
    first = step((), [in_breach(1)])
    ended = step(first.alerts, [Clear(state(1))], NOW + MINUTE)
    again = step(ended.alerts, [in_breach(1)], NOW + 2 * MINUTE)
    assert [change.after for change in again.transitions] == [State.FIRING]
    assert again.alerts[0].id != first.alerts[0].id
    assert again.alerts[0].subject.fingerprint == first.alerts[0].subject.fingerprint


@pytest.mark.parametrize(("cost_now", "stays"), [(30, True), (17, True), (16, False), (2, False), (None, False)])
def test_an_anomaly_that_ends_knows_whether_its_spend_went_back_or_came_to_be_held_for_normal(
    cost_now: int | None, stays: bool
) -> None:
    subject = Subject("key spend", "anomaly", Scope("org_1", api_key="apikey_a"))
    evidence = AnomalyEvidence(
        since=NOW - timedelta(hours=60),
        observed=60 * 31,
        expected=60 * 2,
        per_hour=31,
        normal_per_hour=30,
        upper_per_hour=440,
        score=1.0,
        history_hours=1440,
        points=(),
        data_as_of=NOW,
    )
    breach = Breach(subject, Severity.WARNING, evidence.since, 60 * 31, 60 * 2, None, evidence, keep_firing_for=MINUTE)
    configured = {("anomaly", "key spend")}
    alerts = advance((), [breach], configured, Names(), NOW).alerts
    for minutes in (1, 2):
        over = advance(alerts, [Clear(subject, cost_now)], configured, Names(), NOW + minutes * MINUTE)
        alerts = over.alerts
    assert [change.after for change in over.transitions] == [State.RESOLVED]
    assert isinstance(alerts[0].evidence, AnomalyEvidence)
    assert alerts[0].evidence.stays is stays
    assert ("back to normal" in alerts[0].summary) is not stays
    assert ("counts as its normal now" in alerts[0].summary) is stays


def test_verdicts_of_rules_that_are_not_configured_are_ignored() -> None:
    assert advance((), [in_breach(1)], set(), Names(), NOW) == Advance()


def test_whom_to_ask_is_kept_with_the_alert_and_follows_the_directory() -> None:
    verdicts: list[Verdict] = [crossed(50.0)]
    names = Names(
        {"u1": "Ada", "u2": "bob@x.example"}, {}, {"apikey_a": "u1"}, {"u1": "ada@x.example", "u2": "bob@x.example"}
    )
    first = advance((), verdicts, CONFIGURED, names, NOW)
    assert first.alerts[0].owner == "Ada (ada@x.example)"
    given = Names(names.by_id, {}, {"apikey_a": "u2"}, names.emails)
    (later,) = advance(first.alerts, verdicts, CONFIGURED, given, NOW + MINUTE).alerts
    assert later.owner == "bob@x.example"
    assert given.whom_to_ask(Scope("org_1", user="u1")) == "Ada (ada@x.example)"
    assert given.whom_to_ask(Scope("org_1", user="gone")) == given.whom_to_ask(Scope("org_1")) == ""
