"""When the provider's prices change: what people hear of it, as scripts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from rules.drift import DriftRule
from rules.model import DriftEvidence, PriceEvidence
from tests.acceptance.conftest import Start
from tests.acceptance.running import DAY, HOUR, Asked, Watcher, at, dollars, incident_file
from tests.acceptance.script import Message
from watcher.simulator import PriceChange, World

BEGIN = at("2026-11-20 06:00")
STEP = 12 * HOUR
FINE = DriftRule(amount=dollars(0.1))
"""The simulated organization is small: a tenth of one model's day is a few dollars."""
SONNET = "claude-sonnet-5-5"


def world_of(*changes: PriceChange, scenario: Path | None = None) -> World:
    return World(started_at=BEGIN, seed=7, keys=4, workspaces=2, days=24, price_changes=changes, scenario=scenario)


def begin(start: Start, world: World, drift: DriftRule = FINE) -> Watcher:
    watcher = start(world, Asked(anomalies=(), drift=drift, backfill=timedelta(days=23)))
    assert not watcher.cycle()
    return watcher


def heard(watcher: Watcher, days: int, step: timedelta = STEP) -> list[Message]:
    return [Message(each) for each in watcher.run(watcher.now + days * DAY, step)]


@pytest.mark.slow
def test_a_model_that_costs_a_tenth_more_is_told_after_two_settled_days_and_ends_once_learned(start: Start) -> None:
    watcher = begin(start, world_of(PriceChange(date(2026, 11, 21), 1.1, SONNET)))
    assert not heard(watcher, 3)
    (told,) = heard(watcher, 2)
    evidence = told.tells("estimate drift").alert.evidence
    assert isinstance(evidence, DriftEvidence)
    assert (evidence.first_day, evidence.last_day) == (date(2026, 11, 21), date(2026, 11, 22))
    assert {part.model for part in evidence.parts} == {SONNET}
    assert told.alert.starts_at == at("2026-11-21 00:00")
    told.says(SONNET, "(+10 %)")
    watcher.restart()
    assert not heard(watcher, 6)
    (over,) = heard(watcher, 5)
    over.tells("estimate drift").says("agree again", SONNET)
    assert over.notification.reason == "resolved"


@pytest.mark.slow  # tests/rules/test_drift.py and test_prices.py show it
def test_nothing_is_said_where_it_is_switched_off(start: Start) -> None:
    watcher = begin(start, world_of(PriceChange(date(2026, 11, 21), 1.1, SONNET)), DriftRule(enabled=False))
    assert not heard(watcher, 5, DAY)


def switch(folder: Path, model: str) -> Path:
    """A key that moves to another model within the hour."""
    return incident_file(folder, f"model-switch after=30m model={model}")


def test_a_model_that_is_new_is_one_message_and_a_restart_tells_it_no_more(start: Start, tmp_path: Path) -> None:
    watcher = begin(start, world_of(scenario=switch(tmp_path, "claude-opus-4-7")))
    (told,) = heard(watcher, 1)
    assert told.tells("price changes").notification.reason == "first"
    told.says("claude-opus-4-7", "for the first time")
    evidence = told.alert.evidence
    assert isinstance(evidence, PriceEvidence)
    assert evidence.new_models[0].api_key == watcher.world.incidents[0].api_key_id
    watcher.restart()
    assert not heard(watcher, 3)
    assert not watcher.alerts


def test_a_model_that_no_list_knows_is_one_message_and_one_when_it_has_a_price(start: Start, tmp_path: Path) -> None:
    watcher = begin(start, world_of(scenario=switch(tmp_path, "claude-opus-9")))
    (told,) = heard(watcher, 1)
    told.says("No price is known for claude-opus-9")
    assert told.alert.subject.rule == "model unpriced"
    assert not heard(watcher, 3)
    (over,) = heard(watcher, 3)
    assert (over.notification.reason, over.alert.subject.rule) == ("resolved", "model unpriced")


@pytest.mark.parametrize("drift", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["alone", "beside drift"])
def test_a_discount_that_jumps_is_one_story_and_no_more(start: Start, *, drift: bool) -> None:
    change = PriceChange(date(2026, 11, 21), 0.9)
    watcher = begin(start, world_of(change), replace(FINE, enabled=drift))
    said = heard(watcher, 20, DAY)
    if drift:
        assert [each.notification.reason for each in said] == ["first", "resolved"]
        assert {each.alert.subject.rule for each in said} == {"estimate drift"}
    else:
        (told,) = said
        told.tells("price changes").says("80 % of the list price before, 72 % now", "-10 %")
        assert told.alert.severity == "info"


@pytest.mark.parametrize("days", [6, pytest.param(20, marks=pytest.mark.slow)])
@pytest.mark.slow  # tests/rules/test_drift.py and test_prices.py show it
def test_a_calm_organization_hears_nothing_of_its_bills(start: Start, days: int) -> None:
    watcher = begin(start, world_of())
    assert not heard(watcher, days, DAY)
    watcher.restart()
    assert not heard(watcher, 1)
