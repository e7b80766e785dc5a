"""Where a period will end: expected total, an 80 % interval, and when limits are crossed.

    total = what is known + what the unknown hours of the period are expected to bring

What is known is a floor: nothing here ever makes spend less than it is. The hours that are still open or were never
read are expected to bring at least what they show. Complete hours of the last ten weeks are all that is learned from
(`rules.habits`), so that a forecast depends on nothing that came later, and on no chance: the interval is analytic.

**A scope and its parts.** A key that runs away, is switched off or falls silent is plain in its own series and lost in
the noise of the organization's. So every leaf that weighs in its scope is looked at, those that stray from their habits
are projected on their own, and the rest as one. Keys known to be switched off are expected to bring nothing.

**The interval** is that of a gamma distribution with the mean and the variance of the remainder (Wilson and Hilferty's
approximation, 1931): bounded by zero below, and the more skewed the less is known. It holds four kinds of not knowing:
the noise of days to come, the level now, where the level and its trend will drift, and how long an odd stretch lasts.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from rules.habits import BLOCK, MOST_BLOCKS, WEEK, Floats, Rhythm, cut, follow, rhythm_of
from rules.model import HOUR, UNATTRIBUTED, Nano, SpendView
from rules.projection import project, stretch_of

INTERVAL = 0.8
"""The probability that the interval is meant to hold."""
LITTLE = 14.0
"""Days of history below which a forecast is said to rest on little."""
WEIGHTY = 0.01
"""A leaf that had this part of its scope's spend over the last four weeks is looked at by itself."""
_AT_ONCE = 512
"""Scopes whose hours are held in memory at a time."""

Basis: TypeAlias = Literal["none", "little", "enough"]
Rows: TypeAlias = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Crossing:
    """When the running sum reaches an amount: the beginning of that hour; None where it does not within the period.

    Between `early` and `late` lies the 80 % interval. What has been reached already has the same hour three times.
    """

    amount: Nano
    expected: datetime | None
    early: datetime | None
    late: datetime | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """Where a period will end. `low` and `high` bound the 80 % interval; all three are at least what is known spent."""

    total: Nano
    low: Nano
    high: Nano
    crossings: tuple[Crossing, ...]
    days: float
    """How many days of known hours it rests on, from the scope's first spend on, ten weeks at most."""
    basis: Basis
    """"none": no complete hour holds any spend of the scope, so that nothing can be expected but what is there.
    "little": under two weeks, so that neither its week nor its trend is known and the interval is wide."""


@dataclass(frozen=True, slots=True)
class Group:
    """What is forecast together: the view's rows of one scope, and the amounts whose crossing is asked for.

    `before` is the scope's running sum over that part of the period that lies before the view, in columns that begin at
    `begins`.
    """

    rows: Rows
    amounts: tuple[Nano, ...] = ()
    before: tuple[Nano, ...] = ()
    begins: tuple[datetime, ...] = ()


def forecasts(
    view: SpendView, groups: Sequence[Group], start: datetime, end: datetime, off: AbstractSet[str] = frozenset()
) -> list[Forecast]:
    """Forecast the period [start, end) for every group, in their order.

    Hours belong to the period that they start in. Complete hours are those before `view.complete_until` that are known;
    the later ones of the view are lower bounds. `off` are ids of keys that are switched off: their past counts, and
    nothing more is expected of them. A thousand scopes take about a third of a second.
    """
    window = _Window(view, start, end)
    live = np.array([leaf.api_key not in off for leaf in view.leaves], dtype=np.bool_)
    borrowed = _rhythm(view.cost[:, window.past].sum(axis=0, keepdims=True), view.known[window.past])
    told: list[Forecast] = []
    for at in range(0, len(groups), _AT_ONCE):
        told.extend(_together(view, groups[at : at + _AT_ONCE], live, window, borrowed))
    return told


