"""Reading an organization once, into a store that is thrown away: what a proposal needs and no more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from rules.model import Snapshot
from watcher.cycle import look
from watcher.ingest import Ingested, Plan, ingest, organization_of
from watcher.settings import Settings
from watcher.store import Store
from watcher.wiring import Access, Parts, assemble

_ROUNDS = 40
"""Readings after which a history that comes in parts (analytics) is taken as far as it has come."""
_USAGE = ("usage", "analytics_usage")
_NAMES = ("workspaces", "api_keys")
_NEITHER = (
    "This key may read neither the usage report nor analytics: an Admin key (sk-ant-admin…) may, or one with the scope "
    "read:analytics."
)


class NothingToRead(Exception):
    """The key may read nothing that a proposal could rest on; the text is one sentence or more."""


def read_organization(
    settings: Settings,
    store: Store,
    now: datetime,
    progress: Callable[[int, int], None],
    pause: Callable[[float], None],
) -> tuple[Snapshot, tuple[str, ...]]:
    """The organization as it is at `now`, and notes on what is missing of it; `pause` waits between requests, seconds.

    Raises AdminApiError where the key is refused or the API is out of reach, StoreError, and `NothingToRead`.
    """
    with reading_of(settings, store, pause) as (parts, access):
        organization, ingested, notes = read_into(parts, access, now, progress)
        return look(parts.world(access, organization, lambda: now), parts.rules, ingested, now), notes


@contextmanager
def reading_of(settings: Settings, store: Store, pause: Callable[[float], None]) -> Iterator[tuple[Parts, Access]]:
    """The parts of a configuration with one organization, and the way to it; closed at the end."""
    parts = assemble(settings, store, pause=pause)
    (access,) = parts.accesses
    try:
        yield parts, access
    finally:
        parts.close()


def read_into(
    parts: Parts, access: Access, now: datetime, progress: Callable[[int, int], None]
) -> tuple[str, Ingested, tuple[str, ...]]:
    """Read everything of the organization into the store of `parts`: its id, the last reading, notes as above."""
    store = parts.store
    organization = organization_of(access.reader, store, now, access.label, parts.settings.labels)
    requests = any(measure.unit == "requests" for measure in parts.rules.measures)
    failures: dict[str, str] = {}
    for _ in range(_ROUNDS):
        plan = Plan.everything(store, organization, now, parts.settings.poll)
        ingested = ingest(access.reader, store, organization, now, plan, progress, requests=requests)
        failures = dict(ingested.failures)
        if not ingested.changed_hours or not _in_parts(store, organization):
            break
    states = {state.source: state for state in store.sources.all(organization)}
    if not any(source in states and states[source].last_success_at is not None for source in _USAGE):
        raise NothingToRead(_why(failures))
    notes = [f"{source} could not be read, and the figures are without it: {why}" for source, why in failures.items()]
    if all(source in states and states[source].offered is False for source in _NAMES):
        notes.append("This key may not list workspaces and keys: ids stand where names would.")
    return organization, ingested, tuple(notes)


def _in_parts(store: Store, organization: str) -> bool:
    """Whether usage comes from analytics, whose history is read a part at a time."""
    return store.sources.get(organization, "usage").offered is False


def _why(failures: dict[str, str]) -> str:
    told = [failures[source] for source in _USAGE if source in failures]
    return told[0] if told else _NEITHER
