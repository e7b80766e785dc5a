"""An alert as JSON: one form for the webhook's body and for the command line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rules.model import Alert, DriftEvidence
from rules.money import usd_string


def alert_json(alert: Alert) -> dict[str, Any]:
    """The alert as JSON values.

    Money is an exact decimal string of dollars, or null; times are ISO 8601 in UTC with a "Z", or null. `scope` has
    only the dimensions that are set, by id, and workspace tags as "tag:team"; the words of the vocabulary stand where
    there is no id ("(console)", "(default)", "(unattributed)", "(unknown)", and "(none)" for a tag that is not there).
    Names are as people wrote them: whoever shows them escapes them. An alert about estimates has `drift`: its settled
    days from first to last, and the workspaces and models that are off.
    """
    document = {
        "id": alert.id,
        "fingerprint": alert.subject.fingerprint,
        "rule": alert.subject.rule,
        "kind": alert.subject.kind,
        "severity": str(alert.severity),
        "state": str(alert.state),
        "scope": dict(alert.subject.scope.parts()),
        "starts_at": utc_json(alert.starts_at),
        "ends_at": None if alert.ends_at is None else utc_json(alert.ends_at),
        "value_usd": _usd_json(alert.value),
        "expected_usd": _usd_json(alert.expected),
        "limit_usd": _usd_json(alert.limit),
        "summary": alert.summary,
        "organization": alert.subject.scope.organization,
        "names": dict(alert.names),
    }
    if isinstance(alert.evidence, DriftEvidence):
        document["drift"] = _drift_json(alert.evidence)
    return document


def _drift_json(evidence: DriftEvidence) -> dict[str, Any]:
    """The settled days told of, first and last, and what drifts on them."""
    parts = [
        {
            "workspace": part.workspace,
            "workspace_name": part.workspace_name,
            "model": part.model,
            "estimated_usd": usd_string(part.estimated),
            "billed_usd": usd_string(part.billed),
        }
        for part in evidence.parts
    ]
    return {"from": str(evidence.first_day), "to": str(evidence.last_day), "parts": parts}


def utc_json(moment: datetime) -> str:
    """A moment as JSON writes it: "2026-11-20T09:00:00Z", with a fraction only when there is one."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _usd_json(amount: int | None) -> str | None:
    return None if amount is None else usd_string(amount)
