"""The figures of a report, by leaf: money in its three standings, then what was used."""

from __future__ import annotations

import numpy as np

from watcher.kept_days import FIGURES, STANDINGS
from watcher.ledger.days import Day
from watcher.ledger.grids import HOURS, totals
from watcher.ledger.reading import IntArray
from watcher.ledger.settlement import DaySpend

__all__ = ["FIGURES", "STANDINGS", "WHOLE_DAY", "figures_of"]

WHOLE_DAY = slice(0, HOURS)


def figures_of(day: Day, spend: DaySpend, hours: slice) -> IntArray:
    """Leaf x figure, summed over those hours of the day: settled, provisional, estimated, and the counts by kind."""
    usage = day.usage
    series, counts = usage.series, usage.counts
    if hours != WHOLE_DAY:
        inside = np.flatnonzero((usage.hour >= hours.start) & (usage.hour < hours.stop))
        series, counts = series[inside], counts[inside]
    money = [each[:, hours].sum(axis=1) for each in (spend.settled, spend.provisional, spend.estimated)]
    used = totals(usage.table.leaf_of[series], counts, len(spend.leaves))
    return np.column_stack((*money, used))
