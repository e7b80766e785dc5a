"""The hour that is still filling, held against the share of it that is gone, for keys whose hours hardly stray.

The whole hour's bound needs no assumption: what has come so far is at most what the hour will come to. This one is
earlier for dear and even keys, and assumes that spend comes evenly within the hour, each minute straying by itself:

    σ of the whole hour, on the fourth-root scale: root = (bound / expected)^¼ - 1, at the usual threshold
    bound of a share f:  f × expected × (1 + root / √f)⁴

How a key spreads its hour is not known: a job at the full hour has brought it all within minutes. So the hour must
also have reached `PART` of the way to its whole bound already, on that scale, and its excess over the *whole* expected
hour the floor of an hour that needs no second one.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np
import numpy.typing as npt

from rules.materiality import Floors
from rules.model import HOUR, SpendView
from rules.story import Told

Floats = npt.NDArray[np.float64]

LEAST_SHARE = 0.2
"""The part of an hour before which nothing is made of its pace."""
PART = 2.0 / 3.0
"""Of the threshold of one hour, four standard deviations in place of six."""
EVEN = 5.0
"""Times the expected up to which the whole hour's bound may lie, for a key to count as even."""


def early_scores(told: Told, view: SpendView, floors: Floors) -> Floats:
    """How far each scope's open hour is beyond its share, by the floors; 1 and more is flagged.

    Only the hour in which the data end counts, as one that has ended is for the whole bound; elsewhere it is 0.
    """
    scopes = len(told.subjects.scopes)
    at = (view.observed_until - view.start) // HOUR - told.begin
    share = _share(view.observed_until)
    if at < told.complete or at >= len(told.reading.expected) or share < LEAST_SHARE:
        return np.zeros(scopes)
    first = told.subjects.first
    seen = np.nan_to_num(told.subjects.dollars[told.begin - told.subjects.begin + at, first:])
    expected, upper = told.reading.expected[at, first:], told.reading.upper[at, first:].astype(np.float64)
    even = (expected > 0) & (upper > expected) & (upper <= EVEN * expected)
    mean = np.where(even, expected, 1.0)
    root = np.where(even, (upper / mean) ** 0.25 - 1.0, 1.0)
    pace = np.maximum((seen / (share * mean)) ** 0.25 - 1.0, 0.0) / (root / np.sqrt(share))
    whole = np.maximum((seen / mean) ** 0.25 - 1.0, 0.0) / (PART * root)
    dear = (seen - mean) / floors.one_hour
    result: Floats = np.where(even, np.minimum(np.minimum(pace, whole), dear), 0.0)
    return result


def _share(moment: datetime) -> float:
    """How much of its hour is gone."""
    return (moment - moment.replace(minute=0, second=0, microsecond=0)) / HOUR
