"""Keys that burst at hours that nobody can foresee: told until they are known for it, and when they go further."""

from __future__ import annotations

import numpy as np

from rules import anomaly
from rules.materiality import Floors
from rules.model import AnomalyRule, Breach, Names
from rules.seasonal import Baseline, walk
from tests.rules.traffic import DOLLAR, Cost, organization, view_of

RULE = AnomalyRule("spikes")
LEAVES, CALM = organization(keys=40, days=70, seed=1)
STEADY = 1
BURSTS = (30 * 24 + 3, 36 * 24 + 14, 43 * 24 + 22, 51 * 24 + 9, 58 * 24 + 17)
"""Two hours each, at another hour of another day of the week."""


def bursty(dollars: float) -> Cost:
    cost = CALM.copy()
    for begin in BURSTS:
        cost[STEADY, begin : begin + 2] += round(dollars * DOLLAR)
    return cost


def told(cost: Cost, complete: int) -> bool:
    view = view_of(LEAVES, cost, complete)
    verdicts = anomaly.judge(RULE, view, Names(), frozenset(), view.observed_until)
    return any(isinstance(one, Breach) and one.subject.scope.api_key == f"key-{STEADY}" for one in verdicts)


def test_a_key_that_bursts_again_and_again_is_told_twice() -> None:
    assert [told(bursty(20.0), begin + 2) for begin in BURSTS] == [True, True, False, False, False]


def test_a_burst_three_times_as_high_as_the_known_ones_is_told_at_once() -> None:
    cost = bursty(20.0)
    cost[STEADY, BURSTS[-1] : BURSTS[-1] + 2] += 40 * DOLLAR
    assert told(cost, BURSTS[-1] + 2)


def test_a_burst_that_does_not_end_is_told_with_its_fifth_hour() -> None:
    cost = bursty(20.0)
    cost[STEADY, BURSTS[-1] + 2 :] += 20 * DOLLAR
    assert [told(cost, BURSTS[-1] + hours) for hours in (2, 3, 4, 5)] == [False, False, False, True]


def test_an_excess_that_is_little_for_the_key_is_told_only_when_it_is_dear() -> None:
    values = np.random.default_rng(1).gamma(25.0, 4.0, (40 * 24, 1))
    values[-3:] += 250.0
    odd, little, dear = (
        walk(Baseline(1), values, 0, floors).material[-1, 0]
        for floors in (Floors(of_usual=0.0), Floors(one_hour=1000.0), Floors(one_hour=200.0))
    )
    assert odd >= 1.0
    assert little < 1.0
    assert dear >= 1.0


def test_a_single_dear_hour_beside_a_busy_one_is_no_story_and_a_third_hour_makes_it_one() -> None:
    values = np.random.default_rng(1).gamma(6.0, 1.0, (40 * 24, 1))
    busy, dear = values.copy(), values.copy()
    busy[-2:, 0] = 17.5, 60.0
    dear[-2:, 0] = 60.0, 60.0
    assert walk(Baseline(1), busy, 0, Floors()).material[-1, 0] < 1.0
    assert walk(Baseline(1), dear, 0, Floors()).material[-1, 0] >= 1.0
    third = np.concatenate([busy, [[40.0]]])
    assert walk(Baseline(1), third, 0, Floors()).material[-1, 0] >= 1.0
