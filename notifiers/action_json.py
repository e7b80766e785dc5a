"""Decisions about keys as JSON, one form for the webhook's body and for the command line.

Money is exact decimal strings of dollars, times are ISO 8601 in UTC with a "Z", null stands for what there is not.
Names and reasons are as people wrote them: whoever shows them escapes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from notifiers.alert_json import utc_json
from rules.actions import NO_KEY, Action, ActionEvidence, ActionNews, Look
from rules.money import usd_string
from rules.policy import Brake


def news_json(news: ActionNews) -> Mapping[str, Any]:
    """What there is to tell of actions: `event`, the rows of the journal, and what holds all of them."""
    return {
        "event": news.event,
        "actions": [action_json(row) for row in news.actions],
        "brake": None if news.brake is None else _brake(news.brake),
    }


def action_json(row: Action) -> Mapping[str, Any]:
    """One decision, with all that it rests on under `evidence`."""
    return {
        "id": row.id,
        "key": row.key if row.key != NO_KEY else None,
        "key_name": row.key_name if row.key != NO_KEY else None,
        "workspace": row.workspace or None,
        "action": f"{row.what}_key",
        "state": row.state.value,
        "reason": row.reason,
        "rule": row.cause.rule or None,
        "evidence": _evidence(row),
        "amount_usd": usd_string(row.amount),
        "created_at": utc_json(row.created_at),
        "updated_at": utc_json(row.updated_at),
        "by": row.by,
    }


def _evidence(row: Action) -> Mapping[str, Any]:
    return {
        "organization": row.organization,
        "workspace_name": row.workspace_name or None,
        "kind": row.cause.kind,
        "scope": dict(row.cause.scope.parts()),
        "alert": row.alert or None,
        "mode": row.mode,
        "digest": row.digest,
        "waits_for": row.waits or None,
        "due_at": _iso(row.due_at),
        "expires_at": _iso(row.expires_at),
        "approved_at": _iso(row.approved_at),
        "intent_at": _iso(row.intent_at),
        "sent_at": _iso(row.sent_at),
        "confirmed_at": _iso(row.confirmed_at),
        "before": _look(row.before),
        "after": _look(row.after),
        "figures": None if row.evidence is None else figures_json(row.evidence),
    }


def figures_json(evidence: ActionEvidence) -> Mapping[str, Any]:
    """The figures that a decision rests on."""
    return {
        "since": utc_json(evidence.since),
        "observed_usd": usd_string(evidence.observed),
        "certain_usd": usd_string(evidence.certain),
        "bound_usd": usd_string(evidence.bound),
        "key_observed_usd": usd_string(evidence.key_observed),
        "key_expected_usd": usd_string(evidence.key_expected),
        "key_excess_usd": usd_string(evidence.key_excess),
        "share_explained": round(evidence.share, 4),
        "confidence": round(evidence.confidence, 4),
        "estimate_error": round(evidence.error, 4),
        "data_as_of": utc_json(evidence.data_as_of),
        "period_end": _iso(evidence.period_end),
        "unpriced": list(evidence.unpriced),
    }


def _look(look: Look | None) -> Mapping[str, Any] | None:
    return None if look is None else {"at": utc_json(look.at), "status": look.status, "name": look.name}


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else utc_json(moment)


def _brake(brake: Brake) -> Mapping[str, Any]:
    return {"since": _iso(brake.since), "until": _iso(brake.until), "by": brake.by, "why": brake.why or None}
