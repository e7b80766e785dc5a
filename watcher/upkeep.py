"""Looking after the database, for all organizations at once.

Once a day what is older than its owner keeps, and messages to nobody, are let go. What fires of an organization that
the configuration names no more ends once that is plain: when every name that is there stands for another one.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from rules import lifecycle
from watcher.logs import logger
from watcher.store import GIVEN_UP_AFTER, Judgement, Store

log = logger(__name__)

EVERY = timedelta(days=1)
LEFT_OUT = "organization removed"
_PRUNED_AT = "pruned_at"


def look_after(
    store: Store, keep: timedelta, receivers: Collection[str], labels: Collection[str], now: datetime
) -> None:
    """Tidy up if that is due, and close what nobody watches any more; raises StoreError."""
    tidy_if_due(store, keep, receivers, now)
    close_unwatched(store, labels, now)


def close_unwatched(store: Store, labels: Collection[str], now: datetime) -> int:
    """End the open alerts of organizations outside `labels`, without a message; returns how many.

    Nothing is done as long as one of the labels has never been seen to stand for an organization: it may be a new name
    for one that is held under another.
    """
    bound = store.organizations.all()
    if not set(labels) <= {each.label for each in bound}:
        return 0
    count = 0
    for each in bound:
        alerts = () if each.label in labels else store.alerts.open(each.id)
        if not alerts:
            continue
        closed = lifecycle.close(alerts, LEFT_OUT, now)
        store.remember(Judgement(alerts=closed.alerts, transitions=closed.transitions))
        details = {"organization": each.id, "label": each.label, "alerts": len(alerts), "why": LEFT_OUT}
        store.journal.append(now, "watcher", "alerts closed", details)
        log.warning("alerts closed: the configuration does not name their organization any more", **details)
        count += len(alerts)
    return count


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
