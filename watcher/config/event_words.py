"""Planned events in plain sentences: what each of them does, and which holidays come next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from watcher.config.event_tables import shown_moment
from watcher.settings import EventSettings

AHEAD = timedelta(days=90)
_TEACHES = "teaches nothing of what is usual"


def event_sentence(event: EventSettings, whose: str) -> str:
    """What the event does; `whose` says what it is about."""
    if event.expect == 1:
        return f'Event "{event.name}": {_when(event)}, {whose} is judged as ever and {_TEACHES}.'
    times = f"may come to {event.expect:.15g} times the usual before anomalies are told"
    return f'Event "{event.name}": {_when(event)}, {whose} {times}, and {_TEACHES}.'


def coming(events: Sequence[EventSettings], now: datetime) -> Iterator[str]:
    """Of each event of holidays those of the next 90 days; of each other one that is over, that it is."""
    from watcher.events import windows  # noqa: PLC0415 (only a few configurations need it)

    for event in events:
        zone = ZoneInfo(event.timezone)
        near = list(windows(event, now, now + AHEAD))
        if event.holidays is not None:
            days = [f"{window.begins.astimezone(zone):%a %-d %b} {window.called}" for window in near]
            told = ", ".join(days) or "none"
            yield f'Event "{event.name}", the next {AHEAD.days} days: {told}.'
        elif event.dates is not None and not event.repeat and event.dates[1].replace(tzinfo=zone) <= now:
            yield f'Event "{event.name}" is over since {shown_moment(event.dates[1])} ({event.timezone}).'


def _when(event: EventSettings) -> str:
    if event.holidays is not None:
        return f"on the public holidays of {event.holidays.shown} ({event.timezone})"
    if event.dates is None:
        return "never"
    begins, ends = event.dates
    each = {"weekly": ", every week", "yearly": ", every year"}.get(event.repeat, "")
    return f"from {shown_moment(begins)} until before {shown_moment(ends)} ({event.timezone}){each}"
