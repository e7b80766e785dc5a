"""What is told, or is nothing, and in either case no reason to stop a key, with `mode = "auto"` and no grace."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from rules.actions import ActionState
from rules.policy import KeyAction, Policy
from tests.acceptance.conftest import Start
from tests.acceptance.running import ANOMALIES, DAY, HOUR, Asked, Watcher, at, dollars
from tests.acceptance.test_shutoff import journal, organization, writes
from watcher.simulator import World

MONDAY = at("2026-11-16 06:00")
AUTO = Policy(mode="auto", grace=timedelta(0), min_amount=dollars(2))
ACTING = tuple(replace(rule, action=KeyAction()) for rule in ANOMALIES)


def lived(start: Start, world: World, until: timedelta) -> Watcher:
    """A watcher at the end of such a time, in which it wrote nothing and every key stayed as it was."""
    watcher = start(world, Asked(anomalies=ACTING, policy=AUTO))
    statuses = {each.id: each.status(watcher.now) for each in world.organization.keys.values()}
    watcher.cycle()
    watcher.run(MONDAY + until, 2 * HOUR)
    assert writes(watcher) == []
    assert {each.id: each.status(watcher.now) for each in world.organization.keys.values()} == statuses
    return watcher


def test_a_launch_of_two_days_and_a_dear_hour_are_told_and_stop_nothing(start: Start, tmp_path: Path) -> None:
    events = ("launch after=3h for=48h factor=2.5", "spike after=5h for=1h factor=15")
    watcher = lived(start, organization(tmp_path, *events, started_at=MONDAY), 2 * DAY + 4 * HOUR)
    rows = journal(watcher)
    assert rows, "it is a story, with every dollar of it over the floor"
    assert {row.state for row in rows} == {ActionState.REFUSED}
    assert all(row.reason.endswith("as a launch may be, and less than 5 times.") for row in rows)


def test_a_holiday_and_the_working_day_after_it_stop_nothing(start: Start, tmp_path: Path) -> None:
    watcher = lived(start, organization(tmp_path, "holiday for=24h", started_at=MONDAY), DAY + 6 * HOUR)
    assert not journal(watcher)
