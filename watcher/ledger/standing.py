"""How final figures are: a day's cost report as a whole, and each hour that the provider's analytics told. Pure.

A report is final when what it is about has ended, and it was read more than 48 h after that end, or readings at least
12 h apart, all after the end, agree. The time of the reading decides and not the present: a report that could not be
read again since is not final, however long ago the day was. A report that is empty while there is usage that it should
hold is no report, be it a day's or an hour's; nor is a day's while analytics has amounts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, Protocol, TypeAlias

from rules.model import HOUR
from watcher.ledger.days import DAY, midnight
from watcher.ledger.reading import AnalyticsState, CostDay

Standing: TypeAlias = Literal["open", "settled", "provisional", "estimated"]

FINAL_AFTER = timedelta(hours=48)
AGREEING_FOR = timedelta(hours=12)


class Readings(Protocol):
    """When something was last read, and since when it reads the same."""

    @property
    def observed_at(self) -> datetime: ...
    @property
    def unchanged_since(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Told:
    """What analytics says of a day: which of its hours (0–23) were told, which of them are settled.

    `used` are the hours with usage that analytics should hold.
    """

    hours: frozenset[int]
    settled: frozenset[int]
    used: frozenset[int]

    @property
    def whole(self) -> bool:
        """Whether the day is settled by analytics from its first hour to its last."""
        return len(self.settled) == DAY // HOUR


def is_final(end: datetime, readings: Readings) -> bool:
    """Whether the readings of what ended at `end` settle it."""
    agreed = readings.observed_at - max(readings.unchanged_since, end)
    return readings.observed_at - end > FINAL_AFTER or agreed >= AGREEING_FOR


def standing_of(day: date, cost: CostDay | None, *, used: bool, now: datetime) -> Standing:
    """How final a day's cost report is; `used` says whether the day has what it should hold."""
    end = midnight(day) + DAY
    if now < end:
        return "open"
    if cost is None or (used and not cost.rows):
        return "estimated"
    return "settled" if is_final(end, cost) else "provisional"


def told_of(day: date, states: Mapping[int, AnalyticsState], used: Collection[int]) -> Told:
    """How final each hour of a day's analytics is; `states` are the told hours, `used` those with usage to hold."""
    begins = midnight(day)
    told = {hour: state for hour, state in states.items() if state.row_count or hour not in used}
    settled = {hour for hour, state in told.items() if is_final(begins + (hour + 1) * HOUR, state)}
    return Told(frozenset(told), frozenset(settled), frozenset(used))
