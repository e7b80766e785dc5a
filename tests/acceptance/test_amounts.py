"""Budgets whose limit is the provider's: what they tell of it, and of a provider that does not say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rules.budgets import Line
from rules.model import Budget, Selector
from tests.acceptance.conftest import Start
from tests.acceptance.running import DAY, HOUR, Asked, Watcher, at
from tests.acceptance.script import Message
from watcher.simulator import World

NOON = at("2026-11-17 12:00")
CENT = 10_000_000
CONSOLE = Budget("console", "month", "UTC", None, (50.0, 80.0, 100.0), console=True)
WORKSPACES = replace(CONSOLE, per=("workspace",))


def small(**more: object) -> World:
    return World(**({"started_at": NOON, "keys": 12, "workspaces": 4, "days": 18, "limits": True} | more))


def asked(*budgets: Budget) -> Asked:
    return Asked(budgets=budgets, anomalies=(), backfill=18 * DAY)


def lines(watcher: Watcher) -> dict[str, Line]:
    """The lines of the last cycle by workspace or user, "" for the organization."""
    return {each.scope.workspace or each.scope.user or "": each for each in watcher.last.overview.budgets}


def told(messages: list) -> list[tuple[str, float]]:  # type: ignore[type-arg]
    found = [alert for message in messages for alert in message.alerts]
    return sorted((alert.subject.scope.workspace or "", alert.evidence.threshold_percent) for alert in found)


def set_cap(watcher: Watcher, place: str, cents: int | None) -> None:
    """The limit as a person sets it in the Console, and a cycle that has read it."""
    watcher.world.caps[place] = cents


def test_the_organization_is_held_against_the_limit_of_the_console_however_that_moves(start: Start) -> None:
    watcher = start(small(), asked(CONSOLE))
    world = watcher.world
    world.caps[""] = None
    assert not watcher.cycle(), "without a cap there is nothing to cross"
    assert lines(watcher)[""].limit is None
    assert any("judges nothing: the Console sets no limit a month" in note for note in watcher.status.notes)
    spent = lines(watcher)[""].spent
    # Lowered (from nothing at all) to where 80 % is crossed.
    world.caps[""] = round(spent / 0.9) // CENT
    (message,) = watcher.run(watcher.now + HOUR)
    assert told([message]) == [("", 80.0)]
    assert f"of ${world.caps[''] / 100:,.2f}" in Message(message).text
    # Raised to where only 50 % still is: silence, and 80 % is armed for what it is worth now.
    world.caps[""] = round(spent / 0.6) // CENT
    assert not watcher.run(watcher.now + HOUR)
    assert {alert.evidence.threshold_percent for alert in watcher.firing("budget")} == {50.0}
    # Taken away: listed no more. Put back: nothing is told twice.
    world.caps[""] = None
    assert not watcher.run(watcher.now + HOUR)
    assert not watcher.firing("budget")
    world.caps[""] = round(spent / 0.9) // CENT
    assert not watcher.run(watcher.now + HOUR)


def test_each_workspace_has_its_own_limit_or_none(start: Start) -> None:
    world = small()
    watcher = start(world, asked(WORKSPACES))
    first = watcher.cycle()
    capped = {limit.scope.id: limit for limit in watcher.store.limits.spend_limits(watcher.last.overview.organization)}
    found = lines(watcher)
    assert {line.limit is None for line in found.values()} == {True, False}
    for workspace, line in found.items():
        limit = capped.get(workspace)
        assert line.limit == (limit.amount if limit is not None else None)
    over = {place for place, line in found.items() if line.limit and line.spent >= line.limit / 2}
    assert {place for place, _ in told(first)} == over
    shown = {workspace for workspace, line in found.items() if line.limit is None}
    assert watcher.metric("watcher_budget_limit_usd", workspace=next(iter(shown))) == 0


def test_a_selector_that_names_one_workspace_takes_that_ones_limit(start: Start) -> None:
    world = small()
    home = next(each for each in world.organization.workspaces.values() if each.archived_at is None)
    watcher = start(world, asked(replace(CONSOLE, select=Selector(workspace=home.name))))
    world.caps[home.id] = 1
    (message,) = watcher.cycle()
    assert told([message]) == [("", 100.0)]
    spent = {
        row.of("workspace"): row.cost for row in watcher.spend(NOON.replace(day=1, hour=0), NOON, ("workspace",)).rows
    }
    assert lines(watcher)[""].spent == spent[home.id]


def test_members_are_held_against_what_caps_each(start: Start) -> None:
    watcher = start(small(), asked(replace(CONSOLE, per=("user",), name="members")))
    watcher.cycle()
    found = lines(watcher)
    users = watcher.world.organization.users
    assert {line.limit is not None for user, line in found.items() if user in users} == {True}
    assert all(line.limit is None for user, line in found.items() if user not in users), "Console use is no member"


@pytest.mark.parametrize("world", [{"limits": False}, {"faults": "forbidden-limits"}], ids=["404", "403"])
def test_where_limits_are_not_offered_the_budget_judges_nothing_and_says_why(
    start: Start, world: dict[str, object]
) -> None:
    watcher = start(small(**{key: value for key, value in world.items() if key != "faults"}), asked(CONSOLE))
    if "faults" in world:
        file = watcher.database.with_name("faults.toml")
        file.write_text('[[fault]]\nkind = "403"\npath = "/v1/organizations/spend_limits*"\n', encoding="utf-8")
        watcher.world.set_faults(file)
    assert not watcher.cycle()
    why = "Budget “console” judges nothing: spend_limits is not offered to this key."
    assert why in watcher.status.notes
    assert lines(watcher)[""].limit is None


def test_a_listing_that_fails_leaves_the_limits_standing(start: Start) -> None:
    watcher = start(small(), asked(CONSOLE))
    watcher.cycle()
    limit = lines(watcher)[""].limit
    assert limit is not None
    file = watcher.database.with_name("faults.toml")
    file.write_text('[[fault]]\nkind = "500"\npath = "/v1/organizations/spend_limits*"\n', encoding="utf-8")
    watcher.world.set_faults(file)
    watcher.run(watcher.now + 2 * HOUR)
    assert lines(watcher)[""].limit == limit
