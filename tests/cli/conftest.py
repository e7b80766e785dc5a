"""One organization for all tests of the command line that only read: polled once, with a webhook that listened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.stage import BUDGET, NOW, Listener, here, receiver, write_config
from watcher.simulator import Simulator, World

RULES = """\
[[budget]]
name = "keys"
period = "day"
limit_usd = 1
thresholds = [100]
per = ["api_key"]
[[anomaly]]
name = "key spend"
per = ["api_key"]
min_excess_usd = 5
"""


@dataclass(frozen=True, slots=True)
class Town:
    """A simulated organization that was polled."""

    config: Path
    simulator: Simulator
    messages: tuple[Any, ...]
    poll: tuple[int, str, str]


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    """A calm little organization, on a clock that stands still."""
    world = World(started_at=NOW - timedelta(hours=5), seed=7, keys=12, days=23, scenario="runaway")
    with Simulator(world, lambda: NOW) as served:
        yield served


@pytest.fixture(scope="session")
def town(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The organization polled once, with one message delivered to a webhook."""
    with Listener() as listener:
        config = write_config(
            tmp_path_factory.mktemp("town"),
            simulator.url,
            BUDGET + RULES + receiver("hook", f"{listener.url}/hook"),
            backfill="20d",
        )
        outcome = here("poll", "-c", config)
        yield Town(config, simulator, tuple(listener.messages), outcome)
