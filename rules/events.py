"""Planned events: windows in which more than the usual may come, and that teach nothing of what is usual. Pure.

An event widens what is expected, and never mutes: in its windows what it selects may come to `expect` times the usual,
and what goes beyond that is told as ever. What happened meanwhile teaches nothing, neither a launch that it would be
usual, nor a holiday that hardly anything is. Where windows overlap the largest factor counts.

A figure of which only a part is selected (a workspace of one key that is launched) is widened by as much as that part
had of it in the four weeks before the event.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt

from rules.figures import SpendView
from rules.model import HOUR, Names, Selector
from rules.selectors import select

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]

SHARE_HOURS = 28 * 24
PART = 0.1
"""From this part of a figure on, what is selected keeps the whole figure from being learnt."""


@dataclass(frozen=True, slots=True)
class Window:
    """One stretch of an event, `[begins, ends)`; `called` says which, where it has a name of its own (a holiday)."""

    begins: datetime
    ends: datetime
    called: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that is planned, as far as its windows are near enough to matter."""

    name: str
    windows: tuple[Window, ...]
    select: Selector = field(default_factory=Selector)
    expect: float = 3.0
    """How many times the usual may come; 1 and more."""


def span(view: SpendView, begins: datetime, ends: datetime, hours: int) -> slice:
    """The hours of the view that the window touches, of the first `hours`; empty where there are none."""
    first = (begins - view.start) // HOUR
    last = -((view.start - ends) // HOUR)
    first = min(max(first, 0), hours)
    return slice(first, max(min(last, hours), first))


def windows(events: Sequence[Event], view: SpendView, hours: int) -> Iterator[tuple[Event, list[slice]]]:
    """The events that touch the first `hours` of the view, and the hours that each of them touches."""
    for event in events:
        spans = [span(view, window.begins, window.ends, hours) for window in event.windows]
        touched = [each for each in spans if each.start < each.stop]
        if touched:
            yield event, touched


def shares(event: Event, first: int, view: SpendView, names: Names, rows: Sequence[Places]) -> Floats:
    """Which part of each row the event selects, by what was spent in the four weeks before its first hour."""
    if event.select == Selector(organization=event.select.organization):
        return np.ones(len(rows))
    chosen = select(event.select, view.leaves, names)
    past = view.cost[:, max(first - SHARE_HOURS, 0) : first].sum(axis=1).astype(np.float64)
    part, whole = row_sums(past * chosen, rows), row_sums(past, rows)
    some, every = row_sums(chosen.astype(np.float64), rows), row_sums(np.ones(len(past)), rows)
    by_count = np.divide(some, every, out=np.zeros(len(rows)), where=every > 0)
    return np.divide(part, whole, out=by_count, where=whole > 0)


def row_sums(values: Floats, rows: Sequence[Places]) -> Floats:
    """The sum of one value a leaf over the leaves of each row; 0 for a row without any."""
    sizes = np.array([len(places) for places in rows], dtype=np.intp)
    result = np.zeros(len(rows))
    filled = np.flatnonzero(sizes)
    if filled.size:
        starts = np.concatenate([[0], np.cumsum(sizes[filled])[:-1]])
        result[filled] = np.add.reduceat(values[np.concatenate([places for places in rows if len(places)])], starts)
    return result
