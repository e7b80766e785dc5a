"""Who and what there is: the lists of the organization, each a source of its own.

Keys that have used something and are in no listing are asked for one by one, by id, so that they have a name too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from watcher.admin_api.endpoints import is_id
from watcher.admin_api.errors import AdminApiError, BadRequest, Malformed, NotOffered
from watcher.ingest import membership
from watcher.ingest.poll import Poll
from watcher.store import Lookup

KEYS_A_POLL = 5
"""How many keys are asked for by id at one poll."""
NO_SUCH_KEY_EVERY = timedelta(days=7)
"""How often a key that the API does not know is asked for again."""
UNANSWERED_EVERY = timedelta(hours=1)

_API_KEY = "api_key"


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
    _unlisted_api_keys(poll)


def _unlisted_api_keys(poll: Poll) -> None:
    """Ask for some of the keys that no listing has. A failure is no failure of the listing: only a name is missing."""
    asked = poll.store.lookups.all(poll.organization, _API_KEY)
    unknown = poll.store.directory.unknown_api_keys(poll.organization)
    due = [ident for ident in unknown if is_id(ident) and _is_due(asked.get(ident), poll.now)]
    for ident in due[:KEYS_A_POLL]:
        found: bool | None = None
        try:
            key = poll.reader.api_key(ident)
            found = key.id == ident
            if found:
                poll.store.directory.keep_api_key(poll.organization, key, poll.now)
        except NotOffered:
            found = False
        except (BadRequest, Malformed):
            continue
        except AdminApiError:
            return
        finally:
            poll.store.lookups.note(poll.organization, _API_KEY, ident, poll.now, found=found)


def _is_due(asked: Lookup | None, now: datetime) -> bool:
    if asked is None:
        return True
    every = UNANSWERED_EVERY if asked.found is None else NO_SUCH_KEY_EVERY
    return not timedelta(0) <= now - asked.asked_at < every


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
