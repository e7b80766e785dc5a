"""Spend by leaf and hour as arrays over whole days, filled a day at a time."""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np

from rules.model import Leaf
from watcher.ledger.days import DAY
from watcher.ledger.reading import IntArray
from watcher.ledger.settlement import DaySpend
from watcher.ledger.standing import Standing, Told

_FIRST_ROOM = 256


class Cube:
    """Nano-dollars of `leaves` x hours of `days`, the best known cost and the settled part of it.

    Made from an earlier cube it begins with that one's figures, for the days and leaves that are still in it, and
    leaves the earlier one as it was: over the same days it has the very arrays, until a figure changes. Days without a
    standing have not been put yet and count as nothing.
    """

    def __init__(self, last: date, days: int, earlier: Cube | None = None) -> None:
        self.days: Final = tuple(last - back * DAY for back in reversed(range(days)))
        self.standing: dict[date, Standing] = {}
        self.told: dict[date, Told] = {}
        self.used: set[date] = set()
        self.unpriced: dict[date, frozenset[str]] = {}
        self._index: dict[Leaf, int] = {}
        self._cost: IntArray
        self._settled: IntArray
        self._shared = earlier is not None and earlier.days == self.days
        if not self._shared:
            room = _FIRST_ROOM if earlier is None else earlier.room
            self._cost, self._settled = np.zeros((2, room, 24 * days), dtype=np.int64)
        if earlier is not None:
            self._take_over(earlier)

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        """The leaves that cost something, in the order of the arrays' rows."""
        return tuple(self._index)

    @property
    def without_price(self) -> frozenset[str]:
        """The models whose figures rest, on some day, on a price that stands in for an unknown one."""
        return frozenset().union(*self.unpriced.values())

    @property
    def room(self) -> int:
        """How many leaves fit before the arrays have to grow."""
        return len(self._cost)

    def put(self, spend: DaySpend) -> None:
        """Replace one day's figures."""
        begin = 24 * (spend.day - self.days[0]).days
        hours = slice(begin, begin + 24)
        cost = spend.cost
        present = np.flatnonzero(cost.any(axis=1) | spend.settled.any(axis=1))
        rows = [self._index.setdefault(spend.leaves[index], len(self._index)) for index in present.tolist()]
        self._make_room(len(self._index))
        figures = np.zeros((2, len(self._index), 24), dtype=np.int64)
        figures[0, rows], figures[1, rows] = cost[present], spend.settled[present]
        into = slice(len(self._index)), hours
        if not (np.array_equal(self._cost[into], figures[0]) and np.array_equal(self._settled[into], figures[1])):
            if self._shared:
                self._cost, self._settled, self._shared = self._cost.copy(), self._settled.copy(), False
            self._cost[into], self._settled[into] = figures
        self.standing[spend.day] = spend.standing
        self.unpriced[spend.day] = spend.unpriced
        self.told.pop(spend.day, None)
        if spend.told is not None:
            self.told[spend.day] = spend.told
        (self.used.add if spend.used else self.used.discard)(spend.day)

    def arrays(self, hours: int) -> tuple[IntArray, IntArray]:
        """Read-only views of the first `hours` columns: cost and settled."""
        views = self._cost[: len(self._index), :hours], self._settled[: len(self._index), :hours]
        for view in views:
            view.flags.writeable = False
        return views

    def _take_over(self, earlier: Cube) -> None:
        shift = (self.days[0] - earlier.days[0]).days
        common = len(self.days) - abs(shift)
        if common <= 0:
            return
        into = slice(24 * max(-shift, 0), 24 * (max(-shift, 0) + common))
        out_of = slice(24 * max(shift, 0), 24 * (max(shift, 0) + common))
        size = len(earlier._index)
        old_cost, old_settled = earlier._cost[:size, out_of], earlier._settled[:size, out_of]
        leaves = earlier.leaves
        rows: slice | IntArray = slice(None)
        if shift:
            rows = np.flatnonzero(old_cost.any(axis=1) | old_settled.any(axis=1))
            leaves = tuple(leaves[index] for index in rows.tolist())
        self._index = {leaf: index for index, leaf in enumerate(leaves)}
        if self._shared:
            self._cost, self._settled = earlier._cost, earlier._settled
        else:
            self._cost[: len(leaves), into] = old_cost[rows]
            self._settled[: len(leaves), into] = old_settled[rows]
        inside = set(self.days)
        self.standing = {day: standing for day, standing in earlier.standing.items() if day in inside}
        self.unpriced = {day: models for day, models in earlier.unpriced.items() if day in inside}
        self.told = {day: told for day, told in earlier.told.items() if day in inside}
        self.used = earlier.used & inside

    def _make_room(self, leaves: int) -> None:
        if leaves > self.room:
            more = max(self.room, leaves - self.room)
            self._cost, self._settled = _longer(self._cost, more), _longer(self._settled, more)
            self._shared = False


def _longer(array: IntArray, more: int) -> IntArray:
    longer = np.zeros((len(array) + more, array.shape[1]), dtype=np.int64)
    longer[: len(array)] = array
    return longer
