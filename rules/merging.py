"""Messages that wait for a receiver that takes none, as few as they can be once it is back. Pure.

What fires is one message, what somebody has taken another and what ended a third, each alert as the latest of them has
it. What began and ended meanwhile is told to nobody, as what ended before it was told never is. Events keep both their
messages: that a budget was crossed stays true. What is about no alert, as a digest, stays a message of its own, and so
does what is told of actions on keys, as far as no later one says more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rules.action_news import news_left, news_together
from rules.lifecycle import worst_first
from rules.model import Alert, Notification, Reason

_BEGINS = (Reason.FIRST, Reason.INITIAL, Reason.NEW)
_BEHIND = (Reason.ACKNOWLEDGED, Reason.RESOLVED)
_MOST_TELLING = (*_BEGINS, Reason.ESCALATED, Reason.REPEATED)


def merged(messages: Sequence[Notification], before: Sequence[Notification] = ()) -> tuple[Notification, ...]:
    """What to send instead of these messages to one receiver about one organization, in their order.

    Right only if none of them has reached the receiver: ids of those that become others are not used again. `before`
    are messages that go out before: what they say already is not repeated.
    """
    acts = tuple(news_left([message for message in messages if message.reason is Reason.ACTION]))
    rest = [message for message in messages if message.reason is not Reason.ACTION]
    others = tuple(message for message in rest if not message.alerts)
    fires = [message for message in rest if message.alerts and message.reason not in _BEHIND]
    taken = [message for message in rest if message.alerts and message.reason is Reason.ACKNOWLEDGED]
    ends = [message for message in rest if message.alerts and message.reason is Reason.RESOLVED]
    over = {alert.id for message in ends for alert in message.alerts if not alert.is_event}
    begun = {alert.id for message in fires if message.reason in _BEGINS for alert in message.alerts}
    escalated = {alert.id for message in fires if message.reason is Reason.ESCALATED for alert in message.alerts}
    silent = over & begun
    told_on = over - escalated
    said = {
        alert.id for message in before if message.reason not in {*_BEHIND, Reason.ACTION} for alert in message.alerts
    }
    said -= begun | escalated
    fired = tuple(_one(fires, silent | told_on | said))
    in_place = all(message in messages for message in fired)
    tidings = _one(taken, over, in_place=in_place), _one(ends, silent, in_place=in_place)
    return (*others, *fired, *acts, *tidings[0], *tidings[1])


def _one(messages: Sequence[Notification], without: set[str], *, in_place: bool = True) -> Iterator[Notification]:
    """One message of all that these say, the latest of each alert; none where nothing is left to say.

    A message that is alone stays as it is, unless those before it do not stay `in_place`.
    """
    if in_place and len(messages) == 1 and not without.intersection(alert.id for alert in messages[0].alerts):
        yield messages[0]
        return
    alerts: dict[str, Alert] = {}
    inside: dict[str, Alert] = {}
    for message in messages:
        alerts.update((alert.id, alert) for alert in message.alerts if alert.id not in without)
        inside.update((alert.id, alert) for alert in message.inhibited)
    if not alerts:
        return
    saying = [message for message in messages if any(alert.id in alerts for alert in message.alerts)]
    first = min(saying, key=_how_telling)
    carried = (each for each in inside.values() if each.id not in alerts and each.inhibited_by in alerts)
    yield replace(
        first,
        id=hashlib.sha256("\x1f".join(message.id for message in messages).encode()).hexdigest()[:24],
        alerts=tuple(sorted(alerts.values(), key=worst_first)),
        inhibited=tuple(sorted(carried, key=worst_first)),
        created_at=messages[-1].created_at,
        news=news_together(messages),
    )


def _how_telling(message: Notification) -> int:
    return _MOST_TELLING.index(message.reason) if message.reason in _MOST_TELLING else len(_MOST_TELLING)
