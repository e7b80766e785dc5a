"""The spend report as JSON: money as exact decimal strings of dollars, times as UTC with a Z."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rules.model import CONSOLE, DEFAULT_WORKSPACE, UNATTRIBUTED, Dimension
from rules.money import usd_string
from watcher.ledger.spend import SpendReport, SpendRow
from watcher.pricing import KINDS

_KINDS_OF_NULL = ((UNATTRIBUTED, "unattributed"), (CONSOLE, "console"), (DEFAULT_WORKSPACE, "default_workspace"))
"""What a null in a row stands for; of several, the first is told."""


def spend_json(report: SpendReport) -> dict[str, Any]:
    """The report as a JSON document: `from`, `to`, `by`, `currency`, `data_as_of`, `rows`, `total`.

    A row has only the dimensions asked for, with the names of keys and workspaces (null where none is known), and
    `start` where the report is by day or hour. A dimension without an id is null, and `kind` says what it stands for.
    `unpriced` lists the models with a stand-in price, where there are any.
    """
    document: dict[str, Any] = {
        "from": utc_text(report.start),
        "to": utc_text(report.end),
        "by": list(report.by),
        "currency": "USD",
        "data_as_of": None if report.data_as_of is None else utc_text(report.data_as_of),
        "rows": [{**_scope(report, row), **_figures(row)} for row in report.rows],
        "total": _figures(report.total),
    }
    if report.unpriced:
        document["unpriced"] = sorted(report.unpriced)
    return document


def utc_text(moment: datetime) -> str:
    """A moment as RFC 3339 in UTC: "2026-11-01T00:00:00Z"."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def kind_of(row: SpendRow) -> str | None:
    """What a row without an id stands for: "console", "default_workspace", "unattributed", or None."""
    parts = {row.api_key, row.workspace, row.model}
    return next((kind for ident, kind in _KINDS_OF_NULL if ident in parts), None)


def _scope(report: SpendReport, row: SpendRow) -> dict[str, str | None]:
    scope: dict[str, str | None] = {}
    for dimension in report.by:
        ident = _ident(row, dimension)
        scope[dimension] = ident
        if dimension != "model":
            scope[f"{dimension}_name"] = None if ident is None else report.names.by_id.get(ident)
    kind = kind_of(row)
    if kind is not None:
        scope["kind"] = kind
    if row.start is not None:
        scope["start"] = utc_text(row.start)
    return scope


def _ident(row: SpendRow, dimension: Dimension) -> str | None:
    ident: str | None = getattr(row, dimension)
    return None if ident in {CONSOLE, DEFAULT_WORKSPACE, UNATTRIBUTED, ""} else ident


def _figures(row: SpendRow) -> dict[str, Any]:
    return {
        "cost_usd": usd_string(row.cost),
        "settled_usd": usd_string(row.settled),
        "provisional_usd": usd_string(row.provisional),
        "estimated_usd": usd_string(row.estimated),
        "tokens": dict(zip(KINDS, row.tokens, strict=False)),
        "web_searches": row.web_searches,
    }
