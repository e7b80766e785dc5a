"""What people hear, as scripts: at this hour this happens; then this message, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from rules.model import Budget, State
from tests.acceptance.conftest import Start
from tests.acceptance.running import (
    DAY,
    HOUR,
    KEY_SPEND,
    MINUTE,
    WORKSPACE_SPEND,
    Asked,
    Watcher,
    at,
    dollars,
    incident_file,
    monthly,
)
from tests.acceptance.script import Message, Script
from watcher.simulator import World

TUESDAY = at("2026-11-17 06:00")
FEW = 3
"""False alarms that 120 days of twelve keys may bring."""
STORIES = Asked(anomalies=(KEY_SPEND, WORKSPACE_SPEND))


def organization(directory: Path, *incidents: str, started_at: datetime = TUESDAY, seed: int = 7) -> World:
    """Twelve keys in three workspaces with three weeks of history; events are timed from its start."""
    scenario = incident_file(directory, *incidents) if incidents else None
    return World(started_at=started_at, seed=seed, keys=12, workspaces=3, days=21, scenario=scenario)


def begin(start: Start, world: World, asked: Asked = STORIES, step: timedelta = 30 * MINUTE) -> Script:
    """A new database's first cycle, which has nothing to say."""
    watcher = start(world, asked)
    assert not watcher.cycle()
    return Script(watcher, step)


def test_a_runaway_is_one_message_about_the_key_and_one_when_it_is_over(start: Start, tmp_path: Path) -> None:
    world = organization(tmp_path, "runaway after=3h for=6h")
    script = begin(start, world)
    key = world.incidents[0].api_key_id
    script.quiet(until="17 09:00")
    told = script.message(before="17 12:00", reason="first")  # in its third hour, when it has cost 25 dollars
    told.tells("key spend", key, inside=("workspace spend",))
    told.says(script.watcher.name_of(str(key)), str(key), "since 09:00 UTC", "normally")
    script.quiet(until="17 15:00")
    over = script.message(before="17 20:00", reason="resolved")  # two calm hours read, two more waited for
    over.tells("key spend", key).says("back to normal")
    script.quiet(until="18 08:00")
    assert not script.watcher.alerts


@pytest.mark.slow  # tests/rules/test_leak_scripts.py tells it
def test_a_leaked_key_is_told_in_the_night_within_the_hour(start: Start, tmp_path: Path) -> None:
    world = organization(tmp_path, "leaked-key", started_at=at("2026-11-18 00:00"))
    script = begin(start, world)
    key = world.incidents[0].api_key_id
    script.quiet(until="18 01:30")
    told = script.message(before="18 02:45", reason="first")
    told.tells("key spend", key, inside=("workspace spend",)).says("claude-opus-5-5")
    script.quiet(until="18 07:30")
    script.message(before="18 13:30", reason="resolved").tells("key spend", key)


def test_what_is_true_before_the_first_cycle_is_one_message_a_receiver(start: Start, tmp_path: Path) -> None:
    world = organization(tmp_path, "runaway after=-3h")
    asked = Asked(budgets=(monthly(1500), Budget("day", "day", "UTC", dollars(40), (50.0,))), receivers=("ops", "log"))
    watcher = start(world, asked)
    watcher.cycle()
    for recorder in watcher.recorders.values():
        (message,) = recorder.messages
        assert message.reason == "initial"
        assert sorted(alert.subject.rule for alert in message.alerts) == ["day", "key spend", "organization"]
    Script(watcher).quiet(until="17 09:00")


def test_two_thresholds_crossed_in_one_poll_are_one_message_about_the_higher(start: Start, tmp_path: Path) -> None:
    world = organization(tmp_path)
    day = Budget("day", "day", "UTC", dollars(50), (50.0, 80.0, 100.0))
    script = begin(start, world, Asked(budgets=(day,), anomalies=()))
    script.watcher.clock.moment = before = moment_of_ratio(script.watcher, 0.45, 50)
    assert not script.watcher.cycle()
    script.watcher.clock.moment = moment_of_ratio(script.watcher, 0.9, 50)
    (message,) = script.watcher.cycle()
    assert before < script.watcher.now
    told = Message(message)
    told.tells("day").says("passed 80 % of $50.00", "(50 % passed with it)")
    hundred = script.message(before="18 00:00", reason="first")
    hundred.tells("day").says("passed 100 % of $50.00")
    assert "passed with it" not in hundred.text


def test_a_limit_raised_in_the_configuration_is_told_at_its_new_height_and_not_before(
    start: Start, tmp_path: Path
) -> None:
    world = organization(tmp_path)
    day = Budget("day", "day", "UTC", dollars(25), (100.0,))
    watcher = begin(start, world, Asked(budgets=(day,), anomalies=())).watcher
    watcher.clock.moment = moment_of_ratio(watcher, 1.1, 25)
    (message,) = watcher.cycle()
    Message(message).tells("day").says("passed 100 % of $25.00")
    watcher.asked = replace(watcher.asked, budgets=(replace(day, limit=dollars(40)),))
    watcher.restart()
    assert not watcher.cycle()
    assert not watcher.firing("budget")
    watcher.clock.moment = moment_of_ratio(watcher, 1.1, 40)
    (message,) = watcher.cycle()
    Message(message).tells("day").says("passed 100 % of $40.00")
    watcher.restart()
    assert not watcher.cycle()
    assert len(watcher.firing("budget")) == 1


