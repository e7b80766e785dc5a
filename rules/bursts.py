"""Which bursts a series is known for: some keys run short jobs at hours that nobody can foresee, again and again.

A burst is a stretch of at most `SHORT` hours, all of them odd or nearly. From its third one on a series is judged
against its own bursts: what is no more than `HIGHER` times as high as the second highest is no news for as long. Two
are asked for, so that a single incident makes nothing familiar. What is remembered of their height fades.
"""

from __future__ import annotations

import copy

import numpy as np
import numpy.typing as npt

from rules.horizons import Reals

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

SHORT = 4
"""Hours: a longer stretch is no burst."""
GAP = 6
"""Hours without a flag that end a stretch."""
HIGHER = 2.5
FADE = 0.9 ** (1 / 7)
"""What is left of the heights each day."""


class Bursts:
    """The heights of the two greatest bursts of each of `rows` series, and the stretch that goes on."""

    def __init__(self, rows: int) -> None:
        self._heights = np.zeros((2, rows))
        self._peak, self._lasts, self._quiet = np.zeros(rows), np.zeros(rows), np.full(rows, GAP + 1.0)

    def read(self, flagged: Flags, height: Reals) -> tuple[Flags, Bursts]:
        """(which of the flagged hours are familiar, the state afterwards), both hours × rows.

        `height` is how far an hour and the one before it lie above the expected.
        """
        after = copy.deepcopy(self)
        return after.follow(flagged, height), after

    def follow(self, flagged: Flags, height: Reals) -> Flags:
        """Let these hours be the past; which of the flagged ones are familiar."""
        self._heights *= FADE ** (len(flagged) / 24)
        familiar = np.zeros(flagged.shape, dtype=np.bool_)
        busy = np.flatnonzero(flagged.any(axis=0) | (self._lasts > 0))
        for at in range(len(flagged) if busy.size else 0):
            familiar[at, busy] = self._hour(busy, flagged[at, busy], height[at, busy])
        return familiar

    def _hour(self, rows: npt.NDArray[np.intp], flagged: Flags, height: Reals) -> Flags:
        quiet = np.where(flagged, 0.0, self._quiet[rows] + 1.0)
        self._close(rows[(quiet > GAP) & (self._lasts[rows] > 0)])
        # A stretch lasts from its first flagged hour to its newest, the ordinary ones between them included.
        since = np.where(self._lasts[rows] > 0, self._quiet[rows] + 1.0, 1.0)
        lasts = self._lasts[rows] + np.where(flagged, since, 0.0)
        self._peak[rows] = np.where(flagged, np.maximum(self._peak[rows], height), self._peak[rows])
        self._quiet[rows], self._lasts[rows] = quiet, lasts
        familiar: Flags = flagged & (lasts <= SHORT) & (height <= HIGHER * self._heights[1, rows])
        return familiar

    def _close(self, rows: npt.NDArray[np.intp]) -> None:
        """Let the stretches of `rows` be over, and remember those that were bursts."""
        bursts = rows[self._lasts[rows] <= SHORT]
        first, second, new = self._heights[0, bursts], self._heights[1, bursts], self._peak[bursts]
        self._heights[0, bursts] = np.maximum(first, new)
        self._heights[1, bursts] = np.maximum(np.minimum(first, new), second)
        self._lasts[rows] = self._peak[rows] = 0.0
