"""`watcher status`: what is going on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from watcher.cli.context import (
    ALERTS_FIRING,
    DEFAULT_CONFIG,
    AsJson,
    ConfigFile,
    clock_for,
    load_settings,
    open_store,
    print_json,
)

if TYPE_CHECKING:
    from rich.console import Console

    from watcher.overview import Overview
    from watcher.status import Status

SHOWN_BUDGETS = 20
_FIGURES_WIDTH = 46


def register(app: typer.Typer) -> None:
    """Add this group's command."""
    app.command("status")(status)


def status(
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 4 while an alert fires.")] = False,
) -> None:
    """Say how the spend stands, what fires, and whether the data are fresh."""
    from rich.console import Console

    from notifiers.alert_json import alert_json
    from watcher.status import read_status, to_json

    settings = load_settings(config)
    with open_store(settings) as store:
        receivers = [receiver.name for receiver in settings.receivers]
        found = read_status(store, clock_for(settings).now(), receivers)
    if as_json:
        print_json(to_json(found, alert_json))
    else:
        show(found, Console())
    if exit_code and found.firing:
        raise typer.Exit(ALERTS_FIRING)


def show(status: Status, console: Console) -> None:
    """Print a status for people, at 80 columns or more."""
    from rich.text import Text

    from watcher.lines import print_hanging

    if status.overview is not None:
        _figures(status.overview, status, console)
    for problem in status.problems:
        print_hanging(console, Text("  ! ", style="yellow"), Text(problem, style="yellow"))
    for note in status.notes:
        print_hanging(console, Text("  – ", style="dim"), Text(note, style="dim"))
    console.print()
    if status.firing:
        console.print(Text(f"{len(status.firing)} firing", style="bold red"))
        for alert in status.firing:
            print_hanging(console, Text(f"  {alert.severity.value:<9}"), Text(alert.summary))
    else:
        console.print(Text("Nothing fires.", style="green"))
    if status.overview is not None and status.overview.budgets:
        console.print()
        _budgets(status.overview, console)


def _figures(overview: Overview, status: Status, console: Console) -> None:
    from rich.text import Text

    from notifiers.text import ago, clean, when
    from rules.money import display_usd
    from watcher.lines import print_hanging

    total = overview.total
    console.print(Text(clean(overview.organization_name), style="bold"))
    settled = display_usd(total.month_settled)
    spent = f"today {display_usd(total.today)}, this month {display_usd(total.month)} ({settled} settled)"
    age = ago(overview.data_as_of, status.now)
    known, complete = when(overview.data_as_of, status.now), when(overview.complete_until, status.now)
    for line in (spent, f"data as of {known} ({age}); complete until {complete}"):
        print_hanging(console, Text("  "), Text(line))


def _budgets(overview: Overview, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    from notifiers.text import clean, percent
    from rules.money import display_usd

    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("budget", no_wrap=True)
    table.add_column("period", no_wrap=True)
    for title in ("used", "spent", "limit"):
        table.add_column(title, justify="right", no_wrap=True)
    room = max(console.width - _FIGURES_WIDTH, 20)
    for line in overview.budgets[:SHOWN_BUDGETS]:
        label = clean(f"{line.budget} {line.label}".strip(), room)
        used = percent(line.spent, line.limit)
        table.add_row(Text(label), line.period, used, display_usd(line.spent), display_usd(line.limit))
    console.print(table)
    if (hidden := len(overview.budgets) - SHOWN_BUDGETS) > 0:
        console.print(f"and {hidden} more: see --json")
