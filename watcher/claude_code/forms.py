"""The Claude Code report as JSON and CSV. Money is exact decimal strings of dollars; no figure spans two sections."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Any

from notifiers.alert_json import utc_json
from rules.money import usd_string
from watcher.claude_code.report import API, SUBSCRIPTION, Figures, Report, Row, Section
from watcher.ledger.spend_csv import defused

MEANINGS = {
    API: "billed through the API, and in the spend already: the provider's estimate of it",
    SUBSCRIPTION: "held by subscriptions: what the provider estimates that the tokens would cost, not money billed",
}
NOT_KNOWN = "a kind of customer that is not known: the provider's estimate, in no figure of the spend"

_WORK = ("sessions", "lines_added", "lines_removed", "commits", "pull_requests")
_TOKENS = ("input", "output", "cache_read", "cache_creation")


def meaning(section: Section) -> str:
    """What the amounts of a section are."""
    return MEANINGS.get(section.customer_type, NOT_KNOWN)


def to_json(report: Report) -> dict[str, Any]:
    """The report as a JSON document; a row has only what was asked for, and what a model has none of is null."""
    return {
        "from": report.start.isoformat(),
        "to": report.end.isoformat(),
        "by": list(report.by),
        "currency": "USD",
        "complete_until": utc_json(report.complete_until) if report.complete_until else None,
        "missing_days": [day.isoformat() for day in report.missing],
        "suspect_days": [day.isoformat() for day in report.held],
        "customer_types": [
            {
                "customer_type": section.customer_type,
                "meaning": meaning(section),
                "rows": [_row_json(report, row) for row in section.rows],
                "total": _figures_json(section.total, work=True),
            }
            for section in report.sections
        ],
    }


def to_csv(report: Report) -> str:
    """One header and one line a row, without totals; texts that a spreadsheet might take for a formula are defused."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    scope = [*(["day"] if "day" in report.by else [])]
    scope += ["actor", "actor_kind", "id", "name"] if "user" in report.by else []
    scope += ["model"] if "model" in report.by else []
    writer.writerow(["customer_type", *scope, "merged", *_WORK, *_TOKENS, "estimated_usd"])
    for section in report.sections:
        for row in section.rows:
            writer.writerow([defused(section.customer_type), *_scope_cells(report, row), *_cells(report, row)])
    return out.getvalue()


def _row_json(report: Report, row: Row) -> dict[str, Any]:
    key = row.key
    found: dict[str, Any] = {}
    if "day" in report.by:
        found["day"] = key.day.isoformat() if key.day else None
    if "user" in report.by:
        found |= {"actor": key.actor, "actor_kind": key.actor_kind, "id": row.ident, "name": row.name}
    if "model" in report.by:
        found["model"] = key.model
    if row.merged:
        found["merged"] = row.merged
    return found | _figures_json(row.figures, work="model" not in report.by)


def _figures_json(figures: Figures, *, work: bool) -> dict[str, Any]:
    return {
        **{name: getattr(figures, name) if work else None for name in _WORK},
        "tokens": {name: getattr(figures, name) for name in _TOKENS},
        "estimated_usd": usd_string(figures.estimated),
    }


def _scope_cells(report: Report, row: Row) -> Iterator[str]:
    key = row.key
    if "day" in report.by:
        yield key.day.isoformat() if key.day else ""
    if "user" in report.by:
        yield from map(defused, (key.actor or "", key.actor_kind or "", row.ident or "", row.name or ""))
    if "model" in report.by:
        yield defused(key.model or "")


def _cells(report: Report, row: Row) -> Iterator[str]:
    yield str(row.merged or "")
    for name in _WORK:
        yield "" if "model" in report.by else str(getattr(row.figures, name))
    for name in _TOKENS:
        yield str(getattr(row.figures, name))
    yield usd_string(row.figures.estimated)
