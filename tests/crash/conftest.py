from collections.abc import Iterator

import pytest

from tests.crash.stage import Plot, Stage, stage


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("crash")) as set_up:
        yield set_up


@pytest.fixture(scope="session")
def reference(scene: Stage) -> Plot:
    """One undisturbed life with a receiver that never fails, and in `trace` the names of the boundaries it passed."""
    plot = scene.plot("reference", reliable=True)
    assert plot.live(trace=plot.folder / "trace") == 0, scene.stable.said()
    return plot
