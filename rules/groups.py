"""Alerts that share messages to one receiver: what of them was told, what waits, and since when. Pure state.

A group lives while any alert of it fires or an end is still to be told. It is kept with the alerts, so that a restart
neither tells anything twice nor forgets what waits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rules.model import Alert, State


@dataclass(frozen=True, slots=True)
class Member:
    """One alert of a group."""

    alert: str
    """Its id."""
    told_at: datetime | None = None
    """When the message that it fires was decided; None while it waits for one."""
    over: bool = False
    """Whether its end is still to be told."""
    escalated: bool = False

    @property
    def waits(self) -> bool:
        """Whether it is still to be told that it fires."""
        return self.told_at is None


@dataclass(frozen=True, slots=True)
class Group:
    """The alerts of one route and receiver that have the same values of the route's labels."""

    id: str
    place: str
    """The route's, as `Route.place` has it."""
    receiver: str
    labels: tuple[tuple[str, str], ...]
    members: tuple[Member, ...] = ()
    due_at: datetime | None = None
    """When the next message is due; None where nothing waits."""
    sent_at: datetime | None = None
    """When the last one was decided."""
    count: int = 0
    """How many there were; a part of their ids."""

    @property
    def is_over(self) -> bool:
        """Whether nothing is left of it."""
        return not self.members

    def put(self, *members: Member) -> Group:
        """The group with these members, new or in place of what they were."""
        new = {member.alert for member in members}
        return self._of((*(each for each in self.members if each.alert not in new), *members))

    def without(self, alerts: Collection[str]) -> Group:
        """The group without alerts of these ids."""
        return self._of(tuple(each for each in self.members if each.alert not in alerts))

    def by(self, now: datetime, longest: timedelta) -> Group:
        """The group as it can be at `now`: after a clock was set back nothing of it lies ahead but what waits.

        `longest` is the longest that a message of it waits.
        """
        due = None if self.due_at is None else min(self.due_at, now + longest)
        if due == self.due_at and (self.sent_at is None or self.sent_at <= now):
            return self
        sent = None if self.sent_at is None else min(self.sent_at, now)
        told = (replace(each, told_at=each.told_at and min(each.told_at, now)) for each in self.members)
        return replace(self, due_at=due, sent_at=sent, members=tuple(told))

    def without_lost(self, alerts: Mapping[str, Alert]) -> Group:
        """The group without alerts that neither fire any more nor have an end to tell."""
        left = tuple([member for member in self.members if member.over or _fires(alerts.get(member.alert))])
        return self if len(left) == len(self.members) else self._of(left)

    def _of(self, members: tuple[Member, ...]) -> Group:
        """The group with these members alone; `replace` takes several times as long, and there may be thousands."""
        own = self.id, self.place, self.receiver, self.labels
        return Group(*own, members, self.due_at, self.sent_at, self.count)


def waiting(groups: Iterable[Group]) -> frozenset[tuple[str, str]]:
    """Receivers, and ids of alerts that they are still to be told of, though the alerts list them as having heard."""
    return frozenset((group.receiver, each.alert) for group in groups for each in group.members if each.waits)


def group_id(place: str, receiver: str, labels: tuple[tuple[str, str], ...]) -> str:
    """The same for the same route, receiver and values."""
    parts = [place, receiver, *(text for label in labels for text in label)]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:24]


def _fires(alert: Alert | None) -> bool:
    return alert is not None and alert.state is State.FIRING
