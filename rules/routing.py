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
from dataclasses import dataclass, replace
from datetime import datetime

from rules import quiet
from rules.groups import Group
from rules.hearing import Audience, Hearing
from rules.inhibition import Inhibition, inhibit
from rules.lifecycle import Advance, applied, worst_first
from rules.model import Alert, Names, Notification, Reason, State
from rules.posting import MANY, Letter, Post, Posted, bundled
from rules.routes import AT_ONCE, Route

_NO_NAMES = Names()


@dataclass(frozen=True, slots=True)
class Routed:
    """What to send, in order, and every alert that is new or changed, those whose inhibition changed among them."""

    notifications: tuple[Notification, ...]
    alerts: tuple[Alert, ...]
    groups: tuple[Group, ...] = ()
    """The groups that are new or changed."""


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
    inside which, and what labels go by.
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
    again |= audience.unheard(alerts.values())
    told = hearing.tell({ident for ident in story.told if alerts[ident].silenced is None} | again, joined, alerts)
    alerts.update((ident, alert) for ident, (alert, _) in told.items())
    ended = [
        alerts[row.alert_id]
        for row in advance.transitions
        if row.after is State.RESOLVED and not row.silent and _was_told(alerts[row.alert_id])
    ]
    tidings = _Tidings(told, joined, ended, alerts, first_judgement)
    letters, posted = _letters(tidings, hearing, audience, now)
    alerts.update((alert.id, alert) for alert in _escalated(letters, alerts))
    alerts.update((alert.id, alert) for alert in _unheard(posted.untold, alerts))
    messages = tuple(
        Notification(
            id=_message_id(letter),
            receiver=letter.receiver,
            reason=letter.reason,
            alerts=letter.alerts,
            created_at=now,
            organization=organization_name,
            inhibited=_carried(letter, joined, alerts),
            told_as=told_as,
        )
        for letter in letters
    )
    changed = [alert for ident, alert in alerts.items() if alert is not known[ident]]
    return Routed(messages, applied(advance.alerts, changed), posted.groups)


@dataclass(frozen=True, slots=True)
class _Tidings:
    """What there is to tell: alerts by id with the receivers that had not heard, and alerts that ended."""

    told: Mapping[str, tuple[Alert, tuple[str, ...]]]
    joined: Collection[str]
    """The ids of alerts whose story others tell as of now."""
    ended: Sequence[Alert]
    alerts: Mapping[str, Alert]
    """All that are open, and those that ended."""
    first: bool
    """Whether it is a new database's first judgement: everything is one message, and at once."""


def _letters(tidings: _Tidings, hearing: Hearing, audience: Audience, now: datetime) -> tuple[list[Letter], Posted]:
    """What goes out now, receiver by receiver, what fires before what ended; and what became of the groups."""
    post = Post(audience.groups, audience.routes, audience.receivers, now)
    begun = _begun(tidings, hearing, post)
    over: dict[str, list[Alert]] = {}
    for alert in tidings.ended:
        for receiver in hearing.receivers if alert.heard is None else alert.heard:
            if not post.end(alert, receiver):
                over.setdefault(receiver, []).append(alert)
    posted = post.close({**{alert.id: alert for alert in audience.ended}, **tidings.alerts})
    of_groups: dict[str, list[Letter]] = {}
    for letter in posted.letters:
        of_groups.setdefault(letter.receiver, []).append(letter)
    reason = Reason.INITIAL if tidings.first else Reason.FIRST
    letters: list[Letter] = []
    for receiver in _in_order(hearing.receivers, {*over, *of_groups}, audience.receivers):
        own = [Letter(receiver, reason, group) for group in _groups(begun.get(receiver, ()), together=tidings.first)]
        own += of_groups.get(receiver, ())
        own += [Letter(receiver, Reason.RESOLVED, group) for group in _groups(over.get(receiver, ()), together=False)]
        letters += bundled(own)
    return letters, posted


def _begun(tidings: _Tidings, hearing: Hearing, post: Post) -> dict[str, list[Alert]]:
    """By receiver the alerts to tell at once, worst first; the others are put into their groups."""
    through = {ident: hearing.ways(tidings.alerts[ident]) for ident in tidings.joined}
    begun: dict[str, list[Alert]] = {}
    for alert, fresh in sorted(tidings.told.values(), key=lambda each: worst_first(each[0])):
        ways = hearing.ways(alert) if fresh else {}
        for receiver in fresh:
            route = ways.get(receiver) or _way_in(alert, receiver, through, tidings.alerts)
            timed = route is not None and route.timing != AT_ONCE
            at_once = not timed or (tidings.first and route is not None and post.is_open(route))
            if route is not None and timed:
                post.add(alert, route, hearing.labels(alert), told=at_once)
            if at_once:
                begun.setdefault(receiver, []).append(alert)
    return begun


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


def _way_in(
    alert: Alert, receiver: str, through: Mapping[str, Mapping[str, Route]], alerts: Mapping[str, Alert]
) -> Route | None:
    """The route by which a receiver hears of the alert through another one, whose story it tells."""
    for ident, ways in through.items():
        if alerts[ident].inhibited_by == alert.id and receiver in ways:
            return ways[receiver]
    return None


def _in_order(routed: Sequence[str], others: Collection[str], receivers: Collection[str] | None) -> Iterator[str]:
    """Everybody who may be told: those of the routes, and then those who heard earlier of what ended."""
    yield from routed
    earlier = set(others) - set(routed)
    yield from sorted(each for each in earlier if receivers is None or each in receivers)


def _escalated(letters: Iterable[Letter], alerts: Mapping[str, Alert]) -> Iterator[Alert]:
    """The alerts that were told to somebody else as well, who is to hear of their end too."""
    told: dict[str, list[str]] = {}
    for letter in letters:
        for alert in letter.alerts if letter.reason is Reason.ESCALATED else ():
            told.setdefault(alert.id, []).append(letter.receiver)
    for ident, receivers in told.items():
        heard = alerts[ident].heard or ()
        yield replace(alerts[ident], heard=(*heard, *(each for each in receivers if each not in heard)))


def _unheard(untold: Collection[tuple[str, str]], alerts: Mapping[str, Alert]) -> Iterator[Alert]:
    """The alerts that ended before these receivers were told of them, as they are without those receivers."""
    for ident in {alert for _, alert in untold if alert in alerts}:
        heard = alerts[ident].heard or ()
        yield replace(alerts[ident], heard=tuple(each for each in heard if (each, ident) not in untold))


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


def _carried(letter: Letter, joined: Collection[str], alerts: Mapping[str, Alert]) -> tuple[Alert, ...]:
    """The alerts whose story this message tells: of a group all that fire, else those that joined in this judgement."""
    tellers = {alert.id for alert in letter.alerts}
    inside = [alerts[ident] for ident in joined] if not letter.group else alerts.values()
    return tuple(sorted((each for each in inside if _tells(letter, tellers, each)), key=worst_first))


def _tells(letter: Letter, tellers: Collection[str], alert: Alert) -> bool:
    if alert.inhibited_by not in tellers:
        return False
    return not letter.group or (alert.state is State.FIRING and letter.reason is not Reason.RESOLVED)


def _message_id(letter: Letter) -> str:
    parts = [letter.receiver, letter.reason.value, *([letter.group] if letter.group else [])]
    for alert in sorted(letter.alerts, key=lambda alert: alert.id):
        moments = (moment.isoformat() if moment else "" for moment in (alert.fired_at, alert.ends_at))
        parts.extend((alert.id, alert.state.value, *moments))
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:24]
