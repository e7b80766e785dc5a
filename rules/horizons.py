"""How improbable the last 1, 2, 3, 6, 24 and 72 hours are, summed, for every series at once.

A sum is held against a gamma-like law with the same mean and variance, on the fourth-root scale, where such a law is
near normal (Hawkins and Wixley 1986): z = √k · (4·(sum/mean)^¼ − 4 + 3/(8k)), k = mean² / variance. In sums over more
than one hour each hour counts only up to its own bound, so that no single hour can raise a long horizon alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

HORIZONS = (1, 2, 3, 6, 24, 72)
LONGEST = max(HORIZONS)
LEAST_LUMPS = 0.3
"""Where less than this many lumps are expected the law is that of a series that expects as many: no scale collapses."""


@dataclass(frozen=True, slots=True)
class Law:
    """The law of sums: each field has one entry a series. `doubt` is the squared relative error of the level itself."""

    quantum: Floats
    noise: Floats
    doubt: Floats

    def of(self, mean: Floats, squares: Floats, rows: npt.NDArray[np.intp] | None = None) -> tuple[Floats, Floats]:
        """The floored mean and the gamma shape k of sums of that mean; the last axis is the series, or `rows` of them.

        `squares` is the sum of the hours' squared means.
        """
        quantum, noise, doubt = (
            (self.quantum, self.noise, self.doubt)
            if rows is None
            else (self.quantum[rows], self.noise[rows], self.doubt[rows])
        )
        floored = np.maximum(mean, LEAST_LUMPS * quantum)
        square = floored * floored
        variance = quantum * floored + noise * np.maximum(squares, square / LONGEST) + doubt * square
        k = np.divide(square, variance, out=np.ones_like(floored), where=variance > 0)
        return floored, k


def z_score(total: Floats, mean: Floats, k: Floats) -> Floats:
    """How many standard deviations `total` lies above a gamma law of that mean and shape; 0 where nothing is known."""
    ratio = np.divide(np.maximum(total, 0.0), mean, out=np.ones_like(total), where=mean > 0)
    z: Floats = np.sqrt(k) * (4.0 * np.sqrt(np.sqrt(ratio)) - 4.0 + 0.375 / k)
    return z


def value_at(z: Floats | float, mean: Floats, k: Floats) -> Floats:
    """The value whose z-score is `z`: the inverse of `z_score`."""
    root = np.maximum(z / (4.0 * np.sqrt(k)) + 1.0 - 0.09375 / k, 0.0)
    bound: Floats = mean * root**4
    return bound


class Totals:
    """Running totals of the last `LONGEST` hours, so that the sum over any horizon is one subtraction."""

    def __init__(self, rows: int) -> None:
        self._totals = np.zeros((LONGEST + 1, 5, rows))

    def sums(self, columns: tuple[Floats, ...]) -> tuple[Floats, Floats]:
        """(sums, totals) after five further columns, each hours × rows.

        `sums` has the shape hours × horizons × 5 × rows: for every new hour, each column summed over the last 1, 2, …
        hours; `totals` is what `keep` takes when these hours are there to stay.
        """
        block = np.cumsum(np.stack(columns, axis=1), axis=0)
        totals = np.concatenate([self._totals, self._totals[-1] + block])
        ends = np.arange(LONGEST + 1, len(totals))
        begins = ends[:, None] - np.array(HORIZONS)
        return totals[ends][:, None] - totals[begins], totals

    def keep(self, totals: Floats) -> None:
        """Let the hours behind `totals` be the past."""
        self._totals = totals[-LONGEST - 1 :].copy()

    def latest(self) -> Floats:
        """The five sums over the longest horizon, 5 × rows."""
        difference: Floats = self._totals[-1] - self._totals[0]
        return difference

    def forget(self, rows: npt.NDArray[np.bool_]) -> None:
        """Begin anew for `rows`: every sum is zero until further hours come."""
        self._totals[:, :, rows] = self._totals[-1][:, rows]
