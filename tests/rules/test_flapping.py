"""Spend that hovers about the rule's bound for weeks is told a few times, and a real jump no later for that."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from rules.carried import Carried
from rules.judgement import Past, Rules, decide
from rules.lifecycle import applied
from rules.model import HOUR, Alert, AnomalyRule, Leaf, Names, Reason, Route, Snapshot, State
from tests.rules.traffic import DOLLAR, MONDAY, Cost, view_of

CALM = 26 * 24
BOUND = 10.0
"""Dollars an hour: what the rule's floor alone asks for, beside a dollar that is usual."""
RULE = AnomalyRule("spend", per=("api_key",), min_excess=9 * DOLLAR)


def hovering(days: int) -> Cost:
    """An even key at a dollar an hour, whose hours then are the bound give or take four dollars, drawn anew each."""
    random = np.random.default_rng(6)
    calm = random.normal(1.0, 0.1, CALM)
    noise = random.normal(BOUND, 4.0, days * 24)
    result: Cost = np.round(np.maximum(np.concatenate([calm, noise]), 0.0)[None, :] * DOLLAR).astype(np.int64)
    return result


def told(cost: Cost, begin: int) -> list[tuple[int, Reason]]:
    """The hour, from `begin` on, and the reason of every message, with a judgement each hour."""
    leaves, alerts, remembered, carried = (Leaf("ws", "key", "claude"),), (), "{}", Carried()
    kept: tuple[Alert, ...] = alerts
    found: list[tuple[int, Reason]] = []
    for complete in range(begin, cost.shape[1] + 1):
        snapshot = Snapshot("org", "Org", view_of(leaves, cost, complete), Names())
        rules = Rules(anomalies=(RULE,), routes=(Route("ops"),))
        now = MONDAY + complete * HOUR + timedelta(minutes=1)
        decision = decide(snapshot, rules, Past(kept, remembered), now, carried)
        remembered = decision.remember
        kept = tuple(each for each in applied(kept, decision.alerts) if each.state is not State.RESOLVED)
        found += [(complete - begin, message.reason) for message in decision.notifications]
    return found


def crossings(cost: Cost) -> int:
    """How many messages a plain rule would send: one each time that an hour lies on the other side of the bound."""
    above = cost[0, CALM:] > BOUND * DOLLAR
    return int(np.count_nonzero(above[1:] != above[:-1]))


@pytest.mark.parametrize("days", [3, pytest.param(30, marks=pytest.mark.slow)])
def test_noise_about_the_bound_is_seven_messages_at_most(days: int) -> None:
    cost = hovering(days)
    assert crossings(cost) > 7 * days
    assert 1 <= len(told(cost, CALM)) <= 7


def test_a_real_jump_is_told_with_its_first_whole_hour() -> None:
    cost = hovering(2)
    cost[0, CALM:] = DOLLAR
    cost[0, CALM + 24 :] = 60 * DOLLAR
    assert told(cost, CALM)[0][0] == 25
