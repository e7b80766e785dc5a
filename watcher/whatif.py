"""A budget replayed over the past: how far back, and its form as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from notifiers.alert_json import utc_json
from rules.budgets import running
from rules.model import Budget, Nano
from rules.money import usd_string
from rules.periods import period_between
from rules.thresholds import Mark, mark_amount, percent_of, threshold_amount
from rules.whatif import PastPeriod, Replayed


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The periods from `start` on, the oldest first. `stored_from` is where usage begins; None where there is none."""

    budget: Budget
    start: datetime
    now: datetime
    stored_from: datetime | None
    periods: tuple[PastPeriod, ...]

    @property
    def messages(self) -> int:
        """How often somebody would have been told in all."""
        return sum(scope.messages for period in self.periods for scope in period.scopes)

    def crossings(self, threshold: int) -> int:
        """How often the threshold of that place was crossed, over all periods and scopes."""
        return sum(scope.crossed[threshold] is not None for period in self.periods for scope in period.scopes)


def first_moment(budget: Budget, months: int, now: datetime) -> datetime:
    """The beginning of the period that the first of the month so many months back falls in; UTC.

    Of a budget that comes once it is its own beginning.
    """
    if budget.dates is not None:
        return period_between(*budget.dates, budget.timezone).start
    month = now.year * 12 + now.month - 1 - months
    first = datetime(month // 12, month % 12 + 1, 1, 12, tzinfo=UTC)
    period = running(budget, first)
    return first if period is None else period.start.astimezone(UTC)


def to_json(found: WhatIf) -> Mapping[str, Any]:
    """The form of `watcher budgets what-if --json`; money as exact decimal strings of dollars."""
    budget = found.budget
    return {
        "budget": budget.name,
        "limit_usd": _usd(budget.limit),
        "period": budget.period,
        "timezone": budget.timezone,
        "per": list(budget.per),
        "thresholds": [
            {**_mark(budget.limit, mark), "crossings": found.crossings(place)}
            for place, mark in enumerate(budget.thresholds)
        ],
        "messages": found.messages,
        "from": utc_json(found.start),
        "stored_from": None if found.stored_from is None else utc_json(found.stored_from),
        "periods": [_period(each) for each in found.periods],
    }


def _usd(nano: Nano | None) -> str | None:
    return None if nano is None else usd_string(nano)


def _mark(limit: Nano | None, mark: Mark) -> Mapping[str, Any]:
    """A threshold; what a percent is worth is null where the limit goes by the period."""
    own = mark_amount(mark)
    amount = own if limit is None else threshold_amount(limit, mark)
    return {"percent": percent_of(0, mark) if own is None else None, "amount_usd": _usd(amount)}


def _period(past: PastPeriod) -> Mapping[str, Any]:
    return {
        "period": past.period.label,
        "starts_at": utc_json(past.period.start),
        "ends_at": utc_json(past.period.end),
        "runs": past.runs,
        "missing": past.missing,
        "scopes": [_scope(each) for each in past.scopes],
    }


def _scope(replayed: Replayed) -> Mapping[str, Any]:
    return {
        "scope": dict(replayed.scope.parts()),
        "label": replayed.label,
        "limit_usd": _usd(replayed.limit),
        "spent_usd": usd_string(replayed.spent),
        "crossed_at": [None if moment is None else utc_json(moment) for moment in replayed.crossed],
    }
