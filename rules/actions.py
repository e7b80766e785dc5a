"""The journal of actions: what is to be done to a key, why, by whose leave, and what became of it.

One row is one decision about one key for one cause, and there is never a second row for both. It goes
proposed → approved → intent → looked → sent → confirmed, or ends refused, abandoned or expired; where it ended it
stays. What nobody has approved, and what needs no approval, goes from proposed to intent.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, TypeAlias

from rules.policy import Brake, Mode
from rules.scope import Nano, Scope

What: TypeAlias = Literal["deactivate", "reactivate"]
POLICY = "policy"
"""In the place of who did it: nobody but the configuration."""
NO_KEY = ""
"""In the place of a key: the decision that none is touched."""


class ActionState(StrEnum):
    """How far a decision has come."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    """Somebody allowed it, and it waits for something else."""
    INTENT = "intent"
    """It is to be carried out."""
    LOOKED = "looked"
    """The key has been read, and is as it was thought to be."""
    SENT = "sent"
    """It has been asked for, or is being: only reading the key tells whether it was done."""
    CONFIRMED = "confirmed"
    """The key was read afterwards, and is as it was meant to be."""
    REFUSED = "refused"
    ABANDONED = "abandoned"
    """It was begun, and nobody knows whether it was done, or it took too long."""
    EXPIRED = "expired"
    """Its time was over before it was begun."""


WAITING = frozenset({ActionState.PROPOSED, ActionState.APPROVED})
UNDER_WAY = frozenset({ActionState.INTENT, ActionState.LOOKED, ActionState.SENT})
UNSENT = frozenset({ActionState.INTENT, ActionState.LOOKED})
OPEN = WAITING | UNDER_WAY


@dataclass(frozen=True, slots=True)
class Cause:
    """What a decision is about: one stretch of one rule's scope, a request by hand, or the end of a period.

    `kind` is "budget", "anomaly", "hand", "drill" or "reset"; `instance` tells apart several of one rule and scope: a
    budget's period and threshold, the id of an anomaly's alert, the number of a request, the id of what is undone.
    """

    kind: Literal["budget", "anomaly", "hand", "drill", "reset"]
    rule: str
    scope: Scope
    instance: str

    @property
    def id(self) -> str:
        """Sixteen hexadecimal digits, the same for the same cause in every process and version."""
        parts = (self.kind, self.rule, self.instance, self.scope.organization)
        own = (f"{dimension}={value}" for dimension, value in self.scope.parts().items())
        text = "\x1f".join((*parts, *own))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    @property
    def by_policy(self) -> bool:
        """Whether the configuration asked for it, and the limits of the policy count."""
        return self.kind in {"budget", "anomaly"}


@dataclass(frozen=True, slots=True)
class ActionEvidence:
    """The figures that a decision rests on; frozen with it. Amounts are nano-dollars."""

    since: datetime
    observed: Nano
    """Spent by the scope since then, settled or not."""
    certain: Nano
    """The least of it that is sure: settled spend, and the lower end of what is estimated."""
    bound: Nano
    """What it is too much of: the threshold, or what was expected."""
    key_observed: Nano
    key_expected: Nano
    share: float
    """The part of the scope's excess that this key and those decided with it explain together."""
    confidence: float
    error: float
    """By how much estimates were too high in the weeks before, as a fraction; assumed where nothing is known."""
    data_as_of: datetime
    period_end: datetime | None = None
    """When a budget's period ends; None of an anomaly."""
    unpriced: tuple[str, ...] = ()

    @property
    def key_excess(self) -> Nano:
        """What the key spent over what was expected of it."""
        return self.key_observed - self.key_expected


@dataclass(frozen=True, slots=True)
class Look:
    """A key as it was read just before or after it was changed."""

    at: datetime
    status: str
    name: str


@dataclass(frozen=True, slots=True)
class Action:
    """One decision about one key."""

    id: str
    organization: str
    cause: Cause
    what: What
    key: str
    key_name: str
    workspace: str
    workspace_name: str
    state: ActionState
    reason: str
    """Why it was proposed or, where it ended otherwise, why so: a sentence."""
    mode: Mode
    """What was asked for when it was proposed; "auto" of what a person asked for by hand."""
    amount: Nano
    """Nano-dollars over the limit, or in excess, when it was proposed; 0 of what is by hand."""
    created_at: datetime
    updated_at: datetime
    by: str = POLICY
    """Who asked for it, approved or denied it."""
    alert: str = ""
    evidence: ActionEvidence | None = None
    due_at: datetime | None = None
    """Until when somebody may say no."""
    expires_at: datetime | None = None
    """Until when it may be approved; None where it needs no approval."""
    approved_at: datetime | None = None
    waits: str = ""
    """What it waits for, as a clause; "" where it waits for nothing."""
    intent_at: datetime | None = None
    sent_at: datetime | None = None
    confirmed_at: datetime | None = None
    before: Look | None = None
    after: Look | None = None

    @property
    def open(self) -> bool:
        """Whether anything may still come of it."""
        return self.state in OPEN

    @property
    def reached_at(self) -> datetime:
        """When it came into its state."""
        steps = {
            ActionState.PROPOSED: self.created_at,
            ActionState.APPROVED: self.approved_at,
            ActionState.INTENT: self.intent_at,
            ActionState.LOOKED: self.before.at if self.before else None,
            ActionState.SENT: self.sent_at,
            ActionState.CONFIRMED: self.confirmed_at,
        }
        return steps.get(self.state) or self.updated_at

    @property
    def digest(self) -> str:
        """What an approval is bound to: key, reason, amount and expiry. Twelve hexadecimal digits."""
        expiry = "" if self.expires_at is None else self.expires_at.isoformat()
        parts = (self.id, self.what, self.key, self.reason, str(self.amount), expiry)
        return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:12]

    @property
    def stopped(self) -> bool:
        """Whether it may have stopped a key: what was sent and not answered counts."""
        may = self.state in {ActionState.SENT, ActionState.CONFIRMED} or (
            self.state is ActionState.ABANDONED and self.sent_at is not None
        )
        return self.what == "deactivate" and may


def action_id(cause: Cause, key: str, what: What) -> str:
    """The id of the one decision about a key for a cause: eight hexadecimal digits."""
    text = f"{cause.id}\x1f{what}\x1f{key}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class ActionNews:
    """What there is to tell of actions: a plan, what became of one, or that all of them are held or let go."""

    event: Literal["planned", "ended", "paused", "resumed"]
    actions: tuple[Action, ...] = ()
    """The rows of one cause, as they are now."""
    brake: Brake | None = None
    """Of "paused" and "resumed"."""
