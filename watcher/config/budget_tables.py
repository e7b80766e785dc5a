"""What the keys of a budget's table mean together: when its periods begin and end, and how its thresholds lie."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import cast

from rules.money import display_usd
from rules.periods import AS_THE_CALENDAR, LONGEST, PeriodKind, Starts
from rules.thresholds import Mark, mark_text, threshold_amount
from rules.triggers import BurnPair, usual_pairs
from watcher.config.models import BudgetTable
from watcher.config.problems import Problem
from watcher.config.values import LOOKS_BACK, ROLLING, WEEKDAYS, rolling_window


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
    starts = Starts(weekday=WEEKDAYS.index(table.week_start), day=table.billing_day)
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
        elif until - since > LONGEST:
            days, most = (until - since).days, LONGEST.days
            yield Problem(f"{place}.until", f"makes it {days} days, and it must be at most {most}: {LOOKS_BACK}")
    elif since is not None:
        yield Problem(f"{place}.until", 'is missing: with `from`, write it too, as in until = "2027-01-01"')
    elif until is not None:
        yield Problem(f"{place}.from", 'is missing: with `until`, write it too, as in from = "2026-11-01"')
    once = since is not None or until is not None
    for key, period in (("billing_day", "month"), ("week_start", "week")):
        if key in given and (once or table.period != period):
            yield Problem(f"{place}.{key}", f'is for period = "{period}" alone')


def threshold_problems(table: BudgetTable, place: str) -> Iterator[Problem]:
    """Marks that come to the same amount: one of the two would never be told by itself."""
    yield from _same_amounts(table, table.thresholds, f"{place}.thresholds")
    yield from _same_amounts(table, [mark.mark for mark in table.forecast], f"{place}.forecast")


def _same_amounts(table: BudgetTable, marks: Sequence[Mark], place: str) -> Iterator[Problem]:
    first: dict[int, Mark] = {}
    for index, mark in enumerate(marks):
        amount = threshold_amount(table.limit_usd, mark)
        if amount in first:
            same = f"{mark_text(first[amount])} and {mark_text(mark)} of {display_usd(table.limit_usd)}"
            yield Problem(f"{place}[{index}]", f"is there already: {same} are the same amount")
        first.setdefault(amount, mark)


def trigger_problems(table: BudgetTable, place: str) -> Iterator[Problem]:
    """Triggers that the budget's periods do not go with."""
    asked = {"forecast": table.forecast, "burn_rate": table.burn_rate, "pace": table.pace}
    for key, given in asked.items():
        if given and table.period.startswith(ROLLING):
            yield Problem(f"{place}.{key}", "does not go with a rolling window, which has no end to be ahead of")
        elif given and table.period == "hour":
            yield Problem(f"{place}.{key}", "does not go with an hour: spend is known by the hour")
    length = _shortest(table)
    for index, pair in enumerate(_pairs(table) if length is not None else ()):
        if length is not None and pair.long >= length:
            yield Problem(f"{place}.burn_rate[{index}]", "has a `long` window that is not shorter than the period")


def burn_pairs(table: BudgetTable) -> tuple[BurnPair, ...]:
    """The pairs of windows that the table asks for."""
    if table.burn_rate is True:
        return usual_pairs(_shortest(table) or timedelta(0))
    return tuple(_pairs(table))


def _pairs(table: BudgetTable) -> Sequence[BurnPair]:
    return [] if isinstance(table.burn_rate, bool) else table.burn_rate


def _shortest(table: BudgetTable) -> timedelta | None:
    """How long the shortest of its periods is, clocks that change left aside; None where it has none."""
    if table.since is not None and table.until is not None:
        return table.until - table.since
    days = {"day": 1, "week": 7, "month": 28}.get(table.period)
    return None if days is None else timedelta(days=days)
