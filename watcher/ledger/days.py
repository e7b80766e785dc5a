"""The ledger's unit of work: one UTC day of usage, and the cost report of that day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from watcher.ledger.reading import CostDay, IntArray, LedgerStore, UsageColumns
from watcher.ledger.series import SeriesTable
from watcher.pricing import KINDS

DAY = timedelta(days=1)
VIEW_DAYS = 70
"""Whole UTC days before the present one that the ledger looks at: its view, and what the price book learns from."""
DAYS_AT_ONCE = 4
"""Days read in one query: enough that the fixed costs vanish, few enough that memory stays small."""

_EPOCH_DAY = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class DayUsage:
    """Usage rows of one UTC day: row i is `counts[i]` (in the order of `KINDS`) of one series in one hour, 0–23."""

    day: date
    table: SeriesTable
    series: IntArray
    hour: IntArray
    counts: IntArray

    def __len__(self) -> int:
        return len(self.series)


@dataclass(frozen=True, slots=True)
class Day:
    """What was reported of one UTC day; `cost` is None if its cost report was never read."""

    usage: DayUsage
    cost: CostDay | None


def midnight(day: date) -> datetime:
    """When a UTC day begins."""
    return datetime.combine(day, time(), UTC)


def read_days(store: LedgerStore, organization: str, wanted: Iterable[date]) -> Iterator[Day]:
    """The wanted days in order, read a few at a time."""
    table: SeriesTable | None = None
    for first, last in _runs(sorted(set(wanted))):
        columns = store.usage.read(organization, midnight(first), midnight(last + DAY))
        costs = {cost.day: cost for cost in store.costs.read(organization, first, last + DAY)}
        if table is None or table.keys != tuple(columns.keys):
            table = SeriesTable(columns.keys)
        for usage in split_days(columns, table, first, last):
            yield Day(usage, costs.get(usage.day))


def read_costs(store: LedgerStore, organization: str, wanted: Iterable[date]) -> dict[date, CostDay]:
    """The cost reports of the wanted days, of those that were ever read."""
    found: dict[date, CostDay] = {}
    for first, last in _runs(sorted(set(wanted))):
        found |= {cost.day: cost for cost in store.costs.read(organization, first, last + DAY)}
    return found


def split_days(columns: UsageColumns, table: SeriesTable, first: date, last: date) -> Iterator[DayUsage]:
    """Usage columns as one `DayUsage` for every day from first to last, days without rows included."""
    for number in range((last - first).days + 1):
        day = first + number * DAY
        start = 24 * (day.toordinal() - _EPOCH_DAY)
        begin, end = np.searchsorted(columns.hour, [start, start + 24])
        rows = slice(int(begin), int(end))
        counts = np.stack([getattr(columns, kind)[rows] for kind in KINDS], axis=1).astype(np.int64, copy=False)
        hour = columns.hour[rows].astype(np.int64) - start
        yield DayUsage(day, table, columns.series[rows].astype(np.int64), hour, counts)


def _runs(days: list[date]) -> Iterator[tuple[date, date]]:
    """Stretches of consecutive days, none longer than `DAYS_AT_ONCE`, as first and last day."""
    start = 0
    for end in range(1, len(days) + 1):
        if end == len(days) or days[end] != days[end - 1] + DAY or end - start == DAYS_AT_ONCE:
            yield days[start], days[end - 1]
            start = end
