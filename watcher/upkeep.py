"""Looking after the database: once a day, what is older than the owner keeps is let go."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from watcher.store import Store

log = structlog.get_logger(__name__)

EVERY = timedelta(days=1)
_PRUNED_AT = "pruned_at"


def prune_if_due(store: Store, keep: timedelta, now: datetime) -> int:
    """Remove what is older than `keep`, unless that was done within the last day; returns the rows removed."""
    last = store.cursor.get(_PRUNED_AT)
    if last is not None and now - datetime.fromisoformat(last) < EVERY:
        return 0
    removed = store.prune(now - keep)
    store.cursor.set(_PRUNED_AT, now.isoformat())
    if removed:
        log.info("old rows removed", rows=removed, keep_days=keep.days)
    return removed
