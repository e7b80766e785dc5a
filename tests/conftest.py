from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

# A machine that is busy with other things is no bug: how long an example takes says nothing here.
settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long forms run when they are asked for (`make crash`, `make sweep`, `-m slow`), the short ones always."""
    if config.option.markexpr:
        return
    long = [item for item in items if item.get_closest_marker("slow")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]
