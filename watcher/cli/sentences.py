"""Sentences that a command says one after the other: wrapped for a terminal, and one a line for everything else.

`watcher check` has no JSON, and is what runs before a deployment: a line that is one whole sentence can be searched
for, counted and compared with yesterday's, and one that was broken at the 80th column cannot.
"""

from __future__ import annotations

import sys

import typer


def say(sentence: str, lead: str = "", *, err: bool = False) -> None:
    """Print a sentence behind `lead`; on a terminal the lines that it wraps into begin where its first one did."""
    if not (sys.stderr if err else sys.stdout).isatty():
        typer.echo(f"{lead}{sentence}", err=err)
        return
    from rich.console import Console
    from rich.text import Text

    from watcher.lines import print_hanging

    print_hanging(Console(stderr=err, highlight=False), Text(lead), Text(sentence))


def say_lines(text: str, *, err: bool = False) -> None:
    """Print a list, each line as a sentence that stands in as far as it does."""
    for line in text.splitlines():
        said = line.lstrip()
        say(said, line[: len(line) - len(said)], err=err)
