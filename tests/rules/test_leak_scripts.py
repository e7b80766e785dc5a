"""Scripts of keys that creep up, told by whole judgements: on this day this usage; then this notification, and nothing
else. Every judgement is made just after midnight UTC, when a day is over."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import numpy.typing as npt

from rules.carried import Carried
from rules.judgement import Past, Rules, decide
from rules.model import HOUR, Alert, AnomalyRule, Names, Reason, Route, Snapshot, State
from tests.rules.traffic import DOLLAR, MONDAY, Cost, organization, view_of

BEGIN, DAYS = 42, 56
LEAVES, CALM = organization(keys=6, days=DAYS, seed=5)
NAMES = Names(workspace_of_key={leaf.api_key: leaf.workspace for leaf in LEAVES})
LEAKING = 2
"""What is told of it, another key of the same organization has to itself: nothing."""


def office(seed: int) -> Cost:
    """A key with the rhythm of a week, about $2 an hour on average: weekends a fifth of a working day."""
    hours = np.arange(DAYS * 24)
    wave = (0.4 + np.exp(-(((hours % 24 - 14) / 4.0) ** 2))) * np.where(hours // 24 % 7 < 5, 1.0, 0.2)
    requests = np.random.default_rng(seed).poisson(60 * wave)
    result: Cost = np.round(requests * 0.05 * DOLLAR).astype(np.int64)
    return result


def with_office() -> Cost:
    cost = CALM.copy()
    cost[LEAKING] = office(1)
    return cost


def told(cost: Cost, until: int) -> list[tuple[int, str]]:
    """What is told on which day, from the one before `BEGIN` on."""
    carried, rules = Carried(), Rules(anomalies=(AnomalyRule("spend"),), routes=(Route("ops"),))
    alerts: dict[str, Alert] = {}
    remembered, heard = "{}", []
    for day in range(BEGIN - 1, until):
        view = view_of(LEAVES, cost, day * 24)
        now = MONDAY + day * 24 * HOUR + timedelta(minutes=5)
        decision = decide(
            Snapshot("org", "Org", view, NAMES), rules, Past(tuple(alerts.values()), remembered), now, carried
        )
        remembered = decision.remember
        alerts |= {alert.id: alert for alert in decision.alerts}
        alerts = {key: alert for key, alert in alerts.items() if alert.state is not State.RESOLVED}
        for message in decision.notifications:
            over = "over: " if message.reason is Reason.RESOLVED else ""
            heard += [(day, over + (alert.subject.scope.api_key or "")) for alert in message.alerts]
    return heard


def creeping(a_day: float, since: int = BEGIN) -> npt.NDArray[np.float64]:
    passed = np.arange(DAYS * 24) / 24 - since
    return 1.0 + a_day * np.maximum(passed, 0.0)


def test_a_key_that_spends_a_sixth_more_each_day_is_told_once_before_it_has_cost_five_days() -> None:
    cost = with_office()
    normal = cost[LEAKING, : BEGIN * 24].reshape(-1, 24).sum(axis=1)[-28:].mean()
    leaking = np.round(cost[LEAKING] * creeping(0.16)).astype(np.int64)
    excess = leaking - cost[LEAKING]
    cost[LEAKING] = leaking
    heard = told(cost, BEGIN + 9)
    assert [what for _, what in heard] == [f"key-{LEAKING}"]
    assert excess[: heard[0][0] * 24].sum() < 5 * normal


def test_a_product_that_is_used_twice_as_much_for_three_days_has_no_leak_afterwards() -> None:
    cost = with_office()
    cost[LEAKING, BEGIN * 24 + 9 : BEGIN * 24 + 9 + 60] *= 2
    assert [what for day, what in told(cost, BEGIN + 9) if day > BEGIN + 4 and not what.startswith("over")] == []


def test_a_calm_key_is_told_of_nothing() -> None:
    assert told(with_office(), BEGIN + 9) == []
