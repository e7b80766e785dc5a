"""The Claude Code report as tables for people, one for each kind of customer, at 80 columns or more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

from rich.console import Console
from rich.table import Table
from rich.text import Text

from notifiers.text import LONGEST_NAME, clean, plural, short_count, shorten
from rules.money import display_usd
from watcher.claude_code.forms import meaning
from watcher.claude_code.report import Figures, Report, Row
from watcher.lines import print_hanging

_TITLES = {"api": "API", "subscription": "Subscription"}
_NAMES_LEAST = 8
_GAP = 2
_MOST_DAYS_NAMED = 5

_Column = tuple[str, Callable[[Figures], str]]


def show(report: Report, console: Console) -> None:
    """Print each kind of customer by itself: there is no sum of what is billed and what is not."""
    last = report.end - timedelta(days=1)
    span = f"on {report.start}" if last == report.start else f"from {report.start} to {last}"
    console.print(Text(f"Claude Code {span}, by UTC day", style="bold"))
    for section in report.sections:
        console.print()
        title = _TITLES.get(section.customer_type, clean(section.customer_type))
        lead = Text(f"{title}: ", style="bold")
        print_hanging(console, lead, Text(f"{meaning(section)}.", style="dim"))
        console.print(_table(report, section.rows, section.total, console.width))
    if not report.sections:
        console.print("Nothing was done with it.")
    console.print()
    for note in _notes(report):
        print_hanging(console, Text(), Text(note, style="dim"))


def _table(report: Report, rows: tuple[Row, ...], total: Figures, width: int) -> Table:
    columns = _columns(report)
    table = Table(box=None, pad_edge=False, header_style="dim", show_footer=True, footer_style="bold")
    days = "day" in report.by
    if days:
        table.add_column("day", "" if len(report.by) > 1 else "total", no_wrap=True, min_width=10)
    wide = [max(map(len, (title, tell(total), *(tell(row.figures) for row in rows)))) for title, tell in columns]
    labels = [part for part in ("user", "model") if part in report.by]
    taken = sum(wide) + _GAP * len(wide) + (10 + _GAP if days else 0) + _GAP * (len(labels) - 1)
    room = max((width - taken) // max(len(labels), 1), _NAMES_LEAST)
    for number, part in enumerate(labels):
        table.add_column(part, "" if number else "total", no_wrap=True, max_width=room)
    for (title, tell), size in zip(columns, wide, strict=True):
        table.add_column(title, tell(total), justify="right", no_wrap=True, min_width=size)
    for row in rows:
        cells = [Text(row.key.day.isoformat() if row.key.day else "")] if days else []
        cells += [_label(row, part, room, first=not number) for number, part in enumerate(labels)]
        table.add_row(*cells, *(tell(row.figures) for _, tell in columns))
    return table


def _columns(report: Report) -> list[_Column]:
    """By model only tokens have figures, so they are told by kind; otherwise what was done is told too."""
    estimate: _Column = ("estimate", lambda figures: display_usd(figures.estimated))
    if "model" in report.by:
        tokens: list[_Column] = [
            ("input", lambda figures: short_count(figures.input)),
            ("output", lambda figures: short_count(figures.output)),
            ("cached", lambda figures: short_count(figures.cache_read + figures.cache_creation)),
        ]
        return [*tokens, estimate]
    return [
        ("sessions", lambda figures: f"{figures.sessions:,}"),
        ("lines", lambda figures: f"+{short_count(figures.lines_added)} -{short_count(figures.lines_removed)}"),
        ("commits", lambda figures: f"{figures.commits:,}"),
        ("PRs", lambda figures: f"{figures.pull_requests:,}"),
        ("tokens", lambda figures: short_count(figures.tokens)),
        estimate,
    ]


def _label(row: Row, part: str, room: int, *, first: bool) -> Text:
    if row.merged:
        text = f"others ({row.merged:,})" if first else ""
    elif part == "model":
        text = shorten(clean(row.key.model or "no model", LONGEST_NAME), room)
    else:
        ending = " (key)" if row.key.actor_kind == "api_key" else ""
        text = shorten(clean(row.name or "nobody", LONGEST_NAME), max(room - len(ending), 4)) + ending
    label = Text(text)
    label.truncate(room, overflow="ellipsis")
    return label


def _notes(report: Report) -> Iterator[str]:
    if report.offered is False:
        yield "The Claude Code report is not offered to this key."
    if report.sections:
        yield "Estimates are the provider's own; add neither to `watcher spend`, which has the API's part already."
    if report.missing:
        yield f"Not read yet: {_named(report.missing)}."
    if report.held:
        yield f"Came back empty and is not believed, so what was read before stands: {_named(report.held)}."
    if report.complete_until is not None:
        yield f"Whole days are read until {_minute(report.complete_until)} UTC; the last week may still grow."


def _named(days: tuple[date, ...]) -> str:
    listed = ", ".join(day.isoformat() for day in days[:_MOST_DAYS_NAMED])
    more = len(days) - _MOST_DAYS_NAMED
    return f"{listed} and {plural(more, 'day')} more" if more > 0 else listed


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
