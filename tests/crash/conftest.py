from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.stage import Stage, stage


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("crash")) as set_up:
        yield set_up
