"""Spend before the view, and a period's spend put together from both.

The view holds hours; before it, as far back as some period reaches, spend is known by UTC day, and by hour on the days
that some period begins in. So every period has exactly its own hours, and where one lies that long ago that matters
only for when an amount was reached: that is then the first hour of its day.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt

from rules.figures import EarlierSpend, Leaf, SpendView
from rules.periods import Period
from rules.scope import HOUR, Nano

Amounts = npt.NDArray[np.int64]
Rows = npt.NDArray[np.intp]


class Reach:
    """The spend that some periods are judged by: that of the view, and what is earlier where one of them needs it.

    `leaves` are those of the view, in its order, and after them those that spent nothing since; rows are of these.
    """

    def __init__(self, view: SpendView, periods: Sequence[Period]) -> None:
        longer = any(period.start < view.start for period in periods)
        self.view = view
        self._earlier = view.earlier if longer else None
        self._place: Rows = np.zeros(0, dtype=np.intp)
        self.leaves: tuple[Leaf, ...] = view.leaves
        self.unpriced = view.unpriced
        if self._earlier is not None:
            index = {leaf: row for row, leaf in enumerate(view.leaves)}
            place = [index.setdefault(leaf, len(index)) for leaf in self._earlier.leaves]
            self._place = np.array(place, dtype=np.intp)
            self.leaves = tuple(index)
            self.unpriced = view.unpriced | self._earlier.unpriced

    def sums(self, period: Period) -> tuple[Amounts, Amounts]:
        """What each leaf cost in the period, and how much of that is settled."""
        return self.cost(period), self.settled(period)

    def cost(self, period: Period) -> Amounts:
        """What each leaf cost in the period."""
        return self._sum(self.sums_before(period)[0], self.view.cost, period)

    def settled(self, period: Period) -> Amounts:
        """How much of that is settled."""
        return self._sum(self.sums_before(period)[1], self.view.settled, period)

    def _sum(self, before: Amounts, hours: Amounts, period: Period) -> Amounts:
        before[: len(self.view.leaves)] += hours[:, period.columns(self.view.start, self.view.hours)].sum(axis=1)
        return before

    def sums_before(self, period: Period) -> tuple[Amounts, Amounts]:
        """What each leaf cost in that part of the period that lies before the view, and how much of it is settled."""
        nothing = np.zeros((2, len(self.leaves)), dtype=np.int64)
        earlier = self._earlier
        if earlier is not None and period.start < self.view.start:
            first = self._first(earlier, period)
            nothing[0, self._place] = earlier.cost[:, first:].sum(axis=1)
            nothing[1, self._place] = earlier.settled[:, first:].sum(axis=1)
        return nothing[0], nothing[1]

    def running(self, period: Period, members: Sequence[Rows]) -> Amounts:
        """The running sums of some scopes, each given by its rows: scope x column of the period (`begins`)."""
        columns = period.columns(self.view.start, self.view.hours)
        if self._earlier is None and len(members) == 1 and len(members[0]) == len(self.leaves):
            whole: Amounts = self.view.cost[:, columns].sum(axis=0, keepdims=True).cumsum(axis=1)
            return whole
        rows = np.concatenate(members)
        firsts = np.cumsum([0, *(len(leaves) for leaves in members[:-1])])
        cost = self._hours(rows, columns)
        before = self._before(period, rows)
        if before.shape[1]:
            cost = np.concatenate((before, cost), axis=1)
        running: Amounts = np.add.reduceat(cost, firsts, axis=0).cumsum(axis=1)
        return running

    def begins(self, period: Period, column: int) -> datetime:
        """When a column of the period begins, counted from its first."""
        days = self.days_before(period)
        if column < len(days):
            return days[column]
        start: datetime = self.view.start
        first: int = period.columns(start, self.view.hours).start
        return start + (first + column - len(days)) * HOUR

    def days_before(self, period: Period) -> tuple[datetime, ...]:
        """When the columns of the period begin that lie before the view."""
        earlier = self._earlier
        if earlier is None or period.start >= self.view.start:
            return ()
        return earlier.begins[self._first(earlier, period) :]

    def spent_before(self, period: Period, rows: Rows) -> tuple[Nano, ...]:
        """The running sum of these rows over those columns."""
        running = self._before(period, rows).sum(axis=0).cumsum()
        return tuple(int(amount) for amount in running.tolist())

    def since(self, period: Period) -> datetime:
        """From when on the spend of the period is known: its own start, or, where it is not known from there, later."""
        if period.start >= self.view.start:
            return period.start
        days = self.days_before(period)
        known = days[0] if days else self.view.start
        return period.start if known < period.start + HOUR else known

    def unread(self, period: Period) -> int:
        """How many hours of the period that should be complete were never read."""
        view = self.view
        columns = period.columns(view.start, view.hours)
        complete = min(max(view.index(view.complete_until), columns.start), columns.stop)
        return int(np.count_nonzero(~view.known[columns.start : complete])) + self.unread_before(period)

    def unread_before(self, period: Period) -> int:
        """How many of them lie before the view, of those that anything is known of."""
        earlier = self._earlier
        if earlier is None or period.start >= self.view.start:
            return 0
        return int(earlier.unread[self._first(earlier, period) :].sum())

    def _hours(self, rows: Rows, columns: slice) -> Amounts:
        """The hours of some rows in the view."""
        count = len(self.view.leaves)
        if len(self.leaves) == count:
            return self.view.cost[rows, columns]
        cost = np.zeros((len(rows), columns.stop - columns.start), dtype=np.int64)
        shown = rows < count
        cost[shown] = self.view.cost[rows[shown], columns]
        return cost

    def _before(self, period: Period, rows: Rows) -> Amounts:
        """The columns of some rows before the view."""
        earlier = self._earlier
        if earlier is None or period.start >= self.view.start:
            return np.zeros((len(rows), 0), dtype=np.int64)
        first = self._first(earlier, period)
        of = np.full(len(self.leaves), -1, dtype=np.intp)
        of[self._place] = np.arange(len(self._place))
        there = of[rows] >= 0
        cost = np.zeros((len(rows), len(earlier.begins) - first), dtype=np.int64)
        cost[there] = earlier.cost[of[rows[there]], first:]
        return cost

    @staticmethod
    def _first(earlier: EarlierSpend, period: Period) -> int:
        """The first column that begins within the period."""
        return bisect_left(earlier.begins, period.start)
