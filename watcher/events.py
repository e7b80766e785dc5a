"""Planned events as the rules take them: plain windows around the present, holidays and repetitions worked out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from rules.events import Event, Window
from watcher.public_holidays import between
from watcher.settings import EventSettings

BEHIND = timedelta(days=80)
AHEAD = timedelta(days=95)
"""Windows that lie further away are left out: further back nothing is looked at."""
_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)


@dataclass(slots=True)
class Planned:
    """The events of a configuration; what they come to is worked out once a day."""

    settings: tuple[EventSettings, ...] = ()
    _day: date | None = None
    _events: tuple[Event, ...] = field(default=())

    def at(self, now: datetime) -> tuple[Event, ...]:
        """Those with a window near to now."""
        if not self.settings:
            return ()
        day = now.astimezone(UTC).date()
        if day != self._day:
            self._day, self._events = day, planned(self.settings, now)
        return self._events


def planned(settings: Sequence[EventSettings], now: datetime) -> tuple[Event, ...]:
    """The events that have a window from `BEHIND` before now to `AHEAD` after it, with those windows."""
    found = []
    for event in settings:
        near = tuple(windows(event, now - BEHIND, now + AHEAD))
        if near:
            found.append(Event(event.name, near, event.select, event.expect))
    return tuple(found)


def windows(event: EventSettings, since: datetime, until: datetime) -> Iterator[Window]:
    """The windows of an event that touch the stretch, in order."""
    zone = ZoneInfo(event.timezone)
    if event.holidays is not None:
        first, last = since.astimezone(zone).date(), until.astimezone(zone).date()
        for day, name in between(event.holidays, first, last):
            begins = datetime.combine(day, time())
            yield Window(_moment(begins, zone), _moment(begins + _DAY, zone), name)
    elif event.dates is not None:
        for begins, ends in _repeated(event, *event.dates, until.astimezone(zone).replace(tzinfo=None)):
            window = Window(_moment(begins, zone), _moment(ends, zone))
            if window.ends > since and window.begins < until:
                yield window


def _repeated(
    event: EventSettings, begins: datetime, ends: datetime, until: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """The local times of every occurrence that begins before `until`; the first one always."""
    yield begins, ends
    if event.repeat == "weekly":
        for number in range(1, max((until - begins) // _WEEK, 0) + 1):
            yield begins + number * _WEEK, ends + number * _WEEK
    elif event.repeat == "yearly":
        for year in range(begins.year + 1, until.year + 1):
            again = _in_year(begins, year)
            yield again, again + (ends - begins)


def _in_year(moment: datetime, year: int) -> datetime:
    """The same day of another year; of 29 February where there is none, the 28th."""
    leap = moment.month == 2 and moment.day == 29
    return moment.replace(year=year, day=28) if leap else moment.replace(year=year)


def _moment(local: datetime, zone: ZoneInfo) -> datetime:
    return local.replace(tzinfo=zone).astimezone(UTC)
