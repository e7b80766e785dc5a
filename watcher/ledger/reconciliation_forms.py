"""The reconciliation as JSON and CSV: money as exact decimal strings of dollars, days as UTC dates."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

from rules.model import DEFAULT_WORKSPACE, Nano
from rules.money import usd_string
from watcher.ledger.reconciliation_report import Reconciled, ReconciliationReport
from watcher.ledger.spend_csv import defused
from watcher.ledger.spend_json import utc_text

_AMOUNTS = ("estimated_usd", "billed_usd", "listed_usd", "reported_usd", "analytics_usd", "drift_usd", "drift_percent")


def reconciliation_json(report: ReconciliationReport) -> dict[str, Any]:
    """`from`, `to`, `currency`, `days` with their standing, `rows`, `left_out` and `total` (null without settled days).

    A row has `workspace` (null for the default one), `workspace_name`, `model`, the amounts (null where not known), and
    `price_source`; by day also `day` and `standing`, else `days`, how many it holds. What is left out has `why`, and no
    drift. Models that are none stand in brackets, as "(web searches)".
    """
    return {
        "from": utc_text(report.start),
        "to": utc_text(report.end),
        "currency": "USD",
        "days": [{"day": str(day), "standing": standing} for day, standing in report.days],
        "rows": [_row(report, row) for row in report.rows],
        "left_out": [_row(report, row) for row in report.left_out],
        "total": None if report.total is None else {"days": _settled(report), **_amounts(report.total)},
    }


def reconciliation_csv(report: ReconciliationReport) -> str:
    """One header, one line a row, then one a row that is left out, whose `why` is not "compared".

    Lines end in a line feed, and what is null is empty. Names are defused as in `watcher.ledger.spend_csv`.
    """
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    first = ["day", "standing"] if report.bucket == "day" else ["days"]
    writer.writerow([*first, "workspace", "workspace_name", "model", "why", *_AMOUNTS, "price_source"])
    for row in (*report.rows, *report.left_out):
        found = _row(report, row)
        names = [defused(found[name] or "") for name in ("workspace", "workspace_name", "model")]
        amounts = ["" if found.get(name) is None else found[name] for name in _AMOUNTS]
        writer.writerow([*(found[name] for name in first), *names, row.sort, *amounts, row.source or ""])
    return out.getvalue()


def _row(report: ReconciliationReport, row: Reconciled) -> dict[str, Any]:
    workspace = None if row.workspace == DEFAULT_WORKSPACE else row.workspace
    scope: dict[str, Any] = {"workspace": workspace, "workspace_name": report.names.by_id.get(workspace or "")}
    slot = {"days": row.days} if row.start is None else {"day": str(row.start), "standing": row.standing}
    why = {} if row.sort == "compared" else {"why": row.sort}
    return {**slot, **scope, "model": row.model, **why, **_amounts(row), "price_source": row.source}


def _amounts(row: Reconciled) -> dict[str, Any]:
    amounts: dict[str, Any] = {
        "estimated_usd": usd_string(row.estimated),
        "billed_usd": usd_string(row.billed),
        "listed_usd": _usd(row.listed),
        "reported_usd": _usd(row.reported),
        "analytics_usd": _usd(row.analytics),
    }
    if row.sort == "compared":
        amounts |= {"drift_usd": usd_string(row.drift), "drift_percent": row.drift_percent}
    return amounts


def _usd(amount: Nano | None) -> str | None:
    return None if amount is None else usd_string(amount)


def _settled(report: ReconciliationReport) -> int:
    return sum(standing == "settled" for _, standing in report.days)
