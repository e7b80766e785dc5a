"""Where a budget's table takes its limits from: one amount, a plan by period, or the provider's own limits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from rules.measures import SPEND, Measure, amount_words
from rules.model import Nano
from rules.periods import LONGEST
from rules.thresholds import Mark, Threshold, mark_text, threshold_amount
from watcher.config import values
from watcher.config.models import BudgetTable, SelectTable
from watcher.config.problems import Problem, Wrong, shown

MOST_PLANNED = 400
_LIMITS = ("limit_usd", "limit", "limit_tokens", "limit_requests")
"""Of these a budget has one."""
_CLAUDE_CODE = 'source = "claude_code"'
_UNITS = {"usd": "dollars", "tokens": "tokens", "requests": "requests"}
_CONSOLE = 'limit = "console"'
_CAPPED = {(): ("workspace",), ("workspace",): ("workspace", "tag"), ("user",): ("user",)}
"""Which words of a selector leave a whole scope of the provider's limits, by `per`."""
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
    measure: Measure = SPEND


def limits(table: BudgetTable) -> Limits:
    """What the table asks for; only right where `limit_problems` finds nothing."""
    plan = {key: values.positive_usd(value) for key, value in (table.plan or {}).items()}
    counted = table.limit_requests if table.limit_tokens is None else table.limit_tokens[1]
    amount = table.limit_usd if counted is None else counted
    return Limits(amount, plan, table.limit is not None, measure(table))


def measure(table: BudgetTable) -> Measure:
    """What the table counts."""
    if table.limit_tokens is not None:
        return Measure("tokens", table.limit_tokens[0])
    if table.limit_requests is not None:
        return Measure("requests")
    return Measure(claude_code=table.customer_type) if table.source == "claude_code" else SPEND


def limit_problems(table: BudgetTable, place: str) -> Iterator[Problem]:
    """What does not go together, and thresholds that come to the same amount under one of the limits."""
    given = [key for key in _LIMITS if key in table.model_fields_set]
    if not given and table.plan is None:
        yield Problem(f"{place}.limit_usd", "is missing: write it, as in limit_usd = 10000")
    yield from (Problem(f"{place}.{key}", f"is given beside {given[0]}: keep one of the two") for key in given[1:])
    if table.limit is not None:
        yield from _console_problems(table, place)
    yield from _unit_problems(table, place)
    yield from _source_problems(table, place)
    if measure(table) != SPEND:
        yield from _too_long(table, place)
        for key in ("forecast", "burn_rate", "pace"):
            if key in table.model_fields_set:
                yield Problem(f"{place}.{key}", "is for budgets of spend in dollars alone: leave it out")
    yield from _plan_problems(table, place)
    for amount in _amounts(table):
        found = [
            *_same_marks(table.thresholds, amount, measure(table), f"{place}.thresholds"),
            *_same_marks([mark.mark for mark in table.forecast], amount, measure(table), f"{place}.forecast"),
        ]
        yield from found
        if found:
            return


def _too_long(table: BudgetTable, place: str) -> Iterator[Problem]:
    """Periods that reach back further than anything but spend is counted."""
    why = "only spend in dollars is known for longer than the last 70 days"
    if table.since is not None and table.until is not None and table.until - table.since > LONGEST:
        yield Problem(f"{place}.until", f"makes it more than {LONGEST.days} days, and {why}")
    elif table.period in {"quarter", "year"}:
        yield Problem(f"{place}.period", f'cannot be "{table.period}" here: {why}')


def _unit_problems(table: BudgetTable, place: str) -> Iterator[Problem]:
    """Amounts in another unit than the limit's."""
    unit = measure(table).unit
    for index, mark in enumerate(table.thresholds):
        if isinstance(mark, Threshold) and mark.amount is not None and mark.unit != unit:
            right = f"write a percent, or an amount with `at_{unit}`"
            what = f"is in {_UNITS[mark.unit]}, and the limit is in {_UNITS[unit]}: {right}"
            yield Problem(f"{place}.thresholds[{index}]", what)
    if table.plan is not None and any(key in table.model_fields_set for key in _LIMITS if key != "limit_usd"):
        yield Problem(f"{place}.plan", "is in dollars, and goes with limit_usd or alone")


