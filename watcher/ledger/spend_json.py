"""The spend report as JSON: money as exact decimal strings of dollars, times as UTC with a Z."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rules.model import CONSOLE, DEFAULT_WORKSPACE, TAG, UNATTRIBUTED, UNKNOWN, UNTAGGED, Dimension
from rules.money import usd_string
from watcher.ledger.account import SpendRow
from watcher.ledger.spend import SpendReport
from watcher.pricing import KINDS

_KINDS_OF_NULL = (
    (UNATTRIBUTED, "unattributed"),
    (CONSOLE, "console"),
    (DEFAULT_WORKSPACE, "default_workspace"),
    (UNKNOWN, "unknown"),
    (UNTAGGED, "untagged"),
)
"""What a null in a row stands for; of several, the first is told."""
_NULLS = {"", *(value for value, _ in _KINDS_OF_NULL)}
_NAMED = frozenset({"organization", "workspace", "api_key", "user"})


def spend_json(report: SpendReport) -> dict[str, Any]:
    """The report as a JSON document: `from`, `to`, `by`, `currency`, `data_as_of`, `rows`, `total`.

    A row has only the dimensions asked for, with the names of keys, workspaces and users (null where none is known),
    and `start` where the report is by day or hour. A dimension without a value is null, and `kind` says what it stands
    for.
    A report of a part of the spend has that part as `where`, as it was asked for.
    `unpriced` lists the models with a stand-in price, where there are any. A row that stands for several is of `kind`
    "others", and `merged` says for how many. A report that was compared has `previous` (the window before and its cost,
    null where it is not known), and every row `previous_usd` and `change_percent`, as in `change_percent` below.
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
    if report.where:
        document["where"] = [f"{word}={pattern}" for word, pattern in report.where]
    if report.previous is not None:
        before = report.previous
        document["previous"] = {
            "from": utc_text(before.start),
            "to": utc_text(before.end),
            "cost_usd": None if before.cost is None else usd_string(before.cost),
            "ended_usd": None if before.cost is None else usd_string(before.ended),
        }
        for row, shown in zip((*report.rows, report.total), (*document["rows"], document["total"]), strict=True):
            shown["previous_usd"] = None if row.previous is None else usd_string(row.previous)
            shown["change_percent"] = change_percent(row)
    if report.unpriced:
        document["unpriced"] = sorted(report.unpriced)
    return document


def utc_text(moment: datetime) -> str:
    """A moment as RFC 3339 in UTC: "2026-11-01T00:00:00Z"."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def change_percent(row: SpendRow) -> float | None:
    """The row's cost against the window before, in percent to a tenth; None where nothing was spent then.

    It is also None where what was spent then is not known, or was a credit.
    """
    if row.previous is None or row.previous <= 0:
        return None
    return round(100 * (row.cost - row.previous) / row.previous, 1)


def kind_of(row: SpendRow) -> str | None:
    """What a null in a row stands for: "console", "default_workspace", "unattributed", "unknown", "untagged", or None.

    "others" is a row that stands for several.
    """
    if row.merged:
        return "others"
    values = {value for dimension, value in row.parts if ident_of(row, dimension) is None}
    return next((kind for value, kind in _KINDS_OF_NULL if value in values), None)


def _scope(report: SpendReport, row: SpendRow) -> dict[str, Any]:
    scope: dict[str, Any] = {}
    for dimension in report.by:
        ident = ident_of(row, dimension)
        scope[dimension] = ident
        scope |= names_of(report, dimension, ident)
    kind = kind_of(row)
    if kind is not None:
        scope["kind"] = kind
    if row.merged:
        scope["merged"] = row.merged
    if row.start is not None:
        scope["start"] = utc_text(row.start)
    return scope


def ident_of(row: SpendRow, dimension: Dimension) -> str | None:
    """The id, or the value of a tag, in a dimension of a row; None where it has none."""
    ident = row.of(dimension)
    if dimension.startswith(TAG):  # what an owner writes into a tag is never a word of ours
        return None if ident == UNTAGGED else ident
    return None if ident in _NULLS else ident


def names_of(report: SpendReport, dimension: Dimension, ident: str | None) -> dict[str, str | None]:
    """The fields beside a dimension that say what its id is called; those of an id without a name are None."""
    names = report.names
    found = {} if dimension not in _NAMED else {f"{dimension}_name": names.by_id.get(ident or "")}
    return found | ({"user_email": names.emails.get(ident or "")} if dimension == "user" else {})


def _figures(row: SpendRow) -> dict[str, Any]:
    return {
        "cost_usd": usd_string(row.cost),
        "settled_usd": usd_string(row.settled),
        "provisional_usd": usd_string(row.provisional),
        "estimated_usd": usd_string(row.estimated),
        "tokens": dict(zip(KINDS, row.tokens, strict=False)),
        "web_searches": row.web_searches,
    }
