"""The JSON form of a digest: in webhooks and in `watcher report --json`. Money as exact decimal strings of dollars."""

from __future__ import annotations

from typing import Any

from notifiers.alert_json import utc_json
from rules.digest import BudgetStanding, Digest, Fired, Mover, Projected, Stopped
from rules.money import usd_string


def digest_json(told: Digest) -> dict[str, Any]:
    """Every figure of it."""
    return {
        "name": told.name,
        "every": told.every,
        "timezone": told.timezone,
        "period": told.label,
        "starts_at": utc_json(told.start),
        "ends_at": utc_json(told.end),
        "due_at": utc_json(told.due_at),
        "part": told.part or None,
        "spent_usd": usd_string(told.spent),
        "settled_usd": usd_string(told.settled),
        "usual_usd": _usd(told.usual),
        "compared": [{"with": each.what, "spent_usd": _usd(each.cost)} for each in told.compared],
        "month": None if told.month is None else _month(told.month),
        "budgets": [_budget(each) for each in told.budgets],
        "more_budgets": told.more_budgets,
        "movers": [_mover(each) for each in told.movers],
        "fired": [_fired(each) for each in told.fired],
        "more_fired": told.more_fired,
        "firing_now": told.firing_now,
        "done": list(told.done),
        "more_done": told.more_done,
        "new_keys": [{"id": each.id, "name": each.name, "spent_usd": usd_string(each.spent)} for each in told.new_keys],
        "more_keys": told.more_keys,
        "new_models": [{"model": each.id, "spent_usd": usd_string(each.spent)} for each in told.new_models],
        "days": [
            {"day": each.day.isoformat(), "spent_usd": usd_string(each.cost), "complete": each.whole}
            for each in told.bars
        ],
        "daily_limit_usd": _usd(told.limit),
        "daily_limit_of": told.limit_of or None,
        "read": told.read,
        "complete": told.complete,
        "complete_until": utc_json(told.complete_until),
        "data_as_of": utc_json(told.data_as_of),
        "unpriced": list(told.unpriced),
        "stopped": [_stopped(each) for each in told.stopped],
        "more_stopped": told.more_stopped,
        "saved_usd": usd_string(told.saved),
    }


def _month(month: Projected) -> dict[str, Any]:
    return {
        "period": month.label,
        "spent_usd": usd_string(month.spent),
        "forecast_usd": usd_string(month.total) if month.known else None,
        "low_usd": usd_string(month.low) if month.known else None,
        "high_usd": usd_string(month.high) if month.known else None,
    }


def _mover(each: Mover) -> dict[str, Any]:
    return {
        "dimension": each.dimension,
        "id": each.id,
        "name": each.name,
        "spent_usd": usd_string(each.spent),
        "usual_usd": usd_string(each.usual),
        "change_usd": usd_string(each.change),
        "why": each.why or None,
    }


def _fired(each: Fired) -> dict[str, Any]:
    return {
        "alert": each.id,
        "severity": each.severity.value,
        "state": each.state.value,
        "summary": each.summary,
        "fired_at": utc_json(each.at),
        "done": each.done or None,
    }


def _stopped(each: Stopped) -> dict[str, Any]:
    return {
        "action": each.action,
        "api_key": each.key,
        "name": each.name,
        "at": utc_json(each.at),
        "by": each.by or None,
        "saved_usd": _usd(each.saved),
    }


def _budget(each: BudgetStanding) -> dict[str, Any]:
    """Amounts as strings of dollars, or as whole numbers of what is counted."""

    def amount(value: int | None) -> str | int | None:
        return _usd(value) if each.unit == "usd" else value

    return {
        "budget": each.budget,
        "scope": each.scope or None,
        "period": each.period,
        "unit": each.unit,
        "spent": amount(each.spent),
        "limit": amount(each.limit),
        "forecast": amount(each.total),
        "low": amount(each.low),
        "high": amount(each.high),
    }


def _usd(nano: int | None) -> str | None:
    return None if nano is None else usd_string(nano)
