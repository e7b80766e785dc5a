"""`watcher demo`: the whole program against a simulated organization, with no account and no configuration."""

from __future__ import annotations

from typing import Annotated

import typer

from watcher.cli.context import fail


def register(app: typer.Typer) -> None:
    """Add this group's command."""
    app.command("demo")(demo)


def demo(
    exit_after: Annotated[float | None, typer.Option(min=1, help="End by itself after so many seconds.")] = None,
    speed: Annotated[float, typer.Option(min=60, max=3600, help="How many times faster time passes.")] = 600,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where the page is served, if it is free.")] = 9477,
    seed: Annotated[int, typer.Option(help="Decides everything that is drawn.")] = 7,
) -> None:
    """See it work: a simulated organization, a budget about to be crossed, and a key that runs away."""
    import logging

    from rich.console import Console

    from watcher.demo import Demonstration

    logging.getLogger().setLevel(logging.ERROR)
    try:
        Demonstration(Console(highlight=False), speed=speed, port=port, seed=seed).run(exit_after)
    except OSError as error:
        fail(f"The demo cannot run here: {error}.")
