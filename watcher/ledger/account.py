"""The rows of a spend report, and how days of the ledger are added up to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from rules.dimensions import Grouped, groups
from rules.model import HOUR, Dimension, Names, Nano
from rules.selectors import Condition, among
from watcher.kept_days import SumColumns
from watcher.ledger.days import DAY, Day, midnight
from watcher.ledger.figures import FIGURES, STANDINGS, figures_of
from watcher.ledger.grids import totals
from watcher.ledger.kept import KeptDays
from watcher.ledger.reading import IntArray
from watcher.ledger.settlement import DaySpend
from watcher.ledger.trend import Trend

Bucket: TypeAlias = Literal["total", "day", "hour"]
Group: TypeAlias = tuple[str, ...]
"""The values of a row in the dimensions of its report, in their order."""


@dataclass(frozen=True, slots=True)
class SpendRow:
    """What one combination of the asked dimensions spent and used.

    `parts` are the dimensions with the row's values in them, in the order asked for. Money is nano-dollars; `tokens`
    are in the order of `KINDS` without the web searches. `start` is when the bucket begins, None for the whole window.
    `previous` is what the same combination cost in the window before, None where that is not known or was not asked;
    `trend` is the cost of each bar, empty where there are none. `merged` is how many rows this one stands for, 0 for a
    row of its own.
    """

    start: datetime | None
    parts: tuple[tuple[Dimension, str], ...]
    settled: Nano
    provisional: Nano
    estimated: Nano
    tokens: tuple[int, ...]
    web_searches: int
    previous: Nano | None = None
    trend: tuple[Nano, ...] = ()
    merged: int = 0

    @property
    def cost(self) -> Nano:
        """The best known cost: settled, provisional and estimated together."""
        return self.settled + self.provisional + self.estimated

    def of(self, dimension: Dimension) -> str | None:
        """The row's value in a dimension; None in one that was not asked for."""
        return next((value for named, value in self.parts if named == dimension), None)


@dataclass(frozen=True, slots=True)
class Question:
    """What a report breaks down by, and what of it is asked for: everything, or what meets all conditions."""

    by: tuple[Dimension, ...]
    where: tuple[Condition, ...] = ()


