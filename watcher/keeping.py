"""Keeping messages current: those that were sent show what has been said of their alerts since.

It is no message and not in the outbox: what a message is to show is noted with the judgement, and stays noted until it
shows it. It runs in the thread that delivers to the receiver, behind what is due, so that news goes first.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from notifiers.base import DeliveryError, KeptCurrent, Notifier
from watcher.logs import logger
from watcher.outbox import WAITS
from watcher.store import StoreError

log = logger(__name__)

MOST_ROUNDS = 20
"""So often `keep_current` asks a receiver to go on; what is left then is for the next time."""


class Keeping:
    """Remembers which receivers failed, and when each is to be asked again."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        """`seconds` gives time that only moves forward."""
        self._seconds = seconds
        self._failed: dict[str, int] = {}
        self._next: dict[str, float] = {}

    def tend(self, notifier: Notifier, now: datetime) -> bool:
        """Bring some of its messages up to date, unless that failed a while ago; False where it fails.

        Raises StoreError.
        """
        if not isinstance(notifier, KeptCurrent) or self._seconds() < self._next.get(notifier.name, 0.0):
            return True
        try:
            notifier.keep_current(now)
        except StoreError:
            raise
        except DeliveryError as error:
            self._put_off(notifier, error)
            return False
        except Exception as error:
            log.exception("a channel failed in a way it should not", receiver=notifier.name)
            self._put_off(notifier, DeliveryError(f"the channel failed: {type(error).__name__}", retryable=True))
            return False
        self._failed.pop(notifier.name, None)
        return True

    def _put_off(self, notifier: Notifier, error: DeliveryError) -> None:
        failed = self._failed[notifier.name] = self._failed.get(notifier.name, 0) + 1
        wait = max(WAITS[min(failed, len(WAITS)) - 1].total_seconds(), error.retry_after or 0.0)
        self._next[notifier.name] = self._seconds() + wait
        log.warning(
            "messages do not show yet what was said since",
            receiver=notifier.name,
            why=error.reason,
            next_try_in=f"{wait:.0f} s",
        )


def keep_current(notifier: Notifier, now: datetime) -> None:
    """Bring all of its messages up to date now, as far as it goes; a failure is told. Raises StoreError."""
    if not isinstance(notifier, KeptCurrent):
        return
    try:
        rounds = 0
        while notifier.keep_current(now) and rounds < MOST_ROUNDS:
            rounds += 1
    except DeliveryError as error:
        log.warning("messages do not show yet what was said since", receiver=notifier.name, why=error.reason)
