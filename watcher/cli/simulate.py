"""`watcher simulate`: an Admin API to run against."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from watcher.cli.context import drill_clock, fail


def register(app: typer.Typer) -> None:
    """Add this group's command."""
    app.command("simulate")(simulate)


def simulate(  # noqa: PLR0913, PLR0917 — each is an option of the command line, never given by place
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port on 127.0.0.1; 0 takes any.")] = 8787,
    seed: Annotated[int, typer.Option(help="Decides everything that is drawn.")] = 7,
    workspaces: Annotated[int, typer.Option(min=1, max=99)] = 6,
    keys: Annotated[int, typer.Option(min=1, max=20_000)] = 40,
    days: Annotated[int, typer.Option(min=1, max=400, help="How far back the history reaches.")] = 70,
    speed: Annotated[float, typer.Option(min=0.001, max=1e6, help="How many times faster time passes.")] = 1.0,
    scenario: Annotated[str | None, typer.Option(help="What happens: a name, or a TOML file.")] = None,
    faults: Annotated[str | None, typer.Option(help="What goes wrong: a name, or a TOML file.")] = None,
    analytics: Annotated[bool, typer.Option("--analytics", help="Answer the analytics reports too.")] = False,
    limits: Annotated[bool, typer.Option("--limits", help="Answer spend limits and rate limits too.")] = False,
) -> None:
    """Serve a simulated organization's Admin API on 127.0.0.1 until told to end."""
    from watcher.clock import DrillClock, wall_now
    from watcher.simulator.command import simulate as serve

    drill = os.environ.get("WATCHER_CLOCK")
    clock = drill_clock(drill) if drill else DrillClock(wall_now(), speed)
    try:
        serve(port, seed, workspaces, keys, days, scenario, faults, clock, analytics=analytics, limits=limits)
    except ValueError as error:
        fail(str(error), 2)
    except OSError as error:
        fail(f"127.0.0.1:{port} cannot be served: {error.strerror or error}. Choose another --port.")
