"""The spend report as CSV for spreadsheets: every row, no total, money as exact decimal strings of dollars."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO

from rules.model import Dimension
from rules.money import usd_string
from rules.wording import clean
from watcher.ledger.account import SpendRow
from watcher.ledger.spend import SpendReport
from watcher.ledger.spend_json import change_percent, ident_of, kind_of, names_of, utc_text
from watcher.pricing import KINDS

_FIGURES = ("cost_usd", "settled_usd", "provisional_usd", "estimated_usd")
_BEGIN_A_FORMULA = tuple("=+-@＝＋－＠")
"""Spreadsheets take the full-width signs for the same."""
_CONTROLS = ("\t", "\r")


def spend_csv(report: SpendReport) -> str:
    """One header and one line a row, fields as in the JSON; what has no value there is empty here.

    Lines end in a line feed. In names, line breaks and tabs become blanks and other control characters U+FFFD; a text
    that a spreadsheet might take for a formula begins with an apostrophe.
    """
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_header(report))
    for row in report.rows:
        writer.writerow([*_scope(report, row), *_amounts(report, row)])
    return out.getvalue()


def defused(text: str) -> str:
    """A text from outside as a harmless cell: `=1+1` becomes `'=1+1`."""
    harmless = clean(text, max(len(text), 1))
    risky = text.startswith(_CONTROLS) or text.lstrip().startswith(_BEGIN_A_FORMULA)
    return f"'{harmless}" if risky else harmless


def _header(report: SpendReport) -> list[str]:
    scope = [] if report.bucket == "total" else ["start"]
    for dimension in report.by:
        scope += [defused(dimension), *names_of(report, dimension, None)]
    change = [] if report.previous is None else ["previous_usd", "change_percent"]
    return [*scope, "kind", *_FIGURES, *change, *KINDS]


def _scope(report: SpendReport, row: SpendRow) -> Iterator[str]:
    if row.start is not None:
        yield utc_text(row.start)
    for dimension in report.by:
        yield from _cells(report, row, dimension)
    yield kind_of(row) or ""


def _cells(report: SpendReport, row: SpendRow, dimension: Dimension) -> Iterator[str]:
    ident = ident_of(row, dimension)
    yield defused(ident or "")
    yield from (defused(name or "") for name in names_of(report, dimension, ident).values())


def _amounts(report: SpendReport, row: SpendRow) -> Iterator[str]:
    yield from map(usd_string, (row.cost, row.settled, row.provisional, row.estimated))
    if report.previous is not None:
        change = change_percent(row)
        yield "" if row.previous is None else usd_string(row.previous)
        yield "" if change is None else f"{change:.1f}"
    yield from map(str, (*row.tokens, row.web_searches))
