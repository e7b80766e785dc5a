"""Rules that people run in place of a baseline, to hold it against: scores by the hour, from 1 on flagged; causal.

Their numbers are those with which they do best on the labelled folder.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from benchmarks.quality_cases import Case

Floats = npt.NDArray[np.float64]
MONTH = 28 * 24
LEAST = 48
"""Hours of history below which nothing is said."""


def mean_and_deviations(case: Case, times: float = 8.0) -> Floats:
    """The mean of four weeks and so many standard deviations, exceeded two hours in a row."""
    ratio = _ratio(case.values, lambda past: float(past.mean() + times * past.std()))
    twice: Floats = np.minimum(ratio, np.concatenate([[0.0], ratio[:-1]]))
    return twice


def quantile_band(case: Case, part: float = 0.995, times: float = 2.0) -> Floats:
    """So many times a high quantile of four weeks."""
    return _ratio(case.values, lambda past: times * float(np.quantile(past, part)))


def hour_of_week(case: Case, times: float = 6.0) -> Floats:
    """The median of the same hour of eight weeks and so many times its median absolute deviation."""
    values = case.values
    scores = np.zeros(len(values))
    for hour in range(2 * 168, len(values)):
        past = values[hour % 168 : hour : 168][-8:]
        past = past[np.isfinite(past)]
        if len(past) >= 2 and np.isfinite(values[hour]):
            middle = float(np.median(past))
            bound = middle + times * 1.4826 * max(float(np.median(np.abs(past - middle))), 0.05 * middle)
            scores[hour] = values[hour] / bound if bound > 0 else float(values[hour] > 0)
    return scores


RIVALS: tuple[tuple[str, Callable[[Case], Floats]], ...] = (
    ("28-day mean + 8 deviations, two hours in a row", mean_and_deviations),
    ("twice the 99.5 % quantile of 28 days", quantile_band),
    ("hour-of-week median + 6 deviations (MAD)", hour_of_week),
)


def _ratio(values: Floats, bound: Callable[[Floats], float]) -> Floats:
    """Each hour over a bound that is drawn anew at the begin of its day."""
    scores = np.zeros(len(values))
    limit = np.inf
    for hour in range(LEAST, len(values)):
        if hour % 24 == 0 or limit == np.inf:
            past = values[max(hour - MONTH, 0) : hour]
            past = past[np.isfinite(past)]
            limit = bound(past) if len(past) >= LEAST else np.inf
        if np.isfinite(values[hour]) and limit > 0:
            scores[hour] = values[hour] / limit
    return scores
