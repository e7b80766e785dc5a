"""Keys as JSON: money as exact decimal strings of dollars, times in UTC, null for what there is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from notifiers.alert_json import utc_json
from rules.money import usd_string
from watcher.keys.report import KeyChange, KeyRow

OURS = "claude-watcher"


def key_json(row: KeyRow) -> Mapping[str, Any]:
    """One key, as `watcher keys --json` lists it."""
    key = row.key
    return {
        "id": key.id,
        "name": key.name,
        "organization": row.organization,
        "workspace": key.workspace or None,
        "workspace_name": row.workspace_name or None,
        "owner": row.owner,
        "owner_name": row.owner_name or None,
        "owner_email": row.owner_email or None,
        "state": key.status,
        "spend_usd": {"month": usd_string(row.month), "last_24h": usd_string(row.last_day)},
        "last_used_at": None if row.last_used_at is None else utc_json(row.last_used_at),
        "created_at": None if key.created_at is None else utc_json(key.created_at),
        "listed_at": utc_json(key.listed_at),
        "protected": row.protection or None,
        "unconfirmed": list(row.unconfirmed),
        "changed": None if row.changed is None else _change(row.changed),
    }


def _change(changed: KeyChange) -> Mapping[str, Any]:
    change = changed.change
    return {
        "field": change.field,
        "before": change.before,
        "after": change.after,
        "after_time": utc_json(change.last_seen_before),
        "seen_at": utc_json(change.observed_at),
        "by": OURS if changed.action else None,
        "action": changed.action or None,
    }
