"""What is known beside the figures of what is usual, laid over the series of a rule, hour by hour. Pure.

Planned events (`rules.events`) multiply what is expected; feedback (`rules.feedback`) allows an excess, or keeps hours
from teaching. All three are arrays of hours × rows, or None where nobody said anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rules.dimensions import values_of
from rules.events import PART, Event, Flags, Floats, Places, row_sums, shares, span, windows
from rules.feedback import MARGIN, SETTLES
from rules.figures import SpendView
from rules.model import HOUR, Leaf, Names, Scope
from rules.quieted import LASTS, REAL, Feedback
from rules.subjects import Subjects

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


def marks(foreknown: Foreknown, view: SpendView) -> object:
    """What of it is about the days of the view before the last midnight UTC: where that differs, so do these days.

    None where it is about none of them.
    """
    until = view.complete_until.replace(hour=0, minute=0, second=0, microsecond=0)
    events = [
        (event.select, event.expect, window.begins, min(window.ends, until))
        for event in foreknown.events
        for window in event.windows
        if window.begins < until and window.ends > view.start
    ]
    said = [
        replace(each, until=None if each.until is None or each.until >= until else each.until)
        for each in foreknown.feedback
        if each.since < until
    ]
    return (events, said) if events or said else None


def overlaid(subjects: Subjects, view: SpendView, names: Names, foreknown: Foreknown) -> Subjects:
    """The subjects with what is known beforehand of their hours."""
    if foreknown == NOTHING or not subjects.scopes:
        return subjects
    hours = subjects.begin + len(subjects.dollars)
    over = overlay(foreknown, view, names, subjects.places, subjects.scopes, range(subjects.begin, hours))
    return replace(subjects, factor=over.factor, untaught=over.untaught, allowed=over.allowed)


@dataclass(frozen=True, slots=True)
class Overlay:
    """What it comes to for some rows."""

    factor: Floats | None = None
    """How many times the usual may come."""
    untaught: Flags | None = None
    """Hours that teach nothing."""
    allowed: Floats | None = None
    """Dollars an hour that may come on top of the expected without being news."""


def overlay(
    foreknown: Foreknown, view: SpendView, names: Names, rows: Sequence[Places], scopes: Sequence[Scope], hours: range
) -> Overlay:
    """The arrays for these rows (the places of each one's leaves) and these hours of the view.

    The last rows are those of `scopes`, in their order; what stands before them are sums to borrow from.
    """
    making = _Making(hours, len(rows))
    for event, touched in windows(foreknown.events, view, hours.stop):
        part = shares(event, touched[0].start, view, names, rows)
        for each in touched:
            making.widen(each, 1.0 + (event.expect - 1.0) * part)
            making.keep_out(each, part >= PART)
    for said in foreknown.feedback:
        _say(making, said, view, names, rows, scopes)
    return Overlay(making.factor, making.untaught, making.allowed)


class _Making:
    """The arrays as they are filled; none is made before it is needed."""

    def __init__(self, hours: range, rows: int) -> None:
        self.hours = hours
        self.shape = (len(hours), rows)
        self.factor: Floats | None = None
        self.untaught: Flags | None = None
        self.allowed: Floats | None = None

    def widen(self, stretch: slice, factors: Floats) -> None:
        hours = self._own(stretch)
        if hours.start < hours.stop and (factors > 1.0).any():
            self.factor = np.ones(self.shape) if self.factor is None else self.factor
            self.factor[hours] = np.maximum(self.factor[hours], factors)

    def keep_out(self, stretch: slice, rows: Flags) -> None:
        hours = self._own(stretch)
        if hours.start < hours.stop and rows.any():
            self.untaught = np.zeros(self.shape, dtype=np.bool_) if self.untaught is None else self.untaught
            self.untaught[hours] |= rows

    def _own(self, stretch: slice) -> slice:
        """The stretch of the view as one of these arrays."""
        first = min(max(stretch.start, self.hours.start), self.hours.stop) - self.hours.start
        return slice(first, max(min(stretch.stop, self.hours.stop) - self.hours.start, first))

    def allow(self, hours: Places, rows: Flags, dollars: float) -> None:
        hours = hours[hours >= self.hours.start] - self.hours.start
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
    hours = making.hours.stop
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
