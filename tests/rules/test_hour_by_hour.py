"""An hour is judged by what came until then: what follows changes nothing, and neither does how much comes at once."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import pytest

from rules.materiality import Floors
from rules.profile import Tier
from rules.seasonal import Baseline, Reading, join, walk
from rules.unit_price import UnitPrice, follow
from tests.rules.traffic import DOLLAR, organization

DAYS = 60
HOURS = DAYS * 24
KEYS = 500
"""As many as are promised: what is carried hour by hour gives, over all of them, what one pass gives."""
FEW = 60
SIZES = [FEW, pytest.param(KEYS, marks=pytest.mark.slow)]
WORKSPACES = 5
FLOORS = Floors(per_hour=0.5, one_hour=2.5)

Values = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


@cache
def spend(keys: int) -> Values:
    """Hours × series of an organization in which every fifth key runs away once, and whose reports have holes."""
    _, cost = organization(keys=keys, days=DAYS, seed=7)
    values = (cost / DOLLAR).T.copy()
    random = np.random.default_rng(7)
    for key in range(0, keys, 5):
        begin = int(random.integers(14 * 24, (DAYS - 3) * 24))
        values[begin : begin + int(random.integers(2, 160)), key] += 20.0 * values[:, key].mean()
    values[random.integers(0, HOURS, 40)] = np.nan
    workspaces = [values[:, place::WORKSPACES].sum(axis=1) for place in range(WORKSPACES)]
    return np.column_stack([values.sum(axis=1), *workspaces, values])


def tiers(keys: Places) -> tuple[Tier, ...]:
    first = 1 + WORKSPACES
    workspaces = Tier(1, first, np.zeros(WORKSPACES, dtype=np.intp))
    return Tier(0, 1, None), workspaces, Tier(first, first + len(keys), 1 + keys % WORKSPACES)


def baseline(keys: int) -> Baseline:
    return Baseline(1 + WORKSPACES + keys, tiers(np.arange(keys)))


@cache
def whole(keys: int) -> Reading:
    return walk(baseline(keys), spend(keys), 0, FLOORS)


def same(one: Reading, other: Reading) -> bool:
    return all(np.array_equal(mine, theirs) for mine, theirs in zip(one, other, strict=True))


@pytest.mark.parametrize("keys", SIZES)
def test_hour_by_hour_gives_what_one_pass_gives(keys: int) -> None:
    values, carried = spend(keys), baseline(keys)
    hours = [carried.advance(values[hour : hour + 1], hour, FLOORS) for hour in range(HOURS)]
    assert (whole(keys).material >= 1.0).sum() > keys
    assert same(join(hours), whole(keys))


def test_what_is_looked_at_is_what_is_judged_and_changes_nothing() -> None:
    values, carried = spend(FEW), baseline(FEW)
    looked = []
    for day in range(0, HOURS, 24):
        carried.follow(values[day : day + 7], day)
        looked.append(carried.read(values[day + 7 : day + 27], day + 7, FLOORS))
        carried.follow(values[day + 7 : day + 24], day + 7)
    for day, reading in enumerate(looked):
        first = day * 24 + 7
        for mine, theirs in zip(reading, whole(FEW), strict=True):
            assert np.array_equal(mine[:17], theirs[first : first + 17])


@pytest.mark.parametrize("cut", [100, 24 * 20, 24 * 33 + 5, 24 * 47 + 23])
@pytest.mark.parametrize("keys", SIZES)
def test_the_future_changes_nothing(keys: int, cut: int) -> None:
    part = walk(baseline(keys), spend(keys)[:cut], 0, FLOORS)
    for now, later in zip(part, whole(keys), strict=True):
        assert np.array_equal(now, later[:cut])


def test_a_day_begun_anew_is_judged_as_if_its_first_reading_had_never_been() -> None:
    values, carried = spend(FEW), baseline(FEW)
    for day in range(0, HOURS, 24):
        wrong = np.nan_to_num(values[day : day + 15]) * 7.0 + 1.0
        carried.follow(wrong, day)
        carried.rewind()
        for mine, theirs in zip(carried.advance(values[day : day + 24], day, FLOORS), whole(FEW), strict=True):
            assert np.array_equal(mine, theirs[day : day + 24])


def test_series_that_begin_later_join_those_that_are_carried() -> None:
    half, first = 30 * 24, 1 + WORKSPACES
    everyone = np.random.default_rng(3).permutation(FEW)
    late = everyone[::10]
    values = spend(FEW).copy()
    values[:half, first + late] = np.nan
    before = np.setdiff1d(np.arange(FEW), late[1:])
    """Those that have begun, and one that has not: it stands for the others."""

    def columns(keys: Places) -> Places:
        return np.concatenate([np.arange(first), first + keys])

    expected = walk(Baseline(first + FEW, tiers(everyone)), values[:, columns(everyone)], 0, FLOORS)
    carried = Baseline(first + len(before), tiers(before))
    walk(carried, values[:half, columns(before)], 0)
    place = {column: at for at, column in enumerate(columns(before).tolist())}
    unknown = place[int(first + late[0])]
    places = np.array([place.get(column, unknown) for column in columns(everyone).tolist()])
    joined = walk(carried.taken(places, tiers(everyone)), values[half:, columns(everyone)], half, FLOORS)
    for now, ever in zip(joined, expected, strict=True):
        assert np.array_equal(now, ever[half:])


@pytest.mark.parametrize(("begin", "count"), [(5, 20), (0, 25), (24, 1)])
def test_hours_that_reach_beyond_midnight_or_leave_others_out_are_refused(begin: int, count: int) -> None:
    carried = Baseline(1)
    carried.follow(np.ones((3, 1)), 0)
    with pytest.raises(ValueError, match=r"midnight|does not follow"):
        carried.follow(np.ones((count, 1)), begin)


def test_a_price_followed_hour_by_hour_is_judged_as_in_one_pass() -> None:
    random, series = np.random.default_rng(5), 50
    requests = random.poisson(30.0, (HOURS, series)).astype(np.float64)
    dollars = requests * random.gamma(30.0, 1 / 3000, (HOURS, series))
    dollars[40 * 24 + 9 : 40 * 24 + 60, ::5] *= 2.5
    dollars[random.integers(0, HOURS, 30)] = np.nan
    every = follow(UnitPrice(series), dollars, requests, 0)
    carried = UnitPrice(series)
    hours = []
    for hour in range(HOURS):
        looked = carried.read(dollars[hour : hour + 1], requests[hour : hour + 1])
        advanced = carried.advance(dollars[hour : hour + 1], requests[hour : hour + 1], hour)
        hours.append(advanced)
        assert all(map(np.array_equal, looked, advanced))
    assert (every >= 1.0).any()
    assert np.array_equal(np.concatenate([each.scores for each in hours]), every)