def _source_problems(table: BudgetTable, place: str) -> Iterator[Problem]:
    """What the Claude Code report cannot tell: it knows dollars by UTC day, person and model."""
    if table.source == "claude_code":
        yield from (Problem(f"{place}.{key}", message) for key, message in _untold(table))
    elif "customer_type" in table.model_fields_set:
        yield Problem(f"{place}.customer_type", f"is for {_CLAUDE_CODE} alone")


def _untold(table: BudgetTable) -> Iterator[tuple[str, str]]:
    """Keys that ask the Claude Code report for more than it tells, and a sentence for each."""
    for key in ("limit", "limit_tokens", "limit_requests"):
        if key in table.model_fields_set:
            yield key, f"does not go with {_CLAUDE_CODE}, which is an estimate in dollars: write limit_usd or a plan"
    if table.period == "hour" or table.period.startswith(values.ROLLING):
        why = "its report is of whole UTC days: write a day, a week, a month or dates"
        yield "period", f'cannot be "{table.period}" with {_CLAUDE_CODE}: {why}'
    if table.timezone != "UTC":
        yield "timezone", f'must be "UTC" with {_CLAUDE_CODE}: its report is of whole UTC days'
    asked = [(f"per[{index}]", word) for index, word in enumerate(table.per)]
    asked += [(f"select.{word}", word) for word in SelectTable.model_fields if getattr(table.select, word) is not None]
    for key, word in asked:
        if word not in {"organization", "user", "model", "model_family"}:
            yield key, f"does not go with {_CLAUDE_CODE}, whose report knows users and models alone"


def _console_problems(table: BudgetTable, place: str) -> Iterator[Problem]:
    """What keeps the provider's limits from being those of this budget: they know UTC's days, weeks and months, and cap
    all that an organization, a workspace or a member spends."""
    once = table.since is not None or table.until is not None
    if once or table.period not in {"day", "week", "month"}:
        at = f"{place}.{'from' if once else 'period'}"
        yield Problem(at, f'does not go with {_CONSOLE}, whose periods are "day", "week" and "month"')
    fixed = {"timezone": "UTC", "week_start": "monday", "billing_day": 1}
    for key, value in fixed.items():
        if getattr(table, key) != value:
            right = f'"{value}"' if isinstance(value, str) else value
            yield Problem(f"{place}.{key}", f"must be {right} with {_CONSOLE}, as the provider counts so")
    per = tuple(table.per)
    if per not in _CAPPED:
        right = 'per = ["workspace"], per = ["user"], or none'
        yield Problem(f"{place}.per", f"does not go with {_CONSOLE}: the provider has limits for {right}")
        return
    allowed = _CAPPED[per]
    for word in SelectTable.model_fields:
        if getattr(table.select, word) is not None and word not in {"organization", *allowed}:
            whole = "that limit is for all that is spent, and not for a part of it"
            yield Problem(f"{place}.select.{word}", f"does not go with {_CONSOLE}: {whole}")
    pattern = table.select.workspace
    if not per and pattern is not None and set("*?[") & set(pattern):
        right = 'name one workspace, or write per = ["workspace"]'
        yield Problem(f"{place}.select.workspace", f"may take several, and {_CONSOLE} is of one: {right}")


def _amounts(table: BudgetTable) -> Iterator[Nano]:
    if table.limit_usd is not None:
        yield table.limit_usd
    if table.limit_tokens is not None:
        yield table.limit_tokens[1]
    if table.limit_requests is not None:
        yield table.limit_requests
    for value in (table.plan or {}).values():
        try:
            yield values.positive_usd(value)
        except Wrong:
            continue


def _same_marks(marks: Sequence[Mark], limit: Nano, counted: Measure, place: str) -> Iterator[Problem]:
    """Marks that come to the same amount: one of the two would never be told by itself."""
    first: dict[int, Mark] = {}
    for index, mark in enumerate(marks):
        amount = threshold_amount(limit, mark)
        if amount in first:
            same = f"{mark_text(first[amount])} and {mark_text(mark)} of {amount_words(counted, limit)}"
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
