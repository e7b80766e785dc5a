"""An action on a key as JSON: one form for the webhook's body and for the command line."""

from __future__ import annotations

from typing import Any

from notifiers.alert_json import utc_json
from rules.actions import Action, ActionEvidence, ActionNews
from rules.money import usd_string
from rules.policy import Brake


def news_json(news: ActionNews) -> dict[str, Any]:
    """What there is to tell of actions: `event`, the rows of the journal, and what holds all of them."""
    return {
        "event": news.event,
        "actions": [action_json(row) for row in news.actions],
        "brake": None if news.brake is None else _brake(news.brake),
    }


def action_json(row: Action) -> dict[str, Any]:
    """One row of the journal.

    Money is an exact decimal string of dollars, times are ISO 8601 in UTC with a "Z"; what is not known, or not so, is
    null. Names and reasons are as people wrote them: whoever shows them escapes them.
    """
    return {
        "id": row.id,
        "key": row.key or None,
        "key_name": row.key_name,
        "workspace": row.workspace,
        "workspace_name": row.workspace_name,
        "action": row.what,
        "state": row.state.value,
        "mode": row.mode,
        "reason": row.reason,
        "waits_for": row.waits or None,
        "rule": row.cause.rule or None,
        "cause": row.cause.kind,
        "alert": row.alert or None,
        "evidence": None if row.evidence is None else _evidence(row.evidence),
        "amount_usd": usd_string(row.amount),
        "created_at": utc_json(row.created_at),
        "updated_at": utc_json(row.updated_at),
        "due_at": None if row.due_at is None else utc_json(row.due_at),
        "expires_at": None if row.expires_at is None else utc_json(row.expires_at),
        "confirmed_at": None if row.confirmed_at is None else utc_json(row.confirmed_at),
        "by": row.by,
    }


def _evidence(found: ActionEvidence) -> dict[str, Any]:
    return {
        "since": utc_json(found.since),
        "observed_usd": usd_string(found.observed),
        "certain_usd": usd_string(found.certain),
        "bound_usd": usd_string(found.bound),
        "key_observed_usd": usd_string(found.key_observed),
        "key_expected_usd": usd_string(found.key_expected),
        "share": found.share,
        "confidence": found.confidence,
        "error": found.error,
        "data_as_of": utc_json(found.data_as_of),
        "period_end": None if found.period_end is None else utc_json(found.period_end),
        "unpriced": list(found.unpriced),
    }


def _brake(brake: Brake) -> dict[str, Any]:
    return {
        "since": None if brake.since is None else utc_json(brake.since),
        "until": None if brake.until is None else utc_json(brake.until),
        "by": brake.by,
        "why": brake.why or None,
    }
