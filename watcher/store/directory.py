"""The directory: organization, workspaces, keys, members and invites, with when each was seen and what changed.

The API tells neither when a thing changed nor who changed it: what is kept are changes seen between two listings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from sqlalchemy import Connection, insert, select, update

from rules.model import DEFAULT_WORKSPACE, Names
from watcher.admin_api.answers import ApiKey, Invite, Organization, User, Workspace
from watcher.store.database import Database
from watcher.store.payload import Payload
from watcher.store.tables import directory, directory_changes
from watcher.store.times import from_moment, moment

Kind: TypeAlias = Literal["organization", "workspace", "api_key", "user", "invite"]
Item = TypeVar("Item", Organization, Workspace, ApiKey, User, Invite)
_AnyItem: TypeAlias = Organization | Workspace | ApiKey | User | Invite

_YES_OR_NO = ("no", "yes")
_payloads: dict[Kind, Payload[Any]] = {
    "organization": Payload(Organization),
    "workspace": Payload(Workspace),
    "api_key": Payload(ApiKey),
    "user": Payload(User),
    "invite": Payload(Invite),
}


@dataclass(frozen=True, slots=True)
class Listed(Generic[Item]):
    """One thing of the directory as it was last listed; `listed` is False once a whole listing has left it out."""

    item: Item
    listed: bool
    first_seen_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """A name or status that differed between two listings, or a thing that came ("listed") or went.

    It happened after `last_seen_before` and no later than `observed_at`. The status of a workspace is active or
    archived, that of a user the role.
    """

    kind: str
    id: str
    field: str
    before: str | None
    after: str | None
    last_seen_before: datetime
    observed_at: datetime


class Directory:
    """The directory of every organization."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record_organization(self, organization: str, item: Organization, observed_at: datetime) -> None:
        """Keep what the organization says of itself."""
        self._record(organization, "organization", [item], observed_at)

    def record_workspaces(self, organization: str, items: Sequence[Workspace], observed_at: datetime) -> None:
        """Take a whole listing of the workspaces over."""
        self._record(organization, "workspace", items, observed_at)

    def record_api_keys(self, organization: str, items: Sequence[ApiKey], observed_at: datetime) -> None:
        """Take a whole listing of the keys over."""
        self._record(organization, "api_key", items, observed_at)

    def record_users(self, organization: str, items: Sequence[User], observed_at: datetime) -> None:
        """Take a whole listing of the members over."""
        self._record(organization, "user", items, observed_at)

    def record_invites(self, organization: str, items: Sequence[Invite], observed_at: datetime) -> None:
        """Take a whole listing of the invites over."""
        self._record(organization, "invite", items, observed_at)

    def organization_name(self, organization: str) -> str:
        """The organization's name, or its id where the name was never told."""
        found = self._listed(organization, "organization")
        return found[0].item.name if found else organization

    def workspaces(self, organization: str) -> tuple[Workspace, ...]:
        """The workspaces of the last listing, archived ones too."""
        return tuple(entry.item for entry in self._listed(organization, "workspace") if entry.listed)

    def api_keys(self, organization: str) -> tuple[ApiKey, ...]:
        """The keys of the last listing, whatever their status."""
        return tuple(entry.item for entry in self._listed(organization, "api_key") if entry.listed)

    def users(self, organization: str) -> tuple[User, ...]:
        """The members of the last listing."""
        return tuple(entry.item for entry in self._listed(organization, "user") if entry.listed)

    def invites(self, organization: str) -> tuple[Invite, ...]:
        """The invites of the last listing."""
        return tuple(entry.item for entry in self._listed(organization, "invite") if entry.listed)

    def seen_api_keys(self, organization: str) -> tuple[Listed[ApiKey], ...]:
        """Every key ever listed, with when it was seen."""
        return self._listed(organization, "api_key")

    def names(self, organization: str) -> Names:
        """What every key and workspace ever listed is called now, and where each key lives."""
        by_id: dict[str, str] = {}
        workspace_of_key: dict[str, str] = {}
        for workspace in self._listed(organization, "workspace"):
            by_id[workspace.item.id] = workspace.item.name
        for entry in self._listed(organization, "api_key"):
            key = entry.item
            by_id[key.id] = key.name
            if not key.organization_scoped:
                workspace_of_key[key.id] = key.workspace_id or DEFAULT_WORKSPACE
        return Names(by_id, workspace_of_key)

    def changes(
        self, organization: str, since: datetime, kind: Kind | None = None, ident: str | None = None
    ) -> tuple[Change, ...]:
        """The changes observed from `since` on, in the order they were seen."""
        column = directory_changes.c
        mine = (column.organization == organization) & (column.observed_at >= moment(since))
        query = select(directory_changes).where(mine)
        if kind is not None:
            query = query.where(column.kind == kind)
        if ident is not None:
            query = query.where(column.subject == ident)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(column.id)).all()
        return tuple(
            Change(
                row.kind,
                row.subject,
                row.field,
                row.before,
                row.after,
                from_moment(row.last_seen_before_at),
                from_moment(row.observed_at),
            )
            for row in rows
        )

    def _listed(self, organization: str, kind: Kind) -> tuple[Listed[Any], ...]:
        query = select(directory).where(directory.c.organization == organization, directory.c.kind == kind)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(directory.c.id)).all()
        payload = _payloads[kind]
        return tuple(
            Listed(
                payload.read(row.payload),
                bool(row.listed),
                from_moment(row.first_seen_at),
                from_moment(row.last_seen_at),
            )
            for row in rows
        )

    def _record(self, organization: str, kind: Kind, items: Iterable[_AnyItem], observed_at: datetime) -> None:
        with self._database.writing() as connection:
            _take_over(connection, organization, kind, {item.id: item for item in items}, moment(observed_at))


