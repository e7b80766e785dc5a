"""The limits as JSON: money as exact decimal strings of dollars, null for no limit or a figure that is not known."""

from __future__ import annotations

from typing import Any

from notifiers.alert_json import utc_json
from rules.model import Nano
from rules.money import usd_string
from watcher.admin_api.answers_limits import LimitScope, RateLimit
from watcher.limits.report import CappedMember, CappedScope, LimitsReport
from watcher.store import Change

AMOUNT = "amount"
"""The field of a change that holds nano-dollars."""


def to_json(report: LimitsReport) -> dict[str, Any]:
    """The form of `watcher limits --json`."""
    names = report.names
    return {
        "currency": "USD",
        "spend_limits": [_scope(each) for each in report.scopes],
        "members": [_member(each) for each in report.members],
        "rate_limits": [
            _rate(each) | {"workspace_name": names.of(each.workspace_id) if each.workspace_id else None}
            for each in report.rates
        ],
        "changes": [_change(each) for each in report.changes],
        "sources": [
            {
                "source": state.source,
                "offered": state.offered,
                "last_success_at": utc_json(state.last_success_at) if state.last_success_at else None,
            }
            for state in report.sources
        ],
    }


def amount_of(change: Change, text: str | None) -> str | None:
    """One side of a change: an amount as dollars, everything else as it is."""
    return usd_string(int(text)) if change.field == AMOUNT and text is not None else text


def _scope(capped: CappedScope) -> dict[str, Any]:
    limit = capped.limit
    return {
        "id": limit.id,
        "scope": {"kind": limit.scope.kind, "id": limit.scope.id, "name": capped.name},
        "period": limit.period,
        "limit_usd": _usd(limit.amount),
        "enabled": limit.is_enabled,
        "spent_usd": _usd(capped.spent),
        "updated_at": utc_json(limit.updated_at),
    }


def _member(capped: CappedMember) -> dict[str, Any]:
    limit = capped.limit
    return {
        "id": limit.member_id,
        "kind": limit.member_kind,
        "name": limit.name,
        "email": limit.email,
        "deleted": limit.deleted,
        "period": limit.period,
        "limit_usd": _usd(limit.amount),
        "inherited_from": None if limit.source is None else _source(limit.source),
        "spent_usd": _usd(capped.spent),
        "spent_may_be_unknown": not capped.spent,
        "read_at": utc_json(capped.read_at),
    }


def _source(scope: LimitScope) -> dict[str, Any]:
    return {"kind": scope.kind, "id": scope.id}


def _rate(rate: RateLimit) -> dict[str, Any]:
    return {
        "workspace": rate.workspace_id,
        "group_kind": rate.group_kind,
        "group_name": rate.group_name,
        "models": list(rate.models),
        "limits": [
            {"kind": limit.kind, "value": limit.value, "organization_value": limit.organization_value}
            for limit in rate.limits
        ],
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "id": change.id,
        "field": "amount_usd" if change.field == AMOUNT else change.field,
        "before": amount_of(change, change.before),
        "after": amount_of(change, change.after),
        "after_time": utc_json(change.last_seen_before),
        "seen_at": utc_json(change.observed_at),
    }


def _usd(nano: Nano | None) -> str | None:
    return None if nano is None else usd_string(nano)
