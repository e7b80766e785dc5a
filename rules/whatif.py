"""What a budget would have said of the past: the live rule over periods that are long over. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from rules import budgets
from rules.dimensions import groups
from rules.limits import limits_of
from rules.model import HOUR, Breach, Budget, Names, Nano, NoData, Scope, SpendView
from rules.periods import Period, instant, period_between, previous
from rules.thresholds import mark_id
from rules.wording import label_of


@dataclass(frozen=True, slots=True)
class Replayed:
    """One scope in one period: what it came to, and the hour in which each threshold was reached, None if it was not.

    `crossed` is in the order of the budget's thresholds.
    """

    scope: Scope
    label: str
    spent: Nano
    limit: Nano | None
    """None where the scope has no limit in this period, so that nothing is judged of it."""
    crossed: tuple[datetime | None, ...]

    @property
    def messages(self) -> int:
        """How often somebody would have been told: thresholds that are reached in one hour are one message."""
        return len({moment for moment in self.crossed if moment is not None})


@dataclass(frozen=True, slots=True)
class PastPeriod:
    """One period with all its scopes, dearest first. `missing` says why its figures are too low; None if they are not.

    `runs` is whether it has not ended yet.
    """

    period: Period
    runs: bool
    missing: str | None
    scopes: tuple[Replayed, ...]


def replay(budget: Budget, view: SpendView, names: Names, now: datetime) -> list[PastPeriod]:
    """Every period of the budget that lies in the view at all, the oldest first.

    The view has one leaf for each scope (`watcher.ledger.condensed`), or the leaves themselves. A scope that spent
    nothing in a period is left out of it. Not for rolling budgets, which have no periods: ValueError.
    """
    if budget.window is not None:
        raise ValueError("a rolling budget has no periods to replay")
    verdicts = budgets.judge(budget, view, names, now, view.start - HOUR)
    missing = {verdict.subject.instance: verdict.why for verdict in verdicts if isinstance(verdict, NoData)}
    crossed = {
        (verdict.subject.scope, verdict.subject.instance): verdict.starts_at
        for verdict in verdicts
        if isinstance(verdict, Breach)
    }
    found = []
    for period in _periods(budget, view, now):
        begins = instant(period.start)
        spent = _spent(budget, view, names, period)
        limits = limits_of(budget, [scope for scope, _ in spent], period.start)
        scopes = [
            Replayed(
                scope,
                label_of(scope, names),
                nano,
                limit,
                tuple(crossed.get((scope, f"{begins}/{mark_id(mark)}")) for mark in budget.thresholds),
            )
            for (scope, nano), limit in zip(spent, limits, strict=True)
        ]
        scopes.sort(key=lambda each: (-each.spent, each.label))
        found.append(PastPeriod(period, period.end > now, missing.get(begins), tuple(scopes)))
    return found[::-1]


def _periods(budget: Budget, view: SpendView, now: datetime) -> Iterator[Period]:
    """Newest first."""
    period = budgets.running(budget, now)
    if period is None and budget.dates is not None:
        period = period_between(*budget.dates, budget.timezone)
    while period is not None and period.end > view.start:
        if period.start <= now:
            yield period
        period = previous(period)


def _spent(budget: Budget, view: SpendView, names: Names, period: Period) -> Sequence[tuple[Scope, Nano]]:
    rows = view.cost[:, period.columns(view.start, view.hours)].sum(axis=1)
    group_of, values = groups(budget.per, view.leaves, names)
    sums = [0] * len(values)
    for group, nano in zip(group_of.tolist(), rows.tolist(), strict=True):
        sums[group] += nano
    scopes = [Scope.of(view.organization, dict(zip(budget.per, some, strict=True))) for some in values]
    return [(scope, nano) for scope, nano in zip(scopes, sums, strict=True) if nano or not budget.per]
