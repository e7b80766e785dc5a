"""Which bursts a series is known for: some keys run short jobs at hours that nobody can foresee, again and again.

A burst is a stretch of at most `Known.short` hours, all of them odd or nearly. From its third one on a series is judged
against its own bursts: what is no more than `Known.higher` times as high as the second highest is no news for as long.
Two are asked for, so that a single incident makes nothing familiar. What is remembered of their height fades.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rules.horizons import Reals
from rules.profile import WEEK

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Known:
    """What counts as a burst, and what as one of those that a series is known for."""

    short: float = 4.0
    """Hours: a longer stretch is no burst."""
    gap: float = 6.0
    """Hours without an odd one that end a stretch."""
    higher: float = 2.5
    """Times the second highest burst, up to which one is familiar."""
    fades: float = 0.9
    """What is left of the heights each week."""


class Bursts:
    """The heights of the two greatest bursts of each of `rows` series, and the stretch that goes on."""

    def __init__(self, rows: int, known: Known) -> None:
        self._known = known
        self._heights = np.zeros((2, rows))
        self._peak, self._lasts, self._quiet = np.zeros(rows), np.zeros(rows), np.full(rows, np.inf)

    def read(self, flagged: Flags, height: Reals) -> tuple[Flags, Bursts]:
        """(which of the flagged hours are familiar, the state afterwards), both hours × rows.

        `height` is how far an hour and the one before it lie above the expected.
        """
        after = copy.deepcopy(self)
        return after.follow(flagged, height), after

    def follow(self, flagged: Flags, height: Reals) -> Flags:
        """Let these hours be the past; which of the flagged ones are familiar."""
        self._heights *= self._known.fades ** (len(flagged) / WEEK)
        familiar = np.zeros(flagged.shape, dtype=np.bool_)
        busy = np.flatnonzero(flagged.any(axis=0) | (self._lasts > 0))
        for at in range(len(flagged) if busy.size else 0):
            familiar[at, busy] = self._hour(busy, flagged[at, busy], height[at, busy])
        return familiar

    def _hour(self, rows: npt.NDArray[np.intp], flagged: Flags, height: Reals) -> Flags:
        known = self._known
        quiet = np.where(flagged, 0.0, self._quiet[rows] + 1.0)
        self._close(rows[(quiet > known.gap) & (self._lasts[rows] > 0)])
        # A stretch lasts from its first flagged hour to its newest, the ordinary ones between them included.
        since = np.where(self._lasts[rows] > 0, self._quiet[rows] + 1.0, 1.0)
        lasts = self._lasts[rows] + np.where(flagged, since, 0.0)
        self._peak[rows] = np.where(flagged, np.maximum(self._peak[rows], height), self._peak[rows])
        self._quiet[rows], self._lasts[rows] = quiet, lasts
        familiar: Flags = flagged & (lasts <= known.short) & (height <= known.higher * self._heights[1, rows])
        return familiar

    def _close(self, rows: npt.NDArray[np.intp]) -> None:
        """Let the stretches of `rows` be over, and remember those that were bursts."""
        bursts = rows[self._lasts[rows] <= self._known.short]
        first, second, new = self._heights[0, bursts], self._heights[1, bursts], self._peak[bursts]
        self._heights[0, bursts] = np.maximum(first, new)
        self._heights[1, bursts] = np.maximum(np.minimum(first, new), second)
        self._lasts[rows] = self._peak[rows] = 0.0
