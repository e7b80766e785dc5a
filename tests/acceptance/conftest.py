"""Watchers that run against simulators of their own, closed when a test ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.acceptance.running import Asked, HandClock, Watcher
from watcher.simulator import Simulator, World

Start = Callable[..., Watcher]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a watcher of a world: at the world's beginning unless told `now`, on a database of its own unless told."""
    with ExitStack() as stack:

        def begin(world: World, asked: Asked | None = None, **places: object) -> Watcher:
            clock = HandClock(places.get("now", world.started_at))
            database = places.get("database", tmp_path / f"watcher-{id(clock)}.db")
            simulator = stack.enter_context(Simulator(world, clock.now))
            watcher = Watcher(world, simulator, clock, database, asked or Asked())
            stack.callback(watcher.close)
            return watcher

        yield begin
