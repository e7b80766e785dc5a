"""Messages that wait for a receiver nobody can reach, as few as they can be once it is back. Pure.

What fires is one message and what ended another, each alert as the latest of them has it. What began and ended
meanwhile is told to nobody, as what ended before it was told never is. Events keep both their messages: that a budget
was crossed stays true. What is told of actions on keys stays a message of its own, as far as no later one says more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rules.action_news import news_left, news_together
from rules.lifecycle import worst_first
from rules.model import Alert, Notification, Reason

_BEGINS = (Reason.FIRST, Reason.INITIAL, Reason.NEW)


def merged(messages: Sequence[Notification]) -> tuple[Notification, ...]:
    """What to send instead of these messages to one receiver about one organization, in their order.

    Right only if none of them has reached the receiver: their ids are not used again.
    """
    acts = tuple(news_left([message for message in messages if message.reason is Reason.ACTION]))
    messages = [message for message in messages if message.reason is not Reason.ACTION]
    fires = [message for message in messages if message.reason is not Reason.RESOLVED]
    ends = [message for message in messages if message.reason is Reason.RESOLVED]
    over = {alert.id for message in ends for alert in message.alerts if not alert.is_event}
    begun = {alert.id for message in fires if message.reason in _BEGINS for alert in message.alerts}
    escalated = {alert.id for message in fires if message.reason is Reason.ESCALATED for alert in message.alerts}
    silent = over & begun
    told_on = over - escalated
    return (*_one(fires, silent | told_on), *acts, *_one(ends, silent))


def _one(messages: Sequence[Notification], without: set[str]) -> Iterator[Notification]:
    """One message of all that these say, the latest of each alert; none where nothing is left to say."""
    alerts: dict[str, Alert] = {}
    inside: dict[str, Alert] = {}
    for message in messages:
        alerts.update((alert.id, alert) for alert in message.alerts if alert.id not in without)
        inside.update((alert.id, alert) for alert in message.inhibited)
    if not alerts:
        return
    first = next(message for message in messages if any(alert.id in alerts for alert in message.alerts))
    carried = (each for each in inside.values() if each.id not in alerts and each.inhibited_by in alerts)
    yield replace(
        first,
        id=hashlib.sha256("\x1f".join(message.id for message in messages).encode()).hexdigest()[:24],
        alerts=tuple(sorted(alerts.values(), key=worst_first)),
        inhibited=tuple(sorted(carried, key=worst_first)),
        created_at=messages[-1].created_at,
        news=news_together(messages),
    )
