"""The tokens of the running month by day and leaf, picked up from the days as the ledger adds them up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from rules.model import Leaf
from watcher.ledger.days import DayUsage
from watcher.ledger.grids import totals
from watcher.ledger.reading import IntArray
from watcher.pricing import KINDS

TOKEN_KINDS = KINDS[:5]
"""The kinds that count tokens: all but web searches."""


@dataclass(frozen=True, slots=True, eq=False)
class UsedTokens:
    """Tokens by leaf and kind (in the order of `TOKEN_KINDS`), of today and of this month so far (UTC)."""

    leaves: tuple[Leaf, ...]
    today: IntArray
    month: IntArray


NOTHING_USED = UsedTokens((), np.zeros((0, len(TOKEN_KINDS)), np.int64), np.zeros((0, len(TOKEN_KINDS)), np.int64))


class MonthTokens:
    """The days of a month, each as it was last looked at. Not thread-safe: it belongs to the ledger."""

    def __init__(self) -> None:
        self._days: dict[date, tuple[tuple[Leaf, ...], IntArray]] = {}
        self._before: tuple[date, dict[Leaf, int], IntArray] | None = None
        """A day, and the leaves and sums of the days of its month before it: they seldom change."""

    def put(self, usage: DayUsage) -> None:
        """Replace one day's tokens."""
        leaves = usage.table.leaves
        kinds = usage.counts[:, : len(TOKEN_KINDS)]
        sums = totals(usage.table.leaf_of[usage.series], kinds, len(leaves))
        present = np.flatnonzero(sums.any(axis=1))
        self._days[usage.day] = (tuple(leaves[at] for at in present.tolist()), sums[present])
        if self._before is not None and usage.day < self._before[0]:
            self._before = None

    def sums(self, today: date) -> UsedTokens:
        """What the days of the month of `today` come to; those of other months are forgotten."""
        if self._before is None or self._before[0] != today:
            self._before = (today, *self._sum_before(today))
        _, known, before = self._before
        leaves, sums = self._days.get(today, ((), NOTHING_USED.today))
        index = dict(known)
        places = [index.setdefault(leaf, len(index)) for leaf in leaves]
        of_today = np.zeros((len(index), len(TOKEN_KINDS)), dtype=np.int64)
        of_today[places] = sums
        month = of_today.copy()
        month[: len(before)] += before
        return UsedTokens(tuple(index), of_today, month)

    def _sum_before(self, today: date) -> tuple[dict[Leaf, int], IntArray]:
        first = today.replace(day=1)
        self._days = {day: held for day, held in self._days.items() if first <= day <= today}
        index: dict[Leaf, int] = {}
        added = [
            ([index.setdefault(leaf, len(index)) for leaf in leaves], sums)
            for day, (leaves, sums) in self._days.items()
            if day < today
        ]
        total = np.zeros((len(index), len(TOKEN_KINDS)), dtype=np.int64)
        for places, sums in added:
            total[places] += sums
        return index, total
