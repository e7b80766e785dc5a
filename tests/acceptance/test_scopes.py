"""Users, families, tiers and tags from the API to every face: rules, messages, spend and metrics tell one story."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.families import family_of
from rules.model import AnomalyRule, Budget
from tests.acceptance.conftest import Start
from tests.acceptance.running import KEY_SPEND, MINUTE, Asked, at, dollars, incident_file
from tests.acceptance.script import Message, Script
from watcher.settings import MetricsSettings
from watcher.simulator import World

TUESDAY = at("2026-11-17 06:00")
RULES = (
    KEY_SPEND,
    AnomalyRule("user spend", per=("user",)),
    AnomalyRule("team spend", per=("tag:team",)),
    AnomalyRule("family spend", per=("model_family",)),
)


def organization(directory: Path, *incidents: str) -> World:
    scenario = incident_file(directory, *incidents) if incidents else None
    return World(started_at=TUESDAY, seed=7, keys=12, workspaces=3, days=21, scenario=scenario)


def owner_of(world: World, key: str) -> str | None:
    found = world.organization.keys[key]
    return found.service_account_id or found.created_by


@pytest.mark.slow
def test_a_runaway_key_tells_of_its_user_its_team_and_its_family_in_one_message(start: Start, tmp_path: Path) -> None:
    world = organization(tmp_path, "runaway after=3h for=6h")
    watcher = start(world, Asked(anomalies=RULES))
    assert not watcher.cycle()
    script = Script(watcher, 30 * MINUTE)
    key = str(world.incidents[0].api_key_id)
    told = script.message(before="17 11:30", reason="first")
    told.tells("key spend", key, inside=("user spend",))
    scopes = [alert.subject.scope for alert in told.notification.inhibited]
    workspace = world.organization.keys[key].workspace_id
    team = None if workspace is None else world.organization.workspaces[workspace].tags.get("team")
    for scope in scopes:
        assert scope.user in {None, owner_of(world, key)}
        assert dict(scope.tags).get("team", team) == team
    script.quiet(until="17 15:00")
    script.message(before="17 21:00", reason="resolved").tells("key spend", key)


def test_budgets_of_users_and_teams_survive_a_key_that_is_renamed(start: Start, tmp_path: Path) -> None:
    world = organization(tmp_path)
    each = Budget("team", "month", "UTC", dollars(1), (100.0,), per=("tag:team",))
    user = Budget("user", "month", "UTC", dollars(1), (100.0,), per=("user",))
    watcher = start(world, Asked(budgets=(each, user), anomalies=()))
    (first,) = watcher.cycle()
    told = {(alert.subject.rule, *alert.subject.scope.parts().values()) for alert in first.alerts}
    teams = {workspace.tags.get("team") for workspace in world.organization.workspaces.values()}
    assert {value for rule, value in told if rule == "team"} <= {*teams, "(none)"}
    names = world.organization.users
    named = [alert for alert in first.alerts if alert.subject.scope.user in names]
    assert named
    for alert in named:
        assert names[str(alert.subject.scope.user)].name in Message(first).text
    key = next(iter(world.organization.keys))
    world.organization.rename_key(key, "[bold]another")
    assert not watcher.run(TUESDAY + 90 * MINUTE, every=30 * MINUTE), "a name is no news"
    known = watcher.store.directory.names(watcher.store.organizations.id_of("") or "")
    assert known.of(key) == "[bold]another"


def test_spend_and_metrics_by_every_dimension_agree(start: Start, tmp_path: Path) -> None:
    watcher = start(organization(tmp_path), Asked(anomalies=()))
    watcher.cycle()
    month = TUESDAY.replace(day=1, hour=0)
    whole = watcher.spend(month, watcher.now).total.cost
    for scope in ("workspace", "api_key", "model", "model_family", "service_tier", "user", "tag:team", "tag:env"):
        report = watcher.spend(month, watcher.now, by=(scope,))
        assert sum(row.cost for row in report.rows) == whole
        watcher.metrics.shown = MetricsSettings(per=(scope,))
        shown = watcher.metric("watcher_spend_usd", scope=scope, window="month")
        assert abs(shown - whole / 1e9) < 1e-6
    for row in watcher.spend(month, watcher.now, by=("model", "model_family")).rows:
        assert row.of("model_family") == family_of(str(row.of("model")))
