"""The rules over the past: what is told when, with the money before and after, and nothing known before its time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from rules.judgement import Rules
from rules.measures import Measure
from rules.model import HOUR, AnomalyRule, Budget, Leaf, Names, Reason, Route, SpendView
from rules.routes import Timing
from tests.rules.traffic import DOLLAR, organization, view_of
from watcher.backtest import Frame, Place, Replay, Settling, Told, hourly, replay
from watcher.backtest.summary import by_rule, total
from watcher.watermark import SETTLING

START = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)
TOLD = (Route("ops"),)


def steady(hours: int, per_hour: float = 1.0, keys: int = 2) -> SpendView:
    """Keys that spend the same dollars in every hour."""
    cost = np.full((keys, hours), round(per_hour * DOLLAR), dtype=np.int64)
    return SpendView(
        organization="org",
        start=START,
        leaves=tuple(Leaf("workspace", f"key-{place}", "claude") for place in range(keys)),
        cost=cost,
        settled=np.zeros_like(cost),
        known=np.ones(hours, dtype=np.bool_),
        complete_until=START + hours * HOUR,
        observed_until=START + hours * HOUR,
    )


def monthly(limit: int, *thresholds: float, name: str = "all") -> Budget:
    return Budget(name, "month", "UTC", limit * DOLLAR, thresholds or (100.0,))


def run(view: SpendView, rules: Rules, since: int = 0, **more: object) -> Replay:
    frames = hourly(view, view.start + since * HOUR, view.complete_until + HOUR, **more)  # type: ignore[arg-type]
    return replay(frames, rules, Place())


def essence(told: Told) -> tuple[object, ...]:
    return told.alert.subject, told.began, told.told_at, told.before


def test_a_crossing_is_told_when_its_hour_is_complete_and_what_came_after_could_have_been_saved() -> None:
    found = run(steady(72), Rules((monthly(96, 50.0, 100.0),), routes=TOLD))
    half, whole = found.alerts
    assert half.told_at == START + 24 * HOUR + SETTLING
    assert whole.told_at == START + 48 * HOUR + SETTLING
    assert (half.before, half.after) == (0, 48 * DOLLAR)
    assert (whole.before, whole.after) == (0, 48 * DOLLAR)
    assert [message.reason for message in found.messages] == [Reason.FIRST] * 2
    assert found.judgements == 72


def test_what_was_true_when_the_replay_began_is_marked_and_is_no_page() -> None:
    found = run(steady(72), Rules((monthly(40),), routes=TOLD), since=48)
    (told,) = found.alerts
    assert told.at_start
    assert [(message.reason, message.is_page) for message in found.messages] == [(Reason.INITIAL, False)]


def test_nobody_hears_of_what_no_route_takes_and_it_is_listed_all_the_same() -> None:
    found = run(steady(72), Rules((monthly(96),)))
    (told,) = found.alerts
    assert (told.told_at, told.receivers, found.messages) == (None, (), ())
    assert told.paged_at == START + 48 * HOUR + SETTLING


def test_several_thresholds_crossed_in_one_hour_are_one_alert_and_one_message() -> None:
    view = steady(72)
    view.cost[0, 60] = 500 * DOLLAR
    found = run(view, Rules((monthly(400, 50.0, 80.0, 100.0),), routes=TOLD))
    assert len(found.alerts) == len(found.messages) == 1


def test_a_day_counts_with_its_estimate_until_it_is_settled() -> None:
    """Estimated at half of what it was billed, the first day passes the threshold when it settles."""
    view = steady(96)
    estimate = view.cost[:, :24] // 2
    found = run(view, Rules((monthly(96),), routes=TOLD), settling=Settling({START: estimate}))
    (told,) = found.alerts
    assert told.told_at == START + 60 * HOUR + SETTLING
    assert told.began == START + 59 * HOUR
    early = run(view, Rules((monthly(96),), routes=TOLD))
    assert early.alerts[0].told_at == START + 48 * HOUR + SETTLING


def test_replaying_the_same_history_twice_comes_to_the_same() -> None:
    view = steady(96)
    settling = Settling({START: view.cost[:, :24] // 2})
    rules = Rules((monthly(96),), routes=TOLD)
    assert run(view, rules, settling=settling) == run(view, rules, settling=settling)


def test_a_budget_that_reaches_back_before_the_view_counts_what_was_spent_there() -> None:
    year = Budget("year", "year", "Europe/Berlin", 2 * 24 * 80 * DOLLAR, (100.0,))
    view = replace(steady(24 * 84), start=datetime(2026, 1, 1, tzinfo=UTC))
    view = replace(view, complete_until=view.start + 84 * DAY, observed_until=view.start + 84 * DAY)
    (told,) = run(view, Rules((year,), routes=TOLD), since=24 * 79).alerts
    assert told.told_at == view.start + 80 * DAY + SETTLING


def test_what_is_not_known_is_never_in_breach() -> None:
    measure = Measure("tokens")
    budget = replace(monthly(1), measure=measure)
    assert run(steady(48), Rules((budget,), routes=TOLD), counted={measure: "not known"}).alerts == ()


@pytest.fixture(scope="module")
def runaway() -> SpendView:
    """Sixteen days of six keys, of which one spends $40 an hour too much for six hours of the last one but one."""
    leaves, cost = organization(6, 16, 3)
    cost[1, 14 * 24 + 12 : 14 * 24 + 18] += 40 * DOLLAR
    return view_of(leaves, cost, 16 * 24)


ANOMALIES = Rules(anomalies=(AnomalyRule("keys"), AnomalyRule("all", per=())), routes=TOLD)
SINCE = 14 * 24 + 10


def test_an_anomaly_divides_its_excess_at_the_moment_of_the_page(runaway: SpendView) -> None:
    frames = hourly(runaway, runaway.start + SINCE * HOUR, runaway.start + (SINCE + 14) * HOUR)
    found = replay(frames, ANOMALIES, Place(Names()))
    stories = [told for told in found.alerts if told.inside is None]
    (key,) = stories
    assert key.alert.subject.scope.api_key == "key-1"
    assert key.began == runaway.start + (14 * 24 + 12) * HOUR
    assert key.told_at is not None
    assert key.before is not None
    assert key.after is not None
    excess = 6 * 40 * DOLLAR
    assert abs(key.before + key.after - excess) < 0.1 * excess
    assert key.excess_ended == runaway.start + (14 * 24 + 18) * HOUR
    assert key.resolved_at is not None
    assert key.resolved_at > key.excess_ended
    assert {told.told_at for told in found.alerts} == {key.told_at}, "its parents are told inside its message"
    assert [message.reason for message in found.messages] == [Reason.FIRST, Reason.RESOLVED]
    hours = [point.hour for point in key.points]
    assert hours == sorted(set(hours))


def test_groups_wait_tell_repeat_and_end_as_they_would_have(runaway: SpendView) -> None:
    timing = Timing(group_by=("kind",), group_wait=timedelta(minutes=10), group_interval=timedelta(minutes=30))
    grouped = replace(ANOMALIES, routes=(Route("ops", timing=replace(timing, repeat_interval=timedelta(hours=3))),))
    plain, waited = run(runaway, ANOMALIES, SINCE), run(runaway, grouped, SINCE)
    assert [each.told_at for each in waited.alerts] == [each.paged_at + HOUR for each in plain.alerts]
    assert [each.receivers for each in waited.alerts] == [each.receivers for each in plain.alerts]
    reasons = [each.reason for each in waited.messages]
    assert (reasons[0], reasons[-1]) == (Reason.FIRST, Reason.RESOLVED)
    assert Reason.REPEATED in reasons


def test_nothing_is_known_before_its_time(runaway: SpendView) -> None:
    """Without the future the past is the same: what was told until then, and with what money."""
    cut = 14 * 24 + 15
    known = replace(
        runaway,
        cost=runaway.cost[:, :cut],
        settled=runaway.settled[:, :cut],
        known=runaway.known[:cut],
        complete_until=runaway.start + cut * HOUR,
        observed_until=runaway.start + cut * HOUR,
    )
    until = runaway.start + cut * HOUR + SETTLING
    whole = replay(hourly(runaway, runaway.start + SINCE * HOUR, until), ANOMALIES, Place())
    part = replay(hourly(known, runaway.start + SINCE * HOUR, until + DAY), ANOMALIES, Place())
    assert whole.alerts
    assert whole == part


def test_what_is_carried_from_hour_to_hour_sees_figures_that_change_under_it(runaway: SpendView) -> None:
    """Days settle in the arrays that earlier frames had: a replay of frames with arrays of their own is the same."""
    days = range(10, 16)
    estimates = {
        runaway.start + day * DAY: runaway.cost[:, day * 24 : day * 24 + 24] * 3 // (4 if day % 2 else 2)
        for day in days
    }
    window = runaway.start + SINCE * HOUR, runaway.start + (SINCE + 30) * HOUR

    def own(frame: Frame) -> Frame:
        view = frame.view
        return replace(frame, view=replace(view, cost=view.cost.copy(), settled=view.settled.copy()))

    shared = replay(hourly(runaway, *window, settling=Settling(estimates)), ANOMALIES, Place())
    apart = replay(map(own, hourly(runaway, *window, settling=Settling(estimates))), ANOMALIES, Place())
    assert shared == apart
    assert shared.alerts


def test_sums_count_a_storys_money_once_and_no_budgets_beside_an_anomalys(runaway: SpendView) -> None:
    """The key's excess is also what passes the budget."""
    rules = replace(ANOMALIES, budgets=(Budget("daily", "day", "UTC", 100 * DOLLAR, (80.0, 100.0)),))
    window = runaway.start + (14 * 24) * HOUR, runaway.start + (SINCE + 12) * HOUR
    found = replay(hourly(runaway, *window), rules, Place())
    assert {told.alert.subject.kind for told in found.alerts} == {"anomaly", "budget"}
    (key,) = [told for told in found.alerts if told.alert.subject.rule == "keys"]
    whole = total(found.alerts)
    assert (whole.before, whole.after) == (key.before, key.after)
    lines = {line.title: line for line in by_rule(found)}
    assert lines["daily"].after == max(told.after or 0 for told in found.alerts if told.alert.subject.rule == "daily")
