"""`watcher backup`: a consistent copy of the database, also while the daemon runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from watcher.cli.context import DEFAULT_CONFIG, ConfigFile, load_settings, open_store


def register(app: typer.Typer) -> None:
    """Add this group's command."""
    app.command("backup")(backup)


def backup(
    file: Annotated[Path, typer.Argument(help="Where to write the copy; it must not exist yet.")],
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Write a consistent copy of the database to FILE."""
    settings = load_settings(config)
    with open_store(settings) as store:
        store.backup(file)
    typer.echo(f"{file} holds a copy of {settings.store.shown}.", err=True)
