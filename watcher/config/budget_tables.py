"""What the keys of a budget's table mean together: when its periods begin and end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import cast

from rules.periods import AS_THE_CALENDAR, LONGEST_DATES, PeriodKind, Starts
from watcher.config.models import BudgetTable
from watcher.config.problems import Problem, enumerated
from watcher.config.values import MONTH_WORDS, ROLLING, WEEKDAYS, rolling_window

_BEGINS = (
    ("billing_day", ("month", "quarter", "year")),
    ("week_start", ("week",)),
    ("year_start", ("quarter", "year")),
)
"""Which keys say when which periods begin."""


@dataclass(frozen=True, slots=True)
class Timing:
    """The periods of one budget, as `rules.model.Budget` has them."""

    period: PeriodKind
    starts: Starts
    dates: tuple[date, date] | None
    window: timedelta | None = None


def timing(table: BudgetTable) -> Timing:
    """The periods that the table asks for; only right where `timing_problems` finds nothing."""
    if table.since is not None and table.until is not None:
        return Timing("once", AS_THE_CALENDAR, (table.since, table.until))
    if table.period.startswith(ROLLING):
        return Timing("rolling", AS_THE_CALENDAR, None, rolling_window(table.period))
    month = MONTH_WORDS.index(table.year_start) + 1
    starts = Starts(weekday=WEEKDAYS.index(table.week_start), day=table.billing_day, month=month)
    return Timing(cast("PeriodKind", table.period), starts, None)


def timing_problems(table: BudgetTable, place: str) -> Iterator[Problem]:
    """What does not go together."""
    given = table.model_fields_set
    since, until = table.since, table.until
    if since is not None and until is not None:
        if "period" in given:
            yield Problem(f"{place}.period", "does not go with `from` and `until`, which are the period: leave it out")
        if until <= since:
            yield Problem(f"{place}.until", f"must be after `from`, which is {since}: the day it names is not in it")
        elif until - since > LONGEST_DATES:
            days, most = (until - since).days, LONGEST_DATES.days
            yield Problem(f"{place}.until", f"makes it {days} days, and it must be at most {most}")
    elif since is not None:
        yield Problem(f"{place}.until", 'is missing: with `from`, write it too, as in until = "2027-01-01"')
    elif until is not None:
        yield Problem(f"{place}.from", 'is missing: with `until`, write it too, as in from = "2026-11-01"')
    once = since is not None or until is not None
    for key, periods in _BEGINS:
        if key in given and (once or table.period not in periods):
            yield Problem(f"{place}.{key}", f"is for period = {enumerated(periods)} alone")
