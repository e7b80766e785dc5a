"""What a Slack bot must know of actions on keys while it sends: how they stand, and which key may be deactivated."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from notifiers.slack_memory import Sent
from rules.actions import Action
from rules.model import Alert, Notification


@dataclass(frozen=True, slots=True)
class Offer:
    """A key that somebody may have deactivated by a press under the message about its alert."""

    alert: str
    key: str
    name: str
    workspace: str
    digest: str
    """Binds a press to the key as it was shown."""
    dry_run: bool = False
    """Whether the policy by itself would do nothing, as opposed to this press."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An answer in a thread that told of a plan, and what it says with the plan as it stands now."""

    sent: Sent
    notification: Notification


@dataclass(frozen=True, slots=True)
class Words:
    """What somebody in Slack may say to a plan."""

    yes: bool = True
    no: bool = True


class Keys(Protocol):
    """Where it is known; the store's, or nobody's."""

    def rows(self, alerts: Sequence[Alert]) -> Sequence[Action]:
        """The rows of the journal about these alerts, as they are now."""

    def words(self) -> Words:
        """What somebody in Slack may say to a plan."""

    def offer(self, alert: Alert, now: datetime) -> Offer | None:
        """The key of an alert, if it may be deactivated and somebody in Slack may have that done."""

    def plans(self, receiver: str, alerts: Collection[str]) -> Sequence[Shown]:
        """The answers in threads that told a receiver of plans about these alerts."""


class NoKeys:
    """Nothing is done to keys."""

    def rows(self, alerts: Sequence[Alert]) -> Sequence[Action]:  # noqa: ARG002 (the contract's)
        """None."""
        return ()

    def words(self) -> Words:
        """Nothing."""
        return Words(yes=False, no=False)

    def offer(self, alert: Alert, now: datetime) -> Offer | None:  # noqa: ARG002
        """None."""
        return None

    def plans(self, receiver: str, alerts: Collection[str]) -> Sequence[Shown]:  # noqa: ARG002
        """None."""
        return ()
