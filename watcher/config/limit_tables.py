"""Where a budget's table takes its limits from: one amount, a plan by period, or the provider's own limits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from rules.model import Nano
from rules.money import display_usd
from rules.thresholds import Mark, mark_text, threshold_amount
from watcher.config import values
from watcher.config.models import BudgetTable
from watcher.config.problems import Problem, Wrong, shown

MOST_PLANNED = 400
_NAMED = {
    "day": (r"(\d{4})-(\d{2})-(\d{2})", 'a day such as "2026-12-24"'),
    "week": (r"(\d{4})-W(\d{2})", 'a week such as "2026-W49"'),
    "month": (r"(\d{4})-(\d{2})", 'a month such as "2026-12"'),
    "quarter": (r"(\d{4})-Q([1-4])", 'a quarter such as "2026-Q4"'),
    "year": (r"(\d{4})", 'a year such as "2026"'),
}
"""How a plan names the periods of each kind."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one budget, as `rules.model.Budget` has them."""

    limit: Nano | None
    plan: Mapping[str, Nano] = field(default_factory=dict)
    console: bool = False


def limits(table: BudgetTable) -> Limits:
    """What the table asks for; only right where `limit_problems` finds nothing."""
    plan = {key: values.positive_usd(value) for key, value in (table.plan or {}).items()}
    return Limits(table.limit_usd, plan)


def limit_problems(table: BudgetTable, place: str) -> Iterator[Problem]:
    """What does not go together, and thresholds that come to the same amount under one of the limits."""
    if table.limit_usd is None and table.plan is None:
        yield Problem(f"{place}.limit_usd", "is missing: write it, as in limit_usd = 10000")
    yield from _plan_problems(table, place)
    for amount in _amounts(table):
        found = [
            *_same_marks(table.thresholds, amount, f"{place}.thresholds"),
            *_same_marks([mark.mark for mark in table.forecast], amount, f"{place}.forecast"),
        ]
        yield from found
        if found:
            return


def _amounts(table: BudgetTable) -> Iterator[Nano]:
    if table.limit_usd is not None:
        yield table.limit_usd
    for value in (table.plan or {}).values():
        try:
            yield values.positive_usd(value)
        except Wrong:
            continue


def _same_marks(marks: Sequence[Mark], limit: Nano, place: str) -> Iterator[Problem]:
    """Marks that come to the same amount: one of the two would never be told by itself."""
    first: dict[int, Mark] = {}
    for index, mark in enumerate(marks):
        amount = threshold_amount(limit, mark)
        if amount in first:
            same = f"{mark_text(first[amount])} and {mark_text(mark)} of {display_usd(limit)}"
            yield Problem(f"{place}[{index}]", f"is there already: {same} are the same amount")
        first.setdefault(amount, mark)


def _plan_problems(table: BudgetTable, place: str) -> Iterator[Problem]:
    if table.plan is None:
        return
    period = "once" if table.since is not None or table.until is not None else table.period
    if period not in _NAMED:
        yield Problem(f"{place}.plan", "is for days, weeks, months, quarters and years, which follow one another")
        return
    if not 1 <= len(table.plan) <= MOST_PLANNED:
        yield Problem(f"{place}.plan", f"must name 1 to {MOST_PLANNED} periods, and names {len(table.plan)}")
    for key, value in (table.plan or {}).items():
        try:
            _check_key(key, period)
            values.positive_usd(value)
        except Wrong as wrong:
            yield Problem(f"{place}.plan.{shown(key)}", str(wrong))


def _check_key(key: str, period: str) -> None:
    """Refuse what names no period of this kind."""
    pattern, right = _NAMED[period]
    match = re.fullmatch(pattern, key, re.ASCII)
    if match is None:
        raise Wrong(f'must name {right}, as the period is "{period}"')
    numbers = [int(part) for part in match.groups()]
    try:
        if period == "week":
            date.fromisocalendar(numbers[0], numbers[1], 1)
        else:
            date(
                *(numbers if period in {"day", "month"} else numbers[:1]),
                *{"month": (1,), "day": ()}.get(period, (1, 1)),
            )
    except ValueError:
        raise Wrong(f"must name {right}, and there is no such {period}") from None
