"""What the forecast is compared with: the straight line, the last week again, and statsmodels' classics."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.forecast_cases import AT, Case

WEEK = 7
PATHS = 400
SEED = 4711


class Guess(NamedTuple):
    """A total, and the bounds of an 80 % interval where the way to forecast has one."""

    total: float
    low: float | None = None
    high: float | None = None


def forecast(case: Case) -> Guess:
    """What this program tells."""
    return Guess(case.told.total, case.told.low, case.told.high)


def straight_line(case: Case) -> Guess:
    """Spend so far, by the part of the period that has passed."""
    passed = len(case.past) - case.begun
    return Guess(case.spent * (passed + case.left) / passed)


def last_week(case: Case) -> Guess:
    """The last 168 hours over and over; what is missing of them counts as nothing."""
    week = np.zeros(168)
    newest = case.past[-168:]
    week[168 - len(newest) :] = newest
    return Guess(case.spent + float(np.resize(week, case.left).sum()))


def classics() -> list[tuple[str, Callable[[Case], Guess | None]]]:
    """ETS and Holt-Winters on daily sums; the interval is that of 400 simulated paths with a fixed seed."""
    return [("ETS", _ets), ("Holt-Winters", _holt_winters)]


def _daily(case: Case) -> tuple[npt.NDArray[np.float64], float, int]:
    """Whole days up to the last midnight in thousandths of their mean, that mean, and the days to come."""
    past = case.past[: len(case.past) - AT]
    days = past[len(past) % 24 :].reshape(-1, 24).sum(axis=1).astype(np.float64)
    begun = days[np.flatnonzero(days)[0] :] if days.any() else days[:0]
    scale = float(begun.mean()) / 1000 if len(begun) else 1.0
    return begun / scale, scale, (case.left + AT) // 24


def _known(case: Case) -> float:
    """What the period had cost by the last midnight."""
    return float(case.past[case.begun : len(case.past) - AT].sum())


def _ets(case: Case) -> Guess | None:
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel  # noqa: PLC0415 — slow to import

    days, scale, ahead = _daily(case)
    if len(days) < WEEK:
        return None
    seasonal = len(days) >= 2 * WEEK
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = ETSModel(
            days,
            error="add",
            trend="add",
            damped_trend=True,
            seasonal="add" if seasonal else None,
            seasonal_periods=WEEK if seasonal else None,
        )
        fit = model.fit(disp=False)
        paths = fit.simulate(ahead, anchor="end", repetitions=PATHS, rng=np.random.default_rng(SEED))
    return _guess(case, np.asarray(fit.forecast(ahead)), np.asarray(paths), scale)


def _holt_winters(case: Case) -> Guess | None:
    from statsmodels.tsa.holtwinters import ExponentialSmoothing  # noqa: PLC0415 — slow to import

    days, scale, ahead = _daily(case)
    if len(days) < WEEK:
        return None
    seasonal = len(days) >= 2 * WEEK
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = ExponentialSmoothing(
            days,
            trend="add",
            damped_trend=True,
            seasonal="add" if seasonal else None,
            seasonal_periods=WEEK if seasonal else None,
            initialization_method="estimated",
        ).fit()
        paths = fit.simulate(ahead, anchor="end", repetitions=PATHS, rng=np.random.default_rng(SEED))
    return _guess(case, np.asarray(fit.forecast(ahead)), np.asarray(paths), scale)


def _guess(case: Case, ahead: npt.NDArray[np.float64], paths: npt.NDArray[np.float64], scale: float) -> Guess:
    known = _known(case)
    sums = paths.reshape(len(ahead), -1).sum(axis=0) * scale
    low, high = np.quantile(sums, (0.1, 0.9))
    return Guess(known + float(ahead.sum()) * scale, known + float(low), known + float(high))
