from __future__ import annotations

import gc
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A machine that is busy with other things is no bug: how long an example takes says nothing here.
settings.register_profile("steady", deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", settings.get_profile("steady"), max_examples=500)  # part of `make sweep`
settings.load_profile("steady")

MEMORY = Path("/dev/shm")
ROOM = 2 << 30
"""Bytes that must be free there."""


def pytest_configure(config: pytest.Config) -> None:
    """Let the tests' files lie in memory where there is room, unless somebody says where.

    Every commit of the program waits for the disk. That is most of what a scenario waits for, and no test can tell.
    """
    told = config.option.basetemp is not None or {"TMPDIR", "PYTEST_DEBUG_TEMPROOT"} & set(os.environ)
    if not told and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(MEMORY)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long forms run when they are asked for (`make crash`, `make sweep`, `-m slow`), the short ones always."""
    if config.option.markexpr:
        return
    long = [item for item in items if item.get_closest_marker("slow")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]


def pytest_collection_finish() -> None:
    """Leave alone what was imported, and look for cycles less often: that is a tenth of what the scenarios compute."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
