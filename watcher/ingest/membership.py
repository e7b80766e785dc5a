"""Whose data these are: each name in the configuration stands for one organization, whose key alone is taken."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from watcher.admin_api.answers import Organization
from watcher.admin_api.errors import AdminApiError, NotOffered
from watcher.ingest.outcome import failed, not_offered, succeeded
from watcher.ingest.reader import Reader
from watcher.store import Store, StoreError

UNNAMED = "(organization)"
"""The id of an organization that does not tell its own: `organizations/me` is not offered to every key."""

TOLD = "organization_id"
"""The name in the cursor of the id that such an organization told later, to another key."""

SOURCE = "organization"


class OtherOrganization(StoreError):
    """The Admin key belongs to another organization than the one whose data are held under that name."""


class SameOrganization(StoreError):
    """The Admin keys of two blocks of the configuration belong to one organization."""


def organization_of(
    reader: Reader, store: Store, now: datetime, label: str = "", configured: Collection[str] = ("",)
) -> str:
    """The id of the organization that the key belongs to; the store remembers it under its name in the configuration.

    `label` is that name ("" where it has none), `configured` are those of all. Where the API cannot say now, the
    organization that the store holds under the name is given. One that the store holds under a name which the
    configuration has no more takes the new name. Raises `OtherOrganization` for the key of another one than the name
    stood for, `SameOrganization` where another name stands for the same one, and AdminApiError where neither API nor
    store knows; the store then has why.
    """
    try:
        found = _found(reader, store, now, label, configured)
    except (AdminApiError, OtherOrganization, SameOrganization) as error:
        store.organizations.refused(label, str(error), now)
        raise
    store.organizations.admitted(label)
    return found


def _found(reader: Reader, store: Store, now: datetime, label: str, configured: Collection[str]) -> str:
    known = store.organizations.id_of(label)
    try:
        item = reader.organization()
    except AdminApiError as error:
        if known is None and not isinstance(error, NotOffered):
            raise
        organization = known or _stand_in(store, label, configured)
        store.organizations.bind(label, organization, configured)
        state = store.sources.get(organization, SOURCE)
        state = not_offered(state, error, now) if isinstance(error, NotOffered) else failed(state, error, now)
        store.sources.save(organization, state)
        return organization
    organization = known or item.id
    check(store, organization, item)
    holder = store.organizations.bind(label, organization, configured)
    if holder != label:
        raise SameOrganization(
            f'the Admin keys of the organizations "{holder}" and "{label}" of the configuration belong to the same '
            f"organization ({item.id}): leave one of the two out"
        )
    store.directory.record_organization(organization, replace(item, id=organization), now)
    store.sources.save(organization, succeeded(store.sources.get(organization, SOURCE), now))
    return organization


def check(store: Store, organization: str, item: Organization) -> None:
    """Raise `OtherOrganization` unless the organization that answered is the one that the name stands for.

    One that had not told its id so far is held to the first one that it tells.
    """
    told = store.cursor.get(TOLD, organization) if organization.startswith(UNNAMED) else organization
    if told is None:
        store.cursor.set(TOLD, item.id, organization)
    if told in {None, item.id}:
        return
    label = next((bound.label for bound in store.organizations.all() if bound.id == organization), "")
    if not label:
        raise OtherOrganization(
            f"{store.database.place} holds the data of organization {told}, and the Admin key belongs to "
            f"{item.id}: use that organization's key, or let store.url name another database"
        )
    raise OtherOrganization(
        f'{store.database.place} holds the data of organization {told} under the name "{label}", and its Admin '
        f"key belongs to {item.id}: use that organization's key, or give the other one a name of its own"
    )


def _stand_in(store: Store, label: str, configured: Collection[str]) -> str:
    """The id of an organization that does not tell its own; what one without a name had left is the only one's."""
    alone = len(configured) == 1
    return UNNAMED if not label or (alone and store.organizations.id_of("") == UNNAMED) else f"{UNNAMED} {label}"
