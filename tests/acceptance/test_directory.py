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
    assert not watcher.run(NOON + 23 * HOUR, HOUR)
    counts = asked_since(watcher, begun)
    assert (counts["invites"], counts["usage_report/claude_code"]) == (0, 0)
    assert counts["users"] == counts["api_keys"] == 23
    watcher.run(NOON + 25 * HOUR, HOUR)
    assert asked_since(watcher, begun)["invites"] == 1
    assert watcher.last.whole
    assert watcher.alerts == ()

    watcher.world.set_faults(None)
    watcher.restart()
    watcher.cycle()
    states = {state.source: state for state in watcher.status.standings[0].sources}
    assert states["invites"].offered
    assert states["claude_code"].offered


def test_limits_members_and_their_health_follow_what_the_organization_answers(start: Start) -> None:
    watcher = start(World(started_at=NOON, keys=6, workspaces=4, days=3, limits=True), ASKED)
    watcher.cycle()
    watcher.run(NOON + 15 * MINUTE, 5 * MINUTE)
    organization = watcher.world.organization
    store, ident = watcher.store, organization.id
    assert {limit.scope.kind for limit in store.limits.spend_limits(ident)} >= {"organization", "workspace", "user"}
    spent = {entry.item.member_id: entry.item.period_to_date_spend for entry in store.limits.member_limits(ident)}
    assert set(spent) == set(organization.users)
    assert max(spent.values()) > 0
    own = {limit.workspace_id for limit in store.limits.rate_limits(ident)}
    assert own == {None, next(iter(organization.workspaces))}
    members = {(each.workspace_id, each.user_id) for listed in store.directory.workspace_members(ident).values()
               for each in listed}  # fmt: skip
    active = {each.id for each in organization.workspaces.values() if each.archived_at is None}
    assert members == {
        (each.workspace_id, each.user_id) for each in organization.members if each.workspace_id in active
    }

    begun = len(watcher.simulator.requests)
    assert not watcher.run(NOON + 2 * HOUR + 15 * MINUTE, 5 * MINUTE)
    counts = asked_since(watcher, begun)
    assert (counts["spend_limits"], counts["spend_limits/effective"], counts["rate_limits"]) == (4, 4, 2)
    assert {counts[f"workspaces/{each}/members"] for each in active} == {2}
    assert {counts[f"workspaces/{each}/rate_limits"] for each in active} == {2}

    faults(watcher, refused("spend_limits*"))
    (message,) = watcher.run(NOON + 3 * HOUR + 15 * MINUTE, 5 * MINUTE)
    assert [alert.subject.rule for alert in message.alerts] == ["source gone"]
    assert {alert.subject.instance for alert in (*message.alerts, *message.inhibited)} == {
        "spend_limits",
        "effective_spend_limits",
    }
    assert store.limits.spend_limits(ident), "what was read last stands"


def test_an_organization_without_limits_is_whole_and_says_so_in_one_line(start: Start) -> None:
    watcher = start(World(started_at=NOON, keys=4, workspaces=2, days=3), ASKED)
    watcher.cycle()
    begun = len(watcher.simulator.requests)
    assert not watcher.run(NOON + 3 * HOUR, 15 * MINUTE)
    assert not [path for path in asked_since(watcher, begun) if "limits" in path]
    assert watcher.last.whole
    (line,) = (note for note in watcher.status.notes if note.startswith("Not offered"))
    assert line == (
        "Not offered to this key, and therefore not shown: effective_spend_limits, rate_limits, spend_limits, "
        "workspace_rate_limits."
    )


def test_a_key_that_left_the_directory_is_asked_for_once_and_its_spend_stays_its_own(start: Start) -> None:
    world = World(started_at=NOON, keys=6, workspaces=2, days=3)
    gone, key = next((ident, key) for ident, key in world.organization.keys.items() if key.status(NOON) == "active")
    del world.organization.keys[gone]
    watcher = start(world, ASKED)
    watcher.cycle()
    watcher.run(NOON + 3 * HOUR, 15 * MINUTE)
    assert asked_since(watcher, 0)[f"api_keys/{gone}"] == 1
    report = watcher.spend(NOON - DAY, NOON, by=("api_key",))
    assert gone in {row.of("api_key") for row in report.rows}
    assert watcher.last.whole

    world.organization.keys[gone] = key
    watcher.run(NOON + 3 * HOUR + 5 * MINUTE, 5 * MINUTE)
    assert watcher.store.directory.names(world.organization.id).of(gone) == key.name
