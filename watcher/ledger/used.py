"""What spend was for, by model, tier and kind of token: read from the usage when a rule asks for it, and not before."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
import numpy.typing as npt

from rules.effects import Amount, Basket, Item
from rules.model import UNKNOWN, Leaf
from watcher.ledger.days import DayUsage, read_usage
from watcher.ledger.grids import HOURS, totals
from watcher.ledger.reading import IntArray, LedgerStore
from watcher.ledger.series import SeriesTable
from watcher.pricing import KINDS, PriceBook

Flags = npt.NDArray[np.bool_]

_PICO_PER_NANO = 1000
_MOST_DAYS = 24
"""Days held in memory while stories are told: as many as one story asks for."""


class UsedDays:
    """The usage of days that were asked for, held until a cycle comes that asks for none. Not thread-safe."""

    def __init__(self, store: LedgerStore, organization: str) -> None:
        self._store, self._organization = store, organization
        self._days: dict[date, DayUsage] = {}
        self._asked = False

    def touch(self, days: Collection[date]) -> None:
        """Note that usage of these days may have changed."""
        kept = self._days if self._asked else {}
        self._days = {day: usage for day, usage in kept.items() if day not in days}
        self._asked = False

    def read(self, wanted: Collection[date]) -> list[DayUsage]:
        """The usage of these days. Raises StoreError."""
        self._asked = True
        missing = set(wanted) - self._days.keys()
        if len(self._days) + len(missing) > _MOST_DAYS:
            self._days = {day: usage for day, usage in self._days.items() if day in wanted}
        self._days |= {usage.day: usage for usage in read_usage(self._store, self._organization, missing)}
        return [self._days[day] for day in sorted(wanted)]


@dataclass(frozen=True, slots=True, eq=False)
class UsedItems:
    """The ledger's `Used` (`rules.figures`): what some leaves used, at the prices of one book."""

    days: UsedDays
    prices: PriceBook

    def __call__(self, leaves: Collection[Leaf], hours: Collection[datetime]) -> Basket:
        """Counts and nano-dollars by item. Raises StoreError."""
        asked: dict[date, list[int]] = {}
        for hour in hours:
            moment = hour.astimezone(UTC)
            asked.setdefault(moment.date(), []).append(moment.hour)
        wanted = frozenset(leaves)
        basket: dict[Item, tuple[int, int]] = {}
        masks: dict[SeriesTable, Flags] = {}
        for usage in self.days.read(asked.keys()) if wanted else ():
            table = usage.table
            if table not in masks:
                inside = np.array([leaf in wanted for leaf in table.leaves], dtype=np.bool_)
                masks[table] = inside[table.leaf_of] if len(inside) else np.zeros(0, dtype=np.bool_)
            self._add(basket, usage.rows(_rows(usage, masks[table], asked[usage.day])))
        return {
            item: Amount(count, (pico + _PICO_PER_NANO // 2) // _PICO_PER_NANO)
            for item, (count, pico) in basket.items()
        }

    def _add(self, basket: dict[Item, tuple[int, int]], usage: DayUsage) -> None:
        """Add rows of a day, its counts times the day's prices."""
        traffics = usage.table.traffics
        sums = totals(usage.table.traffic_of[usage.series], usage.counts, len(traffics))
        for at in np.flatnonzero(sums.any(axis=1)).tolist():
            traffic = traffics[at]
            pico = self.prices.rates(traffic, usage.day).pico
            for kind, count, price in zip(KINDS, sums[at].tolist(), pico, strict=True):
                if count:
                    item = Item(traffic.model, traffic.service_tier or UNKNOWN, kind)
                    known = basket.get(item, (0, 0))
                    basket[item] = known[0] + count, known[1] + count * price


def _rows(usage: DayUsage, inside: Flags, hours: Collection[int]) -> IntArray:
    """Which rows are of the series and hours asked for."""
    if not len(usage):
        return np.zeros(0, dtype=np.int64)
    within = np.zeros(HOURS, dtype=np.bool_)
    within[list(hours)] = True
    return np.flatnonzero(inside[usage.series] & within[usage.hour]).astype(np.int64)
