"""Who and what there is: the lists of the organization, each a source of its own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial

from watcher.ingest import membership
from watcher.ingest.poll import Poll


def read_lists(poll: Poll, sources: Collection[str]) -> None:
    """Read these lists; the organization first, as another one's key must not be read any further."""
    for source, read in _READINGS.items():
        if source in sources:
            poll.ask(source, partial(read, poll))


def _organization(poll: Poll) -> None:
    item = poll.reader.organization()
    membership.check(poll.store, poll.organization, item)
    poll.store.directory.record_organization(poll.organization, replace(item, id=poll.organization), poll.now)


def _workspaces(poll: Poll) -> None:
    poll.store.directory.record_workspaces(poll.organization, poll.reader.workspaces(), poll.now)


def _api_keys(poll: Poll) -> None:
    poll.store.directory.record_api_keys(poll.organization, poll.reader.api_keys(), poll.now)


def _users(poll: Poll) -> None:
    poll.store.directory.record_users(poll.organization, poll.reader.users(), poll.now)


def _invites(poll: Poll) -> None:
    poll.store.directory.record_invites(poll.organization, poll.reader.invites(), poll.now)


_READINGS: Mapping[str, Callable[[Poll], None]] = {
    "organization": _organization,
    "workspaces": _workspaces,
    "api_keys": _api_keys,
    "users": _users,
    "invites": _invites,
}
