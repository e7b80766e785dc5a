"""What was known of the days before midnight when a baseline was fitted, and whether that still holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from rules.model import HOUR, Leaf, SpendView
from rules.profile import DAY, WEEK
from rules.subjects import Flags, Places, Rows, complete_hours

MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
RESTATED = 0.01
"""The part of what the week before midnight cost, from which its restatement does not wait for the next day."""


@dataclass(frozen=True, slots=True, eq=False)
class Before:
    """Hours are counted from a Monday 00:00 UTC; what is told of leaves is in the order of the view's."""

    begin: int
    """The first hour that was learnt from."""
    midnight: int
    known: Flags
    """Of the hours from there to midnight."""
    past: Flags
    """Which leaves had cost anything."""
    week: npt.NDArray[np.int64]
    """What each leaf had cost in the week before midnight, in nano-dollars."""
    leaves: tuple[Leaf, ...]

    @classmethod
    def nothing(cls) -> Before:
        """Of no hours at all."""
        none = np.zeros(0, dtype=np.bool_)
        return cls(0, 0, none, none, np.zeros(0, dtype=np.int64), ())

    @classmethod
    def of(cls, view: SpendView, begin: int, midnight: int) -> Before:
        """As it is in the view."""
        start = hour_of(view)
        end = max(midnight - start, 0)
        past: Flags = view.cost[:, :end].max(axis=1, initial=0) > 0
        week = view.cost[:, max(end - WEEK, 0) : end].sum(axis=1)
        return cls(begin, midnight, view.known[max(begin - start, 0) : end].copy(), past, week, view.leaves)

    def among(self, view: SpendView) -> Before:
        """The same hours in another view."""
        return Before.of(view, self.begin, self.midnight)

    def holds(self, view: SpendView, days: int = 0) -> bool:
        """Whether the midnight was the last one, or at most so many `days` before it, and of the hours before it the
        same are known, and cost about what they did."""
        start, complete = hour_of(view), complete_hours(view)
        last = start + complete - (start + complete) % DAY
        if not self.midnight <= last <= self.midnight + days * DAY or start > self.begin:
            return False
        end = self.midnight - start
        if not np.array_equal(view.known[self.begin - start : max(end, 0)], self.known):
            return False
        week = view.cost[:, max(end - WEEK, 0) : max(end, 0)].sum(axis=1)
        before = self.week
        if view.leaves != self.leaves:
            costs = dict(zip(self.leaves, self.week.tolist(), strict=True))
            before = np.array([costs.get(leaf, 0) for leaf in view.leaves], dtype=np.int64)
        return bool(np.abs(week - before).sum() <= RESTATED * before.sum())


def hour_of(view: SpendView) -> int:
    """The first hour of the view, counted from a Monday 00:00 UTC."""
    return (view.start - MONDAY) // HOUR


def matched(before: Rows, past: Flags, after: Rows, past_now: Flags) -> Places | None:
    """Where each row was; -1 for one that has no past. None where a past has come, gone or moved, or what has one
    borrows from another row."""
    old = {name: place for place, name in enumerate(before.names)}
    pasts = [_with_past(before, place, past) for place in range(len(before.names))]
    places = np.full(len(after.names), -1, dtype=np.intp)
    for place, name in enumerate(after.names):
        own = _with_past(after, place, past_now)
        was = old.pop(name, None)
        if own != (pasts[was] if was is not None else frozenset()):
            return None
        if own and was is not None and after.parent(place) != before.parent(was):
            return None
        if was is not None:
            places[place] = was
    return None if any(pasts[place] for place in old.values()) else places


def _with_past(rows: Rows, place: int, past: Flags) -> frozenset[Leaf]:
    leaves = rows.places[place]
    return frozenset(rows.leaves[leaf] for leaf in leaves[past[leaves]].tolist())
