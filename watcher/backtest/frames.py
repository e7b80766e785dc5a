"""What a judgement at some moment of the past would have seen: history, cut where knowledge ended then. Pure.

What is assumed of it:

- One look an hour, `SETTLING` after the hour's end, when the hour counts as complete. Nothing of an hour is seen
  before: the store keeps what an hour came to and not how it filled. The daemon looks every few minutes and also judges
  the hour that is still filling, so it tells of what is dear up to an hour earlier than a replay does.
- A day counts with its estimates until `FINAL_AFTER` after its end, and with what it settled at from then on.

No figures are copied from look to look: every view is a window into the same arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from rules.measures import Measure
from rules.model import HOUR, EarlierSpend, SpendView
from watcher.ledger.days import DAY, VIEW_DAYS
from watcher.ledger.standing import FINAL_AFTER
from watcher.watermark import SETTLING

Amounts = npt.NDArray[np.int64]
Reach = Callable[[Collection[datetime]], EarlierSpend | None]
_HOURS = 24
_NOTHING: Mapping[Measure, SpendView | str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Frame:
    """What is known at `now`. The arrays of its views may change once the next frame is asked for."""

    now: datetime
    view: SpendView
    counted: Mapping[Measure, SpendView | str] = field(default_factory=lambda: _NOTHING)
    """What budgets count beside spend, or why it is not known."""
    reach: Reach | None = None
    """What was spent before the view, from the first of some moments on."""


@dataclass(frozen=True, slots=True)
class Settling:
    """Days whose estimate is something else than what they settled at, by the first hour of each.

    An array is leaf x 24 hours, nano-dollars, its leaves those of the history.
    """

    estimates: Mapping[datetime, Amounts] = field(default_factory=dict)
    after: timedelta = FINAL_AFTER


def hourly(
    history: SpendView,
    start: datetime,
    until: datetime,
    *,
    counted: Mapping[Measure, SpendView | str] = _NOTHING,
    settling: Settling | None = None,
    lateness: timedelta = SETTLING,
) -> Iterator[Frame]:
    """One frame for every hour of `history` that ends after `start` and is visible by `until`, each `lateness` later.

    `history` begins at a midnight UTC and holds the spend as it is known now; hours that are not complete are left out.
    Those in `counted` have the same hours.
    """
    film = _Film(history, counted, settling)
    last = min(until - lateness, history.complete_until)
    end = max(start.replace(minute=0, second=0, microsecond=0), history.start) + HOUR
    while end <= last:
        yield film.at(end, end + lateness)
        end += HOUR


class _Film:
    """History as it stood, moved forward in place."""

    def __init__(
        self, history: SpendView, counted: Mapping[Measure, SpendView | str], settling: Settling | None
    ) -> None:
        self._history, self._counted = history, counted
        self._cost, self._settled = history.cost, history.settled
        self._waiting: list[tuple[datetime, int]] = []
        if settling is not None and settling.estimates:
            self._cost, self._settled = history.cost.copy(), history.settled.copy()
            for begins in sorted(settling.estimates):
                column = history.index(begins)
                hours = slice(column, min(column + _HOURS, history.hours))
                self._cost[:, hours] = settling.estimates[begins][:, : hours.stop - column]
                self._settled[:, hours] = 0
                self._waiting.append((begins + DAY + settling.after, column))
        self._first = _first_hours(history)
        self._earlier: tuple[object, EarlierSpend | None] | None = None

    def at(self, end: datetime, now: datetime) -> Frame:
        """What is known at `now` of the hours before `end`."""
        self._settle(now)
        midnight = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
        start = max(midnight - VIEW_DAYS * DAY, self._history.start)
        columns = slice(self._history.index(start), self._history.index(end))
        view = replace(
            self._history,
            start=start,
            cost=_window(self._cost, columns),
            settled=_window(self._settled, columns),
            known=self._history.known[columns],
            complete_until=end,
            observed_until=end,
            unpriced=frozenset(model for model in self._history.unpriced if self._first.get(model, end) < end),
            earlier=None,
        )
        counted = {measure: _counted(known, view, columns) for measure, known in self._counted.items()}
        return Frame(now, view, counted, lambda begins: self._before(start, begins))

    def _settle(self, now: datetime) -> None:
        while self._waiting and self._waiting[0][0] <= now:
            _, column = self._waiting.pop(0)
            hours = slice(column, min(column + _HOURS, self._history.hours))
            self._cost[:, hours] = self._history.cost[:, hours]
            self._settled[:, hours] = self._history.settled[:, hours]

    def _before(self, start: datetime, begins: Collection[datetime]) -> EarlierSpend | None:
        """What was spent from the first of these moments to `start`, as far back as history goes."""
        before = frozenset(each.astimezone(UTC) for each in begins if each < start)
        asked = start, before
        if self._earlier is None or self._earlier[0] != asked:
            self._earlier = asked, self._made(start, before) if before else None
        return self._earlier[1]

    def _made(self, start: datetime, begins: Collection[datetime]) -> EarlierSpend | None:
        history = self._history
        first = max(datetime.combine(min(begins).date(), time(), UTC), history.start)
        cut = {each.date() for each in begins if each.time() != time()}
        moments: list[datetime] = []
        day = first
        while day < start:
            moments += [day + hour * HOUR for hour in range(_HOURS)] if day.date() in cut else [day]
            day += DAY
        if not moments:
            return None
        columns = slice(history.index(first), history.index(start))
        places = [history.index(moment) - columns.start for moment in moments]
        cost, settled = (np.add.reduceat(each[:, columns], places, axis=1) for each in (self._cost, self._settled))
        unread = np.add.reduceat((~history.known[columns]).astype(np.int64), places)
        used = np.flatnonzero(cost.any(axis=1))
        leaves = tuple(history.leaves[row] for row in used.tolist())
        unpriced = frozenset(model for model in history.unpriced if self._first.get(model, start) < start)
        return EarlierSpend(leaves, tuple(moments), cost[used], settled[used], unread, unpriced)


def _window(figures: Amounts, columns: slice) -> Amounts:
    window = figures[:, columns]
    window.flags.writeable = False
    return window


def _counted(known: SpendView | str, like: SpendView, columns: slice) -> SpendView | str:
    """What is counted, cut as spend is; complete no longer than it is itself."""
    if isinstance(known, str):
        return known
    return replace(
        known,
        start=like.start,
        cost=_window(known.cost, columns),
        settled=_window(known.settled, columns),
        known=known.known[columns],
        complete_until=min(max(known.complete_until, like.start), like.complete_until),
        observed_until=min(max(known.observed_until, like.start), like.observed_until),
    )


def _first_hours(history: SpendView) -> Mapping[str, datetime]:
    """When each model whose price is a stand-in first cost anything."""
    found: dict[str, datetime] = {}
    for model in history.unpriced:
        rows = [place for place, leaf in enumerate(history.leaves) if leaf.model == model]
        spent = np.flatnonzero(history.cost[rows].any(axis=0)) if rows else np.empty(0, dtype=np.intp)
        if len(spent):
            found[model] = history.start + int(spent[0]) * HOUR
    return found
