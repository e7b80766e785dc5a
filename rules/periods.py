"""Calendar periods in a person's time zone: day, week (from Monday) and month, as `[start, end)` in UTC.

A period begins at local midnight, so a day has 23 or 25 hours where the clocks change. The ledger keeps UTC hours
and does not cut them: an hour belongs to the period in which it *starts*. In zones that are off by a part of an
hour (India, Nepal) the first minutes of a period therefore count for the period before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from rules.model import HOUR

PeriodKind: TypeAlias = Literal["day", "week", "month"]

# Spelled out: strftime follows the machine's locale, and a message must not.
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """One calendar period: `[start, end)` in UTC, the zone whose midnights cut it, and its name for people."""

    kind: PeriodKind
    start: datetime
    end: datetime
    timezone: str
    label: str

    def columns(self, start: datetime, hours: int) -> slice:
        """Which of `hours` hourly columns, the first of them beginning at `start`, start within the period."""
        first = -((start - self.start) // HOUR)
        last = -((start - self.end) // HOUR)
        return slice(min(max(first, 0), hours), min(max(last, 0), hours))


def period_of(kind: PeriodKind, zone: str, now: datetime) -> Period:
    """The period of this kind that `now` (aware) falls in, by the calendar of `zone` (an IANA name).

    Where the clocks skip midnight the day begins with its first instant. ZoneInfoNotFoundError for an unknown zone.
    """
    return _period_from(kind, zone, _first_day(kind, now.astimezone(ZoneInfo(zone)).date()))


def previous(period: Period) -> Period:
    """The period of the same kind and zone that ended when this one began."""
    return period_of(period.kind, period.timezone, period.start - timedelta(microseconds=1))


def clock_label(moment: datetime, beside: datetime | None = None) -> str:
    """`moment` for people: "14:00 UTC" if it lies on the same UTC day as `beside`, else "18 Nov, 14:00 UTC"."""
    moment = moment.astimezone(UTC)
    clock = f"{moment:%H:%M} UTC"
    if beside is not None and beside.astimezone(UTC).date() == moment.date():
        return clock
    return f"{moment.day} {MONTHS[moment.month - 1][:3]}, {clock}"


def instant(moment: datetime) -> str:
    """`moment` as it stands in identifiers: "2026-11-01T00:00:00Z", always UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _first_day(kind: PeriodKind, day: date) -> date:
    if kind == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if kind == "week" else day


@lru_cache(maxsize=1024)
def _period_from(kind: PeriodKind, zone: str, first: date) -> Period:
    """The period that begins on the local day `first`."""
    if kind == "month":
        after = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
        label = f"{MONTHS[first.month - 1]} {first.year}"
    else:
        after = first + (_ONE_DAY if kind == "day" else 7 * _ONE_DAY)
        label = f"{first.day} {MONTHS[first.month - 1][:3]} {first.year}"
        label = label if kind == "day" else f"week of {label}"
    return Period(kind, _midnight(first, zone), _midnight(after, zone), zone, label)


def _midnight(day: date, zone: str) -> datetime:
    """The instant at which `day` begins in `zone`.

    fold=0 takes the first of two midnights, and for a skipped one the offset before the change, which is the instant
    of the change itself.
    """
    return datetime.combine(day, time(), tzinfo=ZoneInfo(zone)).astimezone(UTC)
