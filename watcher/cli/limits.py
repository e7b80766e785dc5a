"""`watcher limits`: what the provider lets the organization spend and send."""

from __future__ import annotations

import typer

from watcher.cli.context import (
    DEFAULT_CONFIG,
    AsJson,
    ConfigFile,
    clock_for,
    load_settings,
    open_store,
    print_json,
)
from watcher.cli.organizations import OnlyOrganization, the_one


def register(app: typer.Typer) -> None:
    """Add this group's command."""
    app.command("limits")(limits)


def limits(config: ConfigFile = DEFAULT_CONFIG, only: OnlyOrganization = None, as_json: AsJson = False) -> None:
    """Show spend limits beside what is spent, rate limits, and what changed of them in the last 30 days.

    These are the limits that the provider enforces; budgets are the ones that this program watches.
    """
    from watcher.limits import limits_report
    from watcher.pricing import PriceBook

    settings = load_settings(config)
    now = clock_for(settings).now()
    with open_store(settings) as store:
        organization = the_one(settings, store, only).id
        report = limits_report(store, PriceBook(settings.prices), organization, now)
    if as_json:
        from watcher.limits.forms import to_json

        print_json(to_json(report))
    else:
        from rich.console import Console

        from watcher.cli.limits_table import show

        show(report, Console(), now)
