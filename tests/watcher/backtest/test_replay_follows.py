"""A replay follows what is planned, what people said of anomalies, and the timing of routes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from rules.events import Event, Window
from rules.judgement import Rules
from rules.model import HOUR, AnomalyEvidence, AnomalyRule, Reason, Route, SpendView
from rules.quieted import EXPECTED, Feedback
from rules.routes import Timing
from tests.rules.traffic import DOLLAR, organization, view_of
from watcher.backtest import Place, Replay, Told, hourly, replay
from watcher.watermark import SETTLING

RULE = AnomalyRule("keys")
RULES = Rules(anomalies=(RULE,), routes=(Route("ops"),))
BURNS = 14 * 24 + 12
SINCE = 14 * 24 + 10


@pytest.fixture(scope="module")
def runaway() -> SpendView:
    """Sixteen days of six keys, of which one spends $40 an hour too much for six hours of the last day but one."""
    leaves, cost = organization(6, 16, 3)
    cost[1, BURNS : BURNS + 6] += 40 * DOLLAR
    return view_of(leaves, cost, 16 * 24)


def run(view: SpendView, rules: Rules = RULES, place: Place | None = None, **more: object) -> Replay:
    frames = hourly(view, view.start + SINCE * HOUR, view.start + (SINCE + 20) * HOUR)
    return replay(frames, rules, place or Place(), **more)  # type: ignore[arg-type]


def the_key(found: Replay) -> list[Told]:
    return [told for told in found.alerts if told.alert.subject.scope.api_key == "key-1"]


def test_what_was_planned_is_not_told_and_only_while_it_is_near(runaway: SpendView) -> None:
    launch = Event("launch", (Window(runaway.start + BURNS * HOUR, runaway.start + (BURNS + 8) * HOUR),), expect=500.0)
    asked: list[datetime] = []

    def planned(now: datetime) -> tuple[Event, ...]:
        asked.append(now)
        return (launch,)

    assert the_key(run(runaway))
    assert the_key(run(runaway, events=planned)) == []
    assert asked == sorted(set(asked))
    assert the_key(run(runaway, events=lambda _: ()))


def test_feedback_counts_from_the_moment_at_which_it_was_said(runaway: SpendView) -> None:
    (told,) = the_key(run(runaway))
    evidence = told.alert.evidence
    assert isinstance(evidence, AnomalyEvidence)
    assert told.told_at is not None
    said = Feedback(
        "another id",
        told.alert.subject,
        EXPECTED,
        since=runaway.start + BURNS * HOUR,
        until=None,
        usual=evidence.normal_per_hour,
        excess=60 * DOLLAR,
        by="ann",
        at=runaway.start + BURNS * HOUR,
    )
    assert the_key(run(runaway, place=Place(feedback=(said,)))) == []
    late = replace(said, at=told.told_at + timedelta(minutes=5))
    (again,) = the_key(run(runaway, place=Place(feedback=(late,))))
    assert again.told_at == told.told_at
    assert again.resolved_at is not None
    assert told.resolved_at is not None
    assert again.resolved_at < told.resolved_at
    back = replace(said, taken_back=True)
    assert the_key(run(runaway, place=Place(feedback=(back,)))) == the_key(run(runaway))


def test_a_timed_route_waits_repeats_and_tells_the_end(runaway: SpendView) -> None:
    timing = Timing(group_wait=timedelta(hours=2), repeat_interval=timedelta(hours=3))
    found = run(runaway, replace(RULES, routes=(Route("ops", timing=timing),)))
    (at_once,) = the_key(run(runaway))
    (told,) = the_key(found)
    assert at_once.told_at is not None
    assert told.told_at == at_once.told_at + 2 * HOUR
    reasons = [message.reason for message in found.messages]
    assert reasons[0] is Reason.FIRST
    assert Reason.REPEATED in reasons
    assert reasons[-1] is Reason.RESOLVED
    assert {message.at.minute for message in found.messages} == {SETTLING.seconds // 60}
