"""The ledger's unit of work: one UTC day of usage, its cost report, and what the provider's analytics say of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Self

import numpy as np

from rules.model import Leaf
from watcher.ledger.reading import (
    AnalyticsColumns,
    AnalyticsState,
    CostDay,
    IntArray,
    LedgerStore,
    SeriesKey,
    UsageColumns,
)
from watcher.ledger.series import SeriesTable
from watcher.pricing import KINDS

DAY = timedelta(days=1)
VIEW_DAYS = 70
"""Whole UTC days before the present one that the ledger looks at: its view, and what the price book learns from."""
DAYS_AT_ONCE = 4
"""Days read in one query: enough that the fixed costs vanish, few enough that memory stays small."""

_OTHER = "other"
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

    def rows(self, which: IntArray) -> DayUsage:
        """Some of the rows."""
        return DayUsage(self.day, self.table, self.series[which], self.hour[which], self.counts[which])


@dataclass(frozen=True, slots=True)
class JoinedLeaves:
    """The leaves of usage, in their order, and after them those that only analytics has.

    `place[i]` is where the i-th leaf of the analytics' `SeriesTable` is among them.
    """

    leaves: tuple[Leaf, ...]
    place: IntArray

    @classmethod
    def of(cls, usage: SeriesTable, analytics: SeriesTable) -> Self:
        """Of the leaves of two tables, which as a rule number the same series."""
        if usage is analytics:
            return cls(usage.leaves, np.arange(len(usage.leaves)))
        index = {leaf: number for number, leaf in enumerate(usage.leaves)}
        place = [index.setdefault(leaf, len(index)) for leaf in analytics.leaves]
        return cls(tuple(index), np.array(place, dtype=np.int64))


@dataclass(frozen=True, slots=True)
class DayAnalytics:
    """The provider's amounts of one UTC day: row i is `amounts[i]` of one series in one hour, 0–23.

    `amounts` are nano-dollars in the order of `KINDS`, and last what is none of these. `states` has the hours that
    were told: one without rows among them was free. `joined` has the leaves of the day's usage and of its analytics.
    """

    table: SeriesTable
    joined: JoinedLeaves
    series: IntArray
    hour: IntArray
    amounts: IntArray
    states: Mapping[int, AnalyticsState]

    @property
    def leaf(self) -> IntArray:
        """Each row's leaf, as its place among the joined ones."""
        return self.joined.place[self.table.leaf_of[self.series]]


@dataclass(frozen=True, slots=True)
class Day:
    """What was reported of one UTC day.

    `cost` is None if its cost report was never read, `analytics` if none of its hours was ever told.
    """

    usage: DayUsage
    cost: CostDay | None
    analytics: DayAnalytics | None = None


def midnight(day: date) -> datetime:
    """When a UTC day begins."""
    return datetime.combine(day, time(), UTC)


def days_of(first: datetime, until: datetime) -> Iterator[date]:
    """The UTC days that [first, until) touches."""
    day = first.date()
    while midnight(day) < until:
        yield day
        day += DAY


def earliest(store: LedgerStore, organization: str, until: datetime) -> datetime:
    """The start of the first day of which anything is stored: days before it cost no time; `until` if there is none."""
    by_hour = (store.usage.span(organization), store.analytics.span(organization))
    days = [span[0].date() for span in by_hour if span is not None]
    costs = store.costs.span(organization)
    return min(map(midnight, days if costs is None else [*days, costs[0]]), default=until)


@lru_cache(maxsize=4)
def table_of(keys: tuple[SeriesKey, ...]) -> SeriesTable:
    """The table of some series, the same one as long as there are no others: to number thousands takes a while."""
    return SeriesTable(keys)


def read_days(store: LedgerStore, organization: str, wanted: Iterable[date]) -> Iterator[Day]:
    """The wanted days in order, read a few at a time."""
    analytics = _AnalyticsReading(store, organization)
    for first, last in _runs(sorted(set(wanted))):
        columns = store.usage.read(organization, midnight(first), midnight(last + DAY))
        costs = {cost.day: cost for cost in store.costs.read(organization, first, last + DAY)}
        table = table_of(tuple(columns.keys))
        told = analytics.days(first, last, table)
        for usage in split_days(columns, table, first, last):
            yield Day(usage, costs.get(usage.day), told.get(usage.day))


def read_usage(store: LedgerStore, organization: str, wanted: Iterable[date]) -> Iterator[DayUsage]:
    """The usage alone of the wanted days, in order, read a few at a time."""
    for first, last in _runs(sorted(set(wanted))):
        columns = store.usage.read(organization, midnight(first), midnight(last + DAY))
        yield from split_days(columns, table_of(tuple(columns.keys)), first, last)


