"""Watchers that run against simulators of their own, closed when a test ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.acceptance.nearby import Neighbour
from tests.acceptance.running import Asked, HandClock, Watcher
from watcher.simulator import Simulator, World

Start = Callable[..., Watcher]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a watcher of a world: at the world's beginning unless told `now`, on a database of its own unless told.

    Where nothing may be done to keys, the simulator must have heard of nothing but reading when the test ends.
    """
    with ExitStack() as stack:

        def begin(world: World, asked: Asked | None = None, **places: object) -> Watcher:
            clock = HandClock(places.get("now", world.started_at))
            database = places.get("database", tmp_path / f"watcher-{id(clock)}.db")
            simulator = stack.enter_context(Neighbour(world, clock.now))
            watcher = Watcher(world, simulator, clock, database, asked or Asked())
            if watcher.asked.policy is None:
                stack.callback(must_only_read, simulator)
            stack.callback(watcher.close)
            return watcher

        yield begin


def must_only_read(simulator: Simulator) -> None:
    """Fail if a request could have changed anything."""
    written = [f"{each.method} {each.path}" for each in simulator.writes]
    assert not written, f"a watcher without [shutoff] wrote: {written}"
