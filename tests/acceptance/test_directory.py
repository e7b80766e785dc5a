"""The lists of who and what there is: how often they are asked for, and what is absent from an organization."""

from __future__ import annotations

from collections import Counter

from tests.acceptance.conftest import Start
from tests.acceptance.running import DAY, HOUR, MINUTE, Asked, Watcher, at
from watcher.simulator import World

NOON = at("2026-11-17 12:00")
ASKED = Asked(anomalies=(), backfill=2 * DAY)
BASE = "/v1/organizations"


def faults(watcher: Watcher, *tables: str) -> None:
    """Let these faults strike, written as in a fault file; their periods count from noon."""
    file = watcher.database.with_name("faults.toml")
    file.write_text("".join(f"[[fault]]\n{table}\n" for table in tables), encoding="utf-8")
    watcher.world.set_faults(file)


def refused(path: str, more: str = "") -> str:
    return f'kind = "403"\npath = "{BASE}/{path}"\n{more}'


def asked_since(watcher: Watcher, before: int) -> Counter[str]:
    """How often each path was asked for after the first `before` requests."""
    return Counter(request.path.removeprefix(f"{BASE}/") for request in watcher.simulator.requests[before:])


def test_a_list_that_is_not_offered_is_asked_for_once_a_day_and_when_the_daemon_starts(start: Start) -> None:
    watcher = start(World(started_at=NOON, keys=4, workspaces=2, days=3), ASKED)
    faults(watcher, refused("invites"), refused("usage_report/claude_code"))
    watcher.cycle()
    begun = len(watcher.simulator.requests)
    assert not watcher.run(NOON + 23 * HOUR, 30 * MINUTE)
    counts = asked_since(watcher, begun)
    assert (counts["invites"], counts["usage_report/claude_code"]) == (0, 0)
    assert counts["users"] == counts["api_keys"] == 46
    watcher.run(NOON + 25 * HOUR, 30 * MINUTE)
    assert asked_since(watcher, begun)["invites"] == 1
    assert watcher.last.whole
    assert watcher.alerts == ()

    watcher.world.set_faults(None)
    watcher.restart()
    watcher.cycle()
    states = {state.source: state for state in watcher.status.sources}
    assert states["invites"].offered
    assert states["claude_code"].offered
