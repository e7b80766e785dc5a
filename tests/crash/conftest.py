from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.stage import Plot, Stage, stage


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long forms run when they are asked for (`make crash`, `-m slow`), the short ones always."""
    if config.option.markexpr:
        return
    here = Path(__file__).parent
    long = [item for item in items if here in item.path.parents and item.get_closest_marker("slow")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("crash")) as set_up:
        yield set_up


@pytest.fixture(scope="module")
def reference(scene: Stage) -> Plot:
    """One undisturbed life with a receiver that never fails, and in `trace` the names of the boundaries it passed."""
    plot = scene.plot("reference", reliable=True)
    assert plot.live(trace=plot.folder / "trace") == 0, scene.stable.said()
    return plot
