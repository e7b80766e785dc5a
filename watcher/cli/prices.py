"""`watcher prices`: what the price book holds for the models in use."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

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
from watcher.cli.organizations import OnlyOrganization, chosen

WRONG_USAGE = 2


def register(app: typer.Typer) -> None:
    """Add this group's command."""
    app.command("prices")(prices)


def prices(
    config: ConfigFile = DEFAULT_CONFIG,
    at: Annotated[str | None, typer.Option("--at", help="The UTC day that it is about. \\[default: today]")] = None,
    only: OnlyOrganization = None,
    as_json: AsJson = False,
) -> None:
    """Show what each model in use costs by token kind, and where each price comes from.

    Prices are those of everyday traffic; batch, fast mode, US inference and long prompts change them by the published
    factors.
    """
    from watcher.ledger.price_list import read_price_list
    from watcher.pricing import PriceBook

    settings = load_settings(config)
    now = clock_for(settings).now()
    day = _day(at, now)
    with open_store(settings) as store:
        found = [
            (each, read_price_list(store, PriceBook(settings.prices), each.id, day, now))
            for each in chosen(settings, store, only)
        ]
    if as_json:
        from watcher.cli.prices_table import to_json

        forms = [(each, to_json(prices)) for each, prices in found]
        lines = [{"organization": each.id, **line} for each, form in forms for line in form["prices"]]
        organizations = [each.as_json() for each, _ in forms]
        print_json({**forms[0][1], "prices": lines, "organizations": organizations})
    else:
        from rich.console import Console
        from rich.text import Text

        from notifiers.text import clean
        from watcher.cli.prices_table import show

        console = Console()
        for each, prices in found:
            if len(found) > 1:
                console.print(Text(clean(each.shown), style="bold reverse"))
            show(prices, console)


def _day(text: str | None, now: datetime) -> date:
    if text is None:
        return now.date()
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        fail(f'--at must be a date such as "2026-11-01", not {text!a}.', WRONG_USAGE)
