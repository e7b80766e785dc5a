"""The spend of several organizations as one report, in which every row says whose it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime

from rules.model import Names
from watcher.ledger.account import SpendRow
from watcher.ledger.spend import Previous, SpendReport

ORGANIZATION = "organization"
"""What a merged report is broken down by before everything else."""
_FIRST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Part:
    """The report of one organization, by the organization's id and what people call it."""

    organization: str
    called: str
    report: SpendReport


def merge(parts: Sequence[Part]) -> SpendReport:
    """One report of several, all answers to the same question; ValueError if there is none.

    Rows are those of all, dearest first in each bucket, and the totals are added. The data are as old as the oldest;
    what was spent before is known only where it is known of each.
    """
    if not parts:
        raise ValueError("there is nothing to merge")
    reports = [part.report for part in parts]
    first = reports[0]
    rows = [
        replace(row, parts=((ORGANIZATION, part.organization), *row.parts))
        for part in parts
        for row in part.report.rows
    ]
    ages = [report.data_as_of for report in reports if report.data_as_of is not None]
    return replace(
        first,
        by=(ORGANIZATION, *first.by),
        data_as_of=min(ages, default=None),
        rows=tuple(sorted(rows, key=lambda row: (row.start or _FIRST, -row.cost, row.parts))),
        total=_total([report.total for report in reports]),
        names=_names([report.names for report in reports], {part.organization: part.called for part in parts}),
        unpriced=frozenset().union(*(report.unpriced for report in reports)),
        previous=_previous([report.previous for report in reports]),
    )


def _total(totals: Sequence[SpendRow]) -> SpendRow:
    before = [row.previous for row in totals if row.previous is not None]
    return replace(
        totals[0],
        settled=sum(row.settled for row in totals),
        provisional=sum(row.provisional for row in totals),
        estimated=sum(row.estimated for row in totals),
        tokens=tuple(sum(kind) for kind in zip(*(row.tokens for row in totals), strict=True)),
        web_searches=sum(row.web_searches for row in totals),
        previous=sum(before) if len(before) == len(totals) else None,
        trend=tuple(sum(bar) for bar in zip(*(row.trend for row in totals), strict=True)),
    )


def _previous(windows: Sequence[Previous | None]) -> Previous | None:
    """The same window before of each; its cost is known where each one's is."""
    known = [window for window in windows if window is not None]
    if not known:
        return None
    costs = [window.cost for window in known if window.cost is not None]
    cost = sum(costs) if len(costs) == len(known) else None
    return replace(known[0], cost=cost, ended=sum(window.ended for window in known))


def _names(names: Sequence[Names], organizations: Mapping[str, str]) -> Names:
    merged = {
        field.name: {ident: name for each in names for ident, name in getattr(each, field.name).items()}
        for field in fields(Names)
    }
    merged["by_id"] |= organizations
    return Names(**merged)
