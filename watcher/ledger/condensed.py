"""One budget's spend over any stretch of days, as a view of its scopes alone: a year of a thousand keys fits in memory.

The days are read and settled one after the other. What a budget does not select is dropped, and the leaves of one scope
are added up under the first of them, which stands for the scope: `per` and `select` see the same as in the whole view.
What a scope is made of (its models, say) is not in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt

from rules.dimensions import groups
from rules.model import HOUR, Budget, Leaf, Names, SpendView
from rules.selectors import select
from rules.sources import usage_source
from watcher.ledger.days import days_of, earliest, midnight
from watcher.ledger.reading import IntArray, LedgerStore
from watcher.ledger.settlement import DaySpend
from watcher.ledger.spend import settled_days
from watcher.ledger.view import newest_reading
from watcher.pricing import PriceBook

_FIRST_ROOM = 64


def condensed_view(
    store: LedgerStore, prices: PriceBook, organization: str, budget: Budget, start: datetime, now: datetime
) -> SpendView:
    """The budget's spend from the UTC day of `start` up to and with the open hour; the settled part is left out.

    Hours that were never read are not `known`, also those before anything is stored.
    """
    begin = midnight(start.date())
    hours = (now - begin) // HOUR + 1
    names = store.directory.names(organization)
    scopes = _Scopes(budget, names, hours)
    first = max(begin, earliest(store, organization, now))
    for _, spend in settled_days(store, prices, organization, days_of(first, now + HOUR), now):
        scopes.add(spend, (midnight(spend.day) - begin) // HOUR)
    observed = store.usage.observed(organization, begin, begin + hours * HOUR)
    known = np.zeros(hours, dtype=bool)
    known[[(hour - begin) // HOUR for hour in observed]] = True
    source = usage_source(store.sources.all(organization))
    watermark = begin if source is None or source.watermark is None else max(source.watermark, begin)
    return SpendView(
        organization=organization,
        start=begin,
        leaves=scopes.leaves,
        cost=scopes.cost,
        settled=np.broadcast_to(np.int64(0), scopes.cost.shape),
        known=known,
        complete_until=watermark,
        observed_until=max(newest_reading(observed) or watermark, watermark),
        unpriced=frozenset(scopes.unpriced),
    )


class _Scopes:
    """The sums of a budget's scopes as they come together."""

    def __init__(self, budget: Budget, names: Names, hours: int) -> None:
        self._budget, self._names, self._hours = budget, names, hours
        self._index: dict[tuple[str, ...], int] = {}
        self._leaves: list[Leaf] = []
        self._cost = np.zeros((_FIRST_ROOM, hours), dtype=np.int64)
        self._seen: tuple[Leaf, ...] = ()
        none = np.zeros(0, dtype=np.intp)
        self._rows: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]] = none, none
        self.unpriced: set[str] = set()

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        """The leaf that stands for each scope, in the order of the rows."""
        return tuple(self._leaves)

    @property
    def cost(self) -> IntArray:
        """Nano-dollars of scope x hour."""
        return self._cost[: len(self._leaves)]

    def add(self, spend: DaySpend, column: int) -> None:
        """Add a day, whose first hour is this column; hours past the last are dropped."""
        rows, into = self._places(spend.leaves)
        width = min(24, self._hours - column)
        sums = np.zeros((len(self._leaves), width), dtype=np.int64)
        np.add.at(sums, into, spend.cost[rows, :width])
        self._cost[: len(sums), column : column + width] += sums
        self.unpriced |= spend.unpriced

    def _places(self, leaves: Sequence[Leaf]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Which of a day's leaves count, and the row of each; days in a row mostly have the very same leaves."""
        if tuple(leaves) == self._seen:
            return self._rows
        rows = np.flatnonzero(select(self._budget.select, leaves, self._names))
        chosen = [leaves[row] for row in rows.tolist()]
        group_of, values = groups(self._budget.per, chosen, self._names)
        places = []
        for group, some in enumerate(values if chosen else ()):
            if some not in self._index:
                self._index[some] = len(self._leaves)
                self._leaves.append(chosen[int(np.argmax(group_of == group))])
            places.append(self._index[some])
        while len(self._leaves) > len(self._cost):
            self._cost = np.concatenate((self._cost, np.zeros_like(self._cost)))
        self._seen = tuple(leaves)
        self._rows = rows, np.array(places, dtype=np.intp)[group_of] if places else np.zeros(0, dtype=np.intp)
        return self._rows
