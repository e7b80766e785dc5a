"""How much, and at which hours of the week: the level and the shape of every series at once.

The expected value of an hour is base × growth × shape. The base is the mean of the days of the week, growth says how
the latest week compares with it. The shape is built in three layers, each a decayed mean that is shrunk to the layer
before by how much evidence there is: the hour of day (shrunk to the parent's shape, or flat), times the day of the
week, then the hour of the week. The pull to the layer before weighs as much as the noise of one observation against the
layer's usual spread: the empirical-Bayes weight for a normal mean (Efron and Morris 1973).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

DAY = 24
WEEK = 168
CHUNK = 2048
"""Rows whose shape is worked out at a time: what is worked on then stays close to the processor."""


@dataclass(frozen=True, slots=True)
class Memory:
    """How many visits each layer remembers (e-folding), and how far it usually departs from the layer before.

    Spreads are relative standard deviations: an hour of day differs from flat by about its whole self, a day of the
    week by half, an hour of the week from the product of both, and a week from the ones before it, by a third.
    """

    days: float = 25.0
    weeks: float = 6.0
    spread_hour_of_day: float = 1.0
    spread_day_of_week: float = 0.5
    spread_hour_of_week: float = 0.35
    spread_growth: float = 0.3
    most_growth: float = 4.0


@dataclass(frozen=True, slots=True)
class Tier:
    """Rows `begin … end` share a place in the tree; row `begin + i` borrows its shape from row `parent[i]`."""

    begin: int
    end: int
    parent: Ints | None


class Profile:
    """Level and weekly shape of `rows` series; `tiers` are ordered so that parents come before their children."""

    def __init__(self, rows: int, tiers: tuple[Tier, ...], memory: Memory) -> None:
        self._tiers = tiers
        self._memory = memory
        # Of each slot: the decayed sum of what came, and of the hours it came in.
        self._day, self._weekday, self._week = (np.zeros((2, slots, rows)) for slots in (DAY, 7, WEEK))
        self._latest = np.zeros((2, 7, rows))
        """The newest visit of each day of the week: its sum and its hours."""

    def level(self, quantum: Floats, noise: Floats) -> Floats:
        """The present mean of an hour."""
        return self._base() * self._growth(quantum, noise)

    def expected(self, hours: slice, quantum: Floats, noise: Floats) -> Floats:
        """The expected values of the given hours of the week, all of one day: hours × rows.

        `quantum` and `noise` are the dispersion's two parts (`rules.dispersion`): they say what one hour is worth.
        """
        base = self._base()
        lumps = _ratio(quantum, base)
        count = hours.stop - hours.start
        shape = np.empty((count, len(base)))
        for tier in self._tiers:
            for begin in range(tier.begin, tier.end, CHUNK):
                rows = slice(begin, min(begin + CHUNK, tier.end))
                parents = None if tier.parent is None else tier.parent[begin - tier.begin : rows.stop - tier.begin]
                prior = np.ones((count, rows.stop - begin)) if parents is None else shape[:, parents]
                shape[:, rows] = self._shape(hours, rows, prior, base[rows], lumps[rows], noise[rows])
        shape *= base * self._growth(quantum, noise)
        return shape

    def train(self, hours: slice, seen: Floats, present: npt.NDArray[np.floating[Any]]) -> None:
        """Learn at most 24 hours of one day, each array hours × rows; `present` is 0 where nothing is to be learnt."""
        memory = self._memory
        day = hours.start // DAY
        at = slice(hours.start - day * DAY, hours.stop - day * DAY)
        came, present = seen * present, present.astype(np.float64)
        for sums, slots, visits in ((self._day, at, memory.days), (self._week, hours, memory.weeks)):
            sums[:, slots] *= 1.0 - present / visits
            sums[0, slots] += came
            sums[1, slots] += present
        whole = np.stack([came.sum(axis=0), present.sum(axis=0)])
        self._weekday[:, day] = self._weekday[:, day] * np.exp(-whole[1] / (DAY * memory.weeks)) + whole
        self._latest[:, day] = np.where(whole[1] >= DAY / 2, whole, self._latest[:, day])

    def taken(self, places: Ints, tiers: tuple[Tier, ...]) -> Profile:
        """The rows at these places, which borrow as these `tiers` say."""
        after = Profile(0, tiers, self._memory)
        after._day, after._weekday = self._day.take(places, axis=-1), self._weekday.take(places, axis=-1)
        after._week, after._latest = self._week.take(places, axis=-1), self._latest.take(places, axis=-1)
        return after

    def rescale(self, rows: Flags, factor: Floats) -> None:
        """Multiply the level of `rows` by their `factor`; the shape stays."""
        for sums in (self._day, self._weekday, self._week, self._latest):
            sums[0][:, rows] *= factor[rows]

    def forget(self, rows: Flags) -> None:
        """Begin anew for `rows`."""
        for sums in (self._day, self._weekday, self._week, self._latest):
            sums[:, :, rows] = 0.0

    def _base(self) -> Floats:
        means = _ratio(self._weekday[0], self._weekday[1])
        return _ratio(means.sum(axis=0), (self._weekday[1] > 0).sum(axis=0).astype(np.float64))

    def _growth(self, quantum: Floats, noise: Floats) -> Floats:
        """The latest week against the remembered ones, day by day of the week, so that no weekday weighs double."""
        memory = self._memory
        base = self._base()
        usual = (_ratio(self._weekday[0], self._weekday[1]) * self._latest[1]).sum(axis=0)
        pull = (quantum + DAY * np.maximum(noise, 0.1) * base) / memory.spread_growth**2
        growth = _ratio(self._latest[0].sum(axis=0) + pull, usual + pull)
        return np.clip(growth, 1.0 / memory.most_growth, memory.most_growth)

    def _shape(self, hours: slice, rows: slice, prior: Floats, base: Floats, lumps: Floats, noise: Floats) -> Floats:
        memory = self._memory
        day = hours.start // DAY
        at = slice(hours.start - day * DAY, hours.stop - day * DAY)
        overall = _ratio(self._day[0, :, rows].sum(axis=0), self._day[1, :, rows].sum(axis=0))
        seen = _ratio(self._day[0, at, rows], np.broadcast_to(overall, prior.shape))
        # `pull` × the layer before, in visits: the noise of one visit at that layer's value, over the layer's spread.
        pull = (lumps + noise * prior) / memory.spread_hour_of_day**2
        shape = (seen * prior + pull * prior) / np.maximum(self._day[1, at, rows] * prior + pull, 1e-12)
        seen_day = _ratio(self._weekday[0, day, rows], base)
        pull = (lumps + DAY * np.maximum(noise, 0.1)) / memory.spread_day_of_week**2
        shape *= (seen_day + pull) / np.maximum(self._weekday[1, day, rows] + pull, 1e-12)
        seen = _ratio(self._week[0, hours, rows], np.broadcast_to(base, shape.shape))
        pull = (lumps + noise * shape) / memory.spread_hour_of_week**2
        result: Floats = (seen * shape + pull * shape) / np.maximum(self._week[1, hours, rows] * shape + pull, 1e-12)
        return result


def _ratio(above: Floats, below: Floats) -> Floats:
    result: Floats = np.divide(above, below, out=np.zeros_like(above), where=below > 0)
    return result
