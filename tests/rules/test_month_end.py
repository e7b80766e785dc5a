"""What a thousand budgets say when their month ends: nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from rules.drift import DriftRule
from rules.judgement import Past, Rules, closed_since, decide
from rules.model import (
    HOUR,
    Alert,
    Budget,
    ForecastEvidence,
    Leaf,
    Names,
    Notification,
    Route,
    Snapshot,
    SpendView,
    State,
)
from rules.money import parse_usd
from rules.prices import PriceRule
from rules.triggers import ForecastMark

START = datetime(2026, 10, 1, tzinfo=UTC)
END = datetime(2026, 12, 1, tzinfo=UTC)
BUDGET = Budget("keys", "month", "UTC", parse_usd("100"), (50.0, 80.0, 100.0), per=("api_key",))
MOMENTS = (datetime(2026, 10, 20, 12, tzinfo=UTC), END - 4 * HOUR, END - HOUR, END, END + HOUR, END + 80 * HOUR)


def view(keys: int, now: datetime) -> SpendView:
    """Every key spends 15 cents an hour, all the time: $108 in November."""
    hours = (now - START) // HOUR + 1
    cost = np.full((keys, hours), parse_usd("0.15"), dtype=np.int64)
    leaves = tuple(Leaf("wrkspc_1", f"apikey_{n}", "claude-opus-5") for n in range(keys))
    known = np.ones(hours, dtype=np.bool_)
    return SpendView("org_1", START, leaves, cost, np.zeros_like(cost), known, now.replace(minute=0) - HOUR, now)


def told_of(budget: Budget, keys: int) -> tuple[dict[datetime, tuple[Notification, ...]], list[Alert]]:
    """What is told ten minutes into each of the moments, and every alert there was."""
    quiet = {"drift": DriftRule(enabled=False), "prices": PriceRule(enabled=False)}
    rules = Rules((budget,), routes=(Route("ops"),), **quiet)
    alerts: dict[str, Alert] = {}
    remembered: str | None = None
    told = {}
    for now in (moment + timedelta(minutes=10) for moment in MOMENTS):
        since = closed_since(rules, remembered, now)
        known = [
            alert
            for alert in alerts.values()
            if alert.state is not State.RESOLVED or (since and alert.closes_at and alert.closes_at > since)
        ]
        snapshot = Snapshot("org_1", "Acme", view(keys, now), Names())
        decision = decide(snapshot, rules, Past(known, remembered), now)
        remembered, told[now] = decision.remember, decision.notifications
        alerts |= {alert.id: alert for alert in decision.alerts}
    return told, list(alerts.values())


def test_a_thousand_keys_that_crossed_everything_send_nothing_when_their_month_ends() -> None:
    told, alerts = told_of(BUDGET, 1_000)
    counts = [len(notifications) for notifications in told.values()]
    assert counts == [1, 1, 0, 0, 0, 0]
    november = [alert for alert in alerts if alert.closes_at == END]
    assert len(november) == 3_000
    assert {alert.state for alert in november} == {State.RESOLVED}
    assert [alert for alert in alerts if alert.state is State.FIRING] == []


def test_in_the_first_minutes_of_a_month_only_the_new_one_is_foreseen_and_in_one_message() -> None:
    told, alerts = told_of(replace(BUDGET, forecast=(ForecastMark(100.0),)), 100)
    assert [len(notifications) for notifications in told.values()] == [1, 1, 0, 1, 0, 0]
    (message,) = told[END + timedelta(minutes=10)]
    assert len(message.alerts) == 100
    for alert in message.alerts:
        assert isinstance(alert.evidence, ForecastEvidence)
        assert (alert.evidence.period, alert.starts_at) == ("December 2026", END)
    assert {alert.id for alert in alerts if alert.state is State.FIRING} == {alert.id for alert in message.alerts}
