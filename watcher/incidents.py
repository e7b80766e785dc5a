"""Receivers that track incidents hear of what no message tells: that somebody took an alert, and ends without a word.

Whoever acknowledges an alert has its incidents acknowledged, so that nobody else is woken. An incident that nobody
closes stays open for ever: a budget's crossing is an event, told once, closed by the calendar without a word. A day
after it fired its incident is closed; so is that of a state which ended silently, as when its rule was taken out of the
configuration. The words are messages in the outbox with an id that follows from the alert, so each is written once,
waits behind what was said of the alert before, and survives a restart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import datetime, timedelta

from rules.model import Alert, Notification, Reason, State
from watcher.store import Store

LASTS = timedelta(hours=24)
"""How long the incident of an event stays open."""
_LOOKS_BACK = timedelta(days=8)
"""The longest that the program may have been down for an end to be told nevertheless."""


def close_incidents(
    store: Store, receivers: Collection[str], organizations: Collection[str], keep: timedelta, now: datetime
) -> int:
    """Write what is to be told to these receivers of alerts of these organizations; how many messages.

    It looks back no further than `keep`, for which the outbox remembers what was told. Raises StoreError.
    """
    if not receivers:
        return 0
    kept = now - min(keep, _LOOKS_BACK)
    over = [
        alert
        for alert in store.alerts.list(kept - LASTS)
        if alert.subject.scope.organization in organizations and _is_over(alert, kept, now)
    ]
    written = 0
    waits = store.groups.waiting(organizations) if over else frozenset()
    for receiver in receivers:
        heard = [each for each in over if receiver in (each.heard or ()) and (receiver, each.id) not in waits]
        told = store.outbox.told_of_end(receiver, kept) if heard else frozenset()
        messages = [_told(store, alert, receiver, Reason.RESOLVED, now) for alert in heard if alert.id not in told]
        store.outbox.add(messages)
        written += len(messages)
    return written


def acknowledge_incidents(
    store: Store, receivers: Collection[str], organizations: Collection[str], keep: timedelta, now: datetime
) -> int:
    """Write that somebody took an alert to these receivers, of incidents that are open; how many messages.

    It looks back no further than `keep`, for which the outbox remembers what was told. Raises StoreError.
    """
    if not receivers:
        return 0
    kept = now - min(keep, _LOOKS_BACK)
    alerts = [alert for each in organizations for alert in store.alerts.open(each) if _is_taken(alert, kept, now)]
    waits = store.groups.waiting(organizations) if alerts else frozenset()
    messages = [
        _told(store, alert, receiver, Reason.ACKNOWLEDGED, now)
        for receiver in receivers
        for alert in alerts
        if receiver in (alert.heard or ()) and (receiver, alert.id) not in waits
    ]
    store.outbox.add(messages)
    return len(messages)


def _is_taken(alert: Alert, kept: datetime, now: datetime) -> bool:
    """Whether somebody took it and its incident is open."""
    if alert.acknowledged is None or alert.acknowledged.at <= kept or alert.fired_at is None:
        return False
    return alert.state is State.FIRING and not (alert.is_event and alert.fired_at + LASTS <= now)


def _is_over(alert: Alert, kept: datetime, now: datetime) -> bool:
    """Whether its incident is to be closed, and what was told of its end is still known if it was told."""
    if alert.fired_at is None:
        return False
    if alert.is_event:
        return kept < alert.fired_at + LASTS <= now
    return alert.state is State.RESOLVED and alert.ends_at is not None and kept < alert.ends_at


def _told(store: Store, alert: Alert, receiver: str, reason: Reason, now: datetime) -> Notification:
    """The one message of this kind about an alert: its id follows from what it says."""
    said = "closed" if reason is Reason.RESOLVED else reason.value
    ident = hashlib.sha256(f"{receiver}\x1f{said}\x1f{alert.id}".encode()).hexdigest()[:24]
    organization = alert.subject.scope.organization
    name = store.directory.organization_name(organization) or organization
    return Notification(ident, receiver, reason, (alert,), now, name)