def read_costs(store: LedgerStore, organization: str, wanted: Iterable[date]) -> dict[date, CostDay]:
    """The cost reports of the wanted days, of those that were ever read."""
    days = sorted(set(wanted))
    span = store.costs.span(organization) if days else None
    if span is None:
        return {}
    found: dict[date, CostDay] = {}
    for first, last in _runs([day for day in days if span[0] <= day < span[1]]):
        found |= {cost.day: cost for cost in store.costs.read(organization, first, last + DAY)}
    return found


def read_states(store: LedgerStore, organization: str, wanted: Iterable[date]) -> dict[date, dict[int, AnalyticsState]]:
    """The told hours (0–23) of the wanted days, of those that have any."""
    days = sorted(set(wanted))
    span = store.analytics.span(organization) if days else None
    if span is None:
        return {}
    found: dict[date, dict[int, AnalyticsState]] = {}
    for first, last in _runs([day for day in days if span[0].date() <= day <= span[1].date()]):
        found |= _states(store, organization, first, last)
    return found


def split_days(columns: UsageColumns, table: SeriesTable, first: date, last: date) -> Iterator[DayUsage]:
    """Usage columns as one `DayUsage` for every day from first to last, days without rows included."""
    for day, rows, hour in _by_day(columns, first, last):
        counts = np.stack([getattr(columns, kind)[rows] for kind in KINDS], axis=1).astype(np.int64, copy=False)
        yield DayUsage(day, table, columns.series[rows].astype(np.int64), hour, counts)


class _AnalyticsReading:
    """Reads the analytics of stretches of days; an organization without any costs one question in all."""

    def __init__(self, store: LedgerStore, organization: str) -> None:
        self._store, self._organization = store, organization
        self._asked = False
        self._span: tuple[date, date] | None = None
        self._tables: tuple[SeriesTable, JoinedLeaves] | None = None
        self._usage: SeriesTable | None = None

    def days(self, first: date, last: date, usage: SeriesTable) -> dict[date, DayAnalytics]:
        """The days from first to last that were told anything of; `usage` is the table of their usage."""
        if not self._reaches(first, last):
            return {}
        states = _states(self._store, self._organization, first, last)
        if not states:
            return {}
        columns = self._store.analytics.read(self._organization, midnight(first), midnight(last + DAY))
        table, joined = self._numbered(columns.keys, usage)
        found = {}
        for day, rows, hour in _by_day(columns, first, last):
            if day in states:
                amounts = np.stack([getattr(columns, kind)[rows] for kind in (*KINDS, _OTHER)], axis=1)
                series = columns.series[rows].astype(np.int64)
                found[day] = DayAnalytics(table, joined, series, hour, amounts.astype(np.int64), states[day])
        return found

    def _reaches(self, first: date, last: date) -> bool:
        if not self._asked:
            span = self._store.analytics.span(self._organization)
            self._span = None if span is None else (span[0].date(), span[1].date())
            self._asked = True
        return self._span is not None and self._span[0] <= last and first <= self._span[1]

    def _numbered(self, keys: Sequence[SeriesKey], usage: SeriesTable) -> tuple[SeriesTable, JoinedLeaves]:
        """The table of these series and its leaves joined with usage's, made anew only where either changed."""
        if self._tables is None or self._usage is not usage or self._tables[0].keys != tuple(keys):
            table = table_of(tuple(keys))
            self._tables, self._usage = (table, JoinedLeaves.of(usage, table)), usage
        return self._tables


def _states(store: LedgerStore, organization: str, first: date, last: date) -> dict[date, dict[int, AnalyticsState]]:
    found: dict[date, dict[int, AnalyticsState]] = {}
    for hour, state in store.analytics.observed(organization, midnight(first), midnight(last + DAY)).items():
        found.setdefault(hour.date(), {})[hour.hour] = state
    return found


def _by_day(
    columns: UsageColumns | AnalyticsColumns, first: date, last: date
) -> Iterator[tuple[date, slice, IntArray]]:
    """Every day from first to last with its rows and their hours of the day."""
    for day in _span_of(first, last):
        start = 24 * (day.toordinal() - _EPOCH_DAY)
        begin, end = np.searchsorted(columns.hour, [start, start + 24])
        rows = slice(int(begin), int(end))
        yield day, rows, columns.hour[rows].astype(np.int64) - start


def _span_of(first: date, last: date) -> list[date]:
    return [first + number * DAY for number in range((last - first).days + 1)]


def _runs(days: list[date]) -> Iterator[tuple[date, date]]:
    """Stretches of consecutive days, none longer than `DAYS_AT_ONCE`, as first and last day."""
    start = 0
    for end in range(1, len(days) + 1):
        if end == len(days) or days[end] != days[end - 1] + DAY or end - start == DAYS_AT_ONCE:
            yield days[start], days[end - 1]
            start = end
