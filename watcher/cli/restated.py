"""`watcher spend --restated`: what the provider told otherwise later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import typer

from watcher.cli.context import print_json

if TYPE_CHECKING:
    from rich.console import Console

    from watcher.ledger.reading import RevisedStore
    from watcher.ledger.restatements import Restatement

_RIGHT = {"before", "after", "change", "late"}
_CALLED = {"cost": "cost report", "analytics": "hourly"}


def restated(
    store: RevisedStore,
    organization: str,
    window: tuple[datetime, datetime],
    *,
    by_hour: bool,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Print the restatements of the days and hours that begin in the window."""
    from watcher.ledger.restatements import restatements, restatements_csv, restatements_json

    found = restatements(store, organization, *window, by_hour=by_hour)
    if as_json:
        print_json(restatements_json(found, *window))
    elif as_csv:
        typer.echo(restatements_csv(found), nl=False)
    else:
        from rich.console import Console

        show(found, window, Console())


def show(found: Sequence[Restatement], window: tuple[datetime, datetime], console: Console) -> None:
    """Print them as a table for people, eighty columns wide or less."""
    from rich.table import Table
    from rich.text import Text

    start, end = window
    title = f"Restated, of the days and hours from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"
    console.print(Text(title, style="bold"))
    if not found:
        console.print("Nothing that was over when it was told has been restated since.")
        return
    columns = _fitting(found, console.width)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in columns:
        table.add_column(name, no_wrap=True, justify="right" if name in _RIGHT else "left")
    for cells in zip(*columns.values(), strict=True):
        table.add_row(*cells)
    console.print(table)
    if any(each.before == each.after for each in found):
        console.print(
            Text("~ is an amount that moved between keys, workspaces or kinds, and not the sum.", style="dim")
        )


def _fitting(found: Sequence[Restatement], width: int) -> dict[str, list[str]]:
    """The columns, without those that follow from others where not all have room."""
    from notifiers.text import duration
    from rules.money import display_usd

    columns = {
        "of": [f"{each.start:%Y-%m-%d}" if each.hours != 1 else f"{each.start:%m-%d %H:%M}" for each in found],
        "source": [_CALLED[each.source] + (f", {each.hours} h" if _is_several(each) else "") for each in found],
        "before": [display_usd(each.before) for each in found],
        "after": [display_usd(each.after) for each in found],
        "change": [_change(each) for each in found],
        "seen (UTC)": [f"{each.observed_at:%m-%d %H:%M}" for each in found],
        "late": [duration(each.late) for each in found],
    }
    for name in ("late", "change"):
        if sum(2 + max(map(len, (title, *cells))) for title, cells in columns.items()) - 2 > width:
            del columns[name]
    return columns


def _is_several(each: Restatement) -> bool:
    return each.source == "analytics" and each.hours != 1


def _change(each: Restatement) -> str:
    from rules.money import display_usd

    if each.after == each.before:
        return f"~{display_usd(each.moved // 2)}"
    change = each.after - each.before
    return f"{'+' if change > 0 else ''}{display_usd(change)}"
