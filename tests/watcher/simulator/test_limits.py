"""Spend limits and rate limits: whose they are, what was spent against them, and how they page."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from watcher.admin_api import AdminReader, ConnectionSettings, NotOffered, connect
from watcher.admin_api.answers_limits import LimitScope
from watcher.secret import Secret
from watcher.simulator.spend_limits import period_start

START = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
BETA = {"anthropic-beta": "spend-limit-reads-2026-09-26"}


@pytest.fixture
def api(shared_limits):
    return shared_limits


@pytest.fixture
def reader(api):
    with _connect(api) as connection:
        yield AdminReader(connection)


@pytest.fixture
def sdk(anthropic, api):
    strict = {"_strict_response_validation": True, "max_retries": 0, "timeout": 5}
    with anthropic.Anthropic(base_url=api.simulator.url, api_key="sk-ant-admin01-x", **strict) as client:
        yield client


def _connect(api):
    return connect(ConnectionSettings(api.simulator.url, Secret("sk-ant-admin01-x")))


@pytest.mark.parametrize("path", ["spend_limits", "spend_limits/effective", "rate_limits"])
def test_limits_are_there_only_where_they_were_switched_on(shared, path):
    assert shared.get(path, 404, headers=BETA)["error"]["type"] == "not_found_error"
    workspace = next(iter(shared.world.organization.workspaces))
    shared.get(f"workspaces/{workspace}/rate_limits", 404)


def test_spend_limits_are_whole_cents_of_every_scope_newest_first(api, reader):
    limits = reader.spend_limits()
    assert {limit.scope.kind for limit in limits} == {"usage_tier", "organization", "workspace", "user"}
    assert [limit.created_at for limit in limits] == sorted((limit.created_at for limit in limits), reverse=True)
    assert all("." not in (each["amount"] or "") for each in api.get("spend_limits", headers=BETA)["data"])
    assert None in {limit.amount for limit in limits}
    organization = next(limit for limit in limits if limit.scope.kind == "organization")
    assert organization.amount == 14 * 280 * 2 * 10**9


def test_spend_limits_are_filtered_and_refused_without_their_beta_header(api):
    workspace = next(iter(api.world.organization.workspaces))
    (limit,) = api.get("spend_limits", headers=BETA, workspace_id=workspace)["data"]
    assert limit["scope"] == {"type": "workspace", "workspace_id": workspace}
    assert {each["scope"]["type"] for each in api.get("spend_limits", headers=BETA, scope_type__="user")["data"]} == {
        "user"
    }
    api.get("spend_limits", 400, headers=BETA, scope_type__="galaxy")
    assert BETA["anthropic-beta"] in api.get("spend_limits", 400)["error"]["message"]


def test_a_member_s_spend_is_what_the_keys_they_made_have_truly_cost_in_the_period(api, reader):
    keys = api.world.organization.keys.values()
    rows = reader.effective_spend_limits()
    assert {row.member_id for row in rows} == set(api.world.organization.users)
    for row in rows:
        truth = sum(
            api.world.true_cost_nano(period_start(row.period, START), START, api_key_id=key.id, priority=False)
            for key in keys
            if key.created_by == row.member_id
        )
        assert 0 <= truth - row.period_to_date_spend < 20_000
    assert {row.period for row in rows} == {"daily", "weekly", "monthly"}
    assert any(row.period_to_date_spend > 0 for row in rows)
    assert {row.source for row in rows if row.period == "monthly"} == {LimitScope("organization", None)}
    assert [row.amount for row in rows if row.period == "weekly"] == [None]


def test_effective_limits_page_by_member_and_never_split_one(api):
    pages, cursor = [], None
    while not pages or cursor:
        page = api.get("spend_limits/effective", limit=1, **({"page": cursor} if cursor else {}))
        pages.append(page["data"])
        cursor = page["next_page"]
    assert len(pages) == len(api.world.organization.users)
    assert all(len({row["actor"]["user_id"] for row in rows}) == 1 for rows in pages)
    assert max(map(len, pages)) == 2
    assert all(Decimal(row["period_to_date_spend"]) * 1000 % 1 == 0 for rows in pages for row in rows)


def test_effective_limits_are_filtered_by_period_and_member(api):
    user = list(api.world.organization.users)[1]
    rows = api.get("spend_limits/effective", user_ids__=user)["data"]
    assert {row["actor"]["user_id"] for row in rows} == {user}
    assert len(rows) == 2
    daily = api.get("spend_limits/effective", period__="daily")["data"]
    assert [row["actor"]["user_id"] for row in daily] == [user]
    api.get("spend_limits/effective", 400, period__="yearly")


@pytest.mark.parametrize(
    ("period", "start"), [("daily", (2026, 11, 18)), ("weekly", (2026, 11, 16)), ("monthly", (2026, 11, 1))]
)
def test_periods_begin_at_utc_midnight(period, start):
    assert period_start(period, datetime(2026, 11, 18, 13, 5, tzinfo=UTC)) == datetime(*start, tzinfo=UTC)


def test_rate_limits_are_told_by_family_of_models_and_by_part_of_the_api(reader):
    limits = reader.rate_limits()
    assert [limit.group_kind for limit in limits] == [
        "model_group", "model_group", "model_group", "batch", "token_count", "files", "web_search",
    ]  # fmt: skip
    assert [limit.group_name for limit in limits[:4]] == ["Claude Opus", "Claude Sonnet", "Claude Haiku", None]
    assert "claude-opus-5-5" in limits[0].models
    assert limits[3].models == ()
    assert len({limit.id for limit in limits}) == 7


def test_rate_limits_are_filtered_and_paged(api):
    assert len(api.get("rate_limits", group_type="batch")["data"]) == 1
    (haiku,) = api.get("rate_limits", model="claude-haiku-5-5")["data"]
    assert haiku["group"]["display_name"] == "Claude Haiku"
    api.get("rate_limits", 404, model="gpt")
    first = api.get("rate_limits", limit=5)
    second = api.get("rate_limits", limit=5, page=first["next_page"])
    assert (len(first["data"]), len(second["data"]), second["next_page"]) == (5, 2, None)
    api.get("rate_limits", 400, limit=6, page=first["next_page"])
    api.get("rate_limits", 400, limit=1001)


def test_a_workspace_s_overrides_stand_beside_what_the_organization_has(api, reader):
    first, second = list(api.world.organization.workspaces)[:2]
    own = reader.workspace_rate_limits(first)
    assert [limit.group_name for limit in own] == ["Claude Opus", "Claude Sonnet", "Claude Haiku"]
    assert {limit.workspace_id for limit in own} == {first}
    for limit in own:
        assert [value.value * 4 for value in limit.limits] == [value.organization_value for value in limit.limits]
        assert not any(value.inherited for value in limit.limits)
    assert reader.workspace_rate_limits(second) == ()
    with pytest.raises(NotOffered):
        reader.workspace_rate_limits("wrkspc_x")
    everything = api.get(f"workspaces/{first}/rate_limits", include_inherited="true")["data"]
    assert len(everything) == 7
    sources = {value["type"]: value["source"]["type"] for value in everything[0]["limits"]}
    assert sources["requests_per_minute"] == "workspace"
    assert sources["output_tokens_per_minute"] == "organization"


def test_members_of_a_workspace_are_read(api, reader):
    workspace = next(iter(api.world.organization.workspaces))
    truth = [member for member in api.world.organization.members if member.workspace_id == workspace]
    assert [(each.user_id, each.role) for each in reader.workspace_members(workspace)] == [
        (member.user_id, member.role) for member in truth
    ]
    with pytest.raises(NotOffered):
        reader.workspace_members("wrkspc_x")


def test_the_sdk_reads_every_limit_page_by_page(api, sdk):
    limits = list(sdk.beta.organization.spend_limits.list(limit=2))
    assert len(limits) == len(api.get("spend_limits", headers=BETA)["data"]) > 4
    effective = list(sdk.organization.spend_limits.effective.list(limit=3))
    assert {row.actor.user_id for row in effective} == set(api.world.organization.users)
    assert len(list(sdk.organization.rate_limits.list(limit=3))) == 7
    workspace = next(iter(api.world.organization.workspaces))
    values = list(sdk.organization.workspaces.rate_limits.list(workspace, include_inherited=True, limit=2))
    assert [value.rate_limit_id for value in values] == [entry.id for entry in sdk.organization.rate_limits.list()]


def test_a_list_that_has_nothing_but_its_cursor_never_carries_a_stray_one(serve):
    api = serve(limits=True, faults="stray-cursors")
    with _connect(api) as connection:
        assert AdminReader(connection).spend_limits()
