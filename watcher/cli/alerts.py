"""`watcher alerts`: what fires, and what fired."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from watcher.cli.context import DEFAULT_CONFIG, AsJson, ConfigFile, clock_for, load_settings, open_store

if TYPE_CHECKING:
    from datetime import datetime

    from rules.model import Alert


def register(app: typer.Typer) -> None:
    """Add this group's command."""
    app.command("alerts")(alerts)


def alerts(
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
    history: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False,
) -> None:
    """List the alerts that are open, newest first."""
    from notifiers.alert_json import alert_json

    settings = load_settings(config)
    with open_store(settings) as store:
        found = list(store.alerts.list() if history else store.alerts.open())
    found.sort(key=lambda alert: (alert.starts_at, alert.id), reverse=True)
    if as_json:
        typer.echo(json.dumps([alert_json(alert) for alert in found], indent=2, ensure_ascii=False))
        return
    _print(found, clock_for(settings).now())


def _print(found: list[Alert], now: datetime) -> None:
    from rich.console import Console
    from rich.text import Text

    from watcher.web.present import ago

    console = Console()
    if not found:
        console.print("Nothing is open.")
        return
    colours = {"info": "cyan", "warning": "yellow", "critical": "red"}
    for alert in found:
        line = Text()
        line.append(f"{alert.severity.value:<9}", style=f"bold {colours[alert.severity.value]}")
        line.append(f"{alert.state.value:<9}")
        line.append(alert.summary)
        told = f"  told by {alert.inhibited_by}" if alert.inhibited_by else ""
        line.append(f"\n         {alert.id}  began {ago(alert.starts_at, now)}{told}", style="dim")
        console.print(line)
