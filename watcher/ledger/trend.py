"""A window cut into a few bars of equal length, to show at a glance how spend ran."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from rules.model import HOUR, Nano
from watcher.ledger.reading import IntArray

MOST_BARS = 14

_PARTS_OF_A_DAY = (1, 2, 3, 4, 6, 8, 12)
_DAY = 24


@dataclass(frozen=True, slots=True)
class Trend:
    """`bars` bars of `hours` hours each from `first` on; the window may end before the last one, which has `last`."""

    first: datetime
    hours: int
    bars: int
    last: int

    def bar(self, begins: datetime) -> int | None:
        """The bar that the whole UTC day beginning then lies in; None where it is divided between several."""
        offset = (begins - self.first) // HOUR
        bar = offset // self.hours
        return bar if (offset + _DAY - 1) // self.hours == bar else None

    def sums(self, at: datetime, money: IntArray) -> IntArray:
        """Money by row and hour, the first of the hours beginning `at`, added up to row x bar."""
        found = np.zeros((len(money), self.bars), dtype=np.int64)
        offset = (at - self.first) // HOUR
        bar = (offset + np.arange(money.shape[1])) // self.hours
        np.add.at(found.T, bar, money.T)
        return found

    def evened(self, sums: Sequence[Nano]) -> tuple[Nano, ...]:
        """The bars of a row with a short last one scaled to the length of the others, rounded down."""
        return (*sums[:-1], sums[-1] * self.hours // self.last)


def trend_of(first: datetime, until: datetime) -> Trend | None:
    """The bars of the whole hours in [first, until): at most `MOST_BARS`, each a part of a day or whole days.

    None for a window of fewer than two hours, which has no trend.
    """
    hours = (until - first) // HOUR
    if hours < 2:
        return None
    days = -(-hours // (_DAY * MOST_BARS))
    length = next((part for part in _PARTS_OF_A_DAY if hours <= part * MOST_BARS), _DAY * days)
    bars = -(-hours // length)
    return Trend(first, length, bars, hours - (bars - 1) * length)
