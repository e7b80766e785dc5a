"""Spend that hovers about the rule's bound for weeks is told a few times, and a real jump no later for that."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from rules.carried import Carried
from rules.groups import Group
from rules.judgement import Past, Rules, decide
from rules.lifecycle import applied
from rules.model import HOUR, Alert, AnomalyRule, Leaf, Names, Reason, Route, Snapshot, State
from rules.routes import Timing
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


AT_ONCE = Timing()
TIMED = Timing(group_by=("workspace",), group_wait=timedelta(seconds=30), group_interval=timedelta(minutes=5))


def told(cost: Cost, begin: int, timing: Timing = AT_ONCE) -> list[tuple[int, Reason]]:
    """The hour, from `begin` on, and the reason of every message; two judgements an hour where messages wait."""
    leaves, alerts, remembered, carried = (Leaf("ws", "key", "claude"),), (), "{}", Carried()
    kept: tuple[Alert, ...] = alerts
    over: dict[str, Alert] = {}
    groups: dict[str, Group] = {}
    found: list[tuple[int, Reason]] = []
    for complete in range(begin, cost.shape[1] + 1):
        snapshot = Snapshot("org", "Org", view_of(leaves, cost, complete), Names())
        rules = Rules(anomalies=(RULE,), routes=(Route("ops", timing=timing),))
        for minute in (1, 2) if timing != AT_ONCE else (1,):
            now = MONDAY + complete * HOUR + timedelta(minutes=minute)
            past = Past(kept, remembered, groups=tuple(groups.values()), ended=tuple(over.values()))
            decision = decide(snapshot, rules, past, now, carried)
            remembered = decision.remember
            every = applied(kept, decision.alerts)
            kept = tuple(each for each in every if each.state is not State.RESOLVED)
            over |= {each.id: each for each in every if each.state is State.RESOLVED}
            groups |= {each.id: each for each in decision.groups}
            found += [(complete - begin, message.reason) for message in decision.notifications]
    return found


def crossings(cost: Cost) -> int:
    """How many messages a plain rule would send: one each time that an hour lies on the other side of the bound."""
    above = cost[0, CALM:] > BOUND * DOLLAR
    return int(np.count_nonzero(above[1:] != above[:-1]))


@pytest.mark.parametrize("timing", [AT_ONCE, TIMED], ids=["at once", "timed"])
@pytest.mark.parametrize("days", [3, pytest.param(30, marks=[pytest.mark.slow, pytest.mark.timeout(900)])])
def test_noise_about_the_bound_is_seven_messages_at_most(days: int, timing: Timing) -> None:
    cost = hovering(days)
    assert crossings(cost) > 7 * days
    assert 1 <= len(told(cost, CALM, timing)) <= 7


@pytest.mark.parametrize("timing", [AT_ONCE, TIMED], ids=["at once", "timed"])
def test_a_real_jump_is_told_with_its_first_whole_hour(timing: Timing) -> None:
    cost = hovering(2)
    cost[0, CALM:] = DOLLAR
    cost[0, CALM + 24 :] = 60 * DOLLAR
    assert told(cost, CALM, timing)[0][0] == 25
