"""What a unit costs, followed by itself: a shift is told whatever the volume, and the volume alone says nothing."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from rules.unit_price import UnitPrice, follow

Floats = npt.NDArray[np.float64]
DAYS = 40
NOON = 30 * 24 + 12


def traffic(seed: int = 1, rows: int = 40, surge: float = 1.0) -> tuple[Floats, Floats]:
    """(dollars, requests): a daily wave of requests whose days stray, each of a size of its own.

    From `NOON` on there are `surge` times as many.
    """
    random = np.random.default_rng(seed)
    hours = np.arange(DAYS * 24)[:, None]
    wave = 1.0 + 0.8 * np.sin(hours / 24 * 2 * np.pi)
    level = np.exp(random.uniform(1.0, 5.0, rows))
    days = np.repeat(np.exp(random.normal(0, 0.5, (DAYS, rows))), 24, axis=0)
    requests = random.poisson(level * wave * days * np.where(hours < NOON, 1.0, surge)).astype(np.float64)
    return 0.01 * random.gamma(np.maximum(requests, 1e-9) / 2.0, 2.0), requests


def first_told(scores: Floats, since: int) -> Floats:
    """Hours from `since` until each row is told; infinite where it is not."""
    told = scores[since:] >= 1.0
    return np.where(told.any(axis=0), told.argmax(axis=0) + 1.0, np.inf)


def flagged(dollars: Floats, requests: Floats) -> Floats:
    return follow(UnitPrice(dollars.shape[1]), dollars, requests, 0)


def odd_hours(scores: Floats) -> int:
    return int((scores >= 1.0).sum())


def test_calm_weather_is_silent_however_the_days_stray() -> None:
    assert sum(odd_hours(flagged(*traffic(seed))) for seed in (1, 2, 3)) <= 3, "more than three in 680 key-weeks"


def test_a_price_that_doubles_is_told_within_a_day() -> None:
    dollars, requests = traffic()
    dollars[NOON:] *= 2.0
    assert np.quantile(first_told(flagged(dollars, requests), NOON), 0.9) <= 24
    assert np.median(first_told(flagged(dollars, requests), NOON)) <= 12


def test_ten_times_as_many_requests_at_the_same_price_are_no_shift() -> None:
    assert odd_hours(flagged(*traffic(surge=10.0))[NOON:]) <= 1


def test_one_odd_request_in_a_quiet_hour_is_no_shift() -> None:
    dollars, requests = traffic()
    dollars[NOON + 6], requests[NOON + 6] = 0.2, 1.0
    assert not (flagged(dollars, requests)[NOON : NOON + 72] >= 1.0).any()


def test_a_price_that_stays_is_the_normal_one_within_a_week() -> None:
    dollars, requests = traffic()
    dollars[25 * 24 :] *= 3.0
    assert not (flagged(dollars, requests)[32 * 24 :] >= 1.0).any()


def test_missing_hours_say_nothing_and_hide_nothing() -> None:
    dollars, requests = traffic()
    dollars[NOON:] *= 2.0
    dollars[NOON - 30 : NOON - 6] = np.nan
    requests[NOON + 1] = np.nan
    assert np.quantile(first_told(flagged(dollars, requests), NOON), 0.9) <= 24


@pytest.mark.parametrize("cut", [NOON, NOON + 7, NOON + 12, NOON + 25])
def test_what_is_said_of_an_hour_does_not_depend_on_what_follows(cut: int) -> None:
    dollars, requests = traffic(rows=5)
    dollars[NOON:] *= 2.0
    whole = flagged(dollars, requests)
    assert np.array_equal(flagged(dollars[:cut], requests[:cut]), whole[:cut])


def test_hour_by_hour_says_the_same_as_a_whole_day() -> None:
    dollars, requests = traffic(rows=5)
    dollars[NOON:] *= 2.0
    whole, prices = flagged(dollars, requests), UnitPrice(5)
    for day in range(0, DAYS * 24, 24):
        so_far = [prices.read(dollars[day : day + hours], requests[day : day + hours])[-1] for hours in range(1, 25)]
        prices.advance(dollars[day : day + 24], requests[day : day + 24], day)
        assert np.allclose(so_far, whole[day : day + 24])
