"""`watcher limits`: what the provider lets the organization spend and send."""

from __future__ import annotations

import typer

from watcher.cli.context import (
    DEFAULT_CONFIG,
    AsJson,
    ConfigFile,
    clock_for,
    fail,
    load_settings,
    open_store,
    print_json,
)


def register(app: typer.Typer) -> None:
    """Add this group's command."""
    app.command("limits")(limits)


def limits(config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Show spend limits beside what is spent, rate limits, and what changed of them in the last 30 days.

    These are the limits that the provider enforces; budgets are the ones that this program watches.
    """
    from watcher.limits import limits_report
    from watcher.pricing import PriceBook

    settings = load_settings(config)
    now = clock_for(settings).now()
    with open_store(settings) as store:
        organization = store.cursor.get("organization")
        if organization is None:
            fail("Nothing has been read yet: run `watcher poll` or `watcher run` first.")
        report = limits_report(store, PriceBook(settings.prices), organization, now)
    if as_json:
        from watcher.limits.forms import to_json

        print_json(to_json(report))
    else:
        from rich.console import Console

        from watcher.cli.limits_table import show

        show(report, Console(), now)
