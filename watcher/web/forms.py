"""The read-only JSON API's own forms, which docs/status-page.md lists: money as exact decimal strings of dollars, times
as ISO 8601 in UTC; what is not known is null."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from notifiers.alert_json import utc_json
from rules.actions import Action
from rules.model import Nano
from rules.money import usd_string
from watcher.budgets import counted_json
from watcher.web.course import Course, Hour, even_pace
from watcher.web.key_rows import KeyPage, KeyRow


def course_json(course: Course) -> dict[str, Any]:
    """`/api/v1/series`."""
    return {
        "scope": dict(course.scope.parts()),
        "names": {ident: name for _, ident, name in (*course.parts, *course.beside)},
        "owner": course.owner or None,
        "data_as_of": utc_json(course.data_as_of),
        "complete_until": utc_json(course.complete_until),
        "observed_usd": usd_string(course.observed),
        "hours": [_hour(hour) for hour in course.hours],
        "anomalies": [
            {"alert": each.alert.id, "from": utc_json(each.begins), "to": utc_json(each.ends)}
            for each in course.stretches
        ],
        "inside": [
            {each.dimension: each.id, "name": each.name, "usd": usd_string(each.cost)}
            for row in course.inside
            for each in row
        ],
        "budgets": [
            {
                "budget": line.budget,
                "period": line.period,
                "even_usd_per_hour": _usd(even_pace(line)),
                **counted_json(line),
            }
            for line in course.budgets
        ],
    }


def _hour(hour: Hour) -> dict[str, Any]:
    return {
        "hour": utc_json(hour.begins),
        "observed_usd": _usd(hour.observed),
        "expected_usd": _usd(hour.expected),
        "upper_usd": _usd(hour.upper),
        "complete": hour.complete,
        "anomaly": hour.odd,
    }


def keys_json(page: KeyPage) -> dict[str, Any]:
    """`/api/v1/keys`."""
    return {
        "found": page.found,
        "page": page.page,
        "pages": page.pages,
        "keys": [_key(row) for row in page.rows],
    }


def _key(row: KeyRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "workspace": row.workspace or None,
        "workspace_name": row.workspace_name or None,
        "status": row.status or None,
        "owner": row.owner or None,
        "month_usd": _usd(row.month),
        "day_usd": _usd(row.day),
        "protected_by": row.protected or None,
    }


def action_json(row: Action) -> dict[str, Any]:
    """One row of `/api/v1/actions`."""
    return {
        "id": row.id,
        "what": row.what,
        "key": row.key or None,
        "key_name": row.key_name or None,
        "workspace": row.workspace or None,
        "workspace_name": row.workspace_name or None,
        "state": row.state.value,
        "mode": row.mode,
        "reason": row.reason,
        "waits": row.waits or None,
        "by": row.by,
        "cause": {"kind": row.cause.kind, "rule": row.cause.rule, "scope": dict(row.cause.scope.parts())},
        "alert": row.alert or None,
        "amount_usd": usd_string(row.amount),
        "created_at": utc_json(row.created_at),
        "updated_at": utc_json(row.updated_at),
        "expires_at": _time(row.expires_at),
        "sent_at": _time(row.sent_at),
        "confirmed_at": _time(row.confirmed_at),
    }


def _usd(amount: Nano | None) -> str | None:
    return None if amount is None else usd_string(amount)


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else utc_json(moment)
