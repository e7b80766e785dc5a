"""Delivery: what waits is sent, then marked; at least once, the same id on every try, in order for each alert.

A message that cannot be delivered waits in its row with the time of its next try, and holds up nothing but later
messages about the same alerts; unless it is the receiver that fails, behind whose one message the others wait and are
put together (`rules.waiting`, `rules.merging`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from notifiers.base import DeliveryError, Notifier
from rules.model import Notification, Reason
from watcher.logs import logger

log = logger(__name__)

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


class Outbox(Protocol):
    """Where messages wait; the store's, or a test's."""

    def due(self, now: datetime, receiver: str) -> Sequence[Waiting]:
        """What may be sent to a receiver now, in order; a message never overtakes an earlier one about its alerts."""

    def merge(self, receiver: str, now: datetime) -> None:
        """Put what waits for a receiver that fails together, as far as it surely took none of it."""

    def begin(self, notification_id: str) -> bool:
        """Whether it is still to be sent; from now on the receiver may have taken it."""

    def delivered(self, notification_id: str, at: datetime) -> None:
        """Remember that the receiver has accepted it."""

    def failed(self, notification_id: str, error: DeliveryError, due_at: datetime, at: datetime) -> None:
        """Remember the failed try, what it says of message and receiver, and when to try next."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What came of one round for one receiver."""

    receiver: str
    reasons: tuple[Reason, ...] = ()
    """Why each message was sent that the receiver accepted."""
    failed: int = 0
    """How many tries failed, and are repeated soon."""
    refused: int = 0
    """How many were refused in a way that the same message cannot cure."""

    @property
    def sent(self) -> int:
        """How many messages the receiver accepted."""
        return len(self.reasons)


def next_try(error: DeliveryError, attempts: int, now: datetime) -> datetime:
    """When to try again after the failure that makes `attempts` failed tries."""
    wait = WAITS[min(attempts, len(WAITS)) - 1] if error.retryable else HOPELESS
    if error.retry_after is not None:
        wait = max(wait, min(timedelta(seconds=error.retry_after), LONGEST_ASKED))
    return now + wait


def deliver(outbox: Outbox, notifier: Notifier, now: Callable[[], datetime]) -> Delivered:
    """Send one receiver everything that is due, each message once.

    When the receiver asks to be left alone (a rate limit), the round ends there. Raises nothing that a receiver does.
    """
    sent: list[Reason] = []
    failed = refused = 0
    tried: set[str] = set()
    outbox.merge(notifier.name, now())
    while rows := [row for row in outbox.due(now(), notifier.name) if row.notification.id not in tried]:
        for row in rows:
            tried.add(row.notification.id)
            if not outbox.begin(row.notification.id):
                continue
            error = _try(notifier, row.notification)
            if error is None:
                outbox.delivered(row.notification.id, now())
                reason = row.notification.reason
                log.info("message delivered", receiver=notifier.name, message=row.notification.id, reason=reason.value)
                sent.append(reason)
                continue
            failed += error.retryable
            refused += not error.retryable
            _put_off(outbox, notifier.name, row, error, now())
            if error.retry_after is not None:
                return Delivered(notifier.name, tuple(sent), failed, refused)
            break  # it may hold up others
    return Delivered(notifier.name, tuple(sent), failed, refused)


def _put_off(outbox: Outbox, receiver: str, row: Waiting, error: DeliveryError, now: datetime) -> None:
    tries = row.attempts + 1
    due_at = next_try(error, tries, now)
    outbox.failed(row.notification.id, error, due_at, now)
    log.warning(
        "message not delivered; it waits for its next try",
        receiver=receiver,
        why=error.reason,
        message=row.notification.id,
        tries=tries,
        next_try=due_at.isoformat(),
    )


def _try(notifier: Notifier, message: Notification) -> DeliveryError | None:
    try:
        notifier.send(message)
    except DeliveryError as error:
        return error
    except Exception as error:
        log.exception("a channel failed in a way it should not", receiver=notifier.name)
        return DeliveryError(f"the channel failed: {type(error).__name__}", retryable=True)
    return None
