"""`watcher export focus`: spend as a file for the tools that look at every provider's bill."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable
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
    app.add_typer(export, name="export")


def focus(
    config: ConfigFile = DEFAULT_CONFIG,
    start: Annotated[
        str | None,
        typer.Option("--from", help="A date or ISO time; UTC unless it says otherwise. \\[default: this month]"),
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", help="The same; not in the window itself. \\[default: now]")
    ] = None,
    only: OnlyOrganization = None,
    hourly: Annotated[bool, typer.Option("--hourly", help="A row an hour instead of a row a UTC day.")] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write this file, whole or not at all. \\[default: standard output]"),
    ] = None,
) -> None:
    """Write spend as FOCUS-shaped CSV: a row for each day, workspace, key, model, tier and kind of token.

    The rows sum to what `watcher spend` says of the same window; x_Standing tells settled from estimated.
    """
    from watcher.ledger.focus import charges
    from watcher.ledger.focus_csv import Account, focus_csv
    from watcher.pricing import PriceBook

    settings = load_settings(config)
    now = clock_for(settings).now()
    try:
        asked = window(start, end, now)
    except ValueError as error:
        fail(str(error), WRONG_USAGE)
    with open_store(settings) as store:
        accounts = chosen(settings, store, only)
        lines = focus_csv(
            (
                Account(each.id, each.name or each.label, store.directory.names(each.id)),
                charges(store, PriceBook(settings.prices), each.id, asked, now, hourly=hourly),
            )
            for each in accounts
        )
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
