"""Whose data these are: a database serves one organization, and refuses the key of another."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from watcher.admin_api.answers import Organization
from watcher.admin_api.errors import AdminApiError, NotOffered
from watcher.ingest.outcome import failed, not_offered, succeeded
from watcher.ingest.reader import Reader
from watcher.store import ORGANIZATION, Store, StoreError

UNNAMED = "(organization)"
"""The id of an organization that does not tell its own: `organizations/me` is not offered to every key."""

SOURCE = "organization"


class OtherOrganization(StoreError):
    """The Admin key belongs to another organization than the one that the database serves."""


def organization_of(reader: Reader, store: Store, now: datetime) -> str:
    """The id of the organization that the key belongs to; the store remembers it.

    Where the API cannot say now, the organization that the store serves is given. Raises `OtherOrganization` for the
    key of another one, and AdminApiError where neither API nor store knows.
    """
    known = store.cursor.get(ORGANIZATION)
    try:
        item = reader.organization()
    except AdminApiError as error:
        if known is None and not isinstance(error, NotOffered):
            raise
        organization = known or UNNAMED
        store.cursor.set(ORGANIZATION, organization)
        state = store.sources.get(organization, SOURCE)
        state = not_offered(state, error, now) if isinstance(error, NotOffered) else failed(state, error, now)
        store.sources.save(organization, state)
        return organization
    organization = known or item.id
    check(store, organization, item)
    store.cursor.set(ORGANIZATION, organization)
    store.directory.record_organization(organization, replace(item, id=organization), now)
    store.sources.save(organization, succeeded(store.sources.get(organization, SOURCE), now))
    return organization


def check(store: Store, organization: str, item: Organization) -> None:
    """Raise `OtherOrganization` unless the organization that answered is the one that the database serves."""
    if organization not in {item.id, UNNAMED}:
        raise OtherOrganization(
            f"{store.database.place} holds the data of organization {organization}, and the Admin key belongs to "
            f"{item.id}: use that organization's key, or let store.url name another database"
        )
