"""`watcher status`: what is going on."""

from __future__ import annotations

import json
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
)

if TYPE_CHECKING:
    from rich.console import Console

    from watcher.status import Status


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
        found = read_status(store, clock_for(settings).now())
    if as_json:
        typer.echo(json.dumps(to_json(found, alert_json), indent=2, ensure_ascii=False))
    else:
        show(found, Console())
    if exit_code and found.firing:
        raise typer.Exit(ALERTS_FIRING)


def show(status: Status, console: Console) -> None:
    """Print a status for people, at 80 columns or more."""
    from rich.table import Table
    from rich.text import Text

    from rules.money import display_usd
    from watcher.web.present import ago, moment, name, percent

    overview = status.overview
    if overview is not None:
        total = overview.total
        console.print(Text(name(overview.organization_name), style="bold"))
        console.print(
            f"  today {display_usd(total.today)}, this month {display_usd(total.month)} "
            f"({display_usd(total.month_settled)} settled)"
        )
        age = ago(overview.data_as_of, status.now)
        console.print(
            f"  data as of {moment(overview.data_as_of)} ({age}); complete until {overview.complete_until:%H:%M}"
        )
    for problem in status.problems:
        console.print(Text(f"  ! {problem}", style="yellow"))
    console.print()
    if status.firing:
        console.print(Text(f"{len(status.firing)} firing", style="bold red"))
        for alert in status.firing:
            console.print(Text(f"  {alert.severity.value}: {alert.summary}"))
    else:
        console.print(Text("Nothing fires.", style="green"))
    if overview is not None and overview.budgets:
        console.print()
        table = Table(box=None, pad_edge=False, header_style="dim")
        for title, side in (
            ("budget", "left"),
            ("period", "left"),
            ("used", "right"),
            ("spent", "right"),
            ("limit", "right"),
        ):
            table.add_column(title, justify=side)  # type: ignore[arg-type]  # the literal is lost in the tuple
        for line in overview.budgets[:20]:
            label = name(f"{line.budget} {line.label}".strip())
            used = percent(line.spent / line.limit)
            table.add_row(Text(label), line.period, used, display_usd(line.spent), display_usd(line.limit))
        console.print(table)
        if len(overview.budgets) > 20:
            console.print(f"… and {len(overview.budgets) - 20} more")
