"""How improbable the last 1, 2, 3, 6, 24 and 72 hours are, summed, for every series at once.

A sum is held against a gamma-like law with the same mean and variance, on the fourth-root scale, where such a law is
near normal (Hawkins and Wixley 1986): z = √k · (4·(sum/mean)^¼ − 4 + 3/(8k)), k = mean² / variance. In sums over more
than one hour each hour counts only up to its own bound, so that no single hour can raise a long horizon alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Reals = npt.NDArray[np.floating[Any]]
"""Sums over horizons are kept in single precision: they are many, and seven digits are plenty for a score."""

HORIZONS = (1, 2, 3, 6, 24, 72)
LONGEST = max(HORIZONS)
COLUMNS = 6
LEAST_LUMPS = 0.3
"""Where less than this many lumps are expected the law is that of a series that expects as many: no scale collapses."""


@dataclass(frozen=True, slots=True)
class Law:
    """The law of sums: each field has one entry a series. `doubt` is the squared relative error of the level itself."""

    quantum: Reals
    noise: Reals
    doubt: Reals

    def of(self, mean: Reals, squares: Reals) -> tuple[Reals, Reals]:
        """The floored mean and the gamma shape k of sums of that mean; the last axis is the series.

        `squares` is the sum of the hours' squared means.
        """
        floored = np.maximum(mean, LEAST_LUMPS * self.quantum)
        square = floored * floored
        # The hours of a sum cannot be more even than all equal: a mean below the floor still has its noise.
        variance = self.quantum * floored + self.noise * np.maximum(squares, square / LONGEST) + self.doubt * square
        k = np.divide(square, variance, out=np.ones_like(floored), where=variance > 0)
        return floored, k

    def rows(self, rows: npt.NDArray[np.intp]) -> Law:
        """The law of some of the series."""
        return Law(self.quantum[rows], self.noise[rows], self.doubt[rows])

    def single(self) -> Law:
        """The same law in single precision."""
        return Law(*(part.astype(np.float32) for part in (self.quantum, self.noise, self.doubt)))


def z_score(total: Reals, mean: Reals, k: Reals) -> Reals:
    """How many standard deviations `total` lies above a gamma law of that mean and shape; 0 where nothing is known."""
    ratio = np.divide(np.maximum(total, 0.0), mean, out=np.ones_like(total), where=mean > 0)
    z: Reals = np.sqrt(k) * (4.0 * np.sqrt(np.sqrt(ratio)) - 4.0 + 0.375 / k)
    return z


def values_at(z: Sequence[Floats], mean: Reals, k: Reals) -> list[Reals]:
    """The values whose z-scores are the given ones: the inverse of `z_score`."""
    slope, middle = 0.25 / np.sqrt(k), 1.0 - 0.09375 / k
    roots = (np.square(np.maximum(wanted * slope + middle, 0.0)) for wanted in z)
    return [mean * np.square(root) for root in roots]


class Totals:
    """Running totals of the last `LONGEST` hours, so that the sum over any horizon is one subtraction."""

    def __init__(self, rows: int) -> None:
        self._totals = np.zeros((LONGEST + 1, COLUMNS, rows), dtype=np.float32)

    def sums(self, columns: tuple[npt.NDArray[Any], ...]) -> tuple[Reals, Reals]:
        """(sums, totals) after `COLUMNS` further columns, each hours × rows.

        `sums` has the shape hours × horizons × `COLUMNS` × rows: for every new hour, each column summed over the last
        1, 2, … hours; `totals` is what `keep` takes when these hours are there to stay.
        """
        count, rows = columns[0].shape
        totals = np.empty((LONGEST + 1 + count, COLUMNS, rows), dtype=np.float32)
        totals[: LONGEST + 1] = self._totals
        for place, column in enumerate(columns):
            totals[LONGEST + 1 :, place] = column
        for at in range(LONGEST + 1, len(totals)):
            totals[at] += totals[at - 1]
        sums = np.empty((count, len(HORIZONS), COLUMNS, rows), dtype=np.float32)
        for place, hours in enumerate(HORIZONS):
            np.subtract(
                totals[LONGEST + 1 :],
                totals[LONGEST + 1 - hours : len(totals) - hours],
                out=sums[:, place],
            )
        return sums, totals

    def keep(self, totals: Reals) -> None:
        """Let the hours behind `totals` be the past. Totals begin at zero again, so that they lose no digits by age."""
        self._totals = totals[-LONGEST - 1 :] - totals[-LONGEST - 1]

    def latest(self) -> Reals:
        """The sums over the longest horizon, `COLUMNS` × rows."""
        difference: Reals = self._totals[-1] - self._totals[0]
        return difference

    def forget(self, rows: npt.NDArray[np.bool_]) -> None:
        """Begin anew for `rows`: every sum is zero until further hours come."""
        self._totals[:, :, rows] = self._totals[-1][:, rows]
