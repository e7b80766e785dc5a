"""An organization that was polled once, for tests of commands that ask for something and let a later poll do it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.stage import NOW, Listener, here, receiver, write_config
from watcher.simulator import Simulator, World

BUDGETS = """\
[[budget]]
name = "organization"
limit_usd = 100
thresholds = [50]
[[budget]]
name = "keys a day"
period = "day"
limit_usd = 0.01
thresholds = [100]
per = ["api_key"]
"""


@pytest.fixture(scope="session")
def calm() -> Iterator[Simulator]:
    """The simulator that the organization is read from; nobody changes anything in it."""
    with Simulator(World(started_at=NOW - timedelta(hours=5), seed=7, keys=4, days=8), lambda: NOW) as served:
        yield served


@pytest.fixture(scope="session")
def polled(calm: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the organization, to be copied."""
    folder = tmp_path_factory.mktemp("polled")
    with Listener() as listener:
        assert here("poll", "-c", _config(folder, calm, listener))[0] == 0
    return folder


@pytest.fixture
def copied(polled: Path, calm: Simulator, tmp_path: Path) -> Iterator[tuple[Path, Listener]]:
    """The configuration of a copy, and a receiver of its own that hears what is told from now on."""
    shutil.copytree(polled, tmp_path, dirs_exist_ok=True)
    with Listener() as listener:
        yield _config(tmp_path, calm, listener), listener


def _config(folder: Path, calm: Simulator, listener: Listener) -> Path:
    return write_config(folder, calm.url, BUDGETS + receiver("hook", f"{listener.url}/hook"), backfill="7d")
