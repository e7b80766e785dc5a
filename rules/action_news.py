"""Who is told what of actions on keys: a plan when it is made, and its end. Pure.

A plan is told to whoever heard of the alert, at once, whatever a route says of waiting: somebody may still say no. It
travels inside the message about the alert where one goes out at the same time. That something is held, or let go, every
receiver of the routes hears.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rules.actions import NO_KEY, OPEN, Action, ActionNews, ActionState
from rules.model import Alert, Notification, Reason
from rules.policy import Brake
from rules.posting import MANY


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who can be told, and what of."""

    receivers: Sequence[str]
    """Those that the routes name."""
    alerts: Mapping[str, Alert]
    """By id, as they are now."""
    organization: str
    """Its name, for the reader."""
    told_as: str = ""

    def of(self, alert: Alert | None) -> Sequence[str]:
        """Who heard of an alert, or of the one that tells its story; everybody of an action that is about none."""
        if alert is None:
            return self.receivers
        heard = alert.heard or self.teller(alert).heard
        return self.receivers if heard is None else heard

    def teller(self, alert: Alert) -> Alert:
        """The alert whose message tells of this one: itself, or the one that carries it inside."""
        return self.alerts.get(alert.inhibited_by or "", alert)


def news_of(before: Mapping[str, Action], changed: Iterable[Action]) -> tuple[ActionNews, ...]:
    """What there is to tell of rows that changed: those of one cause together, plans before what has ended.

    What merely waits for something else, or is on its way, is not told again. Neither is a decision that no key is
    touched once one of the same cause was told, nor that a key is left alone which this program has stopped already.
    """
    planned: dict[str, list[Action]] = {}
    ended: dict[str, list[Action]] = {}
    told = {row.cause.id for row in before.values()}
    for row in changed:
        earlier = before.get(row.id)
        if earlier is None and (row.cause.by_policy or row.state not in OPEN):
            if row.key != NO_KEY or row.cause.id not in told:
                planned.setdefault(row.cause.id, []).append(row)
        elif earlier is not None and earlier.open and not row.open:
            ended.setdefault(row.cause.id, []).append(row)
        elif earlier is not None and earlier.mode != row.mode and row.state is ActionState.PROPOSED:
            planned.setdefault(row.cause.id, []).append(row)
    stopped = {row.key for row in before.values() if row.stopped}
    fresh = [rows for rows in planned.values() if any(row.open or row.key not in stopped for row in rows)]
    return (
        *(ActionNews("planned", tuple(rows)) for rows in fresh),
        *(ActionNews("ended", tuple(rows)) for rows in ended.values()),
    )


def messages(news: Iterable[ActionNews], listeners: Listeners, now: datetime) -> tuple[Notification, ...]:
    """One message for each piece of news and each receiver that is to hear of it."""
    return tuple(
        Notification(
            id=_message_id(receiver, each),
            receiver=receiver,
            reason=Reason.ACTION,
            alerts=() if alert is None else (listeners.teller(alert),),
            created_at=now,
            organization=listeners.organization,
            inhibited=() if alert is None or listeners.teller(alert) == alert else (alert,),
            told_as=listeners.told_as,
            news=each,
        )
        for each in news
        for alert in (listeners.alerts.get(each.actions[0].alert) if each.actions else None,)
        for receiver in listeners.of(alert)
    )


def folded(letters: Sequence[Notification], news: Iterable[Notification]) -> tuple[Notification, ...]:
    """Messages with the news in those that tell a receiver of the same alerts as firing; the rest after them.

    Of more than `MANY` to one receiver that stand by themselves all are one: a storm is a message.
    """
    merged = list(letters)
    rest: dict[str, list[Notification]] = {}
    for each in news:
        place = next((at for at, letter in enumerate(merged) if _tells_of(letter, each)), None)
        if place is None or each.news is None:
            rest.setdefault(each.receiver, []).append(each)
        else:
            before = () if (found := merged[place].news) is None else found.actions
            merged[place] = replace(merged[place], news=news_as_it_is((*before, *each.news.actions)))
    return (*merged, *(letter for own in rest.values() for letter in _bundled(own)))


