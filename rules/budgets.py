"""Spend against a limit over a period: which thresholds have been crossed.

A crossing is an event (`Breach.closes_at` is set): it is true for its period whatever a later restatement says, so
nothing here ever clears one. What is known of a period is a lower bound of what it cost, because hours that are open
or not yet read can only add. A sum that reaches the threshold therefore proves the crossing even before its hours are
complete; a sum below it proves nothing where hours are missing, and then `NoData` says so.

**After the period's end** its last hours still arrive, and its last days settle, so it is judged for a while longer
(`rules.hindsight` says how long). A crossing that is first seen then is told like any other and stays listed for
`LISTED_LATE`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from rules.course import Course, course_of
from rules.dimensions import groups, values_of
from rules.earlier import Reach
from rules.forecast import Forecast
from rules.limits import is_known, limits_of, why_none
from rules.measures import SPEND, Measure
from rules.model import (
    HOUR,
    Alert,
    Breach,
    Budget,
    BudgetEvidence,
    Dimension,
    Leaf,
    Names,
    Nano,
    NoData,
    Scope,
    Severity,
    Share,
    SpendView,
    Subject,
    Verdict,
)
from rules.money import LARGEST_NANO
from rules.periods import CalendarKind, Period, clock_label, instant, period_between, period_of, previous
from rules.rolling import rearmed, window_at, window_id
from rules.selectors import select
from rules.thresholds import Mark, mark_amount, mark_id, percent_of, severity_of, threshold_amount
from rules.wording import label_of

LISTED_LATE = timedelta(hours=24)
"""How long a crossing that was seen only after its period's end stays listed."""
TOP = 5
"""How many children the evidence names."""
_AT_ONCE = 512
"""How many scopes' hourly sums are held in memory at a time."""


def running(budget: Budget, now: datetime) -> Period | None:
    """The period that `now` lies in; None before and after the dates of a budget that comes once."""
    if budget.window is not None:
        return window_at(budget, budget.window, now)
    if budget.period not in {"once", "rolling"}:
        return period_of(cast("CalendarKind", budget.period), budget.timezone, now, budget.starts)
    period = _only(budget)
    return period if period is not None and period.start <= now < period.end else None


def _only(budget: Budget) -> Period | None:
    """The period of a budget that comes once."""
    return None if budget.dates is None else period_between(*budget.dates, budget.timezone)


def periods(budget: Budget, since: datetime, now: datetime) -> Iterator[Period]:
    """The running period, then those before it that ended after `since`, newest first."""
    period = running(budget, now)
    if period is not None:
        yield period
        period = previous(period)
    elif (only := _only(budget)) is not None and only.end <= now:
        period = only
    while period is not None and period.end > since:
        yield period
        period = previous(period)


def judge(
    budget: Budget,
    view: SpendView,
    names: Names,
    now: datetime,
    since: datetime | None = None,
    held: Sequence[Alert] = (),
) -> list[Verdict]:
    """One `Breach` for every threshold crossed, for each scope the budget stands for, in each period it is judged in.

    `per` makes a scope of every combination of those dimensions that the ledger holds and the selector takes; without
    it the one scope is the organization. A threshold counts as crossed when the period's hours, the open one included,
    cost at least `threshold_amount` of the scope's limit and more than nothing; `starts_at` is the hour in which their
    running sum got there, or the first hour of its UTC day where that lies before the view. A scope that has no limit
    in a period (`rules.limits`) is not judged in it. One `NoData` stands for a period of which hours are missing, and
    one for limits that are not known. Periods that ended at or before `since` (see `rules.hindsight`) are left out;
    None judges the running period alone.

    Of a rolling budget each crossing is a state, and there is one `Clear` for each of its open alerts (`held`) that is
    armed anew (`rules.rolling`).
    """
    judged = list(periods(budget, max(now if since is None else since, view.start), now))
    reach = Reach(view, judged)
    rows = np.flatnonzero(select(budget.select, reach.leaves, names))
    group_of, scopes = _scopes(budget, reach, names, rows)
    verdicts: list[Verdict] = []
    if not is_known(budget):
        verdicts.append(NoData(Subject(budget.name, "budget", Scope(view.organization)), why_none(budget)))
    for period in judged:
        missing = _missing(reach, period)
        if missing is not None:
            subject = Subject(budget.name, "budget", Scope(view.organization), instant(period.start))
            verdicts.append(NoData(subject, missing))
        verdicts.extend(_Window(budget, reach, names, period, now).crossings(rows, group_of, scopes))
    if budget.window is not None and held:
        asked = {alert.subject.scope for alert in held}
        rows_of = {scope: rows[group_of == index] for index, scope in enumerate(scopes) if scope in asked}
        verdicts.extend(rearmed(budget, budget.window, view, rows_of, held, now))
    return verdicts


