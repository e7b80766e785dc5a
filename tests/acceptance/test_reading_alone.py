"""What every script without a policy is held by: the simulated API must have heard of nothing but reading."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rules.policy import Policy
from tests.acceptance.conftest import Start, must_only_read
from tests.acceptance.running import KEY, Asked, at
from watcher.admin_api import ConnectionSettings, KeyAdministrator, connect
from watcher.simulator import World


def test_a_write_by_a_watcher_without_a_policy_would_fail_its_script(start: Start) -> None:
    world = World(started_at=at("2026-11-17 06:00"), seed=7, keys=2, days=2)
    watcher = start(world, Asked(policy=Policy(), backfill=timedelta(days=1)))
    watcher.cycle()
    must_only_read(watcher.simulator)
    key = next(iter(world.organization.keys))
    with connect(ConnectionSettings(watcher.simulator.url, KEY)) as connection:
        KeyAdministrator(connection).set_status(key, "inactive")
    with pytest.raises(AssertionError, match=r"without \[shutoff\] wrote: \['POST /v1/organizations/api_keys/"):
        must_only_read(watcher.simulator)