def _take_over(connection: Connection, organization: str, kind: Kind, items: dict[str, Any], at: int) -> None:
    mine = (directory.c.organization == organization) & (directory.c.kind == kind)
    known = {row.id: row for row in connection.execute(select(directory).where(mine))}
    fresh: list[dict[str, Any]] = []
    changes: list[dict[str, Any]] = []
    for ident, item in items.items():
        name, status = _name_and_status(item)
        payload = _payloads[kind].write(item)
        values = {"name": name, "status": status, "listed": 1, "payload": payload}
        row = known.get(ident)
        if row is None:
            place = {"organization": organization, "kind": kind, "id": ident}
            fresh.append({**place, **values, "first_seen_at": at, "last_seen_at": at})
            continue
        told = {"name": (row.name, name), "status": (row.status, status), "listed": (_YES_OR_NO[row.listed], "yes")}
        changes += [_change(row, field, *pair) for field, pair in told.items() if pair[0] != pair[1]]
        if row.payload != payload or not row.listed:
            connection.execute(update(directory).where(mine, directory.c.id == ident).values(**values))
    for ident, row in known.items():
        if row.listed and ident not in items:
            connection.execute(update(directory).where(mine, directory.c.id == ident).values(listed=0))
            changes.append(_change(row, "listed", "yes", "no"))
    connection.execute(update(directory).where(mine, directory.c.listed == 1).values(last_seen_at=at))
    if fresh:
        connection.execute(insert(directory), fresh)
    if changes:
        connection.execute(insert(directory_changes), [{**change, "observed_at": at} for change in changes])


def _change(row: Any, field: str, before: str, after: str) -> dict[str, Any]:
    return {
        "organization": row.organization,
        "kind": row.kind,
        "subject": row.id,
        "field": field,
        "before": before,
        "after": after,
        "last_seen_before_at": row.last_seen_at,
    }


def _name_and_status(item: _AnyItem) -> tuple[str, str]:
    match item:
        case Workspace():
            return item.name, "active" if item.archived_at is None else "archived"
        case ApiKey():
            return item.name, item.status
        case User():
            return item.name, item.role
        case Invite():
            return item.email, item.status
        case _:
            return item.name, ""