@dataclass(frozen=True, slots=True)
class Line:
    """Where one budget stands for one scope in the running period, whether or not a threshold is crossed."""

    budget: str
    scope: Scope
    label: str
    """What people call the scope: its names, joined by " · "; empty for the organization."""
    period: str
    start: datetime
    end: datetime
    limit: Nano | None
    """None where the scope has no limit in this period, so that nothing is judged of it."""
    spent: Nano
    settled: Nano
    rolling: bool = False
    """Whether it is of the hours up to now, and of no period that ends."""
    forecast: Forecast | None = None
    """Where the period will end, for the lines that `rules.outlook` forecasts."""
    unlimited: str = ""
    """Why there is no limit, as a clause; empty where there is one."""
    measure: Measure = SPEND
    """What is counted: the amounts are in its unit."""
    burn: float | None = None
    """How many times as fast as the even share of the limit the last hours used it up; see `rules.outlook`."""

    @property
    def used(self) -> float | None:
        """Spend over the limit, 1 at the limit and endless over a limit of nothing; None without a limit."""
        if self.limit is None:
            return None
        return self.spent / self.limit if self.limit else math.inf if self.spent > 0 else 0.0


def lines(budget: Budget, view: SpendView, names: Names, now: datetime) -> list[Line]:
    """One line for each scope, dearest first; a budget without `per` has its one even where it matches nothing.

    None before and after the dates of a budget that comes once.
    """
    period = running(budget, now)
    if period is None:
        return []
    reach = Reach(view, [period])
    rows = np.flatnonzero(select(budget.select, reach.leaves, names))
    group_of, scopes = _scopes(budget, reach, names, rows)
    spent, settled = (_by_scope(sums, rows, group_of, len(scopes)).tolist() for sums in reach.sums(period))
    limits = limits_of(budget, scopes, period.start)
    found = [
        Line(
            budget=budget.name,
            scope=scope,
            label=label_of(scope, names),
            period=period.label,
            start=period.start,
            end=period.end,
            limit=limits[index],
            spent=spent[index],
            settled=settled[index],
            rolling=budget.window is not None,
            unlimited=why_none(budget) if limits[index] is None else "",
            measure=budget.measure,
        )
        for index, scope in enumerate(scopes)
    ]
    return sorted(found, key=lambda line: (-line.spent, line.label))


def _missing(reach: Reach, period: Period) -> str | None:
    """Why the period's spend may be more than the known hours say, other than that it goes on; None if it may not."""
    since = reach.since(period)
    if since >= period.start + HOUR:
        return f"{period.label} begins before the data do: they reach back to {clock_label(since)}"
    if reach.view.observed_until <= period.start:
        return f"nothing of {period.label} has been read yet"
    holes = reach.unread(period)
    return f"{holes} hours of {period.label} have never been read" if holes else None


def _scopes(
    budget: Budget, reach: Reach, names: Names, rows: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.intp], tuple[Scope, ...]]:
    """For each chosen leaf the index of the scope it counts for, and the scopes in order of their first leaf."""
    group_of, values = groups(budget.per, [reach.leaves[row] for row in rows.tolist()], names)
    return group_of, tuple(_scope(reach.view.organization, budget.per, some) for some in values)


