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

    def put(self, usage: DayUsage) -> None:
        """Replace one day's tokens."""
        leaves = usage.table.leaves
        kinds = usage.counts[:, : len(TOKEN_KINDS)]
        sums = totals(usage.table.leaf_of[usage.series], kinds, len(leaves))
        present = np.flatnonzero(sums.any(axis=1))
        self._days[usage.day] = (tuple(leaves[at] for at in present.tolist()), sums[present])

    def sums(self, today: date) -> UsedTokens:
        """What the days of the month of `today` come to; those of other months are forgotten."""
        first = today.replace(day=1)
        self._days = {day: held for day, held in self._days.items() if first <= day <= today}
        index: dict[Leaf, int] = {}
        places = {
            day: np.array([index.setdefault(leaf, len(index)) for leaf in leaves], dtype=np.int64)
            for day, (leaves, _) in self._days.items()
        }
        month = np.zeros((len(index), len(TOKEN_KINDS)), dtype=np.int64)
        of_today = np.zeros_like(month)
        for day, (_, sums) in self._days.items():
            month[places[day]] += sums
            if day == today:
                of_today[places[day]] = sums
        return UsedTokens(tuple(index), of_today, month)
