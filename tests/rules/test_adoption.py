"""A level that stays is the normal one after four days; what is over has not stayed, and hides nothing later."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from rules.horizons import Law, values_at, z_score
from rules.materiality import Floors
from rules.seasonal import Baseline, walk

Floats = npt.NDArray[np.float64]

DAYS = 60
FLOORS = Floors(per_hour=5.0, one_hour=25.0)


def even(days: int, seed: int = 5) -> Floats:
    """A key of ten dollars an hour that hardly strays."""
    return 10.0 * np.random.default_rng(seed).gamma(100.0, 1 / 100.0, (days * 24, 1))


def nightly(days: int, hours: int, seed: int = 6) -> Floats:
    """A key of twenty dollars an hour that works so many hours from two o'clock on."""
    works = np.isin(np.arange(days * 24) % 24, np.arange(2, 2 + hours))
    return 20.0 * np.random.default_rng(seed).gamma(100.0, 1 / 100.0, (days * 24, 1)) * works[:, None]


def told_days(values: Floats) -> list[int]:
    material = walk(Baseline(1), values, 0, FLOORS).material[:, 0]
    return sorted({int(hour) // 24 for hour in np.flatnonzero(material >= 1.0)})


@pytest.mark.parametrize(("begin", "hours"), [(20, 56), (9, 72), (15, 68)])
def test_a_runaway_that_is_over_by_midnight_is_no_new_level_and_hides_no_second_one(begin: int, hours: int) -> None:
    values = even(DAYS + 20)
    at = DAYS * 24 + begin
    values[at : at + hours] *= 10.0
    again = at + hours + 10 * 24
    values[again : again + 8] *= 5.0
    reading = walk(Baseline(1), values, 0, FLOORS)
    assert (reading.expected[at + hours + 48 : again] < 15.0).all()
    assert (reading.material[again + 1 : again + 8, 0] >= 1.0).all()


@pytest.mark.parametrize("hours", [30, 44, 56, 68, 80])
def test_a_runaway_of_days_is_over_when_it_is_over(hours: int) -> None:
    values = even(DAYS + 12)
    end = DAYS * 24 + 16 + hours
    values[end - hours : end] *= 7.0
    material = walk(Baseline(1), values, 0, FLOORS).material[:, 0]
    assert not (material[end + 6 :] >= 1.0).any()


@pytest.mark.parametrize("factor", [3.0, 10.0])
def test_a_level_that_stays_is_told_for_some_days_and_then_the_normal_one(factor: float) -> None:
    values = even(DAYS + 40)
    values[DAYS * 24 + 9 :] *= factor
    assert set(told_days(values)) <= set(range(DAYS, DAYS + 6))
    values[(DAYS + 25) * 24 : (DAYS + 25) * 24 + 8] *= 5.0
    assert DAYS + 25 in told_days(values)


@pytest.mark.parametrize("hours", [2, 3])
@pytest.mark.parametrize("factor", [5.0, 10.0])
def test_a_job_of_a_few_hours_a_night_that_becomes_dearer_for_good_is_told_for_some_nights(
    hours: int, factor: float
) -> None:
    values = nightly(DAYS + 40, hours)
    values[DAYS * 24 :] *= factor
    found = told_days(values)
    assert DAYS in found
    assert max(found) <= DAYS + 8


@pytest.mark.parametrize("noise", [0.25, 15.0, 100.0, 1000.0])
def test_nothing_at_all_is_never_above_the_expected_however_wild_a_series_is(noise: float) -> None:
    one = np.ones(1)
    mean, k = Law(quantum=one, noise=noise * one, doubt=0.0 * one).of(10.0 * one, 100.0 * one)
    assert z_score(0.0 * one, mean, k)[0] < 0.0
    assert values_at([4.5, 6.0], mean, k)[0][0] > mean[0]


def test_hours_that_teach_nothing_are_no_past_of_those_beside_them_however_many_are_read_at_once() -> None:
    values = even(DAYS)
    for begin in (20 * 24 + 3, 27 * 24 + 14):
        values[begin : begin + 2] += 60.0
    burst = slice(40 * 24 + 10, 40 * 24 + 15)
    values[burst] += 60.0
    untaught = np.zeros(values.shape, dtype=np.bool_)
    untaught[40 * 24 + 8 : 40 * 24 + 12] = True
    whole = walk(Baseline(1), values, 0, FLOORS, untaught=untaught).material
    single, told = Baseline(1), []
    for hour in range(len(values)):
        at = slice(hour, hour + 1)
        told.append(single.advance(values[at], hour, FLOORS, untaught[at]).material)
    assert np.concatenate(told).tolist() == whole.tolist()
    assert whole[burst].max() > 0.0
