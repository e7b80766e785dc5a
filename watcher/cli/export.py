"""`watcher export`: spend as a file for the tools that look at every provider's bill, and for Prometheus."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from watcher.cli.context import DEFAULT_CONFIG, ConfigFile, clock_for, fail, load_settings, open_store
from watcher.cli.organizations import WRONG_USAGE, OnlyOrganization, chosen
from watcher.cli.spend import window


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    export = typer.Typer(help="Write spend for other tools.", no_args_is_help=True)
    export.command("focus")(focus)
    export.command("openmetrics")(openmetrics)
    app.add_typer(export, name="export")


From = Annotated[
    str | None,
    typer.Option("--from", help="A date or ISO time; UTC unless it says otherwise. \\[default: this month]"),
]
To = Annotated[str | None, typer.Option("--to", help="The same; not in the window itself. \\[default: now]")]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Write this file, whole or not at all. \\[default: standard output]"),
]


def focus(
    config: ConfigFile = DEFAULT_CONFIG,
    start: From = None,
    end: To = None,
    only: OnlyOrganization = None,
    hourly: Annotated[bool, typer.Option("--hourly", help="A row an hour instead of a row a UTC day.")] = False,
    output: Output = None,
) -> None:
    """Write spend as FOCUS-shaped CSV: a row for each day, workspace, key, model, tier and kind of token.

    The rows sum to what `watcher spend` says of the same window; x_Standing tells settled from estimated.
    """
    from watcher.ledger.focus import charges
    from watcher.ledger.focus_csv import Account, focus_csv
    from watcher.pricing import PriceBook

    settings = load_settings(config)
    now = clock_for(settings).now()
    asked = _asked(start, end, now)
    with open_store(settings) as store:
        accounts = chosen(settings, store, only)
        lines = focus_csv(
            (
                Account(each.id, each.name or each.label, store.directory.names(each.id)),
                charges(store, PriceBook(settings.prices), each.id, asked, now, hourly=hourly),
            )
            for each in accounts
        )
        _put(output, lines)


def openmetrics(
    config: ConfigFile = DEFAULT_CONFIG,
    start: From = None,
    end: To = None,
    only: OnlyOrganization = None,
    output: Output = None,
) -> None:
    """Write settled spend and tokens hour by hour, for promtool to back-fill Prometheus with.

    Only days whose bill is final are written, so that a later run adds to this one and never contradicts it.
    """
    from notifiers.text import plural
    from watcher.ledger.history import history
    from watcher.metrics.openmetrics import openmetrics as lines_of
    from watcher.pricing import PriceBook

    settings = load_settings(config)
    now = clock_for(settings).now()
    asked = _asked(start, end, now)
    with open_store(settings) as store:
        prices = PriceBook(settings.prices)
        accounts, backfill = chosen(settings, store, only), settings.poll.backfill
        found = [(each.id, history(store, prices, each.id, asked, now, backfill)) for each in accounts]
        _put(output, lines_of(found))
    if not any(each.spend or each.tokens for _, each in found):
        typer.echo("There is no hour in it: none of what this window has is settled, or it has nothing.", err=True)
    waiting = sorted({day for _, each in found for day in each.waiting})
    if waiting:
        until = f" to {waiting[-1]}" if len(waiting) > 1 else ""
        typer.echo(f"Not in it: {plural(len(waiting), 'day')} not settled yet ({waiting[0]}{until}).", err=True)


def _asked(start: str | None, end: str | None, now: datetime) -> tuple[datetime, datetime]:
    try:
        return window(start, end, now)
    except ValueError as error:
        fail(str(error), WRONG_USAGE)


def _put(output: Path | None, lines: Iterable[str]) -> None:
    if output is None:
        sys.stdout.writelines(lines)
    else:
        _write(output, lines)


def _write(output: Path, lines: Iterable[str]) -> None:
    """Put a file in place when all of it is there; a file of that name stays as it was until then."""
    try:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="", dir=output.parent, delete=False) as part:
            try:
                part.writelines(lines)
                part.flush()
                os.fsync(part.fileno())
                Path(part.name).replace(output)
            except BaseException:
                Path(part.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        fail(f"{output} cannot be written: {(error.strerror or str(error)).lower()}.")
    typer.echo(f"{output} is written.", err=True)