@pytest.mark.slow
def test_a_rolling_budget_is_told_once_and_again_only_after_calm(start: Start, tmp_path: Path) -> None:
    world = organization(tmp_path, "runaway after=3h for=3h", "runaway after=27h for=3h")
    usual = [world.true_cost_nano(end - 6 * HOUR, end) for end in (TUESDAY - back * HOUR for back in range(7 * 24))]
    six = Budget("six hours", "rolling", "UTC", 3 * max(usual) // 2, (100.0,), window=6 * HOUR)
    watcher = begin(start, world, Asked(budgets=(six,), anomalies=())).watcher
    told = []
    for day in (at("2026-11-17 00:00"), at("2026-11-18 00:00")):
        told += watcher.run(day + 13 * HOUR)
        watcher.restart()
        assert len(watcher.firing("budget")) == 1
        told += watcher.run(day + 24 * HOUR)
        assert not watcher.firing("budget")
    for message, day in zip(told, (17, 18), strict=True):
        Message(message).tells("six hours").says("passed 100 %", "for the last 6 hours")
        assert at(f"2026-11-{day} 10:00") <= message.created_at <= at(f"2026-11-{day} 13:00")


def moment_of_ratio(watcher: Watcher, ratio: float, limit_usd: float) -> datetime:
    """When today's true cost reaches this part of the limit."""
    midnight = watcher.now.replace(hour=0, minute=0)
    for minutes in range(0, 24 * 60, 15):
        moment = midnight + minutes * MINUTE
        if moment >= watcher.now and watcher.world.true_cost_nano(midnight, moment) >= ratio * dollars(limit_usd):
            return moment
    raise AssertionError(f"{limit_usd} USD are not reached today")


def test_a_month_ends_in_silence_and_the_next_one_starts_at_zero(start: Start, tmp_path: Path) -> None:
    world = organization(tmp_path, started_at=at("2026-11-30 20:00"))
    asked = Asked(budgets=(monthly(300, 50.0, 100.0),), anomalies=(KEY_SPEND,))
    watcher = start(world, asked)
    (first,) = watcher.cycle()
    assert Message(first).tells("organization").says("passed 100 %", "November 2026")
    midnight = at("2026-12-01 00:00")
    script = Script(watcher, 30 * MINUTE)
    script.quiet(until=midnight + 4 * HOUR)
    assert not watcher.firing("budget")
    assert {alert.state for alert in watcher.store.alerts.list() if alert.subject.kind == "budget"} == {State.RESOLVED}
    (line,) = watcher.last.overview.budgets
    assert line.start == midnight
    assert 0 < line.spent < dollars(30)
    assert watcher.metric("watcher_budget_spent_usd", budget="organization") == pytest.approx(line.spent / dollars(1))


@pytest.mark.slow
def test_a_restart_in_the_middle_of_a_story_changes_nothing(start: Start, tmp_path: Path) -> None:
    budgets = (Budget("day", "day", "UTC", dollars(60), (50.0, 80.0, 100.0)),)
    asked = Asked(budgets=budgets, anomalies=(KEY_SPEND, WORKSPACE_SPEND))
    heard = []
    for restarts in (False, True):
        world = organization(tmp_path, "runaway after=2h for=3h")
        watcher = start(world, asked, database=tmp_path / f"restarts-{restarts}.db")
        watcher.cycle()
        while watcher.now < at("2026-11-17 20:00"):
            watcher.run(watcher.now + HOUR)
            if restarts:
                watcher.restart()
        heard.append([(each.id, each.reason, each.created_at) for each in watcher.recorders["ops"].messages])
    assert heard[0] == heard[1]
    assert len(heard[0]) >= 4


@pytest.mark.slow
def test_a_key_that_is_switched_off_stops_being_an_anomaly(start: Start, tmp_path: Path) -> None:
    world = organization(tmp_path, "runaway after=2h")
    script = begin(start, world)
    key = str(world.incidents[0].api_key_id)
    script.message(before="17 10:00", reason="first").tells("key spend", key, inside=("workspace spend",))
    script.quiet(until="17 12:00")
    world.set_key_status(key, "inactive", script.watcher.now)
    over = script.message(before="17 17:00", reason="resolved").tells("key spend", key)
    assert over.alert.ends_at is not None
    script.quiet(until="18 02:00")
    assert not script.watcher.alerts


HARMLESS = ("calm", "launch", "holiday", "spike")


def false_alarms(start: Start, world: World, days: int, step: timedelta) -> list[str]:
    """What is said over so many days in which nothing is wrong."""
    watcher = start(world, STORIES)
    said = watcher.cycle() + watcher.run(TUESDAY + days * DAY, step)
    assert not watcher.status.problems
    watcher.close()
    return [f"{each.created_at:%d %H:%M}: {Message(each).text}" for each in said if each.reason != "resolved"]


@pytest.mark.slow  # tests/rules tells each of these by itself
def test_a_launch_a_holiday_and_a_busy_hour_are_nothing_to_speak_of(start: Start, tmp_path: Path) -> None:
    world = organization(tmp_path, "launch", "holiday", "spike")
    assert not false_alarms(start, world, days=2, step=90 * MINUTE)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_ten_days_of_harmless_events_over_three_seeds_bring_few_false_alarms(start: Start) -> None:
    told = [
        f"{scenario}, seed {seed}: {text}"
        for scenario in HARMLESS
        for seed in (1, 7, 23)
        for text in false_alarms(
            start,
            World(started_at=TUESDAY, seed=seed, keys=12, workspaces=3, days=21, scenario=scenario),
            days=10,
            step=HOUR,
        )
    ]
    assert len(told) <= FEW, told
