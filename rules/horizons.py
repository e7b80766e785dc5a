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
COLUMNS = 7
DAY = 24
SPARE = 2
"""Room for hours that are looked at beyond a day."""
LEAST_SHAPE = 0.1
"""Below this shape the approximation turns round: nothing at all would lie above what is expected."""
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
        return floored, np.maximum(k, LEAST_SHAPE)

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
    """Running totals of the `LONGEST` hours before the day and of the day's own, so that the sum over any horizon is
    one subtraction, and an hour more is one addition."""

    def __init__(
        self,
        rows: int,
        columns: int = COLUMNS,
        horizons: tuple[int, ...] = HORIZONS,
        dtype: type[np.floating[Any]] = np.float32,
    ) -> None:
        self._horizons = horizons
        self._totals: Reals = np.zeros((LONGEST + 1, columns, rows), dtype=dtype)
        self._end = LONGEST + 1
        """Behind the newest hour that is there to stay; what follows is scratch."""

    def sums(self, columns: tuple[npt.NDArray[Any], ...], *, keep: bool) -> Reals:
        """The sums after further values of every column, each hours × rows; with `keep` these hours are there to stay.

        The result has the shape hours × horizons × columns × rows: for every new hour, each column summed over the
        last 1, 2, … hours.
        """
        count, rows = columns[0].shape
        begin, end = self._end, self._end + count
        if end > len(self._totals):
            room = max(end, LONGEST + 1 + DAY + SPARE)
            more = np.empty((room - begin, *self._totals.shape[1:]), dtype=self._totals.dtype)
            self._totals = np.concatenate([self._totals[:begin], more])
        totals = self._totals
        for place, column in enumerate(columns):
            totals[begin:end, place] = column
        for at in range(begin, end):
            totals[at] += totals[at - 1]
        sums: Reals = np.empty((count, len(self._horizons), len(columns), rows), dtype=totals.dtype)
        for place, hours in enumerate(self._horizons):
            np.subtract(totals[begin:end], totals[begin - hours : end - hours], out=sums[:, place])
        if keep:
            self._end = end
        return sums

    def rewind(self) -> None:
        """Drop the day's own hours."""
        self._end = LONGEST + 1

    def close(self) -> None:
        """Let the day's hours be the past. Totals begin at zero again, so that they lose no digits by age."""
        first = self._end - LONGEST - 1
        base = self._totals[first].copy()
        for at in range(LONGEST + 1):
            np.subtract(self._totals[first + at], base, out=self._totals[at])
        self._end = LONGEST + 1

    def latest(self) -> Reals:
        """The sums over the longest horizon before the day, columns × rows."""
        difference: Reals = self._totals[LONGEST] - self._totals[0]
        return difference

    def forget(self, rows: npt.NDArray[np.bool_]) -> None:
        """Begin anew for `rows`: every sum is zero until further hours come. Only between two days."""
        self._totals[: LONGEST + 1, :, rows] = self._totals[LONGEST][:, rows]

    def taken(self, places: npt.NDArray[np.intp]) -> Totals:
        """The totals before the day of the rows at these places."""
        after = Totals(0, horizons=self._horizons)
        after._totals = self._totals[: LONGEST + 1].take(places, axis=-1)
        return after
