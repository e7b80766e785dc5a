"""Delivery: what waits is sent, then marked; at least once, the same id on every try, in order for each alert.

A message that cannot be delivered waits in its row with the time of its next try, and holds up nothing but later
messages about the same alerts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from notifiers.base import DeliveryError, Notifier
from rules.model import Notification

log = structlog.get_logger(__name__)

WAITS = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1800, 3600))
"""How long to wait after the first, second … failed try; the last holds for every further one."""
HOPELESS = timedelta(hours=1)
"""After a refusal that the same message cannot cure: asked again hourly, since its owner may mend the receiver."""
LONGEST_ASKED = timedelta(hours=1)
"""The most that a receiver's own Retry-After is honoured for."""


class Waiting(Protocol):
    """A message that has not been delivered yet."""

    @property
    def notification(self) -> Notification:
        """The message."""

    @property
    def attempts(self) -> int:
        """How many tries have failed."""

    @property
    def due_at(self) -> datetime:
        """When to try next."""


class Outbox(Protocol):
    """Where messages wait; the store's, or a test's."""

    def waiting(self, receiver: str) -> Iterable[Waiting]:
        """Everything that a receiver has not been given yet, in the order in which it was decided."""

    def delivered(self, notification_id: str, at: datetime) -> None:
        """Remember that the receiver has accepted it."""

    def failed(self, notification_id: str, error: str, due_at: datetime, at: datetime) -> None:
        """Remember the failed try, its reason, and when to try next."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What came of one round for one receiver."""

    receiver: str
    sent: int = 0
    failed: int = 0
    waiting: int = 0
    """Not tried: not due yet, or behind an earlier message about the same alert."""


def next_try(error: DeliveryError, attempts: int, now: datetime) -> datetime:
    """When to try again after the failure that makes `attempts` failed tries."""
    wait = WAITS[min(attempts, len(WAITS)) - 1] if error.retryable else HOPELESS
    if error.retry_after is not None:
        wait = max(wait, min(timedelta(seconds=error.retry_after), LONGEST_ASKED))
    return now + wait


def deliver(outbox: Outbox, notifier: Notifier, now: Callable[[], datetime]) -> Delivered:
    """Send one receiver everything that is due. A failing message never stops those about other alerts.

    When the receiver asks to be left alone (a rate limit), the round ends there. Raises nothing that a receiver does.
    """
    sent = failed = waiting = 0
    held: set[str] = set()
    left_alone = False
    for row in outbox.waiting(notifier.name):
        message = row.notification
        about = {alert.id for alert in message.alerts}
        if left_alone or row.due_at > now() or about & held:
            held |= about
            waiting += 1
            continue
        error = _try(notifier, message)
        at = now()
        if error is None:
            outbox.delivered(message.id, at)
            sent += 1
            log.info("message delivered", receiver=notifier.name, reason=message.reason.value, message=message.id)
            continue
        held |= about
        failed += 1
        left_alone = error.retry_after is not None
        due_at = next_try(error, row.attempts + 1, at)
        outbox.failed(message.id, error.reason, due_at, at)
        log.warning(
            "message not delivered; it waits for its next try",
            receiver=notifier.name,
            why=error.reason,
            message=message.id,
            tries=row.attempts + 1,
            next_try=due_at.isoformat(),
        )
    return Delivered(notifier.name, sent, failed, waiting)


def _try(notifier: Notifier, message: Notification) -> DeliveryError | None:
    try:
        notifier.send(message)
    except DeliveryError as error:
        return error
    except Exception as error:  # noqa: BLE001 — a fault of a channel must not stop the other messages
        log.exception("a channel failed in a way it should not", receiver=notifier.name)
        return DeliveryError(f"the channel failed: {type(error).__name__}", retryable=True)
    return None
