"""Which workspace id of the analytics reports is the default workspace's, that every other report calls null.

The list of workspaces holds every workspace, archived ones too, and never the default one. So an id that spent in an
hour before a listing, and that no listing ever held, is the default workspace's. Where several ids are like that, the
one in which a key is listed as living in the default workspace has spent is; failing that nothing is concluded, and
ids stay as they are. What was concluded is remembered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from rules.model import DEFAULT_WORKSPACE
from watcher.admin_api.answers_analytics import AnalyticsCostRow, AnalyticsUsageRow
from watcher.store import Store

WORKSPACES = "workspaces"
"""The name of the source that lists them."""
REMEMBERED = "analytics.default_workspace"
"""Where the store remembers the real id, by organization."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The ids ever listed, when the last listing was taken, and the keys listed in the default workspace."""

    ids: frozenset[str]
    taken_at: datetime | None
    keys_at_home: frozenset[str] = frozenset()

    @classmethod
    def of(cls, store: Store, organization: str) -> Self:
        """What a store knows."""
        names = store.directory.names(organization)
        at_home = (key for key, workspace in names.workspace_of_key.items() if workspace == DEFAULT_WORKSPACE)
        taken_at = store.sources.get(organization, WORKSPACES).last_success_at
        return cls(frozenset(names.by_id), taken_at, frozenset(at_home))


def real_id(rows: Iterable[AnalyticsCostRow | AnalyticsUsageRow], listing: Listing) -> str | None:
    """The real id of the default workspace, where the rows show it beyond doubt."""
    if listing.taken_at is None:
        return None
    unlisted: set[str] = set()
    homes: set[str] = set()
    for row in rows:
        workspace = row.workspace_id
        if workspace is None or workspace in listing.ids or row.ending_at > listing.taken_at:
            continue
        unlisted.add(workspace)
        if row.api_key_id in listing.keys_at_home:
            homes.add(workspace)
    sure = unlisted if len(unlisted) == 1 else homes
    return next(iter(sure)) if len(sure) == 1 else None


def remembered(store: Store, organization: str) -> str | None:
    """The real id that was found before."""
    return store.cursor.get(REMEMBERED, organization)


def remember(store: Store, organization: str, ident: str) -> None:
    """Keep the real id; what was stored under it is read anew, so that it is one workspace in every figure."""
    store.cursor.set(REMEMBERED, ident, organization)
    if store.analytics.names_workspace(organization, ident):
        store.analytics.ask_again(organization)
