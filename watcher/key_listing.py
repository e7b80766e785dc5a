"""Keys and workspaces listed with the action key, where the key that is read with may not list them.

Without the listing nothing is known of names, tags and states: nothing could be protected, and no key be changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from watcher.admin_api import AdminApiError
from watcher.admin_api.answers import ApiKey, Organization, Workspace
from watcher.ingest.membership import OtherOrganization, check
from watcher.logs import logger
from watcher.store import Store

log = logger(__name__)

SOURCES = ("workspaces", "api_keys")


class KeyLister(Protocol):
    """Lists what there is."""

    def organization(self) -> Organization:
        """Whose the key is. Raises AdminApiError."""

    def workspaces(self) -> Sequence[Workspace]:
        """All workspaces. Raises AdminApiError."""

    def api_keys(self) -> Sequence[ApiKey]:
        """All keys. Raises AdminApiError."""


def list_keys(store: Store, lister: KeyLister, organization: str, now: datetime) -> None:
    """Take both listings over, unless the key that is read with is offered them. Raises StoreError.

    A failure is told in the log and left to the next cycle; so is a key of another organization, of which nothing is
    taken over.
    """
    offered = {state.source: state.offered for state in store.sources.all(organization)}
    if all(offered.get(source) is not False for source in SOURCES):
        return
    try:
        check(store, organization, lister.organization())
        workspaces, keys = lister.workspaces(), lister.api_keys()
    except (AdminApiError, OtherOrganization) as error:
        log.warning("the action key could not list the keys, so none can be changed", why=str(error))
        return
    store.directory.record_workspaces(organization, workspaces, now)
    store.directory.record_api_keys(organization, keys, now)
