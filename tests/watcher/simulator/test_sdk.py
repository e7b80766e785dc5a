"""The official Python SDK, at its strictest, takes the simulator for the Admin API."""

from __future__ import annotations

import pytest

STYLES = [
    {"api_key": "sk-ant-admin01-x", "default_headers": {"anthropic-version": "2023-06-01"}},
    {"auth_token": "sk-ant-admin01-x", "default_headers": {"anthropic-version": "2026-10-21"}},
]


@pytest.fixture(params=STYLES, ids=["x-api-key", "bearer"])
def sdk(request, anthropic, shared):
    with _client(anthropic, shared, request.param) as client:
        yield client


def _client(anthropic, api, style):
    strict = {"_strict_response_validation": True, "max_retries": 0, "timeout": 5}
    return anthropic.Anthropic(base_url=api.simulator.url, **strict, **style)


def test_the_sdk_reads_the_organization_and_its_people(sdk, shared):
    organization = sdk.organization
    assert organization.retrieve().name == "Northwind Robotics"
    users = list(organization.users.list(limit=2))
    assert [user.id for user in users] == list(shared.world.organization.users)
    assert organization.users.retrieve(users[0].id) == users[0]
    assert [user.email for user in organization.users.list(email=users[1].email.upper())] == [users[1].email]
    invites = list(organization.invites.list(limit=1))
    assert {invite.status for invite in invites} == {"pending", "expired", "accepted"}
    assert organization.invites.retrieve(invites[0].id) == invites[0]


def test_the_sdk_reads_workspaces_with_and_without_the_archived_and_the_default_one(sdk, shared):
    workspaces = sdk.organization.workspaces
    plain = [each.id for each in workspaces.list(limit=1)]
    everything = [each.id for each in workspaces.list(include_archived=True, include_default=True)]
    assert len(plain) == 3
    assert len(everything) == 5
    assert everything[0] == shared.world.organization.default_workspace.id
    assert workspaces.retrieve(everything[-1]).archived_at is not None
    members = list(workspaces.members.list(plain[0], limit=1))
    assert members
    assert {member.workspace_id for member in members} == {plain[0]}


def test_the_sdk_reads_every_key_forwards_and_backwards(sdk, shared):
    keys = sdk.organization.api_keys
    forwards = [key.id for key in keys.list(limit=5)]
    assert forwards == list(shared.world.organization.keys)
    assert keys.retrieve(forwards[3]).id == forwards[3]
    before = keys.list(before_id=forwards[7], limit=3)
    assert [key.id for key in before.data] == forwards[4:7]
    assert {key.status for key in keys.list(limit=100)} == {"active", "inactive", "archived", "expired"}
    expired = next(iter(keys.list(status="expired")))
    assert expired.created_by is None
    default = shared.world.organization.default_workspace.id
    assert {key.scope.workspace_id for key in keys.list(workspace_id=default)} == {default}
    assert any(key.scope.type == "organization" for key in keys.list(limit=100))


@pytest.mark.parametrize("style", STYLES, ids=["x-api-key", "bearer"])
def test_the_sdk_updates_keys_users_workspaces_and_invites(anthropic, api, style):
    with _client(anthropic, api, style) as sdk:
        _update_everything(sdk.organization, anthropic.NotFoundError)


def _update_everything(organization, not_found):
    key = next(iter(organization.api_keys.list(status="active")))
    changed = organization.api_keys.update(key.id, name="renamed", status="inactive")
    assert (changed.name, changed.status) == ("renamed", "inactive")
    assert organization.api_keys.update(key.id, status="active").status == "active"
    developer = next(user for user in organization.users.list() if user.role == "developer")
    assert organization.users.update(developer.id, role="billing").role == "billing"
    assert organization.users.remove(developer.id).id == developer.id
    with pytest.raises(not_found):
        organization.users.retrieve(developer.id)
    workspace = next(iter(organization.workspaces.list()))
    assert organization.workspaces.update(workspace.id, tags={"tier": "critical", "env": None}).tags == {
        "team": "platform",
        "tier": "critical",
    }
    invite = organization.invites.create(email="somebody@example.com", role="developer")
    assert invite.status == "pending"
    assert organization.invites.delete(invite.id).id == invite.id
    assert invite.id not in {each.id for each in organization.invites.list()}


def test_an_expired_key_cannot_come_back(anthropic, sdk):
    expired = next(iter(sdk.organization.api_keys.list(status="expired")))
    with pytest.raises(anthropic.BadRequestError, match="expired"):
        sdk.organization.api_keys.update(expired.id, status="active")
