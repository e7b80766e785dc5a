"""The production baseline behind a yardstick's protocol: scores by the hour, causal; from 1 on an hour is flagged.

    python YARDSTICK/score.py --detector benchmarks.quality_adapter:detect --set public
    python YARDSTICK/score.py --detector benchmarks.quality_adapter:values_alone --set public

`detect` knows the requests of every hour, and so what a request costs; `values_alone` does not. Both are the rules'
code with the rules' defaults, but for two things: the series know no dollars, so the floors in money are set aside, and
a silent series counts too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rules.materiality import Floors
from rules.seasonal import Baseline, Tuning, walk
from rules.unit_price import Shift, UnitPrice, follow

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.datetime64]
MONDAY = np.datetime64("1970-01-05T00", "h")
FIRST = 24
"""Hours of a series of which nothing is said."""


class Week:
    """Series side by side, hours × rows, all from a Monday: one that begins later in its week is missing until then."""

    def __init__(self, times: Sequence[Times], lengths: Sequence[int]) -> None:
        self._skips = [int((own[0] - MONDAY).astype("timedelta64[h]").astype(int)) % 168 for own in times]
        self._lengths = lengths

    def matrix(self, series: Sequence[Floats]) -> Floats:
        """The values of all series."""
        hours = max(skip + length for skip, length in zip(self._skips, self._lengths, strict=True))
        result = np.full((hours, len(series)), np.nan)
        for column, (skip, values) in enumerate(zip(self._skips, series, strict=True)):
            result[skip : skip + len(values), column] = values
        return result

    def rows(self, scores: Floats) -> list[Floats]:
        """The scores of each series by itself."""
        own = [
            scores[skip : skip + length, column].copy()
            for column, (skip, length) in enumerate(zip(self._skips, self._lengths, strict=True))
        ]
        for one in own:
            one[:FIRST] = 0.0
        return own


def scores_of(
    series: Sequence[tuple[Any, ...]],
    tuning: Tuning | None = None,
    floors: Floors | None = None,
    shift: Shift | None = None,
) -> list[Floats]:
    """Scores of every (times, values) or (times, values, requests); each is judged alone, whatever else is there."""
    if not series:
        return []
    week = Week([one[0] for one in series], [len(one[1]) for one in series])
    values = week.matrix([one[1] for one in series])
    reading = walk(Baseline(len(series), tuning=tuning), values, 0, floors or Floors())
    scores = np.maximum(reading.material, reading.silence)
    if len(series[0]) > 2:
        requests = week.matrix([one[2] for one in series])
        scores = np.maximum(scores, follow(UnitPrice(len(series), shift), values, requests, 0))
    return week.rows(scores)


def detect(times: Times, values: Floats, requests: Floats) -> Floats:
    """Scores of one series whose requests are known."""
    return scores_of([(times, values, requests)])[0]


def values_alone(times: Times, values: Floats) -> Floats:
    """Scores of one series of which nothing but its values is known."""
    return scores_of([(times, values)])[0]


# The yardstick's protocol: attributes of the function.
detect.wants_requests = True  # type: ignore[attr-defined]
for function in (detect, values_alone):
    function.__dict__.update(batch=scores_of, threshold=1.0)
