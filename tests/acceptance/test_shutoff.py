"""What is done to keys, as scripts: at this hour this key burns; then it is off, and nothing else is touched."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from rules.action_requests import DEACTIVATE
from rules.actions import Action, ActionState
from rules.policy import KeyAction, Policy
from tests.acceptance.conftest import Start
from tests.acceptance.running import KEY_SPEND, MINUTE, Asked, Watcher, at, dollars, incident_file
from watcher.simulator import World

TUESDAY = at("2026-11-17 06:00")
POLICY = Policy(mode="auto", grace=timedelta(0), min_amount=dollars(20))
WATCHED = replace(KEY_SPEND, action=KeyAction())


def organization(directory: Path, *incidents: str, started_at: datetime = TUESDAY) -> World:
    scenario = incident_file(directory, *incidents) if incidents else None
    return World(started_at=started_at, seed=7, keys=12, workspaces=3, days=21, scenario=scenario)


def journal(watcher: Watcher) -> tuple[Action, ...]:
    return watcher.store.actions.all(watcher.world.organization.id)


def writes(watcher: Watcher) -> list[tuple[str, str]]:
    """The requests that were not GETs."""
    return [(request.method, request.path) for request in watcher.simulator.requests if request.method != "GET"]


def test_a_runaway_key_is_off_within_two_polls_and_its_usage_stops(start: Start, tmp_path: Path) -> None:
    world = organization(tmp_path, "runaway after=1h for=9h factor=20")
    watcher = start(world, Asked(anomalies=(WATCHED,), policy=POLICY))
    key = str(world.incidents[0].api_key_id)
    watcher.cycle()
    before = {each.id: each.status(watcher.now) for each in world.organization.keys.values()}
    assert before[key] == "active"
    while not (rows := journal(watcher)) and watcher.now < at("2026-11-17 16:00"):
        watcher.run(watcher.now + 5 * MINUTE, 5 * MINUTE)
    proposed = watcher.now
    (row,) = rows
    assert (row.key, row.state) == (key, ActionState.PROPOSED)
    sent = watcher.run(proposed + 10 * MINUTE, 5 * MINUTE)
    (row,) = journal(watcher)
    assert (row.state, row.by) == (ActionState.CONFIRMED, "policy")
    assert world.organization.keys[key].status(watcher.now) == "inactive"
    assert [message.reason for message in sent] == ["action"]
    assert writes(watcher) == [("POST", f"/v1/organizations/api_keys/{key}")]
    after = {each.id: each.status(watcher.now) for each in world.organization.keys.values()}
    assert after == {**before, key: "inactive"}


def test_without_shutoff_the_same_runaway_brings_no_request_but_reading(start: Start, tmp_path: Path) -> None:
    world = organization(tmp_path, "runaway after=1h for=9h factor=20")
    watcher = start(world, Asked(anomalies=(WATCHED,)))
    watcher.run(TUESDAY + timedelta(hours=8), 30 * MINUTE)
    assert watcher.alerts
    assert not writes(watcher)
    assert not journal(watcher)


def test_a_brake_file_is_told_once_when_it_is_there_and_once_when_it_is_gone(start: Start) -> None:
    watcher = start(World(started_at=TUESDAY, seed=7, keys=2, days=2), Asked(policy=POLICY, backfill=timedelta(days=1)))
    watcher.cycle()
    watcher.brake_file.touch()
    paused = watcher.run(watcher.now + 15 * MINUTE, 5 * MINUTE)
    watcher.restart()
    assert watcher.run(watcher.now + 10 * MINUTE, 5 * MINUTE) == []
    watcher.brake_file.unlink()
    resumed = watcher.run(watcher.now + 15 * MINUTE, 5 * MINUTE)
    told = [message.news for message in (*paused, *resumed)]
    assert [news.event for news in told if news is not None] == ["paused", "resumed"]
    assert all(news is not None and news.brake is not None and news.brake.by == "the brake file" for news in told)


def test_every_step_has_the_time_at_which_it_was_taken_where_a_cycle_takes_minutes(start: Start) -> None:
    watcher = start(World(started_at=TUESDAY, seed=7, keys=2, days=2), Asked(policy=POLICY, backfill=timedelta(days=1)))
    watcher.cycle()
    key = next(each.id for each in watcher.world.organization.keys.values() if each.status(watcher.now) == "active")
    organization = watcher.world.organization.id
    asked = {"key": key, "name": key, "reason": "leaked"}
    watcher.store.commands.append(watcher.now, "ann", DEACTIVATE, asked, organization)
    watcher.clock.moment += 5 * MINUTE
    begun, watcher.clock.at_each_look = watcher.now, timedelta(seconds=5)
    watcher.cycle()
    (row,) = journal(watcher)
    assert row.state is ActionState.CONFIRMED
    assert row.before is not None
    assert row.after is not None
    steps = [begun, row.intent_at, row.before.at, row.sent_at, row.after.at, row.confirmed_at]
    assert all(earlier < later for earlier, later in pairwise(filter(None, steps)))
    assert None not in steps
