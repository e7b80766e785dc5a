"""When the provider's prices change: what people hear of it, as scripts."""

from __future__ import annotations

from datetime import date, timedelta

from rules.drift import DriftRule
from rules.model import DriftEvidence
from tests.acceptance.conftest import Start
from tests.acceptance.running import DAY, HOUR, Asked, Watcher, at, dollars
from tests.acceptance.script import Message
from watcher.simulator import PriceChange, World

BEGIN = at("2026-11-20 06:00")
STEP = 12 * HOUR
FINE = DriftRule(amount=dollars(0.1))
"""The simulated organization is small: a tenth of one model's day is a few dollars."""
SONNET = "claude-sonnet-5-5"


def world_of(*changes: PriceChange) -> World:
    return World(started_at=BEGIN, seed=7, keys=4, workspaces=2, days=24, price_changes=changes)


def begin(start: Start, world: World, drift: DriftRule = FINE) -> Watcher:
    watcher = start(world, Asked(anomalies=(), drift=drift, backfill=timedelta(days=23)))
    assert not watcher.cycle()
    return watcher


def heard(watcher: Watcher, days: int) -> list[Message]:
    return [Message(each) for each in watcher.run(watcher.now + days * DAY, STEP)]


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


def test_nothing_is_said_where_it_is_switched_off(start: Start) -> None:
    watcher = begin(start, world_of(PriceChange(date(2026, 11, 21), 1.1, SONNET)), DriftRule(enabled=False))
    assert not heard(watcher, 5)


def test_a_calm_organization_hears_nothing_of_its_bills_for_twenty_days(start: Start) -> None:
    watcher = begin(start, world_of())
    assert not heard(watcher, 20)
    watcher.restart()
    assert not heard(watcher, 1)
