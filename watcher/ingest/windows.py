"""Stretches of hours, and whether it is time again. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours in `[start, end)`."""

    start: datetime
    end: datetime

    def __len__(self) -> int:
        return (self.end - self.start) // HOUR

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M} UTC"

    @property
    def halves(self) -> tuple[Hours, ...]:
        """The two halves, by whole hours; nothing for a single hour."""
        middle = self.start + len(self) // 2 * HOUR
        return () if middle == self.start else (Hours(self.start, middle), Hours(middle, self.end))


def is_due(last: datetime | None, every: timedelta, now: datetime) -> bool:
    """Whether it is time again. A poll that comes a little early is not made to wait for the next one."""
    early = min(every / 10, timedelta(seconds=30))
    return last is None or not timedelta(0) <= now - last < every - early


def midnight(day: date) -> datetime:
    """When a UTC day begins."""
    return datetime.combine(day, time(), UTC)


def hour_of(now: datetime) -> datetime:
    """When the hour that `now` falls in began."""
    return now.replace(minute=0, second=0, microsecond=0)


def hours(start: datetime, end: datetime) -> Iterator[datetime]:
    """Every hour in `[start, end)`."""
    while start < end:
        yield start
        start += HOUR
