"""The keys with what they spend, whose they are, and what protects them from being switched off."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from rules import protection
from rules.dimensions import groups
from rules.keys import Keys
from rules.model import CONSOLE, UNATTRIBUTED, Names, Nano, Scope, SpendView
from watcher.cycle import Looked
from watcher.guarding import keys_of
from watcher.settings import ShutoffSettings
from watcher.store import Store

PAGE = 100
"""Rows on a page."""
SORTS = ("month", "day", "name")
STATES = ("all", "active", "inactive", "archived", "expired")


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key, or what stands where usage has none. Spend is None until the first cycle of this run."""

    id: str
    name: str
    workspace: str
    workspace_name: str
    status: str
    """As the API lists it; "" of what is no key, or is listed no more."""
    owner: str
    month: Nano | None
    day: Nano | None
    """The last 24 hours."""
    protected: str
    """Why it is never switched off, as a clause; "" where it is not protected, or there is no shutoff."""


@dataclass(frozen=True, slots=True)
class KeyPage:
    """Some of the rows."""

    rows: tuple[KeyRow, ...]
    found: int
    """How many rows there are in all."""
    page: int

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return max(-(-self.found // PAGE), 1)


Sums = Mapping[str, tuple[Nano, Nano]]
"""By key what was spent this month and in the last 24 hours."""


class KeySums:
    """What each key spent, added up once a cycle. Safe to use from several threads."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Looked, Sums]] = {}
        self._guard = threading.Lock()

    def of(self, looked: Looked) -> Sums:
        """The sums of what the newest cycle kept."""
        organization = looked.snapshot.organization
        with self._guard:
            known = self._kept.get(organization)
        if known is not None and known[0] is looked:
            return known[1]
        sums = _sums(looked.snapshot.view, looked.snapshot.names, looked.at)
        with self._guard:
            self._kept[organization] = looked, sums
        return sums


def _sums(view: SpendView, names: Names, now: datetime) -> Sums:
    month = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    of, values = groups(("api_key",), view.leaves, names)
    found = []
    for since in (month, now - timedelta(hours=24)):
        sums = np.zeros(len(values), dtype=np.int64)
        np.add.at(sums, of, view.cost[:, max(view.index(since), 0) :].sum(axis=1))
        found.append(sums.tolist())
    return {key: (of_month, of_day) for (key,), of_month, of_day in zip(values, *found, strict=True)}


def key_rows(
    store: Store, organization: str, sums: Sums | None, shutoff: ShutoffSettings | None, now: datetime
) -> list[KeyRow]:
    """Every key that is listed or has spent something, in no order. Raises StoreError."""
    names = store.directory.names(organization)
    keys = keys_of(store, organization, (), now)
    why = _protection(store, organization, keys, shutoff)
    spent = sums or {}
    idents = list(dict.fromkeys([*keys.by_id, *spent]))
    return [_row(ident, keys, names, None if sums is None else spent.get(ident, (0, 0)), why) for ident in idents]


def _protection(store: Store, organization: str, keys: Keys, shutoff: ShutoffSettings | None) -> Mapping[str, str]:
    if shutoff is None:
        return {}
    protect, known = shutoff.policy.protect, protection.known(store.actions.protections(organization))
    return {ident: protection.protected(key, protect, keys, known) for ident, key in keys.by_id.items()}


def _row(ident: str, keys: Keys, names: Names, spent: tuple[Nano, Nano] | None, why: Mapping[str, str]) -> KeyRow:
    key = keys.by_id.get(ident)
    workspace = key.workspace if key else names.workspace_of_key.get(ident, "")
    month, day = spent or (None, None)
    return KeyRow(
        ident,
        names.of(ident),
        workspace,
        names.of(workspace) if workspace else "",
        key.status if key else "",
        "" if ident in {CONSOLE, UNATTRIBUTED} else names.whom_to_ask(Scope("", api_key=ident)),
        month,
        day,
        why.get(ident, ""),
    )


def key_page(rows: Sequence[KeyRow], wanted: str, state: str, sort: str, page: int) -> KeyPage:
    """One page of the rows whose name, id, workspace or owner has `wanted` in it, in any case."""
    text = wanted.casefold()
    found = [
        row
        for row in rows
        if (state in {"all", row.status})
        and (not text or any(text in each.casefold() for each in (row.name, row.id, row.workspace_name, row.owner)))
    ]
    if sort == "name":
        found.sort(key=lambda row: (row.name.casefold(), row.id))
    else:
        found.sort(key=lambda row: (-((row.month if sort == "month" else row.day) or 0), row.name.casefold(), row.id))
    pages = max(-(-len(found) // PAGE), 1)
    at = min(page, pages)
    return KeyPage(tuple(found[(at - 1) * PAGE : at * PAGE]), len(found), at)