class _Window:
    """The period in columns of the view, and in hours from `anchor`, the column after the newest complete hour."""

    __slots__ = ("anchor", "begin", "end", "first", "gaps", "moment", "past", "shown")

    def __init__(self, view: SpendView, start: datetime, end: datetime) -> None:
        self.anchor = min(max(view.index(view.complete_until), 0), view.hours)
        self.moment = view.start + self.anchor * HOUR
        first, last = -((view.start - start) // HOUR), -((view.start - end) // HOUR)
        self.first = min(max(first, 0), view.hours)
        self.shown = min(max(last, 0), view.hours)
        self.begin, self.end = max(first - self.anchor, 0), max(last - self.anchor, 0)
        self.past = slice(max(self.anchor - MOST_BLOCKS * BLOCK, 0), self.anchor)
        columns = np.arange(self.first, self.shown)
        self.gaps = columns[(columns >= self.anchor) | ~view.known[columns]] - self.anchor
        """The period's hours in the view whose figures are lower bounds, counted from the anchor."""


def _rhythm(spend: npt.NDArray[np.int64], known: npt.NDArray[np.bool_]) -> Rhythm:
    return rhythm_of(cut(spend.astype(np.float64), known))


def _summed(view: SpendView, rows: Rows, columns: slice) -> npt.NDArray[np.int64]:
    """The rows' sum by hour; a few rows at a time, so that a scope of all leaves needs no second view."""
    total = np.zeros(columns.stop - columns.start, dtype=np.int64)
    for at in range(0, len(rows), _AT_ONCE):
        total += view.cost[rows[at : at + _AT_ONCE], columns].sum(axis=0)
    return total


def _together(
    view: SpendView, groups: Sequence[Group], live: npt.NDArray[np.bool_], window: _Window, borrowed: Rhythm
) -> list[Forecast]:
    known = view.known[window.past]
    whole = np.stack([_summed(view, group.rows, window.past) for group in groups]).astype(np.float64)
    odd, owner = _odd(view, groups, live, window, borrowed)
    apart = view.cost[odd, window.past].astype(np.float64)
    rest = whole.copy()
    np.subtract.at(rest, owner, apart)
    for place, group in enumerate(groups):
        resting = group.rows[~live[group.rows]]
        if len(resting):
            rest[place] -= _summed(view, resting, window.past)
    late = np.concatenate([np.zeros(len(groups), dtype=np.bool_), _late(view)[odd]])
    blocks = cut(np.concatenate([rest, apart]), known, borrowed, late)
    rhythm = rhythm_of(blocks, borrowed)
    ahead = project(blocks, follow(blocks, rhythm), rhythm, window.begin, window.end, window.gaps)
    ahead = ahead.grouped(np.concatenate([np.arange(len(groups), dtype=np.intp), owner]), len(groups))
    begun = np.maximum.accumulate(whole > 0, axis=1)
    days = (begun & known).sum(axis=1) / BLOCK
    curves = ahead.curves()
    told = []
    for place, group in enumerate(groups):
        low, middle, high = (curve[place] for curve in curves)
        coming = _Coming(low, middle, high, ahead.gaps[place], rhythm.hour[place])
        told.append(_Path(view, group, window, coming).forecast(float(days[place])))
    return told


def _late(view: SpendView) -> npt.NDArray[np.bool_]:
    """The leaves whose cost comes with the bill, days late: what no usage explains. That it misses is no silence."""
    return np.array([leaf.api_key == UNATTRIBUTED for leaf in view.leaves], dtype=np.bool_)


def _odd(
    view: SpendView, groups: Sequence[Group], live: npt.NDArray[np.bool_], window: _Window, borrowed: Rhythm
) -> tuple[Rows, Rows]:
    """The leaves that weigh in a scope of several and stray from their habits, and the late ones; their scopes."""
    month = slice(max(window.anchor - 4 * WEEK * BLOCK, 0), window.anchor)
    lately = view.cost[:, month].sum(axis=1)
    late = _late(view)
    rows, owner = [np.zeros(0, dtype=np.intp)], [np.zeros(0, dtype=np.intp)]
    for place, group in enumerate(groups):
        spent = lately[group.rows]
        weighty = (spent > 0) & (spent >= WEIGHTY * spent.sum()) & live[group.rows] & (len(group.rows) > 1)
        chosen = group.rows[weighty | late[group.rows]]
        rows.append(chosen)
        owner.append(np.full(len(chosen), place, dtype=np.intp))
    leaves, places = np.concatenate(rows), np.concatenate(owner)
    odd = late[leaves]
    for at in range(0, len(leaves), _AT_ONCE):
        some = leaves[at : at + _AT_ONCE]
        blocks = cut(view.cost[some, window.past].astype(np.float64), view.known[window.past], borrowed)
        odd[at : at + _AT_ONCE] |= stretch_of(follow(blocks, rhythm_of(blocks, borrowed))).days > 0
    return leaves[odd], places[odd]


class _Coming(NamedTuple):
    """What is expected of one scope: the curves of its running sum from the anchor on, one value a block; what each of
    the window's gaps brings; the shares of the hours (7 × 24)."""

    low: Floats
    middle: Floats
    high: Floats
    gaps: Floats
    hour: Floats


class _Path:
    """One scope's way through the period: what is known, and what is to come."""

    __slots__ = ("_bases", "_before", "_curves", "_group", "_hour", "_spend", "_spent", "_window")

    def __init__(self, view: SpendView, group: Group, window: _Window, coming: _Coming) -> None:
        self._group, self._window, self._hour = group, window, coming.hour
        self._spend = _summed(view, group.rows, slice(window.first, window.shown))
        self._before = group.before[-1] if group.before else 0
        self._spent = self._before + int(self._spend.sum())
        self._curves = (coming.low, coming.middle, coming.high)
        shown = self._spend[window.gaps + window.anchor - window.first].astype(np.float64)
        before = window.gaps < 0
        # Hours never read bring what is expected, as uncertain as what is to come, if that is more than what they show;
        # an open hour that shows more than expected brings that.
        missing = float(np.maximum(coming.gaps - shown, 0.0)[before].sum())
        over = float(np.maximum(shown - coming.gaps, 0.0)[~before].sum())
        sure = self._spent - float(shown[~before].sum()) + over
        ends = [float(curve[-1]) if len(curve) else 0.0 for curve in self._curves]
        self._bases = [sure + missing * (end / ends[1] if ends[1] > 0 else 1.0) for end in ends]

    def forecast(self, days: float) -> Forecast:
        """The forecast; `days` is how much history stands behind it."""
        low, total, high = (
            max(self._spent, round(base + (float(curve[-1]) if len(curve) else 0.0)))
            for base, curve in zip(self._bases, self._curves, strict=True)
        )
        basis: Basis = "none" if days == 0 else "little" if days < LITTLE else "enough"
        return Forecast(total, low, high, tuple(map(self._crossing, self._group.amounts)), days, basis)

    def _crossing(self, amount: Nano) -> Crossing:
        if self._spent >= amount:
            at = self._was_reached(amount)
            return Crossing(amount, at, at, at)
        late, expected, early = (
            self._reached(curve, amount - base) for base, curve in zip(self._bases, self._curves, strict=True)
        )
        moments = [
            None if hours is None else self._window.moment + hours * HOUR
            for hours in (
                expected,
                early if expected is None or early is None else min(early, expected),
                late if expected is None or late is None else max(late, expected),
            )
        ]
        return Crossing(amount, *moments)

    def _was_reached(self, amount: Nano) -> datetime:
        """When what is known first got to the amount."""
        for begins, running in zip(self._group.begins, self._group.before, strict=True):
            if running >= amount:
                return begins
        column = self._window.first + int((self._before + self._spend.cumsum() >= amount).argmax())
        return self._window.moment + (column - self._window.anchor) * HOUR

    def _reached(self, curve: Floats, needed: float) -> int | None:
        """In which hour from the anchor the curve gets to the amount; within a block by the rhythm of its hours."""
        block = int((curve >= needed).argmax()) if len(curve) else 0
        if not len(curve) or curve[block] < needed:
            return None
        before = float(curve[block - 1]) if block else 0.0
        first = min(max(self._window.begin - BLOCK * block, 0), BLOCK)
        last = min(max(self._window.end - BLOCK * block, 0), BLOCK)
        running = self._hour[block % WEEK, first:last].cumsum()
        if not len(running):
            return BLOCK * block
        part = (needed - before) / max(float(curve[block]) - before, 1.0)
        within = int(np.searchsorted(running, min(max(part, 0.0), 1.0) * running[-1]))
        return BLOCK * block + first + min(within, len(running) - 1)
