"""Who hears of what, and why now: one message for each state an alert reaches and each receiver.

**One story, one message.** When alerts of a narrower scope explain at least half of what a wider one has too much, the
wider one is inhibited by the largest of them and travels inside its message. It stays so while they explain a third;
when they no longer do, or have ended, and the wider one is still in breach, it is told then. What had been told before
is never inhibited afterwards, so whoever heard that it fires also hears that it ended.

**Few messages.** Everything that is true at a new database's first judgement is one message for each receiver, and so
are more than `MANY` alerts with the same reason. Messages about what fires come before those about what ended.

**Who hears.** The routes say which receivers a message goes to (`rules.hearing`). That an alert ended hears whoever
heard that it fires, whatever the routes say by then. What a silence holds back nobody hears of meanwhile
(`rules.quiet`).

**Same id, same message.** Ids follow from what a message says: a judgement repeated after a crash makes no second one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rules import quiet
from rules.hearing import Audience, Hearing
from rules.inhibition import Inhibition, inhibit
from rules.lifecycle import Advance, applied, worst_first
from rules.model import Alert, Names, Notification, Reason, State

MANY = 5
"""More alerts than this with one reason in one judgement share a message."""
_NO_NAMES = Names()


@dataclass(frozen=True, slots=True)
class Routed:
    """What to send, in order, and every alert that is new or changed, those whose inhibition changed among them."""

    notifications: tuple[Notification, ...]
    alerts: tuple[Alert, ...]


def notifications(
    advance: Advance,
    open_alerts: Iterable[Alert],
    audience: Audience,
    *,
    organization_name: str,
    told_as: str = "",
    first_judgement: bool,
    now: datetime,
    names: Names = _NO_NAMES,
) -> Routed:
    """Decide who is told of this advance.

    `open_alerts` are those that the advance started from. Told are alerts that began to fire and are neither silent
    nor inhibited, alerts whose inhibition ended while they fire, and states that resolved after having been told.
    Budgets close without a word. `organization_name` and `told_as` are for the reader; `names` say which scope lies
    inside which, and
    what labels go by.
    """
    known = {alert.id: alert for alert in applied(open_alerts, advance.alerts)}
    called = (organization_name, audience.label)
    alerts = dict(known)
    began = {row.alert_id for row in advance.transitions if row.after is State.FIRING and not row.silent}
    alerts.update((alert.id, alert) for alert in quiet.look(_open(known, advance), audience.silences, names, called))
    alerts.update((alert.id, alert) for alert in quiet.superseded(alerts))
    freed = quiet.freed(alerts)
    again = {ident for ident in freed if alerts[ident].heard is not None}
    story = inhibit(alerts.values(), began | (freed - again), names)
    alerts.update((alert.id, alert) for alert in story.changed)
    alerts.update(quiet.held_back(story, freed, alerts))
    hearing = Hearing(audience.routes, names, called)
    joined = _joined(story, freed, alerts)
    told = hearing.tell({ident for ident in story.told if alerts[ident].silenced is None} | again, joined, alerts)
    alerts.update((ident, alert) for ident, (alert, _) in told.items())
    firing = sorted((alert for alert, fresh in told.values() if fresh), key=worst_first)
    ended = [
        alerts[row.alert_id]
        for row in advance.transitions
        if row.after is State.RESOLVED and not row.silent and _was_told(alerts[row.alert_id])
    ]
    first = Reason.INITIAL if first_judgement else Reason.FIRST
    messages = []
    for receiver in _in_order(hearing.receivers, ended, audience.receivers):
        begun = [alert for alert in firing if receiver in told[alert.id][1]]
        over = [alert for alert in ended if receiver in (hearing.receivers if alert.heard is None else alert.heard)]
        letters = [(first, group) for group in _groups(begun, together=first_judgement)]
        letters += [(Reason.RESOLVED, group) for group in _groups(over, together=False)]
        messages += [
            Notification(
                id=_message_id(receiver, reason, group),
                receiver=receiver,
                reason=reason,
                alerts=group,
                created_at=now,
                organization=organization_name,
                inhibited=_carried(group, joined, alerts),
                told_as=told_as,
            )
            for reason, group in letters
        ]
    changed = [alert for ident, alert in alerts.items() if alert is not known[ident]]
    return Routed(tuple(messages), applied(advance.alerts, changed))


def _open(known: Mapping[str, Alert], advance: Advance) -> list[Alert]:
    """The alerts that are open, or end now."""
    ends = {row.alert_id for row in advance.transitions}
    return [alert for alert in known.values() if alert.state is not State.RESOLVED or alert.id in ends]


def _joined(story: Inhibition, freed: Collection[str], alerts: Mapping[str, Alert]) -> list[str]:
    """The ids of the alerts whose story another one tells as of now, or tells now after it was held back."""
    return [
        ident
        for ident, alert in alerts.items()
        if ident in story.folded or (alert.inhibited_by in freed and alert.state is State.FIRING)
    ]


def _in_order(routed: Sequence[str], ended: Iterable[Alert], receivers: Collection[str] | None) -> Iterator[str]:
    """Everybody who may be told: those of the routes, and then those who heard earlier of what ended."""
    earlier = {receiver for alert in ended for receiver in alert.heard or ()} - set(routed)
    yield from routed
    yield from sorted(each for each in earlier if receivers is None or each in receivers)


def _was_told(alert: Alert) -> bool:
    """Whether its end is worth a message: somebody heard that it fires, and nothing holds it back.

    It is no event either, which close silently.
    """
    if alert.silenced is not None or (alert.waits and alert.heard is None):
        return False
    return alert.fired_at is not None and alert.inhibited_by is None and not alert.is_event


def _groups(alerts: Sequence[Alert], *, together: bool) -> Iterator[tuple[Alert, ...]]:
    """The alerts of each message."""
    if alerts and (together or len(alerts) > MANY):
        yield tuple(alerts)
        return
    for alert in alerts:
        yield (alert,)


def _carried(group: Sequence[Alert], joined: Iterable[str], alerts: Mapping[str, Alert]) -> tuple[Alert, ...]:
    """The alerts that joined in this judgement and whose story this group tells."""
    tellers = {alert.id for alert in group}
    inside = (alerts[ident] for ident in joined if alerts[ident].inhibited_by in tellers)
    return tuple(sorted(inside, key=worst_first))


def _message_id(receiver: str, reason: Reason, alerts: Iterable[Alert]) -> str:
    parts = [receiver, reason.value]
    for alert in sorted(alerts, key=lambda alert: alert.id):
        moments = (moment.isoformat() if moment else "" for moment in (alert.fired_at, alert.ends_at))
        parts.extend((alert.id, alert.state.value, *moments))
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:24]
