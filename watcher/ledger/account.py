"""The rows of a spend report, and how days of the ledger are added up to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

import numpy as np

from rules.model import HOUR, Dimension, Leaf, Nano
from watcher.ledger.days import Day, midnight
from watcher.ledger.reading import IntArray
from watcher.ledger.settlement import DaySpend
from watcher.ledger.trend import Trend
from watcher.pricing import KINDS

Bucket: TypeAlias = Literal["total", "day", "hour"]
Group: TypeAlias = tuple[str | None, str | None, str | None]
"""Workspace, key and model of a row, None where it was not asked for."""

_STANDINGS = 3
_FIGURES = _STANDINGS + len(KINDS)


@dataclass(frozen=True, slots=True)
class SpendRow:
    """What one combination of the asked dimensions spent and used; dimensions not asked for are None.

    Money is nano-dollars; `tokens` are in the order of `KINDS` without the web searches. `start` is when the bucket
    begins, None for the whole window. `previous` is what the same combination cost in the window before, None where
    that is not known or was not asked; `trend` is the cost of each bar, empty where there are none. `merged` is how
    many rows this one stands for, 0 for a row of its own.
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
    previous: Nano | None = None
    trend: tuple[Nano, ...] = ()
    merged: int = 0

    @property
    def cost(self) -> Nano:
        """The best known cost: settled, provisional and estimated together."""
        return self.settled + self.provisional + self.estimated

    @property
    def group(self) -> Group:
        """Which combination it is."""
        return (self.workspace, self.api_key, self.model)


class Account:
    """The figures of a report, by group and bucket. Days come in any order, each once."""

    def __init__(
        self, by: tuple[Dimension, ...], bucket: Bucket, first: datetime, until: datetime, trend: Trend | None = None
    ) -> None:
        self._by, self._bucket, self.first, self._until, self._trend = by, bucket, first, until, trend
        bars = 0 if trend is None else trend.bars
        self._tally = _Tally(by, bars)
        self._slices: dict[datetime, list[SpendRow]] = {}
        self.whole = _Tally((), bars)
        self.unpriced: set[str] = set()

    def add(self, day: Day, spend: DaySpend) -> None:
        """Add the part of a day that lies in the window, if any does."""
        begins = midnight(spend.day)
        hours = slice(max((self.first - begins) // HOUR, 0), min((self._until - begins) // HOUR, 24))
        if hours.start >= hours.stop:
            return
        self.unpriced |= spend.unpriced
        figures = _figures(day, spend, hours)
        sums = figures.sum(axis=1)
        if self._trend is not None:
            money = figures[:, :, :_STANDINGS].sum(axis=2)
            sums = np.concatenate((sums, self._trend.sums(begins + hours.start * HOUR, money)), axis=1)
        self.whole.add(spend.leaves, sums)
        if self._bucket == "total":
            self._tally.add(spend.leaves, sums)
        elif self._bucket == "day":
            self._slices[begins] = _rows_of(spend.leaves, sums[:, :_FIGURES], self._by, begins)
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
    """Figures added up by group: the standings, then the counts, then the bars of the trend."""

    by: tuple[Dimension, ...]
    bars: int = 0
    groups: dict[Group, int] = field(default_factory=dict)
    sums: IntArray = field(init=False)

    def __post_init__(self) -> None:
        self.sums = np.zeros((64, _FIGURES + self.bars), dtype=np.int64)

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

    def _group(self, leaf: Leaf) -> Group:
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


def _row(start: datetime | None, group: Group, figures: Sequence[int]) -> SpendRow:
    workspace, api_key, model = group
    settled, provisional, estimated, *tokens = figures[: _FIGURES - 1]
    searches, trend = figures[_FIGURES - 1], tuple(figures[_FIGURES:])
    return SpendRow(
        start, workspace, api_key, model, settled, provisional, estimated, tuple(tokens), searches, trend=trend
    )


def _figures(day: Day, spend: DaySpend, hours: slice) -> IntArray:
    """Leaf x hour x figure, for those hours of the day."""
    usage = day.usage
    counts = np.zeros((len(spend.leaves) * 24, len(KINDS)), dtype=np.int64)
    np.add.at(counts, usage.table.leaf_of[usage.series] * 24 + usage.hour, usage.counts)
    money = np.stack((spend.settled, spend.provisional, spend.estimated), axis=2)
    figures = np.concatenate((money, counts.reshape(len(spend.leaves), 24, len(KINDS))), axis=2)
    return figures[:, hours]
