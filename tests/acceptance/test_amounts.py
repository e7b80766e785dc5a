"""Budgets in other amounts than a fixed one of dollars: limits of the provider, tokens, requests, Claude Code."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from notifiers.alert_json import alert_json
from notifiers.render import alert_story
from notifiers.slack import slack_message
from rules.budgets import Line
from rules.measures import TOKENS, Measure
from rules.model import Budget, Notification, Selector
from tests.acceptance.conftest import Start
from tests.acceptance.running import DAY, HOUR, KEY, MINUTE, Asked, Watcher, at, monthly
from tests.acceptance.script import Message
from watcher.admin_api import AdminReader, ConnectionSettings, connect
from watcher.claude_code import claude_code_report
from watcher.pricing import KINDS
from watcher.secret import Secret
from watcher.simulator import World
from watcher.status import to_json as status_json

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


# ---------------------------------------------------------------------------------------------- tokens


def tokens(kind: str, limit: int, **more: object) -> Budget:
    return Budget(kind, "month", "UTC", limit, (50.0, 80.0, 100.0), measure=Measure("tokens", kind), **more)  # type: ignore[arg-type]


def test_tokens_are_those_of_the_spend_report_in_every_kind_and_for_every_key(start: Start) -> None:
    kinds = {kind: tokens(kind, 10**15, per=("api_key",)) for kind in TOKENS}
    watcher = start(small(limits=False), asked(*kinds.values()))
    assert not watcher.cycle()
    watcher.run(watcher.now + 3 * HOUR)
    rows = watcher.spend(watcher.now.replace(day=1, hour=0), watcher.now, ("api_key",)).rows
    names = KINDS[:-1]
    for kind, parts in TOKENS.items():
        wanted = {
            str(row.of("api_key")): sum(row.tokens[names.index(part)] for part in parts)
            for row in rows
            if any(row.tokens)
        }
        found = {line.scope.api_key: line.spent for line in watcher.last.overview.budgets if line.budget == kind}
        assert {key: count for key, count in found.items() if count} == {k: n for k, n in wanted.items() if n}


def test_a_crossing_in_tokens_says_tokens_and_no_dollars_on_every_face(start: Start) -> None:
    watcher = start(small(limits=False), asked(tokens("output", 10**15)))
    watcher.cycle()
    spent = watcher.last.overview.budgets[0].spent
    watcher = start(small(limits=False), asked(tokens("output", round(spent / 0.85))))
    (message,) = watcher.cycle()
    (alert,) = message.alerts
    limit = f"{round(spent / 0.85):,} output tokens"
    assert f"{spent:,} used" in alert.summary
    assert f"80 % of {limit}" in alert.summary
    body = json.dumps(slack_message(alert_story(alert, NOON)), ensure_ascii=False)
    assert f"{spent:,} of {limit}" in body
    assert "$" not in body
    document = alert_json(alert)
    assert (document["value_usd"], document["limit_usd"]) == (None, None)
    assert document["counted"] == {
        "unit": "tokens",
        "kind": "output",
        "claude_code": None,
        "value": spent,
        "limit": round(spent / 0.85),
    }
    assert watcher.metric("watcher_budget_spent_tokens") == spent
    assert watcher.metric("watcher_budget_limit_tokens") == round(spent / 0.85)
    assert watcher.metric("watcher_budget_spent_usd") == 0
    (line,) = status_json(watcher.status, alert_json)["budgets"]
    assert (line["unit"], line["kind"], line["spent_tokens"], line["spent_usd"]) == ("tokens", "output", spent, None)


def test_nothing_is_counted_that_no_budget_asks_for(start: Start) -> None:
    watcher = start(small(limits=False), asked(monthly(1e6)))
    watcher.cycle()
    assert watcher.last.decision.counted == {}


def test_tokens_survive_a_restart_and_midnight(start: Start) -> None:
    watcher = start(small(limits=False), asked(tokens("total", 10**15)))
    watcher.cycle()
    watcher.run(at("2026-11-18 02:00"), every=2 * HOUR)
    before = watcher.last.overview.budgets[0].spent
    watcher.restart()
    watcher.cycle()
    assert watcher.last.overview.budgets[0].spent == before > 0


# ---------------------------------------------------------------------------------------------- Claude Code


CODE = Budget("code", "month", "UTC", 10**15, (50.0, 80.0, 100.0), per=("user",), measure=Measure(claude_code="api"))


def coders(**more: object) -> World:
    return small(limits=False, keys=16, workspaces=3, **more)


def estimated(watcher: Watcher, kind: str = "api", by: str = "user") -> dict[str, int]:
    """What `watcher claude-code` says of the month, by user id (or address) or by model."""
    now = watcher.now
    organization = watcher.world.organization.id
    report = claude_code_report(watcher.store, organization, (by,), now.date().replace(day=1), now.date() + DAY, now)
    section = next(each for each in report.sections if each.customer_type == kind)
    found: dict[str, int] = {}
    for row in section.rows:
        owner = row.ident if row.key.actor_kind == "user" else "(unknown)"
        place = str(row.key.model if by == "model" else owner or row.key.actor)
        found[place] = found.get(place, 0) + row.figures.estimated
    return {place: nano for place, nano in found.items() if nano}


def whole(watcher: Watcher) -> list[Notification]:
    """The first cycles, until the month of the report has been read; what was told meanwhile."""
    return [*watcher.cycle(), *watcher.run(watcher.now + 20 * MINUTE, 5 * MINUTE)]


def test_claude_code_is_counted_by_person_as_its_own_report_says(start: Start) -> None:
    shared = replace(CODE, per=(), name="all")
    held = replace(CODE, measure=Measure(claude_code="subscription"), name="subscriptions")
    models = replace(CODE, per=("model",), name="models")
    watcher = start(coders(), asked(CODE, shared, held, models, monthly(1e9)))
    assert not whole(watcher)
    found: dict[str, dict[str, int]] = {}
    for line in watcher.last.overview.budgets:
        place = line.scope.user or line.scope.model or ""
        found.setdefault(line.budget, {})[place] = line.spent
    assert found["code"] == estimated(watcher)
    assert found["subscriptions"] == estimated(watcher, "subscription")
    assert found["models"] == estimated(watcher, by="model")
    assert found["all"][""] == sum(found["code"].values()) > 0
    spend = watcher.spend(watcher.now.replace(day=1, hour=0, minute=0), watcher.now).total.cost
    assert found["organization"][""] == spend, "and none of it is added to spend"
    (line,) = [each for each in watcher.last.overview.budgets if each.budget == "all"]
    assert line.forecast is not None
    assert 1.4 * line.spent < line.forecast.total < 2.6 * line.spent, "with thirteen days of thirty to come"


def test_a_person_over_their_budget_is_told_once_as_claude_codes_own_estimate(start: Start) -> None:
    probe = start(coders(), asked(CODE))
    whole(probe)
    user, spent = max(estimated(probe).items(), key=lambda item: item[1])
    limit = round(spent / 0.85)
    watcher = start(coders(), asked(replace(CODE, limit=limit, select=Selector(user=user))))
    (message,) = whole(watcher)
    (alert,) = message.alerts
    assert (alert.subject.scope.user, alert.evidence.threshold_percent) == (user, 80.0)
    text = json.dumps(slack_message(alert_story(alert, watcher.now)), ensure_ascii=False)
    assert "The amounts are Claude Code's own estimate" in text
    assert "by Claude Code's own estimate" in alert.summary
    assert "settled" not in text
    assert "watcher claude-code --by model --by day --from 2026-11-01" in text
    assert alert_json(alert)["counted"]["claude_code"] == "api"
    assert alert.owner.startswith(watcher.world.organization.users[user].name)


def test_while_the_report_is_being_read_nothing_is_told_and_that_is_said(start: Start) -> None:
    watcher = start(coders(), asked(replace(CODE, limit=1)))
    assert not watcher.cycle(), "of a month of seventeen days the first poll reads thirteen"
    assert any("the Claude Code report is still being read" in note for note in watcher.status.notes)
    told = watcher.run(watcher.now + 20 * MINUTE, 5 * MINUTE)
    people = {alert.subject.scope.user for message in told for alert in message.alerts}
    assert len(told) == len(people) == len(estimated(watcher)), "each is told once, of the highest that was passed"
    assert {alert.evidence.threshold_percent for message in told for alert in message.alerts} == {100.0}


@pytest.mark.slow
def test_a_day_that_comes_late_crosses_late_and_is_told_once(start: Start) -> None:
    watcher = start(coders(), asked(replace(CODE, period="day", per=(), limit=1, thresholds=(100.0,))))
    whole(watcher)
    file = watcher.database.with_name("faults.toml")
    lost = 'path = "/v1/organizations/usage_report/claude_code"\nfor = "30h"'
    file.write_text(f'[[fault]]\nkind = "500"\n{lost}\n', encoding="utf-8")
    watcher.world.set_faults(file)
    budget = [each for each in watcher.run(at("2026-11-18 17:00"), 2 * HOUR) if each.alerts[0].subject.kind == "budget"]
    assert not budget
    late = [each for each in watcher.run(at("2026-11-19 12:00"), HOUR) for alert in each.alerts]
    days = sorted(alert.evidence.period for each in late for alert in each.alerts if alert.subject.kind == "budget")
    assert days == ["18 Nov 2026", "19 Nov 2026"]


def test_where_there_is_no_claude_code_the_budget_judges_nothing_and_says_why(start: Start) -> None:
    watcher = start(coders(), asked(replace(CODE, limit=1)))
    file = watcher.database.with_name("faults.toml")
    path = "/v1/organizations/usage_report/claude_code"
    file.write_text(f'[[fault]]\nkind = "403"\npath = "{path}"\n', encoding="utf-8")
    watcher.world.set_faults(file)
    assert not whole(watcher)
    assert "Budget “code” judges nothing: claude_code is not offered to this key." in watcher.status.notes


# ---------------------------------------------------------------------------------------------- requests


REQUESTS = Budget("requests", "month", "UTC", 10**12, (50.0, 80.0, 100.0), measure=Measure("requests"))


def told_requests(watcher: Watcher) -> int:
    """The month's requests, as the API itself tells them now."""
    settings = ConnectionSettings(base_url=watcher.simulator.url, admin_key=KEY)
    with connect(settings) as connection:
        month = watcher.now.replace(day=1, hour=0, minute=0)
        hour = watcher.now.replace(minute=0)
        answer = AdminReader(connection).analytics_usage(month, hour, now=watcher.now)
    return sum(row.requests or 0 for row in answer.rows)