class Account:
    """The figures of a report, by group and bucket. Days come in any order, each once."""

    def __init__(
        self,
        question: Question,
        names: Names,
        bucket: Bucket,
        first: datetime,
        until: datetime,
        trend: Trend | None = None,
    ) -> None:
        self._question, self._names = question, names
        self._bucket, self.first, self._until, self._trend = bucket, first, until, trend
        bars = 0 if trend is None else trend.bars
        self._tally = _Tally(question.by, bars)
        self._slices: dict[datetime, list[SpendRow]] = {}
        self.whole = _Tally((), bars)
        self.unpriced: set[str] = set()

    def add(self, day: Day, spend: DaySpend) -> None:
        """Add the part of a day that lies in the window, if any does."""
        begins = midnight(spend.day)
        hours = slice(max((self.first - begins) // HOUR, 0), min((self._until - begins) // HOUR, 24))
        if hours.start >= hours.stop:
            return
        leaves = spend.leaves
        chosen: IntArray | slice = slice(None)
        if self._question.where:
            chosen = np.flatnonzero(among(self._question.where, leaves, self._names))
            leaves = tuple(leaves[at] for at in chosen.tolist())
        sums = figures_of(day, spend, hours)[chosen]
        if spend.unpriced:
            self.unpriced |= spend.unpriced & {leaves[at].model for at in np.flatnonzero(sums.any(axis=1)).tolist()}
        if self._trend is not None:
            money = spend.cost[chosen, hours]
            sums = np.concatenate((sums, self._trend.sums(begins + hours.start * HOUR, money)), axis=1)
        self.whole.add(groups((), leaves, self._names), sums)
        grouped = groups(self._question.by, leaves, self._names)
        if self._bucket == "total":
            self._tally.add(grouped, sums)
        elif self._bucket == "day":
            self._slices[begins] = self._rows_of(grouped, sums[:, :FIGURES], begins)
        else:
            for hour in range(hours.start, hours.stop):
                at, figures = begins + hour * HOUR, figures_of(day, spend, slice(hour, hour + 1))
                self._slices[at] = self._rows_of(grouped, figures[chosen], at)

    def takes_whole(self, day: date) -> bool:
        """Whether a day's sums are all that is needed of it: none of it, or all of it undivided."""
        begins = midnight(day)
        if begins + DAY <= self.first or self._until <= begins:
            return True
        whole = self.first <= begins and begins + DAY <= self._until
        return whole and self._bucket != "hour" and (self._trend is None or self._trend.bar(begins) is not None)

    def add_sums(self, kept: KeptDays, sums: SumColumns) -> None:
        """Add days of which nothing but the sums is needed, as far as they lie in the window."""
        leaves, bars = sums.leaves, self.whole.bars
        inside = np.ones(len(leaves), dtype=np.bool_)
        if self._question.where:
            inside = np.zeros(len(leaves), dtype=np.bool_)
            inside[among(self._question.where, leaves, self._names)] = True
        of, values = groups(self._question.by, leaves, self._names)
        total = np.zeros((len(leaves), FIGURES + bars), dtype=np.int64)
        seen = np.zeros(len(leaves), dtype=np.bool_)
        for day, (every, of_every) in sums.days.items():
            begins = midnight(day)
            if begins < self.first or self._until <= begins:
                continue
            chosen = inside[every]
            leaf, figures = every[chosen], of_every[chosen]
            if unpriced := kept.unpriced(day):
                self.unpriced |= unpriced & {leaves[at].model for at in leaf.tolist()}
            seen[leaf] = True
            total[leaf, :FIGURES] += figures
            if self._trend is not None:
                total[leaf, FIGURES + (self._trend.bar(begins) or 0)] += figures[:, :STANDINGS].sum(axis=1)
            if self._bucket == "day":
                self._slices[begins] = self._rows_of((of[leaf], values), figures, begins)
        self.whole.add(groups((), leaves, self._names), total, seen)
        if self._bucket == "total":
            self._tally.add((of, values), total, seen)

    def _rows_of(self, grouped: Grouped, figures: IntArray, start: datetime) -> list[SpendRow]:
        tally = _Tally(self._question.by)
        tally.add(grouped, figures)
        return tally.rows(start)

    def rows(self) -> list[SpendRow]:
        """The rows, buckets in order, within one dearest first."""
        if self._bucket == "total":
            return self._tally.rows(None)
        return [row for at in sorted(self._slices) for row in self._slices[at]]


@dataclass(slots=True)
class _Tally:
    """Figures added up by group: the standings, then the counts, then the bars of the trend."""

    by: tuple[Dimension, ...]
    bars: int = 0
    groups: dict[Group, int] = field(default_factory=dict)
    sums: IntArray = field(init=False)

    def __post_init__(self) -> None:
        self.sums = np.zeros((64, FIGURES + self.bars), dtype=np.int64)

    def add(self, grouped: Grouped, figures: IntArray, seen: npt.NDArray[np.bool_] | None = None) -> None:
        """Add figures by leaf (one row a leaf), whose groups are `grouped`; `seen` says which count, even if zero."""
        of, values = grouped
        present = np.flatnonzero(figures.any(axis=1) if seen is None else seen)
        number = np.zeros(len(values), dtype=np.intp)
        for group in np.flatnonzero(np.bincount(of[present])).tolist():
            number[group] = self.groups.setdefault(values[group], len(self.groups))
        while len(self.groups) > len(self.sums):
            self.sums = np.concatenate([self.sums, np.zeros_like(self.sums)])
        self.sums[: len(self.groups)] += totals(number[of[present]], figures[present], len(self.groups))

    def rows(self, start: datetime | None) -> list[SpendRow]:
        """One row a group, dearest first."""
        pairs = zip(self.groups, self.sums.tolist(), strict=False)
        rows = [(group, _row(start, self.by, group, figures)) for group, figures in pairs]
        return [row for _, row in sorted(rows, key=lambda pair: (-pair[1].cost, pair[0]))]

    def total(self) -> SpendRow:
        """The sum of everything added."""
        return _row(None, (), (), self.sums.sum(axis=0).tolist())


def _row(start: datetime | None, by: tuple[Dimension, ...], group: Group, figures: Sequence[int]) -> SpendRow:
    settled, provisional, estimated, *tokens = figures[: FIGURES - 1]
    searches, trend = figures[FIGURES - 1], tuple(figures[FIGURES:])
    parts = tuple(zip(by, group, strict=True))
    return SpendRow(start, parts, settled, provisional, estimated, tuple(tokens), searches, trend=trend)
