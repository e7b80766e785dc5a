"""The days before the view that a period of some budget reaches back to: a quarter, a year, given dates.

They come from what is kept of them (`watcher.ledger.kept`), so that a restart takes no longer for a year than for a
month; those of which nothing is kept, or what is kept does not hold any more, are computed, and kept from then on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import NamedTuple

import numpy as np

from rules.model import HOUR, EarlierSpend, Leaf
from watcher.kept_days import STANDINGS
from watcher.ledger.days import Day, days_of, earliest, midnight, read_days
from watcher.ledger.kept import Keeping, KeptDays
from watcher.ledger.lessons import Lessons
from watcher.ledger.reading import IntArray, LedgerStore
from watcher.ledger.settlement import DaySpend

_HOURS = 24


class Earlier:
    """One organization's spend before the view; made anew only where a day of it, a price or what is asked changed."""

    def __init__(self, store: LedgerStore, organization: str) -> None:
        self._store, self._organization = store, organization
        self._made_for: _Asked | None = None
        self._spend: EarlierSpend | None = None

    def spend(
        self,
        view_start: datetime,
        begins: Collection[datetime],
        touched: Collection[date],
        lessons: Lessons,
        keeping: Keeping,
        now: datetime,
    ) -> EarlierSpend | None:
        """The spend from the first of the moments `begins` to `view_start`; None where none of them lies before it.

        A day within which one of them lies is there by hour. `touched` are days that changed since the last call.
        """
        before = frozenset(each.astimezone(UTC) for each in begins if each < view_start)
        asked = _Asked(view_start, before, lessons.book.digest)
        if asked == self._made_for and not any(midnight(day) < view_start for day in touched):
            return self._spend
        self._made_for = None  # what raises has changed nothing, and is tried again
        self._spend = self._made(asked, lessons, keeping, now) if before else None
        self._made_for = asked
        return self._spend

    def _made(self, asked: _Asked, lessons: Lessons, keeping: Keeping, now: datetime) -> EarlierSpend | None:
        start = midnight(min(asked.begins).date())
        days = list(days_of(max(start, earliest(self._store, self._organization, asked.until)), asked.until))
        if not days:
            return None
        cut = {each.date() for each in asked.begins if each != midnight(each.date())}
        kept = KeptDays(self._store, self._organization, days[0], days[-1], now)
        found = _Found(lessons.book.digest)
        found.take_sums(kept, [day for day in days if day not in cut])
        missing = [day for day in days if day not in found.days]
        keeping.look([day for day in missing if not kept.holds(day, lessons.book.digest)], now)
        for day in read_days(self._store, self._organization, missing):
            spend = lessons.settle(day, now)
            keeping.take(day, spend, None, lessons.prices_for(day, now))
            found.take_day(day, spend, by_hour=spend.day in cut)
        return found.spend(days, {day: kept.hours_read(day) for day in days})


@dataclass(frozen=True, slots=True)
class _Asked:
    """What an earlier part was made for."""

    until: datetime
    begins: frozenset[datetime]
    prices: bytes


class _Part(NamedTuple):
    """Some leaves' nano-dollars in one column: the best known cost, and the settled part."""

    leaf: IntArray
    cost: IntArray
    settled: IntArray


class _Found:
    """Days as they come, from what is kept or from the ledger."""

    def __init__(self, prices: bytes) -> None:
        self.days: dict[date, list[_Part]] = {}
        self._prices = prices
        self._index: dict[Leaf, int] = {}
        self._unpriced: set[str] = set()

    def take_sums(self, kept: KeptDays, days: Collection[date]) -> None:
        """Take those of the days of which it is kept what they came to."""
        sums = kept.read(days, self._prices)
        place = np.array([self._index.setdefault(leaf, len(self._index)) for leaf in sums.leaves], dtype=np.int64)
        for day, (leaf, figures) in sums.days.items():
            self._unpriced |= kept.unpriced(day)
            self.days[day] = [_Part(place[leaf], figures[:, :STANDINGS].sum(axis=1), figures[:, 0])]

    def take_day(self, day: Day, spend: DaySpend, *, by_hour: bool) -> None:
        """Take a day as it was computed."""
        cost = spend.cost
        present = np.flatnonzero(cost.any(axis=1) | spend.settled.any(axis=1))
        leaf = [self._index.setdefault(spend.leaves[row], len(self._index)) for row in present.tolist()]
        parts = [slice(hour, hour + 1) for hour in range(_HOURS)] if by_hour else [slice(0, _HOURS)]
        self._unpriced |= spend.unpriced
        self.days[day.usage.day] = [
            _Part(
                np.array(leaf, dtype=np.int64),
                cost[present, part].sum(axis=1),
                spend.settled[present, part].sum(axis=1),
            )
            for part in parts
        ]

    def spend(self, days: Collection[date], read: Mapping[date, frozenset[int]]) -> EarlierSpend:
        """All of it, the days in order; `read` says which hours (0–23) of each were ever read."""
        columns = list(self._columns(days, read))
        cost, settled = np.zeros((2, len(self._index), len(columns)), dtype=np.int64)
        for number, (_, part, _) in enumerate(columns):
            cost[part.leaf, number], settled[part.leaf, number] = part.cost, part.settled
        used = np.flatnonzero(cost.any(axis=1) | settled.any(axis=1))
        leaves = tuple(self._index)
        arrays = cost[used], settled[used], np.array([unread for _, _, unread in columns], dtype=np.int64)
        for array in arrays:
            array.flags.writeable = False
        return EarlierSpend(
            tuple(leaves[row] for row in used.tolist()),
            tuple(begins for begins, _, _ in columns),
            *arrays,
            frozenset(self._unpriced),
        )

    def _columns(
        self, days: Collection[date], read: Mapping[date, frozenset[int]]
    ) -> Iterator[tuple[datetime, _Part, int]]:
        for day in days:
            parts = self.days[day]
            if len(parts) == 1:
                yield midnight(day), parts[0], _HOURS - len(read[day])
            else:
                for hour, part in enumerate(parts):
                    yield midnight(day) + hour * HOUR, part, int(hour not in read[day])
