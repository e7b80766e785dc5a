"""What every channel keeps to: how a message is handed over, and how a failure to deliver it is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from rules.model import Alert, Notification


class DeliveryError(Exception):
    """A message did not reach its receiver.

    `reason` is one sentence for people; it holds no secret, and a receiver's URL is one. `retryable` says whether the
    same message may succeed later. `retry_after` is for how many seconds the receiver asked to be left alone, if it
    did. `untaken` says that the receiver surely has not taken it: nothing of it left this machine, or the receiver said
    that it takes nothing. `of_message` says that it may be this message alone that cannot be delivered.
    """

    def __init__(
        self,
        reason: str,
        *,
        retryable: bool,
        retry_after: float | None = None,
        untaken: bool = False,
        of_message: bool | None = None,
    ) -> None:
        """Of a failure that is not retryable it may be the message's, unless it surely was not taken."""
        super().__init__(reason)
        self.reason = reason
        self.retryable = retryable
        self.retry_after = retry_after
        self.untaken = untaken
        self.of_message = not (retryable or untaken) if of_message is None else of_message


class Notifier(Protocol):
    """A receiver of one channel, ready to send."""

    @property
    def name(self) -> str:
        """The receiver's name in the configuration."""

    def send(self, notification: Notification) -> None:
        """Hand over one message; returns once the receiver has accepted it.

        Raises DeliveryError, and nothing else, when it was not accepted or that is not known. The caller tries again
        with the same notification, whose id stays the same, so that a receiver can tell a repeat.
        """


@runtime_checkable
class Refreshed(Protocol):
    """A receiver that forgets what fires unless it is told again."""

    @property
    def refresh_every(self) -> timedelta:
        """How often it wants to be told."""

    def refresh(self, alerts: Sequence[Alert], now: datetime) -> None:
        """Tell that these alerts, all of which it has heard of, still fire. Raises DeliveryError, and nothing else."""


@runtime_checkable
class KeptCurrent(Protocol):
    """A receiver whose messages can be changed afterwards, to show what has been said of their alerts since."""

    def keep_current(self, now: datetime) -> bool:
        """Change some of those that show something else by now; whether there may be more.

        Raises DeliveryError, and what its memory raises.
        """


@runtime_checkable
class Probed(Protocol):
    """A receiver that can be asked whether it would take a message, without one."""

    def probe(self) -> str:
        """What it answered, in a clause of our own words. Raises DeliveryError, and nothing else."""
