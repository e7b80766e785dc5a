"""The directory: organization, workspaces and who works in them, keys, members and invites."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, select

from rules.model import CONSOLE, DEFAULT_WORKSPACE, UNATTRIBUTED, Names
from watcher.admin_api.answers import ApiKey, Invite, Organization, User, Workspace
from watcher.admin_api.answers_limits import WorkspaceMember
from watcher.store.database import Database
from watcher.store.listings import Change, Kind, Listed, Listings, read_changes
from watcher.store.payload import Payload
from watcher.store.tables import directory, series

_NOBODYS = frozenset({"", CONSOLE, UNATTRIBUTED})
"""What stands for a key where there is none."""
_OFF = ("inactive", "archived", "expired")
"""The statuses in which a key can spend nothing; a status not known here says nothing."""

_ORGANIZATION: Kind[Organization] = Kind(
    "organization", Payload(Organization), lambda item: item.id, lambda item: item.name, lambda _: ""
)
_WORKSPACE: Kind[Workspace] = Kind(
    "workspace",
    Payload(Workspace),
    lambda item: item.id,
    lambda item: item.name,
    lambda item: "active" if item.archived_at is None else "archived",
)
_API_KEY: Kind[ApiKey] = Kind(
    "api_key", Payload(ApiKey), lambda item: item.id, lambda item: item.name, lambda item: item.status
)
_USER: Kind[User] = Kind("user", Payload(User), lambda item: item.id, lambda item: item.name, lambda item: item.role)
_INVITE: Kind[Invite] = Kind(
    "invite", Payload(Invite), lambda item: item.id, lambda item: item.email, lambda i: i.status
)
_MEMBER: Kind[WorkspaceMember] = Kind(
    "workspace_member",
    Payload(WorkspaceMember),
    lambda item: f"{item.workspace_id}/{item.user_id}",
    lambda item: item.user_id,
    lambda item: item.role,
)

_KEYS_KNOWN = select(directory.c.id).where(
    directory.c.organization == bindparam("whose"), directory.c.kind == _API_KEY.name
)
_KEYS_USED = select(series.c.api_key).distinct().where(series.c.organization == bindparam("whose"))
_SWITCHED_OFF = _KEYS_KNOWN.where(directory.c.listed == 1, directory.c.status.in_(_OFF))


class Directory:
    """The directory of every organization."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._organizations = Listings(database, _ORGANIZATION)
        self._workspaces = Listings(database, _WORKSPACE)
        self._api_keys = Listings(database, _API_KEY)
        self._users = Listings(database, _USER)
        self._invites = Listings(database, _INVITE)
        self._members = Listings(database, _MEMBER)

    def record_organization(self, organization: str, item: Organization, observed_at: datetime) -> None:
        """Keep what the organization says of itself."""
        self._organizations.record(organization, [item], observed_at)

    def record_workspaces(self, organization: str, items: Sequence[Workspace], observed_at: datetime) -> None:
        """Take a whole listing of the workspaces over."""
        self._workspaces.record(organization, items, observed_at)

    def record_api_keys(self, organization: str, items: Sequence[ApiKey], observed_at: datetime) -> None:
        """Take a whole listing of the keys over."""
        self._api_keys.record(organization, items, observed_at)

    def record_api_key(self, organization: str, item: ApiKey, observed_at: datetime) -> None:
        """Take one key over as it was read by itself, with what changed of it."""
        self._api_keys.record_one(organization, item, observed_at)

    def keep_api_key(self, organization: str, item: ApiKey, observed_at: datetime) -> None:
        """Keep a key that was asked for by its id, as no listing has it."""
        self._api_keys.keep(organization, item, observed_at)

    def record_users(self, organization: str, items: Sequence[User], observed_at: datetime) -> None:
        """Take a whole listing of the members over."""
        self._users.record(organization, items, observed_at)

    def record_invites(self, organization: str, items: Sequence[Invite], observed_at: datetime) -> None:
        """Take a whole listing of the invites over."""
        self._invites.record(organization, items, observed_at)

    def record_workspace_members(
        self, organization: str, workspace: str, items: Sequence[WorkspaceMember], observed_at: datetime
    ) -> None:
        """Take a whole listing of one workspace's members over."""
        self._members.record(organization, items, observed_at, within=f"{workspace}/")

    def organization_name(self, organization: str) -> str:
        """The organization's name, or its id where the name was never told."""
        found = self._organizations.all(organization)
        return found[0].item.name if found else organization

    def workspaces(self, organization: str) -> tuple[Workspace, ...]:
        """The workspaces of the last listing, archived ones too."""
        return self._workspaces.listed(organization)

    def api_keys(self, organization: str) -> tuple[ApiKey, ...]:
        """The keys of the last listing, whatever their status."""
        return self._api_keys.listed(organization)

    def users(self, organization: str) -> tuple[User, ...]:
        """The members of the last listing."""
        return self._users.listed(organization)

    def invites(self, organization: str) -> tuple[Invite, ...]:
        """The invites of the last listing."""
        return self._invites.listed(organization)

    def workspace_members(self, organization: str) -> Mapping[str, tuple[WorkspaceMember, ...]]:
        """Who works in each workspace, by the last listing of each; workspaces without members are left out."""
        found: dict[str, tuple[WorkspaceMember, ...]] = {}
        for member in self._members.listed(organization):
            found[member.workspace_id] = (*found.get(member.workspace_id, ()), member)
        return found

    def seen_api_keys(self, organization: str) -> tuple[Listed[ApiKey], ...]:
        """Every key ever listed or asked for by its id, with when it was seen."""
        return self._api_keys.all(organization)

    def switched_off(self, organization: str) -> frozenset[str]:
        """The ids of the keys that the last listing has as switched off, archived or expired."""
        with self._database.reading() as connection:
            return frozenset(connection.scalars(_SWITCHED_OFF, {"whose": organization}))

    def unknown_api_keys(self, organization: str) -> tuple[str, ...]:
        """The ids of keys that have used or cost something and of which nothing is known, by id."""
        mine = {"whose": organization}
        with self._database.reading() as connection:
            found = set(connection.scalars(_KEYS_USED, mine)) - set(connection.scalars(_KEYS_KNOWN, mine)) - _NOBODYS
        return tuple(sorted(found))

    def names(self, organization: str) -> Names:
        """What everything ever seen is called now, where each key lives and whose it is, and the workspaces' tags."""
        return names_of(
            [entry.item for entry in self._workspaces.all(organization)],
            [entry.item for entry in self._users.all(organization)],
            [entry.item for entry in self._api_keys.all(organization)],
        )

    def changes(
        self, organization: str, since: datetime, kind: str | None = None, ident: str | None = None
    ) -> tuple[Change, ...]:
        """The changes observed from `since` on, in the order they were seen."""
        with self._database.reading() as connection:
            return read_changes(connection, organization, since, () if kind is None else (kind,), ident)


def names_of(workspaces: Iterable[Workspace], users: Iterable[User], keys: Iterable[ApiKey]) -> Names:
    """What these are called, where each key lives and whose it is, and the workspaces' tags."""
    by_id: dict[str, str] = {}
    emails: dict[str, str] = {}
    workspace_of_key: dict[str, str] = {}
    user_of_key: dict[str, str] = {}
    tags: dict[str, Mapping[str, str]] = {}
    for workspace in workspaces:
        by_id[workspace.id] = workspace.name
        tags[workspace.id] = workspace.tags
    for user in users:
        by_id[user.id] = user.name or user.email
        emails[user.id] = user.email
    for key in keys:
        by_id[key.id] = key.name
        owner = key.principal or key.created_by
        if owner:
            user_of_key[key.id] = owner
        if not key.organization_scoped:
            workspace_of_key[key.id] = key.workspace_id or DEFAULT_WORKSPACE
    return Names(by_id, workspace_of_key, user_of_key, emails, tags)
