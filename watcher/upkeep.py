"""Looking after the database, once a day: what is older than its owner keeps, and messages to nobody, are let go."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import structlog

from watcher.store import Store

log = structlog.get_logger(__name__)

EVERY = timedelta(days=1)
GIVEN_UP_AFTER = timedelta(days=7)
"""How long a message waits for a receiver that the configuration names no more, in case it is put back."""
_PRUNED_AT = "pruned_at"


def tidy_if_due(store: Store, keep: timedelta, receivers: Collection[str], now: datetime) -> int:
    """Tidy up, unless that was done within the last day; returns how many rows older than `keep` were removed.

    What has waited for `GIVEN_UP_AFTER` for receivers outside `receivers` is dropped, and the journal says so.
    """
    last = store.cursor.get(_PRUNED_AT)
    if last is not None and now - datetime.fromisoformat(last) < EVERY:
        return 0
    for receiver, count in store.outbox.give_up(receivers, now - GIVEN_UP_AFTER).items():
        details = {"receiver": receiver, "messages": count, "why": "the configuration names no such receiver"}
        store.journal.append(now, "watcher", "messages given up", details)
        log.warning("messages given up: the configuration names no such receiver", receiver=receiver, messages=count)
    removed = store.prune(now - keep)
    store.cursor.set(_PRUNED_AT, now.isoformat())
    if removed:
        log.info("old rows removed", rows=removed, keep_days=keep.days)
    return removed