def _bundled(letters: Sequence[Notification]) -> Iterator[Notification]:
    """The messages of news to one receiver, those of the brake first; where there are many, all others are one."""
    yield from (letter for letter in letters if letter.news is not None and letter.news.brake is not None)
    about = [letter for letter in letters if letter.news is not None and letter.news.brake is None]
    if len(about) <= MANY:
        yield from about
        return
    alerts = {alert.id: alert for letter in about for alert in letter.alerts}
    inside = {alert.id: alert for letter in about for alert in letter.inhibited if alert.id not in alerts}
    yield replace(
        about[0],
        id=hashlib.sha256("\x1f".join(letter.id for letter in about).encode()).hexdigest()[:24],
        alerts=tuple(alerts.values()),
        inhibited=tuple(inside.values()),
        news=news_together(about),
    )


def standing(letters: Iterable[Notification], rows: Iterable[Action]) -> Iterator[Notification]:
    """Messages of which those about an alert say how the journal stands with it, also where that is no news.

    Of an end only what was done, or may still be, belongs to the story.
    """
    about: dict[str, list[Action]] = {}
    for row in rows:
        about.setdefault(row.alert, []).append(row)
    for letter in letters:
        mine = [row for alert in (*letter.alerts, *letter.inhibited) for row in about.get(alert.id, ())]
        if letter.reason is Reason.RESOLVED:
            mine = [row for row in mine if row.open or row.stopped]
        if letter.news is not None or not mine:
            yield letter
        else:
            yield replace(letter, news=news_as_it_is(mine))


def news_as_it_is(rows: Sequence[Action]) -> ActionNews:
    """How it stands with these rows."""
    return ActionNews("planned" if any(row.open for row in rows) else "ended", tuple(rows))


def news_left(messages: Sequence[Notification]) -> Iterator[Notification]:
    """Messages of news without those that later ones say all of: the same rows further on, or the brake anew."""
    for at, message in enumerate(messages):
        later = [each.news for each in messages[at + 1 :] if each.news is not None]
        if message.news is not None and message.news.brake is not None:
            if not any(news.brake is not None for news in later):
                yield message
            continue
        mine = {row.id for row in message.news.actions} if message.news is not None else set()
        if not mine or not mine <= {row.id for news in later for row in news.actions}:
            yield message


def news_together(messages: Iterable[Notification]) -> ActionNews | None:
    """The news inside messages that become one, each row as the last of them has it."""
    rows = {row.id: row for message in messages if message.news is not None for row in message.news.actions}
    return news_as_it_is(tuple(rows.values())) if rows else None


def brake_news(before: Brake, after: Brake, now: datetime) -> ActionNews | None:
    """That actions were paused, or are allowed again; None where nothing changed."""
    if before.holds(now) == after.holds(now) and (before == after or not after.holds(now)):
        return None
    return ActionNews("paused" if after.holds(now) else "resumed", brake=after if after.holds(now) else before)


def _tells_of(letter: Notification, news: Notification) -> bool:
    about = {alert.id for alert in (*letter.alerts, *letter.inhibited)}
    mine = {alert.id for alert in (*news.alerts, *news.inhibited)}
    alone = letter.receiver == news.receiver and letter.reason is not Reason.RESOLVED
    return alone and not mine.isdisjoint(about)


def _message_id(receiver: str, news: ActionNews) -> str:
    parts = [receiver, Reason.ACTION.value, news.event]
    parts += [f"{row.id}/{row.state.value}/{row.mode}" for row in news.actions]
    if news.brake is not None and news.brake.since is not None:
        parts += [news.brake.since.isoformat(), news.brake.by]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:24]
