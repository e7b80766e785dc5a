"""Which usage the provider's own reports of cost can hold at all. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from watcher.admin_api.answers import CostRow
from watcher.ledger.days import Day, DayAnalytics, DayUsage
from watcher.ledger.occurring import occurring
from watcher.ledger.report_lines import tiers_of

_OUTSIDE = "priority"


def held_by_report(usage: DayUsage, rows: Sequence[CostRow]) -> npt.NDArray[np.bool_]:
    """Which usage rows the cost report can hold: all but Priority Tier, unless the report does name the tier."""
    return _held(usage, tiers_of(rows))


def held_by_either(day: Day) -> npt.NDArray[np.bool_]:
    """Which usage rows the day's cost report or its analytics can hold: of Priority Tier what one of them names."""
    reported = tiers_of(report_rows(day))
    return _held(day.usage, reported if day.analytics is None else reported | _charged_tiers(day.analytics))


def should_report(day: Day) -> bool:
    """Whether the day has what an empty cost report leaves out: usage that the report can hold, or analytics' amounts.

    Analytics counts as well because usage may be missing: one that could not be read is no sign of a day without cost.
    """
    if held_by_report(day.usage, report_rows(day)).any():
        return True
    return day.analytics is not None and bool((day.analytics.amounts > 0).any())


def report_rows(day: Day) -> Sequence[CostRow]:
    """The rows of the day's cost report; none if it was never read."""
    return () if day.cost is None else day.cost.rows


def _held(usage: DayUsage, named: Collection[str | None]) -> npt.NDArray[np.bool_]:
    traffics = usage.table.traffics
    held = [not item.service_tier.startswith(_OUTSIDE) or item.service_tier in named for item in traffics]
    return np.array(held, dtype=bool)[usage.table.traffic_of[usage.series]]


def _charged_tiers(analytics: DayAnalytics) -> set[str]:
    """The tiers that analytics has an amount for: it may list a tier and charge nothing for it."""
    charged = occurring(analytics.table.traffic_of[analytics.series[analytics.amounts.any(axis=1)]])
    return {analytics.table.traffics[index].service_tier for index in charged}
