"""What the triggers of a budget's table mean together with its periods and its limit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from rules.triggers import BurnPair, usual_pairs
from watcher.config.models import BudgetTable
from watcher.config.problems import Problem
from watcher.config.values import ROLLING


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
    days = {"day": 1, "week": 7, "month": 28, "quarter": 90, "year": 365}.get(table.period)
    return None if days is None else timedelta(days=days)
