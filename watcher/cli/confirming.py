"""Asking a person to type what is about to be changed, before anything is asked for."""

from __future__ import annotations

import sys
from typing import TextIO

import typer

from watcher.cli.asking import WRONG_USAGE
from watcher.cli.context import FAILED, fail


def must_type(name: str, ident: str, what: str, *, yes: bool, terminal: TextIO | None = None) -> None:
    """Go on only if the key's name or id is typed, or `--yes` was given; exits with 1 if something else is.

    `what` completes "to …". Without a terminal nobody can type: exits with 2 unless `--yes` was given.
    """
    from notifiers.text import clean

    if yes:
        return
    stream = terminal or sys.stdin
    if not stream.isatty():
        fail(f"There is no terminal to ask on: say --yes to {what} all the same.", WRONG_USAGE)
    shown = clean(name)
    typer.echo(f"Type the key's name, {shown}, or its id, {clean(ident)}, to {what}: ", err=True, nl=False)
    if stream.readline().strip() not in {name.strip(), shown, ident}:
        fail("That is not its name: nothing was asked for.", FAILED)


def must_agree(what: str, *, yes: bool, terminal: TextIO | None = None) -> None:
    """Go on only if "y" or "yes" is typed, or `--yes` was given; where no terminal is here, nobody is asked."""
    stream = terminal or sys.stdin
    if yes or not stream.isatty():
        return
    typer.echo(f"{what}? [y/N] ", err=True, nl=False)
    if stream.readline().strip().lower() not in {"y", "yes"}:
        fail("Nothing was asked for.", FAILED)
