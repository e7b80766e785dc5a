"""On clean data the baseline expects what the models of the literature do: statsmodels' STL, MSTL and ETS."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
import pytest
from statsmodels.tsa.exponential_smoothing.ets import ETSModel
from statsmodels.tsa.seasonal import MSTL, STL

from rules.seasonal import Baseline, walk

WEEKS, WEEK, DAY = 8, 168, 24
LAST = slice((WEEKS - 1) * WEEK, WEEKS * WEEK)

JUMPS = {"trend_jump": 26, "low_pass_jump": 17}
"""A tenth of the windows of a period of a week, as in the original program: between them smoothing is linear."""

Values = npt.NDArray[np.float64]


def series(*, weekly: bool, growth: float = 0.0) -> Values:
    """Hours × 2 series of 8 weeks: a daily wave, weekends at half if `weekly`, growth a week, and 3 % of noise."""
    hours = np.arange(WEEKS * WEEK)
    wave = 1.0 + 0.6 * np.cos((hours % DAY - 15) / DAY * 2 * np.pi)
    week = np.where(hours // DAY % 7 < 5, 1.0, 0.5) if weekly else np.ones(len(hours))
    trend = (1.0 + growth) ** (hours / WEEK)
    noise = np.random.default_rng(4).gamma(1000.0, 0.001, (len(hours), 2))
    return np.array([2.0, 800.0]) * (wave * week * trend)[:, None] * noise


def expected(values: Values) -> Values:
    """What the baseline expected of the last week, hour by hour, before it came."""
    return walk(Baseline(values.shape[1]), values, 0).expected[LAST]


def apart(one: Values, other: Values) -> float:
    """The median relative difference."""
    return float(np.median(np.abs(one - other) / other))


def fitted_by_stl(values: Values) -> Values:
    found = STL(values, period=WEEK, **JUMPS).fit()
    return np.asarray(found.trend + found.seasonal)


def fitted_by_mstl(values: Values) -> Values:
    found = MSTL(values, periods=(DAY, WEEK), iterate=1, stl_kwargs=JUMPS).fit()
    return np.asarray(found.trend + found.seasonal.sum(axis=1))


def fitted_by_ets(values: Values) -> Values:
    """One step ahead; the season is a day."""
    model = ETSModel(values, error="add", seasonal="add", seasonal_periods=DAY, initialization_method="heuristic")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(model.fit(disp=False, maxiter=20).fittedvalues)


@pytest.mark.parametrize("growth", [0.0, 0.02])
def test_the_last_week_is_expected_within_three_percent_of_stl(growth: float) -> None:
    values = series(weekly=True, growth=growth)
    ours = expected(values)
    for column in range(values.shape[1]):
        assert apart(ours[:, column], fitted_by_stl(values[:, column])[LAST]) < 0.03


def test_the_last_week_is_expected_within_three_percent_of_mstl() -> None:
    values = series(weekly=True, growth=0.02)[:, :1]
    assert apart(expected(values)[:, 0], fitted_by_mstl(values[:, 0])[LAST]) < 0.03


def test_the_last_week_is_expected_within_two_percent_of_ets() -> None:
    values = series(weekly=False)[:, :1]
    assert apart(expected(values)[:, 0], fitted_by_ets(values[:, 0])[LAST]) < 0.02
