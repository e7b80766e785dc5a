"""What a Slack bot must remember beyond its process: which message tells of which alert."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from rules.model import Alert, Notification, Reason


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that Slack took."""

    channel: str
    """The id of the channel."""
    ts: str
    thread: str = ""
    """The message that it answers; "" for one that stands by itself."""
    reason: Reason = Reason.FIRST


@dataclass(frozen=True, slots=True)
class Begun:
    """What is known of a message that is to be sent."""

    before: bool
    """Whether a try had begun already: it may be there, although nobody noted that."""
    sent: Sent | None = None


class Memory(Protocol):
    """Where it is remembered; the store's, or a test's."""

    def begin(self, notification: Notification) -> Begun:
        """Note that the message is about to be sent, before it is."""

    def posted(self, notification: Notification, sent: Sent) -> None:
        """Note where it is, after it was sent."""

    def firsts(self, receiver: str, alerts: Collection[str]) -> Mapping[str, Sent]:
        """By alert the first message that tells of it by itself, or with others, in no thread."""

    def alerts(self, receiver: str, sent: Sent) -> tuple[Alert, ...]:
        """The alerts that a message tells of, as they stand now."""

    def lost(self, receiver: str, sent: Sent) -> None:
        """Forget a message that is no more."""


class NoMemory:
    """Remembers nothing: each message stands by itself."""

    def begin(self, notification: Notification) -> Begun:  # noqa: ARG002 (the contract's)
        """Nothing is known."""
        return Begun(before=False)

    def posted(self, notification: Notification, sent: Sent) -> None:
        """Not noted."""

    def firsts(self, receiver: str, alerts: Collection[str]) -> Mapping[str, Sent]:  # noqa: ARG002
        """None."""
        return {}

    def alerts(self, receiver: str, sent: Sent) -> tuple[Alert, ...]:  # noqa: ARG002
        """None."""
        return ()

    def lost(self, receiver: str, sent: Sent) -> None:
        """Nothing to forget."""
