"""Which child explains its parent's excess: what each was seen to spend beside what was expected of it. Pure, exact.

What is expected of the parent in an hour is shared out over its children by what each had of the parent's spend at that
hour of the week in the four weeks before, pulled to what it had at that hour of the day by the weight of one more week,
and that to what it had of everything by the weight of one more day. A child without a past was expected to spend
nothing.

    share at an hour of the week = (own at it + share at the hour of day × mean hour) / (parent's at it + mean hour)

A window of more than a day is compared by days of the week instead, since which hours they hold is the same for all.
The noise of a child's expectation is how far the same window strayed from it one, two, three and four weeks before.
Money is integer nano-dollars: the parts and the rest sum exactly to the parent's excess, in whatever order they come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import erf, inf, sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rules.dimensions import Grouped, groups
from rules.figures import SpendView
from rules.scope import HOUR, Dimension, Names, Nano

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Places = npt.NDArray[np.intp]

WEEKS = 4
WEEK = 7 * 24
PAST = WEEKS * WEEK
SHORT = 24
"""Hours up to which a window is compared hour by hour; a longer one is compared day by day."""
_CHUNK = 128
"""Leaves read at a time: few enough to stay in the processor's cache."""
SURE = 2.0
"""Standard deviations of its own expectation that a child's excess must have to count among those who explain."""


class Part(NamedTuple):
    """One child, or one combination of children, over the window; `noise` is the standard deviation of `expected`."""

    ids: tuple[str, ...]
    """In the order of the dimensions that were asked for."""
    observed: Nano
    expected: Nano
    noise: float

    @property
    def excess(self) -> Nano:
        """What was seen over what was expected; below zero where it fell."""
        return self.observed - self.expected


@dataclass(frozen=True, slots=True)
class Attribution:
    """A parent's excess by its children, the largest excess first; `other` is what no child is known to have."""

    by: tuple[Dimension, ...]
    observed: Nano
    expected: Nano
    parts: tuple[Part, ...]

    @property
    def excess(self) -> Nano:
        """The parent's."""
        return self.observed - self.expected

    @property
    def other(self) -> Nano:
        """The excess beside that of the parts."""
        return self.excess - sum(part.excess for part in self.parts)

    def share(self, part: Part) -> float:
        """The part's share of the parent's excess; above 1 where others fell. 0 where there is no excess."""
        return part.excess / self.excess if self.excess else 0.0


@dataclass(frozen=True, slots=True)
class Explained:
    """The smallest set of children that explains a stated share of the excess."""

    parts: tuple[Part, ...]
    share: float
    """Of the parent's excess."""
    confidence: float
    """The probability that they explain the stated share, as far as the noise of what was expected goes."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The leaves of a parent beside the window of its story: places in the view, and columns that are in it."""

    members: Places
    window: slice
    expected: Floats
    """Nano-dollars expected of the parent in each hour of the window, of an open hour in the part that is seen."""
    likely: Nano
    """The sum of these."""
    odd: Sequence[int] = ()
    """Columns before the window that belong to another story: nothing is learnt from them."""


