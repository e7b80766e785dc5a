"""What a Slack bot must remember beyond its process: which message tells of which alert."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from rules.model import Alert, Notification, Reason, State


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


@dataclass(frozen=True, slots=True)
class Outdated:
    """A message that no longer shows how its alerts stand."""

    sent: Sent
    notification: Notification
    """What it tells of, with the alerts as they are now."""


def face(alert: Alert) -> str:
    """The same for the same words and buttons under an alert; "" while it fires and nobody has said anything."""
    over = alert.state is State.RESOLVED
    said: list[str] = ["over"] if over else []
    if (taken := alert.acknowledged) is not None:
        said += ["taken", taken.by, taken.at.isoformat(), taken.comment]
    if (silenced := alert.silenced) is not None and not over:
        said += ["silenced", silenced.by, silenced.until.isoformat(), silenced.comment]
    if (judged := alert.judged) is not None:
        said += [judged.verdict, judged.by, judged.at.isoformat(), judged.comment]
    return hashlib.sha256("\x1f".join(said).encode()).hexdigest()[:16] if said else ""


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

    def outdated(self, receiver: str, most: int) -> Sequence[Outdated]:
        """The oldest of the first messages whose alerts people have said something of, or that ended, since."""

    def shows(self, receiver: str, sent: Sent, alerts: Sequence[Alert]) -> None:
        """Note that a message shows these alerts as they are here."""

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

    def outdated(self, receiver: str, most: int) -> Sequence[Outdated]:  # noqa: ARG002
        """None."""
        return ()

    def shows(self, receiver: str, sent: Sent, alerts: Sequence[Alert]) -> None:
        """Not noted."""

    def lost(self, receiver: str, sent: Sent) -> None:
        """Nothing to forget."""
