"""Spend that creeps up for days: told while it does, and only then."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from rules.leak import LEAST, Leak
from rules.materiality import Floors
from rules.profile import Tier
from rules.seasonal import Baseline, walk

DAYS = 56
OFFICE = np.where((np.arange(24) >= 8) & (np.arange(24) < 18), 2.0, 0.1)
FLOORS = Floors(per_hour=5.0, one_hour=25.0)
ALONE = np.array([-1])


def spend(
    rises: np.ndarray[tuple[int], np.dtype[np.float64]], seed: int = 1
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """A key of an office, in dollars by hour, that spends so many times the usual each day."""
    workdays = np.where(np.arange(len(rises)) % 7 < 5, 1.0, 0.1)
    noise = np.random.default_rng(seed).gamma(20.0, 1 / 20.0, (len(rises), 24))
    return (2.0 * rises[:, None] * workdays[:, None] * OFFICE * noise).reshape(-1, 1)


def told(rises: np.ndarray[tuple[int], np.dtype[np.float64]], floors: Floors = FLOORS) -> list[int]:
    """The days on which some hour is told of."""
    material = walk(Baseline(1), spend(rises), 0, floors).material[:, 0]
    return sorted(set((np.flatnonzero(material >= 1.0) // 24).tolist()))


def test_what_grows_by_a_sixth_a_day_is_told_before_it_has_cost_five_normal_days() -> None:
    rises = np.ones(DAYS + 14)
    rises[DAYS:] += 0.16 * np.arange(14)
    first = told(rises)[0]
    assert first >= DAYS
    assert (rises[DAYS:first] - 1.0).sum() <= 5.0


@pytest.mark.parametrize("a_day", [0.08, 0.12, 0.2, 0.3])
def test_however_steep_what_a_key_spends_more_each_day_it_is_told_before_five_normal_days(a_day: float) -> None:
    rises = np.ones(DAYS + 21)
    rises[DAYS:] += a_day * np.arange(0.5, 21.5)
    first = told(rises, Floors(per_hour=2.0, one_hour=10.0))[0]
    assert first >= DAYS + 3
    assert (rises[DAYS:first] - 1.0).sum() <= 5.0


def test_an_incident_among_the_weeks_before_hides_no_leak() -> None:
    rises = np.ones(DAYS + 14)
    rises[DAYS:] += 0.16 * np.arange(14)
    rises[DAYS - 19 : DAYS - 17] = 4.0
    assert DAYS + 5 <= next(day for day in told(rises) if day >= DAYS) <= DAYS + 9


def neighbours(rises: npt.NDArray[np.float64], count: int) -> tuple[Baseline, npt.NDArray[np.float64]]:
    """A workspace of so many keys, the first of which spends so many times the usual; rows are it and its keys."""
    keys = np.concatenate([spend(own, seed) for seed, own in enumerate(rises[:count])], axis=1)
    tiers = (Tier(0, 1, None), Tier(1, count + 1, np.zeros(count, dtype=np.intp)))
    return Baseline(count + 1, tiers), np.concatenate([keys.sum(axis=1, keepdims=True), keys], axis=1)


def test_what_most_keys_of_a_workspace_do_is_no_leak_and_what_one_does_beside_it_is() -> None:
    season = np.ones(DAYS + 14)
    season[DAYS:] += 0.16 * np.arange(14)
    rises = np.repeat(season[None], 7, axis=0)
    rises[0, DAYS:] *= 1.0 + 0.16 * np.arange(14)
    baseline, values = neighbours(rises, 7)
    for day in range(DAYS + 14):
        baseline.advance(values[day * 24 : (day + 1) * 24], day * 24, FLOORS)
        found = baseline.read(values[-1:], (day + 1) * 24, FLOORS).material[0] >= 1.0
        if found[1]:
            break
    assert (season[DAYS : day + 1] - 1.0).sum() <= 5.0
    assert not found[2:].any()


def test_a_calm_key_and_one_that_always_grew_creep_nowhere() -> None:
    assert told(np.ones(DAYS + 14)) == []
    assert told(1.02 ** np.arange(DAYS + 14)) == []


def test_what_came_back_after_a_holiday_is_no_leak() -> None:
    rises = np.ones(DAYS + 14)
    rises[35:42] = 0.2
    assert told(rises) == []


def test_two_dear_days_are_no_leak() -> None:
    leak = Leak(ALONE)
    for day in range(LEAST + 21):
        leak.close(np.full((24, 1), 9.0 if day in {44, 46} else 1.0), np.ones((24, 1)))
        assert leak.score[0] < 1.0


def test_a_level_that_was_told_for_four_days_is_the_normal_one() -> None:
    leak, found = Leak(ALONE), []
    for day in range(DAYS + 20):
        leak.close(np.full((24, 1), 1.0 if day < DAYS else 3.0), np.ones((24, 1)))
        found.append(bool(leak.score[0] >= 1.0))
    assert sum(found) == 4


def test_without_a_floor_in_money_nothing_creeps() -> None:
    assert Floors().crept(np.array([1e9])).tolist() == [0.0]


@pytest.mark.parametrize(("hours", "least"), [(2, 25.0), (3, 25.0), (24, 61.2), (72, 106.1)])
def test_what_several_hours_must_have_cost_grows_with_the_root_of_their_number(hours: int, least: float) -> None:
    assert FLOORS.least(np.array([float(hours)]))[0] == pytest.approx(least, abs=0.05)


def flat(rises: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """A key that spends four dollars an hour all day, and so many times that; by day."""
    noise = np.random.default_rng(3).gamma(100.0, 1 / 100.0, (len(rises), 24))
    return 4.0 * rises[:, None] * noise


def test_a_day_twice_as_dear_as_those_before_is_a_leak_only_while_its_hours_go_on() -> None:
    days = flat(np.concatenate([np.ones(DAYS), [1.15, 1.2, 1.2, 1.25, 2.2], [2.2]]))
    ends = days.copy()
    ends[-1, 2:] = days[0, 2:]
    going, over = (walk(Baseline(1), own.reshape(-1, 1), 0, FLOORS).material[-24:, 0] for own in (days, ends))
    assert (going >= 1.0).all()
    assert (over[:2] >= 1.0).all()
    assert not (over[4:] >= 1.0).any()


def test_a_burst_that_was_over_before_midnight_is_no_leak_of_the_day_after() -> None:
    days = flat(np.concatenate([np.ones(DAYS), [1.15, 1.2, 1.2, 1.25, 2.2], [1.0]]))
    days[-2] = np.where(np.arange(24) < 16, 11.0, 4.0)
    assert not (walk(Baseline(1), days.reshape(-1, 1), 0, FLOORS).material[-24:, 0] >= 1.0).any()


def test_what_a_leak_has_cost_on_days_that_are_no_longer_compared_counts() -> None:
    leak, rises = Leak(ALONE), np.concatenate([np.ones(DAYS), np.full(10, 1.5)])
    excess = []
    for rise in rises:
        leak.close(np.full((24, 1), rise), np.ones((24, 1)))
        excess.append(float(leak.excess[0]) if leak.score[0] >= 1.0 else 0.0)
    found = [amount for amount in excess if amount > 0]
    assert max(found) > 6 * 12.0
    assert found == sorted(found)


def test_the_weeks_in_which_a_key_began_say_nothing_of_how_far_it_strays() -> None:
    leak = Leak(ALONE)
    for rise in np.concatenate([np.zeros(DAYS), np.ones(21), np.linspace(1.5, 1.8, 6)]):
        leak.close(np.full((24, 1), rise), np.full((24, 1), float(rise > 0)))
    assert leak.score[0] >= 1.0