@lru_cache(maxsize=1 << 16)
def _scope(organization: str, per: tuple[Dimension, ...], values: tuple[str, ...]) -> Scope:
    """The same thousands are asked for at every judgement."""
    return Scope.of(organization, dict(zip(per, values, strict=True)))


def _by_scope(
    totals: npt.NDArray[np.int64], rows: npt.NDArray[np.intp], group_of: npt.NDArray[np.intp], scopes: int
) -> npt.NDArray[np.int64]:
    """The sum of the chosen leaves' totals for each scope."""
    sums = np.zeros(scopes, dtype=np.int64)
    np.add.at(sums, group_of, totals[rows])
    return sums


class _Window:
    """One budget's period over the spend that belongs to it."""

    __slots__ = ("_budget", "_closes_at", "_cost", "_fixed", "_names", "_period", "_reach", "_steps")

    def __init__(self, budget: Budget, reach: Reach, names: Names, period: Period, now: datetime) -> None:
        self._budget, self._reach, self._names, self._period = budget, reach, names, period
        self._cost = reach.cost(period)
        ended = period.end <= now
        self._closes_at = None if budget.window is not None else now + LISTED_LATE if ended else period.end
        self._steps: dict[Nano, list[_Step]] = {}
        self._fixed: dict[str, Any] = {
            "period": period.label,
            "period_start": period.start,
            "period_end": period.end,
            "timezone": period.timezone,
            "rolling": budget.window is not None,
            "measure": budget.measure,
            "also_crossed": (),
            "data_as_of": min(reach.view.observed_until, now),
        }

    def crossings(
        self, rows: npt.NDArray[np.intp], group_of: npt.NDArray[np.intp], scopes: Sequence[Scope]
    ) -> Iterator[Breach]:
        """The breaches of every scope, scope by scope, lowest threshold first."""
        limits = limits_of(self._budget, scopes, self._period.start)
        if not self._budget.thresholds or not len(rows) or all(limit is None for limit in limits):
            return
        amounts = self._amounts(limits)
        spent = _by_scope(self._cost, rows, group_of, len(scopes))
        crossed = np.flatnonzero((spent >= amounts[:, 0]) & (spent > 0))
        if not len(crossed):
            return
        settled = _by_scope(self._reach.settled(self._period), rows, group_of, len(scopes))
        order = np.argsort(group_of, kind="stable")
        bounds = np.searchsorted(group_of[order], np.arange(len(scopes) + 1))
        for begin in range(0, len(crossed), _AT_ONCE):
            some = crossed[begin : begin + _AT_ONCE].tolist()
            members = [rows[order[bounds[group] : bounds[group + 1]]] for group in some]
            running = self._reach.running(self._period, members)
            hours = _crossing_hours(running, amounts[some]).tolist()
            for group, leaves, at, sums in zip(some, members, hours, running, strict=True):
                figures = limits[group] or 0, int(spent[group]), int(settled[group])
                course = course_of(sums) if self._by_the_hour else None
                yield from self._breaches(scopes[group], leaves.tolist(), figures, at, course)

    def _amounts(self, limits: Sequence[Nano | None]) -> npt.NDArray[np.int64]:
        """What each scope's marks are worth, lowest first, beyond everything where it has no limit.

        Shape (scopes, marks).
        """
        marks = self._budget.thresholds
        row: dict[Nano | None, list[Nano]] = {None: [LARGEST_NANO] * len(marks)}
        for limit in limits:
            if limit is not None and limit not in row:
                row[limit] = sorted(min(threshold_amount(limit, mark), LARGEST_NANO) for mark in marks)
        return np.array([row[limit] for limit in limits], dtype=np.int64)

    def _steps_of(self, limit: Nano) -> list[_Step]:
        """The marks under this limit, lowest first."""
        if limit not in self._steps:
            steps = [
                _step(self._budget, limit, mark, self._period, self._closes_at) for mark in self._budget.thresholds
            ]
            self._steps[limit] = sorted(steps, key=lambda step: step.amount)
        return self._steps[limit]

    @property
    def _by_the_hour(self) -> bool:
        """Whether each column of the period is an hour of it."""
        return not self._reach.days_before(self._period) and self._period.start >= self._reach.view.start

    def _breaches(
        self,
        scope: Scope,
        leaves: Sequence[int],
        figures: tuple[Nano, Nano, Nano],
        at: Sequence[int],
        course: Course | None,
    ) -> Iterator[Breach]:
        """One breach for every threshold that the scope's spend has reached; `figures` are limit, spent and settled."""
        limit, spent, settled = figures
        costs = [(self._reach.leaves[row], int(self._cost[row])) for row in leaves]
        unpriced = self._reach.unpriced
        dear = {leaf.model for leaf, cost in costs if cost and leaf.model in unpriced} if unpriced else ()
        evidence = partial(
            BudgetEvidence,
            limit=limit,
            spent=spent,
            settled=settled,
            top=_top(scope, costs, self._names, self._budget.measure),
            unpriced=tuple(sorted(dear)),
            course=course,
            **self._fixed,
        )
        for step, column in zip(self._steps_of(limit), at, strict=True):
            if spent >= step.amount:
                yield Breach(
                    subject=Subject(self._budget.name, "budget", scope, step.instance),
                    severity=step.severity,
                    starts_at=self._reach.begins(self._period, column),
                    value=spent,
                    expected=None,
                    limit=limit,
                    evidence=evidence(threshold_percent=step.percent, threshold_amount=step.own),
                    closes_at=step.closes_at,
                )


