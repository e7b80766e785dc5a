"""How far an hour may stray: the variance of an over-dispersed, sparse, bursty count, for every series at once.

    variance of an hour = quantum × expected + noise × expected²

`quantum` is the size of one lump of spend (a compound Poisson process of lumps x has E[x²]/E[x] here): it rules quiet
hours and sparse keys. `noise` is the squared relative spread that stays however many requests there are: it rules busy
ones. Both are regressed from squared residuals under two weightings, one that listens to busy hours and one that
listens to all alike; neither may be negative.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rules.horizons import Reals

Floats = npt.NDArray[np.float64]

MEMORY = 28 * 24.0
"""E-folding time in hours."""
PRIOR_NOISE = 0.25
PRIOR_HOURS = 24.0
"""A series begins with the prior noise, which weighs as much as this many hours at its level."""
LEAST_NOISE = 0.02
PRIOR_LUMPS = 3.0
"""How many usual lumps a series must have spent before its own lumps weigh as much as the usual one."""


class Dispersion:
    """`quantum` (in the unit of the values) and `noise` (a pure number) of `rows` series."""

    def __init__(self, rows: int) -> None:
        self._busy = np.zeros((3, rows))
        self._even = np.zeros((3, rows))
        self._lumps = np.zeros((2, rows))
        self.quantum = np.zeros(rows)
        self.noise = np.full(rows, PRIOR_NOISE)

    def train(self, seen: Reals, expected: Floats, level: Floats, present: Floats) -> None:
        """Learn from a day that has left quarantine (hours × rows); `seen` is limited already to what is no outlier.

        `present` is the weight of each hour: 0 where there is nothing to learn from.
        """
        keep = np.exp(-present.sum(axis=0) / MEMORY)
        square = (seen - expected) ** 2 * present
        mean = expected * present
        weight = np.divide(1.0, expected + 0.1 * level, out=np.zeros_like(expected), where=level > 0)
        for sums, factor in ((self._busy, np.ones(1)), (self._even, weight)):
            news = [(square * factor).sum(axis=0), (mean * factor).sum(axis=0), (mean * expected * factor).sum(axis=0)]
            sums[:] = sums * keep + np.stack(news)
        self._lumps *= keep
        self._lumps[0] += (seen * seen * present).sum(axis=0)
        self._lumps[1] += (seen * present).sum(axis=0)

    def taken(self, places: npt.NDArray[np.intp]) -> Dispersion:
        """The rows at these places."""
        after = Dispersion(0)
        after._busy, after._even, after._lumps = (
            sums.take(places, axis=-1) for sums in (self._busy, self._even, self._lumps)
        )
        after.quantum, after.noise = self.quantum[places], self.noise[places]
        return after

    def rescale(self, rows: npt.NDArray[np.bool_], factor: Floats) -> None:
        """Follow a level that was multiplied by `factor`: its lumps grow with it, the relative noise stays."""
        times = factor[rows]
        self._busy[:, rows] *= np.stack([times * times, times, times * times])
        self._even[:, rows] *= np.stack([times, np.ones_like(times), times])
        self._lumps[:, rows] *= np.stack([times * times, times])

    def forget(self, rows: npt.NDArray[np.bool_]) -> None:
        """Begin anew for `rows`."""
        for sums in (self._busy, self._even, self._lumps):
            sums[:, rows] = 0.0

    def refit(self, level: Floats, usual: Floats) -> None:
        """Solve for both parts; `usual` is the lump that a series without a past of its own is held to have."""
        b0, b1, b2 = self._busy + PRIOR_HOURS * level**2 * np.array([[PRIOR_NOISE], [0.0], [1.0]])
        e0, e1, e2 = self._even
        determinant = b1 * e2 - b2 * e1
        solid = np.abs(determinant) > 1e-3 * (b1 * e2 + b2 * e1)
        quantum = _ratio(b0 * e2 - b2 * e0, determinant, solid)
        noise = _ratio(b1 * e0 - b0 * e1, determinant, solid)
        # Outside the quarter-plane the best fit lies on its edge; where expected values hardly vary the two parts
        # cannot be told apart and either explains everything.
        busy_only = solid & (quantum < 0)
        lumps_only = ~busy_only & (~solid | (noise < 0))
        noise = np.where(busy_only, _ratio(b0, b2, b2 > 0), np.where(lumps_only, 0.0, noise))
        quantum = np.where(busy_only, 0.0, np.where(lumps_only, _ratio(b0, b1, b1 > 0), quantum))
        borrowed = PRIOR_LUMPS * usual
        total = self._lumps[1] + borrowed
        lump = _ratio(self._lumps[0] + borrowed * usual, total, total > 0)
        own = _ratio(self._lumps[1], total, total > 0)
        self.quantum = np.maximum(own * quantum + (1.0 - own) * lump, 0.02 * lump)
        self.noise = np.maximum(noise, LEAST_NOISE)


def _ratio(above: Floats, below: Floats, where: npt.NDArray[np.bool_]) -> Floats:
    result: Floats = np.divide(above, below, out=np.zeros_like(above), where=where)
    return result
