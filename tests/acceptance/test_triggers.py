"""What a budget tells before its thresholds are crossed, through the whole program."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.forecast_cases import panel_of
from rules.model import Budget, BurnEvidence, ForecastEvidence, Selector, Severity, State
from rules.triggers import ForecastMark, PaceMark, usual_pairs
from tests.acceptance.conftest import Start
from tests.acceptance.running import DAY, MINUTE, Asked, at, incident_file
from tests.acceptance.script import Script
from watcher.simulator import World

TUESDAY = at("2026-11-17 06:00")
BURN = Budget("key", "month", "UTC", 1, (1000.0,), burn=usual_pairs(30 * DAY))


def organization(started_at: datetime, scenario: Path | None = None) -> World:
    return World(started_at=started_at, seed=7, keys=12, workspaces=3, days=35, scenario=scenario)


def month_of(world: World, key: str | None = None) -> int:
    """What thirty days at the pace of the four weeks before its start cost, nano-dollars."""
    until = world.started_at.replace(hour=0)
    panel = panel_of(world, until - 28 * DAY, until)
    rows = [row for row, leaf in enumerate(panel.leaves) if key in {None, leaf.api_key}]
    return int(panel.cost[rows].sum()) * 30 // 28


def begin(start: Start, world: World, *budgets: Budget, step: timedelta) -> Script:
    """A new database's first cycle, which has nothing to say."""
    watcher = start(world, Asked(budgets=budgets, anomalies=(), backfill=timedelta(days=35)))
    assert not watcher.cycle()
    return Script(watcher, step)


def test_a_key_at_ten_times_its_pace_is_told_within_two_polls_of_the_open_hour(start: Start, tmp_path: Path) -> None:
    world = organization(TUESDAY, incident_file(tmp_path, "runaway after=3h for=6h factor=10"))
    key = str(world.incidents[0].api_key_id)
    limit = month_of(world, key) * 11 // 10
    script = begin(start, world, replace(BURN, limit=limit, select=Selector(api_key=key)), step=30 * MINUTE)
    script.quiet(until="17 09:00")
    script.step = 5 * MINUTE
    told = script.message(before="17 09:11", reason="first")
    evidence = told.alert.evidence
    assert isinstance(evidence, BurnEvidence)
    assert told.alert.severity is Severity.CRITICAL
    told.says("burns", "left, gone at")
    assert evidence.since == at("2026-11-17 09:00")
    assert evidence.top[0].id == key
    script.step = 30 * MINUTE
    script.quiet(until="17 15:00")
    script.message(before="17 18:00", reason="resolved").says("no longer burns too fast")
    script.quiet(until="17 22:00")
    assert not [alert for alert in script.watcher.alerts if alert.state is State.FIRING]


@pytest.mark.slow
def test_a_quiet_weekend_and_the_monday_after_it_tell_nothing(start: Start) -> None:
    world = organization(at("2026-11-20 15:00"))  # a Friday
    limit = month_of(world) * 11 // 10
    everything = Budget(
        "all",
        "month",
        "UTC",
        limit,
        (1000.0,),
        burn=usual_pairs(30 * DAY),
        forecast=(ForecastMark(100.0),),
        pace=(PaceMark(120),),
    )
    keys = replace(BURN, name="keys", per=("api_key",), limit=limit // 4)
    script = begin(start, world, everything, keys, step=30 * MINUTE)
    script.quiet(until="23 20:00")
    assert not script.watcher.alerts


def test_a_month_that_will_end_beyond_its_limit_is_told_with_the_day_of_its_crossing(start: Start) -> None:
    world = organization(TUESDAY)
    limit = month_of(world) * 8 // 10
    foreseen = Budget("all", "month", "UTC", limit, (100.0,), forecast=(ForecastMark(100.0),))
    watcher = start(world, Asked(budgets=(foreseen,), anomalies=(), backfill=timedelta(days=35)))
    (told,) = watcher.cycle()
    (alert,) = told.alerts
    assert isinstance(alert.evidence, ForecastEvidence)
    assert alert.evidence.low <= alert.evidence.total <= alert.evidence.high
    assert alert.evidence.crosses is not None
    assert "crosses it on" in alert.summary
    watcher.restart()
    script = Script(watcher, 30 * MINUTE)
    script.quiet(until="17 12:00")
