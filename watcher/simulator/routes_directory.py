"""The directory's endpoints: the organization, its workspaces, members, users, invites and API keys."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from watcher.simulator.answering import Asked, Json
from watcher.simulator.errors import ApiError, invalid, not_found
from watcher.simulator.organization import KEY_STATUSES, SETTABLE_STATUSES, ApiKey, Refused
from watcher.simulator.paging import LIST_PARAMETERS, list_page
from watcher.simulator.requests import read_body
from watcher.simulator.wire import (
    invite_wire,
    key_wire,
    member_wire,
    organization_wire,
    user_wire,
    workspace_wire,
)

_T = TypeVar("_T")


async def organization_me(asked: Asked) -> Json:
    """GET organizations/me."""
    asked.parameters(frozenset())
    return organization_wire(asked.world.organization)


async def list_workspaces(asked: Asked) -> Json:
    """GET workspaces; archived ones and the default one only when asked for."""
    parameters = asked.parameters(LIST_PARAMETERS | {"include_archived", "include_default", "ids"})
    organization = asked.world.organization
    archived, ids = parameters.flag("include_archived"), parameters.texts("ids")
    found = [organization.default_workspace] if parameters.flag("include_default") else []
    found += [each for each in organization.workspaces.values() if archived or each.archived_at is None]
    found = [each for each in found if not ids or each.id in ids]
    return list_page(found, parameters, lambda each: each.id, workspace_wire)


async def get_workspace(asked: Asked) -> Json:
    """GET workspaces/{id}."""
    asked.parameters(frozenset())
    workspace = asked.world.organization.workspace(asked.path["workspace_id"])
    if workspace is None:
        raise not_found("Workspace not found")
    return workspace_wire(workspace)


async def update_workspace(asked: Asked) -> Json:
    """POST workspaces/{id}: name, display_color, tags."""
    body = await read_body(asked.request, frozenset({"name", "display_color", "tags"}))
    tags = body.get("tags") or {}
    if not isinstance(tags, dict) or not all(isinstance(value, str | None) for value in tags.values()):
        raise invalid("tags: Input should be a dictionary of strings")
    name, color = _optional_text(body, "name"), _optional_text(body, "display_color")
    workspace = _allowed(
        lambda: asked.world.organization.update_workspace(
            asked.path["workspace_id"], name=name, color=color, tags=tags
        ),
        "Workspace",
    )
    return workspace_wire(workspace)


async def list_members(asked: Asked) -> Json:
    """GET workspaces/{id}/members."""
    parameters = asked.parameters(LIST_PARAMETERS)
    organization, workspace_id = asked.world.organization, asked.path["workspace_id"]
    if organization.workspace(workspace_id) is None:
        raise not_found("Workspace not found")
    members = [each for each in organization.members if each.workspace_id == workspace_id]
    return list_page(members, parameters, lambda each: each.user_id, member_wire)


async def list_users(asked: Asked) -> Json:
    """GET users, by email or roles."""
    parameters = asked.parameters(LIST_PARAMETERS | {"email", "roles"})
    email, roles = parameters.text("email"), parameters.texts("roles")
    users = [
        each
        for each in asked.world.organization.users.values()
        if (email is None or each.email == email.strip().lower()) and (not roles or each.role in roles)
    ]
    return list_page(users, parameters, lambda each: each.id, user_wire)


async def get_user(asked: Asked) -> Json:
    """GET users/{id}."""
    asked.parameters(frozenset())
    return user_wire(_allowed(lambda: asked.world.organization.users[asked.path["user_id"]], "User"))


async def update_user(asked: Asked) -> Json:
    """POST users/{id}: role."""
    body = await read_body(asked.request, frozenset({"role"}))
    role = _required_text(body, "role")
    return user_wire(_allowed(lambda: asked.world.organization.set_role(asked.path["user_id"], role), "User"))


async def remove_user(asked: Asked) -> Json:
    """DELETE users/{id}."""
    user_id = asked.path["user_id"]
    _allowed(lambda: asked.world.organization.remove_user(user_id), "User")
    return {"id": user_id, "type": "user_deleted"}


async def list_invites(asked: Asked) -> Json:
    """GET invites, by email, roles or statuses; deleted ones are never listed."""
    parameters = asked.parameters(LIST_PARAMETERS | {"email", "roles", "statuses"})
    email, roles = parameters.text("email"), parameters.texts("roles")
    statuses = parameters.texts("statuses", ("accepted", "expired", "pending")) or (
        "accepted",
        "expired",
        "pending",
    )
    invites = [
        each
        for each in asked.world.organization.invites.values()
        if each.status(asked.now) in statuses
        and (email is None or each.email == email.strip().lower())
        and (not roles or each.role in roles)
    ]
    return list_page(invites, parameters, lambda each: each.id, lambda each: invite_wire(each, asked.now))


async def get_invite(asked: Asked) -> Json:
    """GET invites/{id}."""
    asked.parameters(frozenset())
    invite = _allowed(lambda: asked.world.organization.invites[asked.path["invite_id"]], "Invite")
    return invite_wire(invite, asked.now)


async def create_invite(asked: Asked) -> Json:
    """POST invites: email, role."""
    body = await read_body(asked.request, frozenset({"email", "role", "rbac_group_ids"}))
    email, role = _required_text(body, "email").strip().lower(), _required_text(body, "role")
    if "@" not in email:
        raise invalid("email: value is not a valid email address")
    return invite_wire(_allowed(lambda: asked.world.organization.invite(email, role, asked.now), "Invite"), asked.now)


async def delete_invite(asked: Asked) -> Json:
    """DELETE invites/{id}."""
    invite_id = asked.path["invite_id"]
    _allowed(lambda: asked.world.organization.delete_invite(invite_id, asked.now), "Invite")
    return {"id": invite_id, "type": "invite_deleted"}


async def list_keys(asked: Asked) -> Json:
    """GET api_keys, by status, workspace or creator."""
    parameters = asked.parameters(LIST_PARAMETERS | {"status", "workspace_id", "created_by_user_id"})
    status = parameters.choice("status", KEY_STATUSES)
    workspace_id, creator = parameters.text("workspace_id"), parameters.text("created_by_user_id")
    keys = [
        each
        for each in asked.world.organization.keys.values()
        if (status is None or each.status(asked.now) == status)
        and (workspace_id is None or each.workspace_id == workspace_id)
        and (creator is None or each.created_by == creator)
    ]
    return list_page(keys, parameters, lambda each: each.id, lambda each: _key(asked, each))


async def get_key(asked: Asked) -> Json:
    """GET api_keys/{id}."""
    asked.parameters(frozenset())
    return _key(asked, _allowed(lambda: asked.world.organization.keys[asked.path["api_key_id"]], "API key"))


async def update_key(asked: Asked) -> Json:
    """POST api_keys/{id}: name and/or status. The whole request is refused before anything is changed."""
    body = await read_body(asked.request, frozenset({"name", "status"}))
    key_id, world = asked.path["api_key_id"], asked.world
    name, status = _optional_text(body, "name"), _optional_text(body, "status")
    if name is not None and not 1 <= len(name) <= 500:
        raise invalid("name: String should have between 1 and 500 characters")
    if status is not None and status not in SETTABLE_STATUSES:
        raise invalid(f"status: Input should be one of {', '.join(SETTABLE_STATUSES)}")
    key = _allowed(lambda: world.organization.keys[key_id], "API key")
    if status is not None:
        key = _allowed(lambda: world.set_key_status(key_id, status, asked.now), "API key")
    if name is not None:
        key = world.organization.rename_key(key_id, name)
    return _key(asked, key)


def _key(asked: Asked, key: ApiKey) -> dict[str, Any]:
    return key_wire(asked.world.organization, key, asked.now, asked.caller.version)


def _allowed(change: Callable[[], _T], what: str) -> _T:
    """Do it; 404 for an unknown object, 400 for what the organization refuses."""
    try:
        return change()
    except KeyError:
        raise not_found(f"{what} not found") from None
    except Refused as refused:
        raise ApiError(HTTPStatus.BAD_REQUEST, str(refused)) from refused


def _optional_text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise invalid(f"{name}: Input should be a valid string")
    return value


def _required_text(body: dict[str, Any], name: str) -> str:
    value = _optional_text(body, name)
    if value is None:
        raise invalid(f"{name}: Field required")
    return value
