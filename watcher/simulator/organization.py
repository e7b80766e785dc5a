"""The organization's directory: workspaces, members, users, invites and API keys, and the changes the API allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

KEY_STATUSES = ("active", "inactive", "archived", "expired")
SETTABLE_STATUSES = ("active", "inactive", "archived")
GIVEN_ROLES = ("billing", "claude_code_user", "developer", "managed", "user")
INVITE_LIFE = timedelta(days=21)


class Refused(ValueError):
    """A change that the API would refuse; the text is the message it would give."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace. The default one has a real id too, yet reports show it as null and lists leave it out."""

    id: str
    name: str
    created_at: datetime
    display_color: str
    compartment_id: str
    tags: Mapping[str, str] = field(default_factory=dict)
    default_geo: str = "global"
    archived_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class User:
    """A member of the organization."""

    id: str
    name: str
    email: str
    role: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """A user's role in one workspace."""

    workspace_id: str
    user_id: str
    role: str


@dataclass(frozen=True, slots=True)
class Invite:
    """An invitation; `expired` is not stored but follows from `expires_at`."""

    id: str
    email: str
    role: str
    invited_at: datetime
    expires_at: datetime
    accepted_at: datetime | None = None
    deleted: bool = False

    def status(self, now: datetime) -> str:
        """accepted, deleted, expired or pending at `now`."""
        if self.deleted:
            return "deleted"
        if self.accepted_at is not None:
            return "accepted"
        return "expired" if self.expires_at <= now else "pending"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key. `workspace_id` is the real id, that of the default workspace included, or None for a key that
    belongs to the organization. `set_status` is what was last written; `status` also knows about expiry."""

    id: str
    name: str
    workspace_id: str | None
    created_at: datetime
    created_by: str | None
    hint: str | None
    set_status: str = "active"
    expires_at: datetime | None = None
    service_account_id: str | None = None

    def status(self, now: datetime) -> str:
        """active, inactive, archived or expired at `now`."""
        if self.set_status == "active" and self.expires_at is not None and self.expires_at <= now:
            return "expired"
        return self.set_status


@dataclass(slots=True)
class Organization:
    """The directory as it stands. Objects are frozen; a change replaces one, and lists keep their order."""

    id: str
    name: str
    default_workspace: Workspace
    workspaces: dict[str, Workspace] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    members: list[Member] = field(default_factory=list)
    invites: dict[str, Invite] = field(default_factory=dict)
    keys: dict[str, ApiKey] = field(default_factory=dict)

    def workspace(self, workspace_id: str) -> Workspace | None:
        """The workspace of that id, the default one included, or None."""
        if workspace_id == self.default_workspace.id:
            return self.default_workspace
        return self.workspaces.get(workspace_id)

    def reported_workspace_id(self, key: ApiKey) -> str | None:
        """The id under which reports show the key's workspace: None for the default one and for organization keys."""
        return None if key.workspace_id == self.default_workspace.id else key.workspace_id

    def rename_key(self, key_id: str, name: str) -> ApiKey:
        """Give the key another name. Raises KeyError for an unknown key."""
        changed = replace(self.keys[key_id], name=name)
        self.keys[key_id] = changed
        return changed

    def set_key_status(self, key_id: str, status: str, now: datetime) -> ApiKey:
        """Set the key's status as of `now`.

        Raises:
            KeyError: no such key.
            Refused: an expired or archived key cannot come back, and `expired` cannot be set.
        """
        key = self.keys[key_id]
        current = key.status(now)
        if status not in SETTABLE_STATUSES:
            raise Refused(f"status: Input should be one of {', '.join(SETTABLE_STATUSES)}")
        if current == "expired" and status != "archived":
            raise Refused("An expired API key cannot be reactivated or deactivated.")
        if current == "archived" and status != "archived":
            raise Refused("An archived API key cannot be changed.")
        changed = replace(key, set_status=status)
        self.keys[key_id] = changed
        return changed

    def update_workspace(
        self, workspace_id: str, *, name: str | None, color: str | None, tags: Mapping[str, str | None]
    ) -> Workspace:
        """Change what is not None; a tag set to None is removed.

        Raises:
            KeyError: no such listed workspace.
            Refused: the workspace is archived.
        """
        workspace = self.workspaces[workspace_id]
        if workspace.archived_at is not None:
            raise Refused("An archived Workspace cannot be updated.")
        merged = {key: value for key, value in {**workspace.tags, **tags}.items() if value is not None}
        changed = replace(
            workspace,
            name=workspace.name if name is None else name,
            display_color=workspace.display_color if color is None else color,
            tags=merged,
        )
        self.workspaces[workspace_id] = changed
        return changed

    def set_role(self, user_id: str, role: str) -> User:
        """Give a user another role.

        Raises:
            KeyError: no such user.
            Refused: the role cannot be given over the API, or the user is an admin.
        """
        user = self.users[user_id]
        if role not in GIVEN_ROLES:
            raise Refused(f"role: Input should be one of {', '.join(GIVEN_ROLES)}")
        if user.role == "admin":
            raise Refused("The role of an admin cannot be changed over the API.")
        self.users[user_id] = replace(user, role=role)
        return self.users[user_id]

    def remove_user(self, user_id: str) -> None:
        """Remove a user and their memberships; their keys stay.

        Raises:
            KeyError: no such user.
            Refused: the user is an admin.
        """
        if self.users[user_id].role == "admin":
            raise Refused("An admin cannot be removed over the API.")
        del self.users[user_id]
        self.members = [member for member in self.members if member.user_id != user_id]

    def invite(self, email: str, role: str, now: datetime) -> Invite:
        """Invite somebody. Raises Refused for a role that cannot be given or an address already invited."""
        if role not in GIVEN_ROLES:
            raise Refused(f"role: Input should be one of {', '.join(GIVEN_ROLES)}")
        if any(each.email == email and each.status(now) == "pending" for each in self.invites.values()):
            raise Refused(f"{email} has already been invited.")
        identity = f"invite_01{uuid5(NAMESPACE_URL, f'{self.id}/{email}/{now.isoformat()}').hex[:22]}"
        self.invites[identity] = Invite(identity, email, role, now, now + INVITE_LIFE)
        return self.invites[identity]

    def delete_invite(self, invite_id: str, now: datetime) -> None:
        """Withdraw an invite. Raises KeyError for an unknown one, Refused for one that is no longer pending."""
        invite = self.invites[invite_id]
        if invite.status(now) != "pending":
            raise Refused("Only a pending invite can be deleted.")
        self.invites[invite_id] = replace(invite, deleted=True)
