from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import early, lifecycle
from rules.model import HOUR, Breach, Budget, BurnEvidence, Clear, Leaf, Names, PaceEvidence, SpendView, Verdict
from rules.triggers import BurnPair, ForecastMark, PaceMark, usual_pairs
from tests.rules.timing import within

NOW = datetime(2026, 11, 20, 14, 10, tzinfo=UTC)
HOURS = 35 * 24
START = NOW.replace(minute=0) + HOUR - HOURS * HOUR
LEAVES = (Leaf("wrkspc_1", "apikey_a", "opus"), Leaf("wrkspc_1", "apikey_b", "opus"))
CENT = 10_000_000
BUDGET = Budget(
    "all",
    "month",
    "UTC",
    720 * 110 * CENT,
    (100.0,),
    ("api_key",),
    burn=usual_pairs(timedelta(days=30)),
    pace=(PaceMark(120), PaceMark(150)),
)
LATE = 72 + 2
"""Columns from the end that a burn rate is judged by: those of the longest window, and those that are not complete."""

hours_of_late = st.lists(st.tuples(st.integers(1, LATE), st.integers(0, 40)), max_size=12)


def view_of(cost: npt.NDArray[np.int64], *, known: npt.NDArray[np.bool_] | None = None) -> SpendView:
    flags = np.ones(cost.shape[1], dtype=np.bool_) if known is None else known
    complete = START + (cost.shape[1] - 2) * HOUR
    return SpendView("org_1", START, LEAVES, cost, np.zeros_like(cost), flags, complete, NOW)


def usual(seed: int) -> npt.NDArray[np.int64]:
    """A dollar an hour, more or less."""
    cost = np.random.default_rng(seed).integers(60, 140, (2, HOURS)) * CENT
    cost[:, -1] //= 12
    return cost


def raised(cost: npt.NDArray[np.int64], changes: list[tuple[int, int]]) -> npt.NDArray[np.int64]:
    cost = cost.copy()
    for back, dollars in changes:
        cost[0, -back] += dollars * 100 * CENT
    return cost


def told(budget: Budget, cost: npt.NDArray[np.int64]) -> set[tuple[Any, ...]]:
    """Who is told of what by which mark."""
    verdicts = early.judge(budget, view_of(cost), Names(), [], NOW)
    return {
        (each.subject.scope.api_key, each.subject.kind, each.subject.instance)
        for each in verdicts
        if isinstance(each, Breach)
    }


@given(st.integers(0, 9), hours_of_late, hours_of_late)
@settings(max_examples=40, deadline=None)
def test_more_spend_never_ends_a_burn(seed: int, some: list[tuple[int, int]], more: list[tuple[int, int]]) -> None:
    burn = replace(BUDGET, pace=())
    before = raised(usual(seed), some)
    assert told(burn, before) <= told(burn, raised(before, more))


@given(st.integers(0, 9), hours_of_late)
@settings(max_examples=40, deadline=None)
def test_ten_times_the_money_against_ten_times_the_limit_is_the_same_story(
    seed: int, some: list[tuple[int, int]]
) -> None:
    cost = raised(usual(seed), some)
    assert told(BUDGET, cost) == told(replace(BUDGET, limit=16 * (BUDGET.limit or 0)), 16 * cost)


@given(st.integers(0, 9), hours_of_late)
@settings(max_examples=40, deadline=None)
def test_what_one_key_spends_says_nothing_of_another(seed: int, some: list[tuple[int, int]]) -> None:
    assert "apikey_b" not in {key for key, _, _ in told(BUDGET, raised(usual(seed), some))}


@given(st.integers(0, 9), hours_of_late, st.lists(st.integers(3, LATE), max_size=20))
@settings(max_examples=40, deadline=None)
def test_hours_that_were_never_read_end_nothing(seed: int, some: list[tuple[int, int]], holes: list[int]) -> None:
    cost = raised(usual(seed), some)
    before = breaches(cost)
    held = lifecycle.advance([], before, {("burn", "all"), ("pace", "all")}, Names(), NOW).alerts
    known = np.ones(HOURS, dtype=np.bool_)
    known[[HOURS - back for back in (3, *holes)]] = False
    quiet = np.where(known, cost, 0)
    quiet[:, -LATE:] = 0
    verdicts = early.judge(BUDGET, view_of(quiet, known=known), Names(), held, NOW + 6 * HOUR)
    assert not [each for each in verdicts if isinstance(each, Clear) and each.over is None]


