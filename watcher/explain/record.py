"""All that the store holds of one alert: how it came about, who was told, and what people said of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from rules import action_requests, feedback, quiet_requests
from rules.actions import Action
from rules.groups import Group
from rules.labels import labels_of
from rules.matchers import Labels, all_hold
from rules.model import Alert, Names, Reason, Transition
from rules.quieted import Silence
from watcher.cli.organizations import Chosen
from watcher.explain.ways import Way, ways
from watcher.settings import Settings
from watcher.store import Store
from watcher.store.journal import Entry
from watcher.store.outbox import Delivery, OutboxRow

_ENDS = (Reason.RESOLVED, Reason.TEST)


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that tells of the alert, with every try to deliver it."""

    row: OutboxRow
    tries: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept of an alert. Times are as they were written; labels and routes as they are now."""

    alert: Alert
    organization: Chosen
    transitions: tuple[Transition, ...]
    messages: tuple[Sent, ...]
    teller: Alert | None
    """The alert that tells its story."""
    inside: tuple[Alert, ...]
    """The alerts whose story it tells."""
    groups: tuple[Group, ...]
    """Those that it is a member of now."""
    silences: tuple[Silence, ...]
    """Those whose matchers hold for it and that overlap with its life."""
    acts: tuple[Entry, ...]
    """What people did about it, oldest first."""
    labels: Labels
    ways: tuple[Way, ...]
    names: Names
    actions: tuple[Action, ...] = ()
    """What was decided about keys because of it, in the journal of actions, the oldest first."""

    @property
    def decided(self) -> Alert:
        """The alert as the first message had it that told of it by itself: what was decided then, with its figures.

        The alert as it stands where nobody was told, or that message is not kept any more.
        """
        for sent in self.messages:
            told = next((one for one in sent.row.notification.alerts if one.id == self.alert.id), None)
            if told is not None and sent.row.notification.reason not in _ENDS:
                return told
        return self.alert

    @property
    def decided_at(self) -> datetime:
        """When it was decided that it fires; of one that never did, when it was first seen."""
        return self.alert.fired_at or self.alert.pending_since


def read_record(store: Store, settings: Settings, organization: Chosen, alert: Alert, now: datetime) -> Record:
    """Everything of this alert. Reads only; raises StoreError."""
    names = store.directory.names(organization.id)
    labels = labels_of(alert, names, [each for each in (organization.name, organization.label) if each])
    ends = alert.ends_at or now
    actions = tuple(row for row in store.actions.all(organization.id) if row.alert == alert.id)
    return Record(
        alert=alert,
        organization=organization,
        transitions=store.alerts.transitions(alert.id),
        messages=tuple(
            Sent(row, store.outbox.deliveries(row.notification.id)) for row in store.outbox.telling(alert.id)
        ),
        teller=None if alert.inhibited_by is None else store.alerts.get(alert.inhibited_by),
        inside=tuple(each for each in store.alerts.list(alert.pending_since) if each.inhibited_by == alert.id),
        groups=tuple(group for group in store.groups.all(organization.id) if _holds(group, alert)),
        silences=tuple(
            each
            for each in store.silences.all(organization.id)
            if each.starts_at < ends and each.ends_at > alert.pending_since and all_hold(each.matchers, labels)
        ),
        acts=tuple(_acts(store.journal.list(alert.pending_since, whats=_WHATS), alert, actions)),
        labels=labels,
        ways=ways(settings.routes, labels),
        names=names,
        actions=actions,
    )


_WHATS = quiet_requests.WHAT | feedback.WHAT | action_requests.WHAT


def _holds(group: Group, alert: Alert) -> bool:
    return any(member.alert == alert.id for member in group.members)


def _acts(entries: Sequence[Entry], alert: Alert, actions: Sequence[Action]) -> Iterator[Entry]:
    """What was said of the alert, or of what is to be done because of it."""
    idents = {row.id for row in actions}
    return (
        entry
        for entry in reversed(entries)
        if entry.details.get("alert") == alert.id or entry.details.get("action") in idents
    )
