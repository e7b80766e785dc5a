"""Seasonal Hybrid ESD, after Hochenbaum, Vallis and Kejariwal, "Automatic Anomaly Detection in the Cloud Via
Statistical Learning" (arXiv 1704.07706, 2017): a port of the published method, upward only.

The seasonal part comes from an STL decomposition; of the rest, the median of the series is taken (not the trend, which
would follow an incident). The generalized extreme Studentized deviate test (Rosner 1983) then asks which of the largest
residuals are outliers, with median and median absolute deviation in the place of mean and standard deviation. At most
`part` of the hours are.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]
CONSISTENT = 1.4826


def critical_values(count: int, most: int, alpha: float) -> Floats:
    """Of the test's statistics for the first, second … `most`-th largest of `count` residuals, one-sided."""
    removed = np.arange(most)
    left = count - removed
    t = stats.t.ppf(1.0 - alpha / left, left - 2)
    values: Floats = (left - 1) * t / np.sqrt((left - 2 + t * t) * left)
    return values


def newest_is_outlier(residuals: Floats, part: float = 0.02, alpha: float = 0.05) -> float:
    """How many times its critical value the test's statistic reaches for the newest residual; from 1 on an outlier.

    By the procedure all residuals up to the last significant statistic are outliers, so the largest ratio from the
    newest one's own rank on counts. 0 where it is not among the largest.
    """
    most = max(int(part * len(residuals)), 1)
    order = np.argsort(-residuals, kind="stable")
    place = int(np.flatnonzero(order == len(residuals) - 1)[0])
    if place >= most:
        return 0.0
    ordered = residuals[order]
    critical = critical_values(len(residuals), most, alpha)
    best = 0.0
    for removed in range(place, most):
        rest = ordered[removed:]
        middle = rest[len(rest) // 2]
        scale = CONSISTENT * float(np.median(np.abs(rest - middle)))
        if scale > 0:
            best = max(best, float((rest[0] - middle) / scale / critical[removed]))
    return best
