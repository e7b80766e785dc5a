"""What the series of a parent have in common, and that a launch is news of its first day, not of each of its keys."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.materiality import Floors
from rules.profile import Tier
from rules.seasonal import Baseline
from rules.shared_growth import LEAST_MEMBERS, in_common

FLOORS = Floors(per_hour=1.0, one_hour=5.0)
DAYS = 42
KEYS = 12

members = st.lists(st.tuples(st.floats(0.1, 20.0), st.floats(0.01, 1000.0)), min_size=LEAST_MEMBERS, max_size=30)


def common(ratios: list[float], usual: list[float]) -> float:
    """Of one parent whose first row is the parent itself."""
    count = len(ratios)
    parents = np.array([-1] + [0] * count, dtype=np.intp)
    result = in_common(np.array([np.nan, *ratios]), np.array([sum(usual), *usual]), parents)
    assert result[0] == 1.0
    assert (result[1:] == result[1]).all()
    return float(result[1])


@given(members, st.randoms(use_true_random=False), st.floats(0.001, 1000.0))
def test_neither_the_order_of_the_keys_nor_the_unit_of_money_matters(
    each: list[tuple[float, float]], random: object, unit: float
) -> None:
    shuffled = each.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    first = common([ratio for ratio, _ in each], [usual for _, usual in each])
    again = common([ratio for ratio, _ in shuffled], [usual * unit for _, usual in shuffled])
    # Where two keys stand exactly in the middle either may be taken.
    assert again == pytest.approx(first) or {first, again} <= {1.0, *(ratio for ratio, _ in each)}


@given(members)
def test_it_is_what_one_of_them_did_or_the_usual(each: list[tuple[float, float]]) -> None:
    assert common([ratio for ratio, _ in each], [usual for _, usual in each]) in {1.0, *(ratio for ratio, _ in each)}


@given(st.integers(LEAST_MEMBERS, 30), st.floats(1.5, 1000.0), st.floats(1.0, 1e6))
def test_one_key_alone_is_never_what_they_have_in_common_however_dear_it_is(
    count: int, ratio: float, weight: float
) -> None:
    assert common([ratio] + [1.0] * (count - 1), [weight] + [1.0] * (count - 1)) == 1.0


def test_what_the_dearer_half_does_is_in_common_though_most_keys_hardly_spend() -> None:
    assert common([2.0] * 6 + [1.0] * 20, [10.0] * 6 + [0.1] * 20) == 2.0


def test_what_the_many_do_that_hardly_spend_is_not() -> None:
    assert common([1.0] * 6 + [2.0] * 20, [10.0] * 6 + [0.1] * 20) == 1.0


def test_four_keys_have_nothing_in_common() -> None:
    assert common([3.0] * (LEAST_MEMBERS - 1), [1.0] * (LEAST_MEMBERS - 1)) == 1.0


def test_what_is_not_known_does_not_count() -> None:
    assert common([2.0] * 5 + [np.nan] * 9, [1.0] * 5 + [0.0] * 9) == 2.0


def days_told(factors: npt.NDArray[np.float64]) -> dict[int, set[int]]:
    """On which day which keys of a workspace are told of, that spend so many times the usual (keys × days)."""
    count, days = factors.shape
    rhythm = np.where((np.arange(24) >= 8) & (np.arange(24) < 20), 2.0, 0.5)
    noise = np.random.default_rng(3).gamma(30.0, 1 / 30.0, (count, days, 24))
    keys = (np.linspace(2.0, 6.0, count)[:, None, None] * factors[:, :, None] * rhythm * noise).reshape(count, -1).T
    tiers = (Tier(0, 1, None), Tier(1, count + 1, np.zeros(count, dtype=np.intp)))
    baseline = Baseline(count + 1, tiers)
    values = np.concatenate([keys.sum(axis=1, keepdims=True), keys], axis=1)
    told: dict[int, set[int]] = {}
    for day in range(days):
        material = baseline.advance(values[day * 24 : (day + 1) * 24], day * 24, FLOORS).material
        found = set((np.flatnonzero((material >= 1.0).any(axis=0)) - 1).tolist())
        if found:
            told[day] = found
    return told


def test_a_launch_of_days_is_news_of_its_first_day_and_of_no_key_that_follows_it() -> None:
    factors = np.ones((KEYS, DAYS + 4))
    factors[:9, DAYS:] = 1.9
    told = days_told(factors)
    assert min(told, default=DAYS) == DAYS
    begun = told.get(DAYS, set())
    assert {key for keys in told.values() for key in keys} <= begun | {-1}


def test_a_key_that_runs_away_in_the_midst_of_a_launch_is_told_of() -> None:
    factors = np.ones((KEYS, DAYS + 4))
    factors[:9, DAYS:] = 1.9
    factors[2, DAYS + 2] *= 6.0
    assert 2 in days_told(factors)[DAYS + 2]


def test_after_the_launch_what_a_key_does_by_itself_is_told_of_as_before() -> None:
    factors = np.ones((KEYS, DAYS + 8))
    factors[:9, DAYS : DAYS + 3] = 1.9
    factors[4, DAYS + 5] = 3.0
    assert 4 in days_told(factors)[DAYS + 5]
