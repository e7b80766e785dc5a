"""`watcher budgets`: how every budget stands and where it will end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from watcher.cli import budget_acts, budget_whatif
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

if TYPE_CHECKING:
    from datetime import datetime

    from watcher.budgets import Standings
    from watcher.settings import Settings

WRONG_USAGE = 2
SHOWN = 12
"""How many lines of one budget are shown unless all are asked for."""


group = typer.Typer()


def register(app: typer.Typer) -> None:
    """Add this group."""
    budget_whatif.register(group)
    budget_acts.register(group)
    app.add_typer(group, name="budgets")


@group.callback(invoke_without_command=True)
def budgets(
    context: typer.Context,
    config: ConfigFile = DEFAULT_CONFIG,
    only: OnlyOrganization = None,
    names: Annotated[
        list[str] | None, typer.Option("--budget", help="Only this budget, by name; may be repeated.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help=f"All lines of a budget, not the {SHOWN} dearest.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show how every budget stands: spent, where its period will end, and when the limit is crossed.

    The figures are those of the last cycle, as in status; the daemon may be running.
    """
    if context.invoked_subcommand is not None:
        _nothing_before(context)
        return
    from watcher.budgets import standings, to_json

    settings = load_settings(config)
    if unknown := sorted(set(names or ()) - {budget.name for budget in settings.budgets}):
        known = ", ".join(budget.name for budget in settings.budgets) or "none"
        fail(f"No budget is called {unknown[0]!a}. There are: {known}.", WRONG_USAGE)
    now = clock_for(settings).now()
    with open_store(settings) as store:
        asked = [(each.id, each.label, each.name) for each in chosen(settings, store, only)]
        found = standings(store, asked, settings.budgets, now, names, store.alerts.open())
    if as_json:
        print_json(to_json(found))
    else:
        _print(found, settings, now, most=None if every else SHOWN)


def _nothing_before(context: typer.Context) -> None:
    """Exit with 2 where options stand before the name of a subcommand, which they would not reach."""
    given = [name for name in context.params if str(context.get_parameter_source(name)).endswith("COMMANDLINE")]
    if given:
        sub = context.invoked_subcommand
        fail(f"Options stand after the name of the subcommand, as in `watcher budgets {sub} -c FILE`.", WRONG_USAGE)


def _print(found: Standings, settings: Settings, now: datetime, most: int | None) -> None:
    from rich.console import Console

    from watcher.cli.budgets_table import show

    if not settings.budgets:
        fail("No budget is configured: docs/configuration.md shows how.")
    show(found, Console(), now, most)
