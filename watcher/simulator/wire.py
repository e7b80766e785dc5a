"""Directory objects as the API spells them, in the shape of the version the caller speaks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from watcher.simulator.moments import fine_stamp
from watcher.simulator.organization import ApiKey, Invite, Member, Organization, User, Workspace
from watcher.simulator.requests import OLD_VERSION


def _maybe(moment: datetime | None) -> str | None:
    return None if moment is None else fine_stamp(moment)


def organization_wire(organization: Organization) -> dict[str, Any]:
    """`organizations/me`."""
    return {"id": organization.id, "type": "organization", "name": organization.name}


def workspace_wire(workspace: Workspace) -> dict[str, Any]:
    """A workspace."""
    return {
        "id": workspace.id,
        "type": "workspace",
        "name": workspace.name,
        "created_at": fine_stamp(workspace.created_at),
        "archived_at": _maybe(workspace.archived_at),
        "display_color": workspace.display_color,
        "compartment_id": workspace.compartment_id,
        "data_residency": {
            "workspace_geo": "us",
            "allowed_inference_geos": "unrestricted",
            "default_inference_geo": workspace.default_geo,
        },
        "external_key_id": None,
        "tags": dict(workspace.tags),
    }


def member_wire(member: Member) -> dict[str, Any]:
    """A user's place in a workspace."""
    return {
        "type": "workspace_member",
        "workspace_id": member.workspace_id,
        "user_id": member.user_id,
        "workspace_role": member.role,
    }


def user_wire(user: User) -> dict[str, Any]:
    """A member of the organization."""
    return {
        "id": user.id,
        "type": "user",
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "added_at": fine_stamp(user.added_at),
    }


def invite_wire(invite: Invite, now: datetime) -> dict[str, Any]:
    """An invite."""
    return {
        "id": invite.id,
        "type": "invite",
        "email": invite.email,
        "role": invite.role,
        "status": invite.status(now),
        "invited_at": fine_stamp(invite.invited_at),
        "expires_at": fine_stamp(invite.expires_at),
        "accepted_at": _maybe(invite.accepted_at),
        "rbac_group_ids": [],
    }


def key_wire(organization: Organization, key: ApiKey, now: datetime, version: str) -> dict[str, Any]:
    """An API key. The older version also carries `workspace_id`, null for the default workspace; the newer one only
    the scope, which always has the real id."""
    principal = None
    if key.service_account_id is not None:
        principal = {"type": "service_account_actor", "service_account_id": key.service_account_id}
    scope: dict[str, str] = {"type": "organization"}
    if key.workspace_id is not None:
        scope = {"type": "workspace", "workspace_id": key.workspace_id}
    wire = {
        "id": key.id,
        "type": "api_key",
        "name": key.name,
        "status": key.status(now),
        "created_at": fine_stamp(key.created_at),
        "created_by": None if key.created_by is None else {"id": key.created_by, "type": "user"},
        "expires_at": _maybe(key.expires_at),
        "partial_key_hint": key.hint,
        "principal": principal,
        "scope": scope,
    }
    if version == OLD_VERSION:
        wire["workspace_id"] = organization.reported_workspace_id(key)
    return wire
