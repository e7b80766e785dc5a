"""Who works in which workspace, as the directory was read last."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from notifiers.alert_json import utc_json
from watcher.admin_api.answers import User
from watcher.store import Store

SOURCE = "workspace_members"


@dataclass(frozen=True, slots=True)
class Member:
    """A person, by the id that the workspace lists. The rest is None where no list of users has them."""

    id: str
    role: str
    """Their role in the workspace, or in the organization where they are in no workspace."""
    name: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Staff:
    """A workspace's members by name; `read_at` is when they were listed last, None if never."""

    workspace: str
    name: str
    members: tuple[Member, ...]
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class Members:
    """Who works where, workspaces by name, and who is in none of them.

    Archived workspaces are left out, and so is the default one, which has no list of members. `offered` is False where
    the key may not ask who works where.
    """

    workspaces: tuple[Staff, ...]
    elsewhere: tuple[Member, ...]
    offered: bool | None


def read_members(store: Store, organization: str, pattern: str | None = None) -> Members:
    """Read what is stored.

    With `pattern` only workspaces whose id or name (whatever the case) it matches, and nobody who is in none.
    """
    users = {user.id: user for user in store.directory.users(organization)}
    listed = store.directory.workspace_members(organization)
    asked = store.lookups.all(organization, SOURCE)
    staff = [
        Staff(
            workspace.id,
            workspace.name,
            _by_name(
                _member(each.user_id, each.role, users.get(each.user_id)) for each in listed.get(workspace.id, ())
            ),
            asked[workspace.id].asked_at if workspace.id in asked and asked[workspace.id].found else None,
        )
        for workspace in store.directory.workspaces(organization)
        if workspace.archived_at is None and _takes(pattern, workspace.id, workspace.name)
    ]
    placed = {each.user_id for members in listed.values() for each in members}
    rest = (_member(user.id, user.role, user) for user in users.values() if user.id not in placed)
    return Members(
        tuple(sorted(staff, key=lambda each: (each.name.casefold(), each.workspace))),
        _by_name(rest) if pattern is None else (),
        store.sources.get(organization, SOURCE).offered,
    )


def to_json(members: Members) -> dict[str, Any]:
    """The form of `watcher members --json`."""
    return {
        "workspaces": [
            {
                "id": each.workspace,
                "name": each.name,
                "read_at": utc_json(each.read_at) if each.read_at else None,
                "members": list(map(_json, each.members)),
            }
            for each in members.workspaces
        ],
        "in_no_workspace": list(map(_json, members.elsewhere)),
        "offered": members.offered,
    }


def _member(ident: str, role: str, user: User | None) -> Member:
    return Member(ident, role) if user is None else Member(ident, role, user.name, user.email)


def _by_name(members: Iterable[Member]) -> tuple[Member, ...]:
    return tuple(sorted(members, key=lambda each: ((each.name or each.id).casefold(), each.id)))


def _takes(pattern: str | None, ident: str, name: str) -> bool:
    if pattern is None or pattern == ident or fnmatchcase(ident, pattern):
        return True
    folded = pattern.casefold()
    return folded == name.casefold() or fnmatchcase(name.casefold(), folded)


def _json(member: Member) -> dict[str, Any]:
    return {"id": member.id, "name": member.name, "email": member.email, "role": member.role}
