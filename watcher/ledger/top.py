"""A spend report cut to its dearest rows, with what was cut off as one row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from watcher.ledger.account import SpendRow
from watcher.ledger.spend import SpendReport


def top_rows(report: SpendReport, most: int) -> SpendReport:
    """The report with the `most` dearest rows of each bucket; those past them are one row that says how many it holds.

    The rows still sum to the total. ValueError if `most` is less than one.
    """
    if most < 1:
        raise ValueError(f"at least one row must stay, not {most}")
    kept: list[SpendRow] = []
    for _, bucket in groupby(report.rows, key=lambda row: row.start):
        rows = list(bucket)
        kept += rows[:most]
        if rows[most:]:
            kept.append(_merged(rows[most:]))
    return replace(report, rows=tuple(kept))


def _merged(rows: Sequence[SpendRow]) -> SpendRow:
    known = [row.previous for row in rows if row.previous is not None]
    return SpendRow(
        start=rows[0].start,
        parts=(),
        settled=sum(row.settled for row in rows),
        provisional=sum(row.provisional for row in rows),
        estimated=sum(row.estimated for row in rows),
        tokens=tuple(sum(kind) for kind in zip(*(row.tokens for row in rows), strict=True)),
        web_searches=sum(row.web_searches for row in rows),
        previous=sum(known) if len(known) == len(rows) else None,
        trend=tuple(sum(bar) for bar in zip(*(row.trend for row in rows), strict=True)),
        merged=len(rows),
    )
