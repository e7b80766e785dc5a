"""`watcher simulate`: the simulator alone, until it is told to end."""

from __future__ import annotations

import signal
import sys
from datetime import datetime
from types import FrameType
from typing import Protocol

from watcher.simulator.server import Simulator
from watcher.simulator.world import World


class Now(Protocol):
    """What is needed of a clock."""

    def now(self) -> datetime:
        """The present moment, timezone-aware UTC."""


def simulate(  # noqa: PLR0913, PLR0917 - the options of the command, in its order
    port: int,
    seed: int,
    workspaces: int,
    keys: int,
    days: int,
    scenario: str | None,
    faults: str | None,
    clock: Now,
    *,
    analytics: bool = False,
    limits: bool = False,
) -> None:
    """Serve a world on loopback until SIGTERM or SIGINT, and say where in one line on stdout.

    The simulation starts at the clock's present; `port` 0 picks a free one. Call it from the main thread.

    Raises:
        ValueError: an unknown scenario or preset of faults, or numbers out of range.
        OSError: the port cannot be had.
    """
    world = World(
        seed=seed,
        workspaces=workspaces,
        keys=keys,
        days=days,
        scenario=scenario,
        faults=faults,
        started_at=clock.now(),
        analytics=analytics,
        limits=limits,
    )
    simulator = Simulator(world, clock.now, port=port)

    def end(_number: int, _frame: FrameType | None) -> None:
        simulator.end()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        simulator.start()
        sys.stdout.write(f"simulator serving {simulator.url}\n")
        sys.stdout.flush()
        simulator.serve_forever()
    finally:
        simulator.stop()
        for number, handler in before.items():
            signal.signal(number, handler)