def breaches(cost: npt.NDArray[np.int64], budget: Budget = BUDGET) -> list[Breach]:
    verdicts: list[Verdict] = early.judge(budget, view_of(cost), Names(), [], NOW)
    return [each for each in verdicts if isinstance(each, Breach)]


@pytest.mark.parametrize(("hours_of_even", "is_told"), [(0.45, False), (0.55, True)])
def test_what_half_an_hour_of_the_even_share_is_worth_must_be_burnt(hours_of_even: float, is_told: bool) -> None:
    cost = usual(1)
    cost[0, -1] = int(hours_of_even * (BUDGET.limit or 0) / 720)
    slow = replace(BUDGET, pace=(), burn=(BurnPair(HOUR, HOUR, 2.5),))  # so little is 2.7 times the even share
    assert bool(breaches(cost, slow)) is is_told


@pytest.mark.parametrize(("hours_of_even", "is_told"), [(0.6, False), (0.75, True)])
def test_a_batch_in_an_hours_first_minute_counts_as_if_ten_had_passed(hours_of_even: float, is_told: bool) -> None:
    cost = usual(1)
    cost[0, -1] = int(hours_of_even * (BUDGET.limit or 0) / 720)
    view = replace(view_of(cost), observed_until=NOW - timedelta(minutes=9))
    verdicts = early.judge(replace(BUDGET, pace=()), view, Names(), [], NOW)
    assert bool([each for each in verdicts if isinstance(each, Breach)]) is is_told


def test_the_evidence_of_a_burn_adds_up() -> None:
    cost = usual(1)
    cost[0, -3:-1] = 1000 * CENT  # the newest complete hour and the one after it
    cost[0, -1] = 0
    fast = next(each for each in breaches(cost) if each.subject.instance == "1h/1h")
    evidence = fast.evidence
    assert isinstance(evidence, BurnEvidence)
    assert evidence.per_hour == evidence.burnt == 1000 * CENT
    assert evidence.spent == int(cost[0, -(19 * 24 + 15) :].sum())
    assert evidence.since == fast.starts_at == NOW.replace(minute=0) - 2 * HOUR
    assert evidence.exhausted_at == NOW + (evidence.limit - evidence.spent) / evidence.per_hour * HOUR
    assert evidence.sustainable >= (BUDGET.limit or 0) // 720
    assert [share.id for share in evidence.top] == ["opus"]


def test_the_evidence_of_a_pace_says_where_it_leads() -> None:
    cost = usual(1)
    cost[0, -10 * 24 :] *= 2
    pace = [each for each in breaches(cost, replace(BUDGET, burn=())) if each.subject.scope.api_key == "apikey_a"]
    (evidence,) = (each.evidence for each in pace)
    assert isinstance(evidence, PaceEvidence)
    assert evidence.percent == 120
    assert 1.2 <= evidence.spent / evidence.expected < 1.5
    assert evidence.ends_at > evidence.limit > evidence.spent
    assert evidence.exhausted_at is not None
    assert NOW < evidence.exhausted_at < evidence.period_end


def test_ten_thousand_keys_with_every_trigger_are_judged_in_the_time_of_some_dozens_of_their_thresholds() -> None:
    rng = np.random.default_rng(1)
    leaves = tuple(Leaf(f"wrkspc_{i % 50}", f"apikey_{i:05d}", "opus") for i in range(10_000))
    cost = rng.integers(0, 10**8, (len(leaves), HOURS))
    cost[:, -1] //= 12
    cost[:40, -6:] *= 12  # some burn
    budget = replace(BUDGET, limit=int(720 * 5.5 * 10**7), forecast=(ForecastMark(100.0),))
    view = replace(view_of(cost[:2]), leaves=leaves, cost=cost, settled=np.zeros_like(cost))
    verdicts = within(3.0, lambda: early.judge(budget, view, Names(), [], NOW))
    assert {each.subject.kind for each in verdicts} >= {"burn"}
