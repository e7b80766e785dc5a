"""Refreshing: receivers that forget what fires are told of it again at their interval, from what the store says then.

It is no message and not in the outbox: nothing is owed, a round that fails is made up for by the next one, and after a
restart the first round is at once. It runs in the thread that delivers to the receiver, behind what is due, so that an
end is never overtaken by a word from before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from datetime import datetime

from notifiers.base import DeliveryError, Notifier, Refreshed
from rules.model import Alert, State
from watcher.logs import logger
from watcher.store import Store

log = logger(__name__)


class Refreshing:
    """Remembers when each receiver was last told."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        """`seconds` gives time that only moves forward."""
        self._seconds = seconds
        self._told: dict[str, float] = {}

    def tend(self, store: Store, notifier: Notifier, organizations: Collection[str], now: datetime) -> bool:
        """Tell the receiver what fires in these organizations, if it wants that and it is time; False where it failed.

        Raises StoreError.
        """
        if not isinstance(notifier, Refreshed):
            return True
        seconds, told = self._seconds(), self._told.get(notifier.name)
        if told is not None and seconds - told < notifier.refresh_every.total_seconds():
            return True
        self._told[notifier.name] = seconds
        return refresh(store, notifier, organizations, now)


def refresh(store: Store, notifier: Notifier, organizations: Collection[str], now: datetime) -> bool:
    """Tell the receiver now what it has heard of and still fires; False where it did not take it. Raises StoreError."""
    if not isinstance(notifier, Refreshed):
        return True
    opened = [alert for each in organizations for alert in store.alerts.open(each)]
    waits = store.groups.waiting(organizations)
    alerts = [each for each in opened if _is_heard(each, notifier.name) and (notifier.name, each.id) not in waits]
    try:
        notifier.refresh(alerts, now)
    except DeliveryError as error:
        log.warning("what fires was not told again; the next round tries", receiver=notifier.name, why=error.reason)
        return False
    except Exception:
        log.exception("a channel failed in a way it should not", receiver=notifier.name)
        return False
    return True


def _is_heard(alert: Alert, receiver: str) -> bool:
    return alert.state is State.FIRING and alert.heard is not None and receiver in alert.heard
