"""`watcher alerts`: what fires, and what fired."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from watcher.cli.context import DEFAULT_CONFIG, AsJson, ConfigFile, clock_for, load_settings, open_store, print_json
from watcher.cli.organizations import OnlyOrganization, chosen

if TYPE_CHECKING:
    from datetime import datetime

    from rules.model import Alert
    from watcher.store import Store


def register(app: typer.Typer) -> None:
    """Add this group's command."""
    app.command("alerts")(alerts)


def alerts(
    config: ConfigFile = DEFAULT_CONFIG,
    only: OnlyOrganization = None,
    as_json: AsJson = False,
    history: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False,
) -> None:
    """List the alerts that are open, newest first.

    Below them the feedback that waits for a cycle, or was refused within the last day.
    """
    from notifiers.alert_json import alert_json

    settings = load_settings(config)
    with open_store(settings) as store:
        found = list(store.alerts.list() if history else store.alerts.open())
        several = len(settings.organizations) > 1
        of = {each.id: each.shown for each in chosen(settings, store, only)} if found and (only or several) else {}
        if of:
            found = [alert for alert in found if alert.subject.scope.organization in of]
        now = clock_for(settings).now()
        asked = [] if as_json else _asked(store, now)
    found.sort(key=lambda alert: (alert.starts_at, alert.id), reverse=True)
    if as_json:
        print_json([alert_json(alert) for alert in found])
    elif found:
        _print(found, of if several else {}, now)
    else:
        typer.echo("Nothing has been told yet." if history else "Nothing is open.")
    for sentence in asked:
        typer.echo(sentence)


def _asked(store: Store, now: datetime) -> list[str]:
    """The feedback that waits for the next cycle, and what was refused of late."""
    from rules.feedback import WHAT
    from watcher.cli.silence import SHOWN_REFUSED
    from watcher.cli.silence_table import asked_for

    return list(asked_for(store.commands.pending(), store.journal.list(now - SHOWN_REFUSED, whats=WHAT), now, WHAT))


def _print(found: list[Alert], called: Mapping[str, str], now: datetime) -> None:
    from rich.console import Console
    from rich.text import Text

    from notifiers.text import ago, clean
    from watcher.lines import print_hanging
    from watcher.quiet_words import quiet_words
    from watcher.why_words import why_words

    console = Console()
    colours = {"info": "cyan", "warning": "yellow", "critical": "red"}
    for alert in found:
        lead = Text.assemble(
            (f"{alert.severity.value:<9}", f"bold {colours[alert.severity.value]}"), f"{alert.state.value:<10}"
        )
        times = f"began {ago(alert.starts_at, now)}"
        if alert.ends_at is not None:
            times += f", ended {ago(alert.ends_at, now)}"
        told = f", told by {clean(alert.told_by)}" if alert.told_by else ""
        if (organization := called.get(alert.subject.scope.organization)) is not None:
            times = f"{clean(organization)}, {times}"
        print_hanging(console, lead, Text(alert.summary))
        for words in why_words(alert):
            print_hanging(console, Text(" " * len(lead)), Text(words))
        print_hanging(console, Text(" " * len(lead)), Text(f"{alert.id}, {times}{told}", style="dim"))
        for words in quiet_words(alert, now):
            print_hanging(console, Text(" " * len(lead)), Text(words, style="dim"))
    open_anomalies = [one for one in found if one.subject.kind == "anomaly" and one.ends_at is None]
    if any(one.judged is None for one in open_anomalies):
        hint = "Meant to be? `watcher feedback ID expected`; if not, `watcher feedback ID real`."
        typer.echo(hint, err=True)