def _crossing_hours(running: npt.NDArray[np.int64], amounts: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """In which column, counted from the period's first, each scope's running sum reached each of its amounts.

    Shape (scopes, amounts), as `amounts` has it.
    """
    return np.stack([(running >= amount[:, np.newaxis]).argmax(axis=1) for amount in amounts.T], axis=1)


@dataclass(frozen=True, slots=True)
class _Step:
    """One threshold of a budget in one period, worked out once for all scopes of one limit."""

    percent: float
    amount: Nano
    own: Nano | None
    """The amount, where that is what was asked for and no percentage."""
    instance: str
    severity: Severity
    closes_at: datetime | None


def _step(budget: Budget, limit: Nano, mark: Mark, period: Period, closes_at: datetime | None) -> _Step:
    begins = instant(period.start) if budget.window is None else window_id(budget.window)
    return _Step(
        percent=percent_of(limit, mark),
        amount=threshold_amount(limit, mark),
        own=mark_amount(mark),
        instance="/".join(filter(None, (begins, budget.measure.id, mark_id(mark)))),
        severity=severity_of(limit, mark),
        closes_at=closes_at,
    )


def _top(scope: Scope, costs: Sequence[tuple[Leaf, Nano]], names: Names, measure: Measure) -> tuple[Share, ...]:
    """The dearest children: keys of a scope that names none, models of a key; none of a key on one model.

    Of Claude Code, which knows people, users are in the place of keys.
    """
    by_person = bool(measure.claude_code)
    owner = scope.user if by_person else scope.api_key
    if owner is not None and scope.model is not None:
        return ()
    dimension: Dimension = "model" if owner is not None else "user" if by_person else "api_key"
    sums: dict[str, Nano] = {}
    children = values_of(dimension, [leaf for leaf, _ in costs], names)
    for child, (_, cost) in zip(children, costs, strict=True):
        if cost:
            sums[child] = sums.get(child, 0) + cost
    dearest = sorted(sums.items(), key=lambda item: (-item[1], item[0]))[:TOP]
    return tuple(Share(dimension, child, names.of(child), cost) for child, cost in dearest)
