"""Which bursts a series is known for: some keys run short jobs at hours that nobody can foresee, again and again.

A burst is a stretch of at most four hours, all of them odd or nearly. From its third one on a series is judged
against its own bursts: what is no more than `Known.higher` times as high as the second highest is no news for as long.
Two are asked for, so that a single incident makes nothing familiar. What is remembered of their height fades.
"""

from __future__ import annotations

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

    short: float = 3.0
    """Odd hours: a longer stretch is no burst. The first of them is a burst's second hour: no single one is odd."""
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
        self._now = 0.0
        self._heights = np.zeros((2, rows))
        self._peak = np.zeros(rows)
        self._first, self._last = np.zeros(rows), np.full(rows, -np.inf)
        """The first and the newest odd hour of the latest stretch."""

    def read(self, odd: Flags, height: Reals) -> Flags:
        """Which of the odd hours are familiar, hours × rows; the state stays as it is.

        `height` is how far an hour and the one before it lie above the expected.
        """
        return self.copy().follow(odd, height) if odd.any() else odd

    def copy(self) -> Bursts:
        """The same state, for further hours to change."""
        after = Bursts(0, self._known)
        after._now = self._now
        after._heights, after._peak = self._heights.copy(), self._peak.copy()
        after._first, after._last = self._first.copy(), self._last.copy()
        return after

    def taken(self, places: npt.NDArray[np.intp]) -> Bursts:
        """The rows at these places."""
        after = Bursts(0, self._known)
        after._now = self._now
        after._heights, after._peak = self._heights.take(places, axis=-1), self._peak[places]
        after._first, after._last = self._first[places], self._last[places]
        return after

    def follow(self, odd: Flags, height: Reals) -> Flags:
        """Let these hours be the past; which of the odd ones are familiar."""
        familiar = np.zeros(odd.shape, dtype=np.bool_)
        for at in np.flatnonzero(odd.any(axis=1)).tolist():
            rows = np.flatnonzero(odd[at])
            familiar[at, rows] = self._hour(self._now + at, rows, height[at, rows])
        self._now += len(odd)
        return familiar

    def _hour(self, now: float, rows: npt.NDArray[np.intp], height: Reals) -> Flags:
        known = self._known
        begins = now - self._last[rows] > known.gap
        self._close(rows[begins])
        self._first[rows[begins]], self._peak[rows[begins]] = now, 0.0
        self._last[rows], self._peak[rows] = now, np.maximum(self._peak[rows], height)
        faded = self._heights[1, rows] * known.fades ** (now / WEEK)
        familiar: Flags = (now - self._first[rows] < known.short) & (height <= known.higher * faded)
        return familiar

    def _close(self, rows: npt.NDArray[np.intp]) -> None:
        """Let the stretches of `rows` be over, and remember those that were bursts.

        Heights are kept as they would be had they grown instead of fading, so that the past need not be touched.
        """
        bursts = rows[(self._peak[rows] > 0) & (self._last[rows] - self._first[rows] < self._known.short)]
        first, second = self._heights[:, bursts]
        new = self._peak[bursts] * self._known.fades ** (-self._last[bursts] / WEEK)
        self._heights[:, bursts] = np.maximum(first, new), np.maximum(np.minimum(first, new), second)
