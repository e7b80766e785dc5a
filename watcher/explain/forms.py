"""An explanation as JSON: the forms of `watcher explain --json`, which docs/explain.md lists."""

from __future__ import annotations

from typing import Any

from notifiers.action_json import action_json
from notifiers.alert_json import alert_json, utc_json
from rules.groups import Group
from rules.model import AnomalyEvidence, HourPoint, Transition
from rules.money import usd_string
from watcher.explain.again import Again
from watcher.explain.changes import Change
from watcher.explain.decision_words import basis, drivers
from watcher.explain.explanation import Explanation
from watcher.explain.priced import Priced, usd_a_million
from watcher.explain.record import Record, Sent
from watcher.explain.ways import Way


def to_json(found: Explanation) -> dict[str, Any]:
    """Money is exact decimal strings of dollars, times are ISO 8601 in UTC; what is not known is null."""
    record = found.record
    return {
        "alert": alert_json(record.alert),
        "organization": record.organization.as_json(),
        "decision": _decision(found),
        "prices": [_price(each) for each in found.prices],
        "transitions": [_transition(each) for each in record.transitions],
        "people": {**_people(record), "planned": list(found.planned)},
        "actions": [action_json(row) for row in record.actions],
        "told_by": record.alert.told_by,
        "inside": [each.id for each in record.inside],
        "routes": [_way(each) for each in record.ways],
        "groups": [_group(each, record) for each in record.groups],
        "messages": [_message(each, record) for each in record.messages],
        "replay": _replay(found.again, found.changes),
    }


def _decision(found: Explanation) -> dict[str, Any]:
    decided = found.record.decided
    evidence = decided.evidence
    points: tuple[HourPoint, ...] = getattr(evidence, "points", ())
    return {
        "at": utc_json(found.record.decided_at),
        "rule": decided.subject.rule,
        "severity": str(decided.severity),
        "data_as_of": None if evidence.data_as_of is None else utc_json(evidence.data_as_of),
        "sentences": [*basis(decided, found.now), *drivers(evidence)],
        "alert": alert_json(decided),
        "terms": _terms(evidence) if isinstance(evidence, AnomalyEvidence) else None,
        "hours": [_point(each) for each in points],
        "days": [{"day": str(day), "usd": usd_string(cost)} for day, cost in found.by_day.items()],
    }


def _terms(evidence: AnomalyEvidence) -> dict[str, Any]:
    terms, odds = evidence.terms, evidence.odds
    return {
        "score": evidence.score,
        "history_hours": evidence.history_hours,
        "threshold": None if terms is None else terms.threshold,
        "reached": None if terms is None else terms.reached,
        "min_excess_usd": None if terms is None else usd_string(terms.min_excess),
        "one_hour_usd": None if terms is None else usd_string(terms.one_hour),
        "of_usual": None if terms is None else terms.of_usual,
        "for_seconds": None if terms is None else int(terms.hold_for.total_seconds()),
        "odds_a_year": None if odds is None else odds.a_year,
        "series": None if odds is None else odds.series,
    }


def _point(point: HourPoint) -> dict[str, Any]:
    return {
        "hour": utc_json(point.hour),
        "observed_usd": usd_string(point.observed),
        "expected_usd": usd_string(point.expected),
        "upper_usd": usd_string(point.upper),
        "complete": point.complete,
    }


def _price(each: Priced) -> dict[str, Any]:
    return {
        "model": each.model,
        "kind": each.kind,
        "usd_per_million": usd_a_million(each.quote.pico),
        "source": each.quote.source,
        "since": None if each.quote.since is None else str(each.quote.since),
        "list_usd_per_million": None if each.listed is None else usd_a_million(each.listed),
    }


def _transition(each: Transition) -> dict[str, Any]:
    return {
        "at": utc_json(each.at),
        "before": None if each.before is None else str(each.before),
        "after": str(each.after),
        "why": each.why,
        "silent": each.silent,
    }


def _people(record: Record) -> dict[str, Any]:
    return {
        "silences": [
            {
                "id": each.id,
                "matchers": list(map(str, each.matchers)),
                "starts_at": utc_json(each.starts_at),
                "ends_at": utc_json(each.ends_at),
                "author": each.author,
                "comment": each.comment,
            }
            for each in record.silences
        ],
        "acts": [
            {"at": utc_json(each.at), "by": each.actor, "what": each.what, "outcome": each.details.get("outcome")}
            for each in record.acts
        ],
    }


def _way(way: Way) -> dict[str, Any]:
    route = way.route
    matchers = list(map(str, route.match))
    return {"route": route.written, "receiver": route.receiver, "match": matchers, "takes": way.takes, "why": way.why}


def _group(group: Group, record: Record) -> dict[str, Any]:
    member = next(each for each in group.members if each.alert == record.alert.id)
    return {
        "route": group.place,
        "receiver": group.receiver,
        "labels": dict(group.labels),
        "members": len(group.members),
        "told_at": None if member.told_at is None else utc_json(member.told_at),
        "due_at": None if group.due_at is None else utc_json(group.due_at),
    }


def _message(sent: Sent, record: Record) -> dict[str, Any]:
    row = sent.row
    told = row.notification
    return {
        "id": told.id,
        "receiver": told.receiver,
        "reason": str(told.reason),
        "decided_at": utc_json(told.created_at),
        "inside": all(each.id != record.alert.id for each in told.alerts),
        "delivered_at": None if row.delivered_at is None else utc_json(row.delivered_at),
        "next_try_at": None if row.delivered_at is not None else utc_json(row.due_at),
        "tries": [{"at": utc_json(each.at), "error": each.error} for each in sent.tries],
    }


def _replay(again: Again, changes: tuple[Change, ...]) -> dict[str, Any]:
    return {
        "outcome": again.outcome,
        "until": None if again.end is None else utc_json(again.end),
        "why": again.why or None,
        "alert": None if again.alert is None else alert_json(again.alert),
        "changes": [
            {
                "what": each.what,
                "words": each.words,
                "before": each.before,
                "after": each.after,
            }
            for each in changes
        ],
    }
