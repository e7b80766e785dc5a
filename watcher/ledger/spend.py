"""The spend report: money and tokens by any of workspace, key and model, over any window.

The window holds the hours whose start lies in [start, end): with `end` = now the open hour is in it. Unattributed cost
is in the hours that `watcher.ledger.settlement` puts it in. Nothing is left out and nothing is merged: Console use, the
default workspace and unattributed cost have rows of their own wherever their dimension is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Literal, TypeAlias

import numpy as np

from rules.model import HOUR, Dimension, Leaf, Names, Nano
from watcher.ledger.days import DAY, Day, midnight, read_days
from watcher.ledger.learning import learn_from, priced_day, teaches
from watcher.ledger.reading import IntArray, LedgerStore
from watcher.ledger.settlement import DaySpend, rests_on_prices, settle_day
from watcher.ledger.view import newest_reading
from watcher.pricing import KINDS, PriceBook, PricedDay

Bucket: TypeAlias = Literal["total", "day", "hour"]

_STANDINGS = 3
_FIGURES = _STANDINGS + len(KINDS)
_LOOK_BACK = timedelta(days=3)
_FEW = 8
"""Days that may wait in memory for the price book to learn."""


@dataclass(frozen=True, slots=True)
class SpendRow:
    """What one combination of the asked dimensions spent and used; dimensions not asked for are None.

    Money is nano-dollars; `tokens` are in the order of `KINDS` without the web searches. `start` is when the bucket
    begins, None for the whole window.
    """

    start: datetime | None
    workspace: str | None
    api_key: str | None
    model: str | None
    settled: Nano
    provisional: Nano
    estimated: Nano
    tokens: tuple[int, ...]
    web_searches: int

    @property
    def cost(self) -> Nano:
        """The best known cost: settled, provisional and estimated together."""
        return self.settled + self.provisional + self.estimated


@dataclass(frozen=True, slots=True)
class SpendReport:
    """The rows, dearest first (within a bucket, buckets in order), and their sum."""

    start: datetime
    end: datetime
    by: tuple[Dimension, ...]
    bucket: Bucket
    data_as_of: datetime | None
    """When the newest usage was read; None if none ever was."""
    rows: tuple[SpendRow, ...]
    total: SpendRow
    names: Names
    unpriced: frozenset[str]
    """Models whose estimated or provisional figures rest on a stand-in price: too high rather than too low."""


def spend_report(  # noqa: PLR0917 - the question whole, in the order in which it is asked
    store: LedgerStore,
    prices: PriceBook,
    organization: str,
    by: Sequence[Dimension],
    start: datetime,
    end: datetime,
    bucket: Bucket,
    now: datetime,
) -> SpendReport:
    """Money and tokens of the hours whose start lies in [start, end), by the dimensions in `by`.

    `now` decides what is open and what may be settled; hours after the present one are never in the report. `prices` is
    taught what the organization's settled days say at `now` before anything is estimated with it, and stays as it was.
    """
    first, until = _hour_at_or_after(start), min(_hour_at_or_after(end), _hour_of(now) + HOUR)
    dimensions = tuple(dict.fromkeys(by))
    account = _Account(dimensions, bucket, first, until)
    waiting = _Waiting(store, prices, organization, now)
    for day in read_days(store, organization, _days(max(first, _earliest(store, organization, until)), until)):
        for settled, spend in waiting.put(day):
            account.add(settled, spend)
    for settled, spend in waiting.release():
        account.add(settled, spend)
    observed = store.usage.observed(organization, now - _LOOK_BACK, now + HOUR)
    if not observed:
        observed = store.usage.observed(organization, first, until)
    return SpendReport(
        start=start,
        end=end,
        by=dimensions,
        bucket=bucket,
        data_as_of=newest_reading(observed),
        rows=tuple(account.rows()),
        total=account.whole.total(),
        names=store.directory.names(organization),
        unpriced=frozenset(account.unpriced),
    )


class _Waiting:
    """Settles the days of a report, those that rest on prices once it is known what the settled ones taught.

    The settled days of the window are learned from as they come by, so that few have to be read for that alone; when
    more than a few days wait, all that is missing is read at once.
    """

    def __init__(self, store: LedgerStore, prices: PriceBook, organization: str, now: datetime) -> None:
        self._store, self._prices, self._organization, self._now = store, prices, organization, now
        self._known: dict[date, PricedDay] = {}
        self._days: list[Day] = []
        self._book: PriceBook | None = None

    def put(self, day: Day) -> Iterator[tuple[Day, DaySpend]]:
        """Take a day, and give back those that can be settled by now."""
        which, now = day.usage.day, self._now
        if self._book is None and teaches(which, day.cost, now):
            self._known[which] = priced_day(day, self._prices)
        if self._book is None and rests_on_prices(day, now):
            self._days.append(day)
            if len(self._days) > _FEW:
                yield from self.release()
        else:
            yield day, settle_day(day, self._book or self._prices, now)

    def release(self) -> Iterator[tuple[Day, DaySpend]]:
        """The days that waited, settled."""
        if self._days and self._book is None:
            learned = learn_from(self._store, self._prices, self._organization, self._now, self._known)
            self._book = self._prices.taught(learned)
        while self._days and self._book is not None:
            day = self._days.pop(0)
            yield day, settle_day(day, self._book, self._now)


class _Account:
    """The figures of a report, by group and bucket. Days come in any order, each once."""

    def __init__(self, by: tuple[Dimension, ...], bucket: Bucket, first: datetime, until: datetime) -> None:
        self._by, self._bucket, self._first, self._until = by, bucket, first, until
        self._tally = _Tally(by)
        self._slices: dict[datetime, list[SpendRow]] = {}
        self.whole = _Tally(())
        self.unpriced: set[str] = set()

    def add(self, day: Day, spend: DaySpend) -> None:
        """Add the part of a day that lies in the window."""
        self.unpriced |= spend.unpriced
        begins = midnight(spend.day)
        hours = slice(max((self._first - begins) // HOUR, 0), min((self._until - begins) // HOUR, 24))
        figures = _figures(day, spend, hours)
        sums = figures.sum(axis=1)
        self.whole.add(spend.leaves, sums)
        if self._bucket == "total":
            self._tally.add(spend.leaves, sums)
        elif self._bucket == "day":
            self._slices[begins] = _rows_of(spend.leaves, sums, self._by, begins)
        else:
            for number in range(figures.shape[1]):
                at = begins + (hours.start + number) * HOUR
                self._slices[at] = _rows_of(spend.leaves, figures[:, number], self._by, at)

    def rows(self) -> list[SpendRow]:
        """The rows, buckets in order, within one dearest first."""
        if self._bucket == "total":
            return self._tally.rows(None)
        return [row for at in sorted(self._slices) for row in self._slices[at]]


@dataclass(slots=True)
class _Tally:
    """Figures added up by group: the standings, then the counts."""

    by: tuple[Dimension, ...]
    groups: dict[tuple[str | None, ...], int] = field(default_factory=dict)
    sums: IntArray = field(default_factory=lambda: np.zeros((64, _FIGURES), dtype=np.int64))

    def add(self, leaves: Sequence[Leaf], figures: IntArray) -> None:
        """Add figures by leaf (one row a leaf)."""
        present = np.flatnonzero(figures.any(axis=1))
        groups = self.groups
        index = [groups.setdefault(self._group(leaves[at]), len(groups)) for at in present.tolist()]
        while len(groups) > len(self.sums):
            self.sums = np.concatenate([self.sums, np.zeros_like(self.sums)])
        np.add.at(self.sums, np.array(index, dtype=np.int64), figures[present])

    def rows(self, start: datetime | None) -> list[SpendRow]:
        """One row a group, dearest first."""
        rows = [_row(start, group, figures) for group, figures in zip(self.groups, self.sums.tolist(), strict=False)]
        return sorted(rows, key=lambda row: (-row.cost, row.workspace or "", row.api_key or "", row.model or ""))

    def total(self) -> SpendRow:
        """The sum of everything added."""
        return _row(None, (None, None, None), self.sums.sum(axis=0).tolist())

    def _group(self, leaf: Leaf) -> tuple[str | None, ...]:
        by = self.by
        return (
            leaf.workspace if "workspace" in by else None,
            leaf.api_key if "api_key" in by else None,
            leaf.model if "model" in by else None,
        )


def _rows_of(leaves: Sequence[Leaf], figures: IntArray, by: tuple[Dimension, ...], start: datetime) -> list[SpendRow]:
    tally = _Tally(by)
    tally.add(leaves, figures)
    return tally.rows(start)


def _row(start: datetime | None, group: tuple[str | None, ...], figures: Sequence[int]) -> SpendRow:
    workspace, api_key, model = group
    settled, provisional, estimated, *counts = figures
    return SpendRow(start, workspace, api_key, model, settled, provisional, estimated, tuple(counts[:-1]), counts[-1])


def _figures(day: Day, spend: DaySpend, hours: slice) -> IntArray:
    """Leaf x hour x figure, for those hours of the day."""
    usage = day.usage
    counts = np.zeros((len(spend.leaves) * 24, len(KINDS)), dtype=np.int64)
    np.add.at(counts, usage.table.leaf_of[usage.series] * 24 + usage.hour, usage.counts)
    money = np.stack((spend.settled, spend.provisional, spend.estimated), axis=2)
    figures = np.concatenate((money, counts.reshape(len(spend.leaves), 24, len(KINDS))), axis=2)
    return figures[:, hours]


def _hour_of(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _earliest(store: LedgerStore, organization: str, until: datetime) -> datetime:
    """The start of the first day of which anything is stored: days before it cost no time; `until` if there is none."""
    usage, costs = store.usage.span(organization), store.costs.span(organization)
    starts = [] if usage is None else [midnight(usage[0].date())]
    return min(starts if costs is None else [*starts, midnight(costs[0])], default=until)


def _hour_at_or_after(moment: datetime) -> datetime:
    whole = _hour_of(moment)
    return whole if whole == moment else whole + HOUR


def _days(first: datetime, until: datetime) -> Iterator[date]:
    day = first.date()
    while midnight(day) < until:
        yield day
        day += DAY
