"""Every message that tells of an alert, with why it was sent, when, and what became of each try; in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from notifiers.text import clean, given, when
from watcher.explain.record import Record, Sent

_MOST_TRIES = 6
_LONGEST_ERROR = 300


def deliveries(record: Record, now: datetime) -> Iterator[str]:
    """One sentence a message, one a try, and what waits in groups."""
    for sent in record.messages:
        yield from _message(record, sent, now)
    for group in record.groups:
        member = next(each for each in group.members if each.alert == record.alert.id)
        matchers = clean(group.place, 200) if group.place.strip("/") else "every alert"
        which = f'In a group of {len(group.members)} to "{given(group.receiver)}" ({matchers})'
        told = "still to be told" if member.told_at is None else f"told {when(member.told_at, now)}"
        due = "" if group.due_at is None else f"; the next message is due {when(group.due_at, now)}"
        yield f"{which}: {told}{due}."
    if not record.messages and not record.groups:
        yield "No message tells of it."


def _message(record: Record, sent: Sent, now: datetime) -> Iterator[str]:
    row = sent.row
    told = row.notification
    inside = "" if any(each.id == record.alert.id for each in told.alerts) else ", inside another alert's message"
    head = f'To "{given(told.receiver)}" ({told.reason}), decided {when(told.created_at, now)}{inside}'
    yield f"{head}: {_became(sent, now)}"
    for number, each in list(enumerate(sent.tries, 1))[-_MOST_TRIES:]:
        outcome = "delivered" if each.error is None else f"failed: {clean(each.error, _LONGEST_ERROR)}"
        yield f"  try {number}, {when(each.at, now)}: {outcome}"


def _became(sent: Sent, now: datetime) -> str:
    row = sent.row
    if row.delivered_at is not None:
        return f"delivered {when(row.delivered_at, now)}."
    return f"not delivered yet; the next try is due {when(row.due_at, now)}."
