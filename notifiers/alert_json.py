"""An alert as JSON: one form for the webhook's body and for the command line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from notifiers.cause_json import why_json
from notifiers.shift_json import shift_json
from notifiers.trigger_json import trigger_json
from rules.measures import SPEND, exact
from rules.model import Alert, AnomalyEvidence, BudgetEvidence, DriftEvidence, PriceEvidence, TriggerEvidence
from rules.money import usd_string


def alert_json(alert: Alert) -> dict[str, Any]:
    """The alert as JSON values.

    Money is an exact decimal string of dollars, or null; times are ISO 8601 in UTC with a "Z", or null. `scope` has
    only the dimensions that are set, by id, and workspace tags as "tag:team"; the words of the vocabulary stand where
    there is no id ("(console)", "(default)", "(unattributed)", "(unknown)", and "(none)" for a tag that is not there).
    `owner` is the configured owner, or else the user of the scope or of its key, by name and e-mail address, null where
    none is known. Names are as
    people wrote them: whoever shows them escapes them. An alert about estimates has `drift`: its settled days from
    first to last, and the workspaces and models that are off; one about prices has `prices`; one about a budget that
    counts something else than spend has `counted`, and no amount in dollars unless that is money too; one of a budget's
    triggers what `notifiers.trigger_json` gives, by its kind; one about an anomaly what `notifiers.shift_json` gives,
    and `why`, as far as it is known. One that is held back has `silenced`, one that somebody has taken `acknowledged`,
    an anomaly that somebody has given feedback on `feedback`.
    """
    amounts = (alert.value, alert.expected, alert.limit) if counts_money(alert) else (None, None, None)
    value, expected, limit = map(_usd_json, amounts)
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
        "value_usd": value,
        "expected_usd": expected,
        "limit_usd": limit,
        "summary": alert.summary,
        "organization": alert.subject.scope.organization,
        "names": dict(alert.names),
        "owner": alert.whose or None,
    }
    if alert.silenced is not None:
        held = alert.silenced
        document["silenced"] = {
            "id": held.id,
            "until": utc_json(held.until),
            "by": held.by,
            "comment": held.comment,
        }
    if alert.acknowledged is not None:
        taken = alert.acknowledged
        document["acknowledged"] = {"by": taken.by, "at": utc_json(taken.at), "comment": taken.comment}
    if alert.judged is not None:
        said = alert.judged
        document["feedback"] = {
            "verdict": said.verdict,
            "by": said.by,
            "at": utc_json(said.at),
            "comment": said.comment,
        }
    if isinstance(alert.evidence, DriftEvidence):
        document["drift"] = _drift_json(alert.evidence)
    document |= shift_json(alert.evidence)
    if isinstance(alert.evidence, PriceEvidence):
        document["prices"] = _prices_json(alert.evidence)
    if isinstance(alert.evidence, BudgetEvidence) and alert.evidence.measure != SPEND:
        document["counted"] = _counted_json(alert.evidence)
    if isinstance(alert.evidence, AnomalyEvidence) and alert.evidence.cause is not None:
        document["why"] = why_json(alert.evidence.cause)
    if isinstance(alert.evidence, TriggerEvidence):
        document[alert.subject.kind] = trigger_json(alert.evidence)
    return document


def counts_money(alert: Alert) -> bool:
    """Whether what the alert is about is measured in money, rather than in tokens or requests."""
    return not isinstance(alert.evidence, BudgetEvidence) or alert.evidence.measure.is_money


def _counted_json(evidence: BudgetEvidence) -> dict[str, Any]:
    """What is counted, and how much of it: whole numbers of tokens or requests, money as a string of dollars."""
    measure = evidence.measure
    return {
        "unit": measure.unit,
        "kind": measure.kind or None,
        "claude_code": measure.claude_code or None,
        "value": exact(measure, evidence.spent),
        "limit": exact(measure, evidence.limit),
    }


def _prices_json(evidence: PriceEvidence) -> dict[str, Any]:
    """Models in use for the first time, and ratios to the list price that moved, in parts per million."""
    new = [
        {
            "model": found.model,
            "since": utc_json(found.since),
            "spent_usd": usd_string(found.spent),
            "api_key": found.api_key,
            "workspace": found.workspace,
        }
        for found in evidence.new_models
    ]
    moves = [
        {
            "model": move.model or None,
            "kinds": list(move.kinds),
            "before_ppm": move.before,
            "after_ppm": move.after,
            "of_list": move.listed,
        }
        for move in evidence.moves
    ]
    return {"new_models": new, "moves": moves}


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
