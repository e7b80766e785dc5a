"""Which series have fallen silent against expectation: nothing at all came, where practically always something does.

A silence counts when it is improbable under the baseline over 3, 6 or 24 hours *and* has lasted more than three times
the longest harmless silence that the series still remembers, so that a key that sleeps at night never trips it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rules.horizons import Law, Reals, z_score

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

HORIZONS_AT = (2, 3, 4)
"""The places of 3, 6 and 24 hours among the horizons."""
MEMORY = 28 * 24.0
LEAST_HOURS = 4.0
HARMLESS = 96.0
"""A silence this long is no habit when it ends, and no news while it goes on."""


class Silence:
    """How long each of `rows` series has been silent, and how long it has been without anything being wrong."""

    def __init__(self, rows: int) -> None:
        self._run, self._longest = np.zeros(rows), np.zeros(rows)

    def read(
        self, seen: Floats, present: Flags, sums: Reals, law: Law, spread: Floats
    ) -> tuple[Floats, Flags, Silence]:
        """(depth, whether it is news, the state afterwards); depth is the z-score below the expected, or 0."""
        came = seen > 0
        passed = self._run + np.cumsum(present, axis=0)
        run = passed - np.maximum.accumulate(np.where(came, passed, 0.0), axis=0)
        before = np.concatenate([self._run[None], run[:-1]])
        ended, fading = np.where(came & (before < HARMLESS), before, 0.0), 1.0 - present / MEMORY
        longest = np.empty_like(run)
        at_last = self._longest
        for at in range(len(seen)):
            at_last = longest[at] = np.maximum(at_last * fading[at], ended[at])
        news, lasting = run <= HARMLESS, run >= LEAST_HOURS + 3.0 * longest
        depth = np.zeros_like(seen)
        hours, rows = np.nonzero(lasting & present)
        for place in HORIZONS_AT if rows.size else ():
            total = sums[hours, place, :, rows]
            mean, k = law.rows(rows).of(total[:, 1], total[:, 2])
            below = np.where((total[:, 3] <= 0) & (k > 1), -z_score(total[:, 3], mean, k) / spread[place, rows], 0.0)
            depth[hours, rows] = np.maximum(depth[hours, rows], below)
        return depth, news, Silence._of(run[-1], longest[-1])

    def taken(self, places: npt.NDArray[np.intp]) -> Silence:
        """The rows at these places."""
        return Silence._of(self._run[places], self._longest[places])

    @classmethod
    def _of(cls, run: Floats, longest: Floats) -> Silence:
        after = cls(0)
        after._run, after._longest = run, longest
        return after