@pytest.mark.parametrize(
    "alone",
    [False, pytest.param(True, marks=pytest.mark.slow)],
    ids=["beside the usage report", "analytics alone"],
)
def test_requests_are_those_that_analytics_tells(start: Start, *, alone: bool) -> None:
    keys = replace(REQUESTS, per=("api_key",), name="keys")
    key = Secret("sk-ant-analytics01-acceptance") if alone else KEY
    watcher = start(small(limits=False, analytics=True), replace(asked(REQUESTS, keys), key=key))
    watcher.cycle()
    watcher.run(watcher.now + 2 * HOUR, 10 * MINUTE)
    (shared,) = [line for line in watcher.last.overview.budgets if line.budget == "requests"]
    assert shared.spent == told_requests(watcher) > 0
    assert sum(line.spent for line in watcher.last.overview.budgets if line.budget == "keys") == shared.spent
    assert watcher.metric("watcher_budget_spent_requests", budget="requests") == shared.spent
    assert not watcher.firing("source")


@pytest.mark.slow  # as the one in tokens
def test_a_crossing_in_requests_says_requests(start: Start) -> None:
    watcher = start(small(limits=False, analytics=True), asked(replace(REQUESTS, limit=10)))
    sent = [*watcher.cycle(), *watcher.run(watcher.now + HOUR, 10 * MINUTE)]
    (alert,) = [alert for message in sent for alert in message.alerts if alert.subject.kind == "budget"]
    assert "passed 100 % of 10 requests for November 2026" in alert.summary
    assert "$" not in alert.summary


def test_where_nobody_tells_requests_they_are_not_taken_for_none(start: Start) -> None:
    watcher = start(small(limits=False), asked(replace(REQUESTS, limit=1)))
    assert not [*watcher.cycle(), *watcher.run(watcher.now + HOUR, 10 * MINUTE)]
    assert not watcher.last.overview.budgets
    why = "analytics_usage, which alone tells requests, is not offered to this key"
    assert f"Budget “requests” judges nothing: {why}." in watcher.status.notes


def test_requests_are_read_of_nobody_who_does_not_ask_for_them(start: Start) -> None:
    watcher = start(small(limits=False, analytics=True), asked(monthly(1e6)))
    watcher.cycle()
    watcher.run(watcher.now + HOUR, 10 * MINUTE)
    assert not [request for request in watcher.simulator.requests if request.path.endswith("analytics/usage")]