def by_habit(view: SpendView, members: Places, window: slice) -> Cut:
    """The same where no baseline says what is expected, as of a budget's period: the mean of the same hours of the week
    in the whole weeks before that the view has, at most four; nothing where it has none."""
    weeks, hours = min(window.start // WEEK, WEEKS), np.arange(window.start, window.stop)
    seen = np.clip((view.observed_until - view.start) / HOUR - hours, 0.0, 1.0)
    expected = np.zeros(len(hours))
    if weeks:
        past = view.cost[members, window.start - weeks * WEEK : window.start].sum(axis=0)
        expected = past.reshape(weeks, WEEK).mean(axis=0)[np.arange(len(hours)) % WEEK] * seen
    return Cut(members, window, expected, round(float(expected.sum())))


class _Past(NamedTuple):
    """What the four weeks before say of each leaf, and now."""

    whole: Longs
    """All of it."""
    of_day: Longs
    """At the window's hours of the day, none of them for a window of more than a day."""
    of_week: Longs
    """At the window's hours of the week, or by day of the week."""
    weeks: Longs
    """The same window in each week before, the oldest first."""
    now: Longs


class Excess:
    """A parent's excess, to be told by any of its dimensions. What the view has of it is read once."""

    def __init__(self, view: SpendView, names: Names, cut: Cut) -> None:
        run = _run(cut.members)
        self._leaves = [view.leaves[at] for at in run.tolist()] if not isinstance(run, slice) else view.leaves[run]
        self._names, self._cut = names, cut
        past = _read(view, cut)
        self._figures = np.column_stack((_expected(past, cut), past.now, past.weeks))
        self._groups: dict[tuple[Dimension, ...], Grouped] = {}
        self.observed: Nano = int(past.now.sum())

    def by(self, *dimensions: Dimension) -> Attribution:
        """The parent's excess by the values of some dimensions."""
        of, values = self._grouped(dimensions)
        return self._attribution(dimensions, _summed(self._figures, of, len(values)), values)

    def within(self, dimension: Dimension, ident: str, *dimensions: Dimension) -> Attribution:
        """The same of the leaves of one child alone: its own excess by further dimensions."""
        of, values = self._grouped((dimension,))
        which = of == values.index((ident,))
        leaves = [self._leaves[row] for row in np.flatnonzero(which).tolist()]
        of, values = groups(dimensions, leaves, self._names)
        sums = _summed(self._figures[which], of, len(values))
        return self._attribution(dimensions, sums, values, whole=False)

    def _grouped(self, dimensions: tuple[Dimension, ...]) -> Grouped:
        if dimensions not in self._groups:
            self._groups[dimensions] = groups(dimensions, self._leaves, self._names)
        return self._groups[dimensions]

    def _attribution(
        self, by: tuple[Dimension, ...], sums: Longs, values: Sequence[tuple[str, ...]], *, whole: bool = True
    ) -> Attribution:
        noise = _noise(sums[:, 0], sums[:, 2:], self._cut)
        under = sums[:, 0] - sums[:, 1]
        columns = (under.tolist(), values, sums[:, 1].tolist(), sums[:, 0].tolist(), noise.tolist())
        # The largest excess first, and of equal ones the lower id; no two parts have the same ids.
        parts = tuple([Part(*row[1:]) for row in sorted(zip(*columns, strict=True))])
        likely = self._cut.likely if whole else int(sums[:, 0].sum())
        return Attribution(by, int(sums[:, 1].sum()), likely, parts)


def _summed(figures: Longs, of: Places, size: int) -> Longs:
    """The sums of each group's rows."""
    if size == len(figures):
        sums = np.empty_like(figures)
        sums[of] = figures
        return sums
    order = np.argsort(of, kind="stable")
    return np.add.reduceat(figures[order], np.searchsorted(of[order], np.arange(size)), axis=0)


def _read(view: SpendView, cut: Cut) -> _Past:
    start, length = cut.window.start, cut.window.stop - cut.window.start
    short, size = length <= SHORT, len(cut.members)
    whole, now = np.zeros((2, size), dtype=np.int64)
    of_day = np.empty((size, length if short else 0), dtype=np.int64)
    of_week = np.empty((size, length if short else 7), dtype=np.int64)
    weeks = np.empty((size, WEEKS), dtype=np.int64)
    begin = max(start - PAST, 0)
    odd = [column - start + PAST for column in cut.odd if begin <= column < start]
    block = np.zeros((_CHUNK, PAST), dtype=np.int64)
    run = _run(cut.members)
    for first in range(0, size, _CHUNK):
        into, rows = slice(first, first + _CHUNK), _part_of(run, first)
        past = view.cost[rows, begin:start]
        if odd or start < PAST:
            block[: len(past), PAST - (start - begin) :] = past
            past = block[: len(past)]
            past[:, odd] = 0
        if short:
            by_hour = np.einsum("ijk->ik", past.reshape(-1, WEEKS * 7, 24))
            whole[into], of_day[into] = by_hour.sum(axis=1), by_hour[:, :length]
            same = past.reshape(-1, WEEKS, WEEK)[:, :, :length]
        else:
            same = np.einsum("ijk->ij", past.reshape(-1, WEEKS * 7, 24)).reshape(-1, WEEKS, 7)
            whole[into] = same.sum(axis=(1, 2))
        np.einsum("ijk->ik", same, out=of_week[into])
        np.einsum("ijk->ij", same[:, :, : length if short else length // 24], out=weeks[into])
        np.einsum("ij->i", view.cost[rows, start : cut.window.stop], out=now[into])
    return _Past(whole, of_day, of_week, weeks, now)


def _part_of(run: Places | slice, first: int) -> Places | slice:
    """The next places from the one with this number on."""
    if not isinstance(run, slice):
        return run[first : first + _CHUNK]
    return slice(run.start + first, min(run.start + first + _CHUNK, run.stop))


def _run(places: Places) -> Places | slice:
    """Places that follow one another, as a slice: nothing has to be copied then."""
    if not len(places):
        return places
    first, last = int(places[0]), int(places[-1])
    return slice(first, last + 1) if bool((np.diff(places) == 1).all()) else places


def _expected(past: _Past, cut: Cut) -> Longs:
    """What is expected of each leaf over the window, to the nano-dollar; being linear in its past, leaves add up."""
    total = int(past.whole.sum())
    if not total:
        return np.zeros_like(past.whole)
    asked, by_day = cut.expected, past.of_day.shape[1] > 0
    if not by_day:
        asked = np.bincount(np.arange(len(asked)) // 24 % 7, weights=asked, minlength=7).astype(np.float64)
    mean = total / (PAST if by_day else PAST / 24)
    of_week = asked / (past.of_week.sum(axis=0) + mean)
    expected = np.einsum("ij,j->i", past.of_week, of_week)
    if by_day:
        of_day = mean * of_week / (past.of_day.sum(axis=0) + mean)
        expected += np.einsum("ij,j->i", past.of_day, of_day)
        expected += past.whole * (float(of_day.sum()) * mean / total)
    else:
        expected += past.whole * (float(of_week.sum()) * mean / total)
    rounded: Longs = np.rint(expected).astype(np.int64)
    return rounded


def _noise(expected: Longs, weeks: Longs, cut: Cut) -> Floats:
    """How far the window strayed from what is expected of it, in the weeks before that are known from their beginning;
    all of what is expected where none is."""
    known = min(WEEKS, cut.window.start // WEEK)
    if not known:
        return expected.astype(np.float64)
    length = len(cut.expected)
    scale = 1.0 if length <= SHORT else length / (24 * min(length // 24, 7))
    strays: Floats = np.sqrt(np.square(weeks[:, -known:] * scale - expected[:, None]).mean(axis=1))
    return strays


def explaining(attribution: Attribution, least: Fraction, most: int) -> Explained | None:
    """The smallest set of at most `most` children that explains at least `least` of the excess, or None.

    The set is unique up to equal excesses, of which the lower id comes first. A child counts only where its excess has
    the sign of the parent's and is `SURE` times its own noise: spending much explains nothing. None without an excess.
    """
    excess = attribution.excess
    if not excess:
        return None
    sign = 1 if excess > 0 else -1
    odd = [part for part in attribution.parts if sign * part.excess > 0 and abs(part.excess) >= SURE * part.noise]
    odd.sort(key=lambda part: (-sign * part.excess, part.ids))
    chosen: list[Part] = []
    explained = 0
    for part in odd[:most]:
        chosen.append(part)
        explained += part.excess
        if sign * explained >= least * sign * excess:
            return Explained(tuple(chosen), explained / excess, _confidence(attribution, chosen, least))
    return None


def _confidence(attribution: Attribution, chosen: Sequence[Part], least: Fraction) -> float:
    """P(their excess ≥ least × the parent's), where every child's is normal with its noise and they are independent."""
    inside = {part.ids for part in chosen}
    part = float(least)
    margin = abs(sum(each.excess for each in chosen)) - part * abs(attribution.excess)
    variance = sum(((1 - part) if each.ids in inside else part) ** 2 * each.noise**2 for each in attribution.parts)
    z = margin / sqrt(variance) if variance else inf
    return 0.5 * (1 + erf(z / sqrt(2)))
