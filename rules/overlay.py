"""What is known beside the figures of what is usual, laid over the series of a rule, hour by hour. Pure.

Planned events (`rules.events`) multiply what is expected; feedback (`rules.feedback`) allows an excess, or keeps hours
from teaching. All three are arrays of hours × rows, or None where nobody said anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rules.dimensions import values_of
from rules.events import PART, Event, Flags, Floats, Places, row_sums, shares, span, windows
from rules.feedback import MARGIN, SETTLES
from rules.figures import SpendView
from rules.model import HOUR, Leaf, Names, Scope
from rules.quieted import LASTS, REAL, Feedback

DAY = 24
NANO = 1e9
MOST_HOURS = 12
"""A story that came at more hours of the day than this is a level, and holds at every hour."""


@dataclass(frozen=True, slots=True)
class Foreknown:
    """All that was planned and said, of one organization."""

    events: tuple[Event, ...] = ()
    feedback: tuple[Feedback, ...] = ()


NOTHING = Foreknown()


@dataclass(frozen=True, slots=True)
class Overlay:
    """What it comes to for some rows."""

    factor: Floats | None = None
    """How many times the usual may come."""
    untaught: Flags | None = None
    """Hours that teach nothing."""
    allowed: Floats | None = None
    """Dollars an hour that may come on top of the expected without being news."""

    def part(self, hours: slice) -> Overlay:
        """Some of the hours."""
        factor, untaught, allowed = self.factor, self.untaught, self.allowed
        return Overlay(
            None if factor is None else factor[hours],
            None if untaught is None else untaught[hours],
            None if allowed is None else allowed[hours],
        )

    def same(self, other: Overlay) -> bool:
        """Whether both say the same of the same hours and rows."""
        return (
            _equal(self.factor, other.factor, 1.0)
            and _equal(self.untaught, other.untaught, False)  # noqa: FBT003
            and _equal(self.allowed, other.allowed, 0.0)
        )


def overlay(
    foreknown: Foreknown, view: SpendView, names: Names, rows: Sequence[Places], scopes: Sequence[Scope], hours: int
) -> Overlay:
    """The arrays for these rows (the places of each one's leaves) and the first `hours` of the view.

    The last rows are those of `scopes`, in their order; what stands before them are sums to borrow from.
    """
    making = _Making((hours, len(rows)))
    for event, touched in windows(foreknown.events, view, hours):
        part = shares(event, touched[0].start, view, names, rows)
        for each in touched:
            making.widen(each, 1.0 + (event.expect - 1.0) * part)
            making.keep_out(each, part >= PART)
    for said in foreknown.feedback:
        _say(making, said, view, names, rows, scopes)
    return Overlay(making.factor, making.untaught, making.allowed)


def _equal(one: npt.NDArray[Any] | None, another: npt.NDArray[Any] | None, nothing: float) -> bool:
    if one is None or another is None:
        there = another if one is None else one
        return there is None or bool((there == nothing).all())
    return np.array_equal(one, another)


class _Making:
    """The arrays as they are filled; none is made before it is needed."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.shape = shape
        self.factor: Floats | None = None
        self.untaught: Flags | None = None
        self.allowed: Floats | None = None

    def widen(self, hours: slice, factors: Floats) -> None:
        if (factors > 1.0).any():
            self.factor = np.ones(self.shape) if self.factor is None else self.factor
            self.factor[hours] = np.maximum(self.factor[hours], factors)

    def keep_out(self, hours: slice, rows: Flags) -> None:
        if rows.any():
            self.untaught = np.zeros(self.shape, dtype=np.bool_) if self.untaught is None else self.untaught
            self.untaught[hours] |= rows

    def allow(self, hours: Places, rows: Flags, dollars: float) -> None:
        if hours.size and rows.any():
            self.allowed = np.zeros(self.shape) if self.allowed is None else self.allowed
            at = np.ix_(hours, np.flatnonzero(rows))
            self.allowed[at] = np.maximum(self.allowed[at], dollars)


def _say(
    making: _Making,
    said: Feedback,
    view: SpendView,
    names: Names,
    rows: Sequence[Places],
    scopes: Sequence[Scope],
) -> None:
    hours = making.shape[0]
    inside = _inside(said.subject.scope, view.leaves, names)
    same = np.zeros(len(rows), dtype=np.bool_)
    same[len(rows) - len(scopes) :] = [scope == said.subject.scope for scope in scopes]
    if said.verdict == REAL:
        ends = view.start + hours * HOUR if said.until is None else said.until
        stretch = span(view, said.since, ends, hours)
        spent = view.cost[:, stretch].sum(axis=1).astype(np.float64)
        part, whole = row_sums(spent * inside, rows), row_sums(spent, rows)
        making.keep_out(stretch, same | ((part > 0) & (part >= PART * whole)))
        return
    count, size = row_sums(inside.astype(np.float64), rows), row_sums(np.ones(len(inside)), rows)
    around = (count > 0) & ((count < size) | (count == np.count_nonzero(inside)))
    making.allow(_hours(said, view, inside, hours), same | around, MARGIN * said.excess / NANO)


def _inside(scope: Scope, leaves: Sequence[Leaf], names: Names) -> Flags:
    """Which leaves lie in the scope."""
    chosen = np.ones(len(leaves), dtype=np.bool_)
    for dimension, ident in scope.parts().items():
        found = values_of(dimension, leaves, names)
        chosen &= np.fromiter((value == ident for value in found), dtype=np.bool_, count=len(leaves))
    return chosen


def _hours(said: Feedback, view: SpendView, inside: Flags, hours: int) -> Places:
    """The hours at which the story may come again: its first days, and then the hours of the day of these days."""
    first = span(view, said.since, said.since + SETTLES, hours)
    later = np.arange(first.stop, span(view, said.since, said.since + LASTS, hours).stop)
    spent = view.cost[inside, first].sum(axis=0)
    came = first.start + np.flatnonzero(spent - said.usual > 0.5 * said.excess)
    begins = view.start.hour
    of_day = np.zeros(DAY, dtype=np.bool_)
    for beside in (-1, 0, 1):
        of_day[(begins + came + beside) % DAY] = True
    if np.count_nonzero(of_day) > MOST_HOURS:
        of_day[:] = True
    return np.concatenate([np.arange(first.start, first.stop), later[of_day[(begins + later) % DAY]]])
