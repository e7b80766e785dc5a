"""The reconciliation as a table for people, within the width of the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from rich.console import Console
from rich.table import Table
from rich.text import Text

from notifiers.text import clean, shorten
from rules.model import Nano
from rules.money import NANO_PER_CENT, display_usd
from rules.reconciled import DayStanding, Sort
from watcher.cli.spend_labels import BETWEEN
from watcher.ledger.reconciliation_report import Reconciled, ReconciliationReport

_GAP = 2
_ID_ENDING = 6
_LEAST_LABEL = 22
_AMPLE_LABEL = 40
_LARGEST_PERCENT = 999
_WAITING: dict[DayStanding, str] = {
    "provisional": "the bill may still change",
    "estimated": "no bill yet",
    "open": "not over yet",
}
_LEFT_OUT: dict[Sort, str] = {
    "stand_in": "billed for models whose price is unknown; their estimate, {estimated}, is too high on purpose",
    "not_billed": "estimated for tokens that were billed nothing: blocked requests, free use or a credit",
    "no_usage": "billed for tokens that no usage shows",
    "not_metered": "billed for what has no tokens: code execution, session time",
    "outside": "estimated for Priority Tier, which no cost report holds",
}
_BY_ESTIMATE: frozenset[Sort] = frozenset({"not_billed", "outside"})


def show(report: ReconciliationReport, console: Console) -> None:
    """Print the rows, their total, the standing of the days, and what is left out and why.

    Where not all columns fit, the list price goes first, then the analytics' amounts.
    """
    title = f"Reconciliation of the UTC days {report.start:%Y-%m-%d} to {_last(report):%Y-%m-%d}"
    console.print(Text(title, style="bold"))
    if report.rows:
        console.print(_table(report, console.width))
    else:
        console.print("No day of these is settled and has usage to compare.")
    for line in _notes(report):
        console.print(Text(line, style="dim"))


def _table(report: ReconciliationReport, width: int) -> Table:
    rows = report.rows
    total = report.total
    shown = [*rows, total] if total is not None else list(rows)
    columns = [("estimated", [display_usd(row.estimated) for row in shown])]
    if any(row.reported is not None for row in shown):
        name = "reported" if all(row.reported is not None for row in shown) else "billed"
        columns.append((name, [display_usd(row.billed) for row in shown]))
    if any(row.analytics is not None for row in shown):
        columns.append(("analytics", [_usd(row.analytics) for row in shown]))
    columns += [("drift", [_signed(row.drift) for row in shown]), ("%", [_percent(row) for row in shown])]
    listed = ("list", [_usd(row.listed) for row in shown])
    days = [f"{row.start:%m-%d}{'' if row.standing == 'settled' else ' *'}" for row in rows if row.start is not None]
    room = width - (max(map(len, days)) + _GAP if days else 0) - sum(_width(column) + _GAP for column in columns)
    if room - _width(listed) - _GAP >= _AMPLE_LABEL:
        columns.insert(0, listed)
        room -= _width(listed) + _GAP
    elif room < _LEAST_LABEL and len(columns) == 5:
        room += _width(columns.pop(2)) + _GAP
    table = Table(box=None, pad_edge=False, header_style="dim", show_footer=total is not None, footer_style="bold")
    if days:
        table.add_column("day", no_wrap=True, min_width=max(map(len, days)))
    labels = _labels(report, max(room, 8))
    table.add_column(f"workspace{BETWEEN}model", "total" if total else "", no_wrap=True, max_width=max(room, 8))
    for name, cells in columns:
        footer = cells[-1] if total is not None else ""
        table.add_column(name, footer, justify="right", no_wrap=True, min_width=_width((name, cells)))
    for number in range(len(rows)):
        table.add_row(*days[number : number + 1], labels[number], *(cells[number] for _, cells in columns))
    return table


def _labels(report: ReconciliationReport, room: int) -> list[Text]:
    """Workspace and model of each row: the model whole if it can be, the workspace in what room that leaves."""
    names = {row.workspace: report.names.of(row.workspace or "") for row in report.rows}
    uses = Counter(names.values())
    labels = []
    for row in report.rows:
        name = names[row.workspace]
        ending = f" (…{clean((row.workspace or '')[-_ID_ENDING:])})" if uses[name] > 1 else ""
        model = clean(row.model or "", max(room - 9 - len(ending), 8))
        left = max(room - len(model) - len(BETWEEN) - len(ending), 3)
        label = Text(f"{shorten(clean(name), left)}{ending}{BETWEEN}{model}")
        label.truncate(room, overflow="ellipsis")
        labels.append(label)
    return labels


def _notes(report: ReconciliationReport) -> Iterator[str]:
    if report.rows:
        yield "Drift is the bill minus tokens times price, in percent of the latter; the total is of settled days."
    if any(row.standing not in {None, "settled"} for row in report.rows):
        yield "* The bill of that day may still change: it is not in the total."
    total = report.total
    if total is not None and total.source == "list":
        yield "Some of it is estimated at list prices, as no discount has been learned yet."
    if total is not None and total.reported is not None and total.analytics is not None:
        between = total.analytics - total.reported
        differ = f"differ from it by {_signed(between)}" if round(between / NANO_PER_CENT) else "agree with it"
        yield f"The cost report is the bill; the analytics' amounts {differ}."
    settled = [day for day, standing in report.days if standing == "settled"]
    if settled:
        yield f"Settled: {_spans(settled)}."
    waiting = [
        (words, [day for day, found in report.days if found == standing]) for standing, words in _WAITING.items()
    ]
    if any(days for _, days in waiting):
        yield f"Not compared: {', '.join(f'{_spans(days)} ({words})' for words, days in waiting if days)}."
    for sort, words in _LEFT_OUT.items():
        rows = [row for row in report.left_out if row.sort == sort]
        if rows:
            yield _left_out(rows, sort, words)


def _left_out(rows: Sequence[Reconciled], sort: Sort, words: str) -> str:
    estimated = sum(row.estimated for row in rows)
    amount = estimated if sort in _BY_ESTIMATE else sum(row.billed for row in rows)
    models = sorted({clean(row.model or "", 40) for row in rows if not (row.model or "(").startswith("(")})
    named = f" ({', '.join(models[:3])}{f' and {len(models) - 3} more' if len(models) > 3 else ''})" if models else ""
    return f"No drift: {display_usd(amount)} {words.format(estimated=display_usd(estimated))}{named}."


def _spans(days: Sequence[date]) -> str:
    """Days in order as stretches: "1–17 Nov" is "2026-11-01 to 11-17"."""
    spans: list[list[date]] = []
    for day in days:
        if spans and day - spans[-1][-1] == timedelta(days=1):
            spans[-1].append(day)
        else:
            spans.append([day])
    return ", ".join(str(span[0]) if len(span) == 1 else f"{span[0]} to {span[-1]:%m-%d}" for span in spans)


def _last(report: ReconciliationReport) -> date:
    return (report.end - timedelta(microseconds=1)).date()


def _width(column: tuple[str, Sequence[str]]) -> int:
    return max(map(len, (column[0], *column[1])))


def _usd(amount: Nano | None) -> str:
    return "-" if amount is None else display_usd(amount)


def _signed(amount: Nano) -> str:
    """With its sign; what is no cent is nothing."""
    cents = round(amount / NANO_PER_CENT)
    return f"+{display_usd(amount)}" if cents > 0 else display_usd(amount if cents else 0)


def _percent(row: Reconciled) -> str:
    share = row.drift_percent
    if share is None:
        return "-"
    return (
        f">{_LARGEST_PERCENT} %" if share > _LARGEST_PERCENT else f"{share:+.1f} %" if abs(share) >= 0.05 else "0.0 %"
    )
