"""The directory's own rules: versions, credentials, wrong parameters, hostile names."""

from __future__ import annotations

import httpx
import pytest

from watcher.simulator import World

NEW = {"anthropic-version": "2026-10-21"}


def test_the_older_version_tells_the_workspace_id_and_the_newer_one_only_the_scope(shared):
    default = shared.world.organization.default_workspace.id
    in_default = next(key.id for key in shared.world.organization.keys.values() if key.workspace_id == default)
    old, new = shared.get(f"api_keys/{in_default}"), shared.get(f"api_keys/{in_default}", headers=NEW)
    assert old["workspace_id"] is None
    assert "workspace_id" not in new
    assert old["scope"] == new["scope"] == {"type": "workspace", "workspace_id": default}


@pytest.mark.parametrize(
    ("headers", "status", "kind"),
    [
        ({"anthropic-version": "2023-06-01"}, 401, "authentication_error"),
        ({"x-api-key": "sk-ant-api03-x", "anthropic-version": "2023-06-01"}, 401, "authentication_error"),
        ({"x-api-key": "sk-ant-admin01-", "anthropic-version": "2023-06-01"}, 401, "authentication_error"),
        ({"Authorization": "Basic abc", "anthropic-version": "2023-06-01"}, 401, "authentication_error"),
        ({"x-api-key": "sk-ant-admin01-x"}, 400, "invalid_request_error"),
        ({"x-api-key": "sk-ant-admin01-x", "anthropic-version": "2020-01-01"}, 400, "invalid_request_error"),
    ],
)
def test_wrong_credentials_and_versions_get_the_documented_envelope(shared, headers, status, kind):
    response = httpx.get(f"{shared.simulator.url}/v1/organizations/me", headers=headers, trust_env=False)
    body = response.json()
    assert (response.status_code, body["type"], body["error"]["type"]) == (status, "error", kind)
    assert body["request_id"] == response.headers["request-id"]
    assert response.headers["anthropic-organization-id"] == shared.world.organization.id


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("api_keys", {"limit": "0"}),
        ("api_keys", {"limit": "1001"}),
        ("api_keys", {"limit": "ten"}),
        ("api_keys", {"limit": ["1", "2"]}),
        ("api_keys", {"status": "sleeping"}),
        ("api_keys", {"after_id": "apikey_nobody"}),
        ("api_keys", {"page": "x"}),
        ("workspaces", {"include_archived": "perhaps"}),
        ("invites", {"statuses[]": "deleted"}),
        ("me", {"limit": "5"}),
    ],
)
def test_wrong_parameters_are_refused_by_name(shared, path, query):
    error = shared.get(path, 400, **query)["error"]
    assert error["type"] == "invalid_request_error"
    assert next(iter(query)).removesuffix("[]") in error["message"]


@pytest.mark.parametrize("path", ["api_keys/apikey_x", "users/user_x", "invites/invite_x", "workspaces/wrkspc_x",
                                  "workspaces/wrkspc_x/members", "analytics/cost", "spend_limits", "rate_limits",
                                  "analytics/usage", "nothing"])  # fmt: skip
def test_what_is_not_there_is_404(shared, path):
    assert shared.get(path, 404)["error"]["type"] == "not_found_error"


def test_a_method_that_an_endpoint_does_not_have_is_405(shared):
    assert shared.client.delete("/v1/organizations/api_keys").status_code == 405
    assert shared.client.post("/v1/organizations/cost_report").status_code == 405


@pytest.mark.parametrize(
    "body", [{"status": "expired"}, {"status": 1}, {"name": ""}, {"name": "x" * 501}, {"workspace_id": "w"}]
)
def test_a_wrong_update_of_a_key_changes_nothing(shared, body):
    key_id = next(iter(shared.world.organization.keys))
    before = shared.get(f"api_keys/{key_id}")
    shared.post(f"api_keys/{key_id}", {"name": "changed", **body}, 400)
    assert shared.get(f"api_keys/{key_id}") == before


def test_a_body_that_is_no_json_object_is_refused(shared):
    key_id = next(iter(shared.world.organization.keys))
    for content in (b"", b"{", b"[]", b"\xff"):
        assert shared.client.post(f"/v1/organizations/api_keys/{key_id}", content=content).status_code == 400


def test_hostile_names_reach_the_client_unharmed(serve):
    api = serve(hostile_names=True)
    names = [key["name"] for key in api.get("api_keys", limit=100)["data"]]
    assert {"<!channel>", "[bold]", '=HYPERLINK("http://x")', "</script><script>alert(1)</script>"} <= set(names)
    assert any(len(name) == 300 for name in names)
    assert any("\u202e" in name for name in names)


def test_requests_are_recorded_without_credentials(api):
    api.get("me")
    api.get("api_keys", limit=3)
    seen = [(each.method, each.path, each.query) for each in api.simulator.requests]
    assert seen == [("GET", "/v1/organizations/me", ""), ("GET", "/v1/organizations/api_keys", "limit=3")]
    assert "admin01" not in repr(api.simulator.requests)


def test_the_same_seed_founds_the_same_organization_and_another_seed_another(shared):
    again = World(started_at=shared.world.started_at, keys=14, workspaces=3, days=20)
    other = World(started_at=shared.world.started_at, keys=14, workspaces=3, days=20, seed=8)
    assert again.organization == shared.world.organization
    assert not set(other.organization.keys) & set(again.organization.keys)


@pytest.mark.parametrize(
    "settings", [{"keys": 0}, {"workspaces": 0}, {"workspaces": 101}, {"days": 0}, {"discount": 1.0}, {"seed": -1}]
)
def test_settings_out_of_range_are_refused(shared, settings):
    with pytest.raises(ValueError, match=r"must|needed"):
        World(started_at=shared.world.started_at, **settings)
