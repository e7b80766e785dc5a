"""The production baseline behind a yardstick's protocol: `detect(times, values) -> scores`, causal, higher = odder.

    python PATH_OF_THE_YARDSTICK/score.py --detector benchmarks.quality_adapter:detect --set public

prints F1, recall, false alarms and the share of the excess spent before the page. Production code with production
defaults, but for two things: the series know no dollars, so the floors in money are set aside, and a silent series
counts too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rules.seasonal import Baseline, Floors, Tuning, walk

Series = tuple[npt.NDArray[np.datetime64], npt.NDArray[np.float64]]
MONDAY = np.datetime64("1970-01-05T00", "h")


def batch(series: Sequence[Series], tuning: Tuning | None = None) -> list[npt.NDArray[np.float64]]:
    """Scores of every series, hour by hour; each series is judged alone, whatever else is in the batch."""
    if not series:
        return []
    # All rows step together from a Monday; a series that begins later in the week is missing until then.
    skips = [int((times[0] - MONDAY).astype("timedelta64[h]").astype(int)) % 168 for times, _ in series]
    matrix = np.full(
        (max(skip + len(values) for skip, (_, values) in zip(skips, series, strict=True)), len(series)), np.nan
    )
    for column, (skip, (_, values)) in enumerate(zip(skips, series, strict=True)):
        matrix[skip : skip + len(values), column] = values
    reading = walk(Baseline(len(series), tuning=tuning), matrix, 0, Floors())
    scores = np.maximum(reading.material, reading.silence)
    result = [
        scores[skip : skip + len(values), column]
        for column, (skip, (_, values)) in enumerate(zip(skips, series, strict=True))
    ]
    for own in result:
        own[:24] = 0.0
    return result


def detect(times: npt.NDArray[np.datetime64], values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Scores of one series; at 1 and above the hour is flagged."""
    return batch([(times, values)])[0]


detect.batch = batch  # type: ignore[attr-defined]  # the yardstick's protocol: attributes of the function
detect.threshold = 1.0  # type: ignore[attr-defined]
