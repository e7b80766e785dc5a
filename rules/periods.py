"""Periods in a person's time zone, as `[start, end)` in UTC: hour, day, week, month, quarter and year, and given dates.

A period begins at local midnight, so a day has 23 or 25 hours where the clocks change. The ledger keeps UTC hours
and does not cut them: an hour belongs to the period in which it *starts*. In zones that are off by a part of an
hour (India, Nepal) the first minutes of a period therefore count for the period before it; the hour as a period is
the ledger's own there.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal, TypeAlias, cast
from zoneinfo import ZoneInfo

from rules.scope import HOUR

CalendarKind: TypeAlias = Literal["hour", "day", "week", "month", "quarter", "year"]
PeriodKind: TypeAlias = CalendarKind | Literal["once", "rolling"]
"""What follows one another by the calendar, a stretch of given dates that comes once, and the hours up to now."""

LONGEST = timedelta(days=66)
"""The longest rolling window: the view of the ledger holds 70 days by the hour."""
LONGEST_DATES = timedelta(days=366)
"""The longest stretch of given dates."""

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
_MONTHS_IN: dict[str, int] = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True, slots=True)
class Starts:
    """Where periods begin that do not begin as the calendar has it.

    Weeks on `weekday` (0 is Monday). Months, quarters and years on `day` (1–31), or on the last day of a month that has
    no such day. Quarters and years are counted from the month `month` (1–12).
    """

    weekday: int = 0
    day: int = 1
    month: int = 1


AS_THE_CALENDAR = Starts()


@dataclass(frozen=True, slots=True)
class Period:
    """One period: `[start, end)` in UTC, the zone whose midnights cut it, and its name for people."""

    kind: PeriodKind
    start: datetime
    end: datetime
    timezone: str
    label: str
    starts: Starts = AS_THE_CALENDAR

    def columns(self, start: datetime, hours: int) -> slice:
        """Which of `hours` hourly columns, the first of them beginning at `start`, start within the period."""
        first = -((start - self.start) // HOUR)
        last = -((start - self.end) // HOUR)
        return slice(min(max(first, 0), hours), min(max(last, 0), hours))


def period_of(kind: CalendarKind, zone: str, now: datetime, starts: Starts = AS_THE_CALENDAR) -> Period:
    """The period of this kind that `now` (aware) falls in, by the calendar of `zone` (an IANA name).

    Where the clocks skip midnight the day begins with its first instant. ZoneInfoNotFoundError for an unknown zone.
    """
    local = now.astimezone(ZoneInfo(zone))
    if kind == "hour":
        return _hour(now.astimezone(UTC).replace(minute=0, second=0, microsecond=0), zone)
    return _period_from(kind, zone, _first_day(kind, local.date(), starts), starts)


def period_between(first: date, after: date, zone: str) -> Period:
    """The one period from the beginning of the local day `first` to that of `after`, which is not in it."""
    return Period("once", _midnight(first, zone), _midnight(after, zone), zone, _span_label(first, after))


def previous(period: Period) -> Period | None:
    """The period of the same kind and zone that ended when this one began; None where one does not follow another."""
    if period.kind in {"once", "rolling"}:
        return None
    kind = cast("CalendarKind", period.kind)
    return period_of(kind, period.timezone, period.start - timedelta(microseconds=1), period.starts)


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


def _first_day(kind: CalendarKind, day: date, starts: Starts) -> date:
    """The local day on which the period begins that `day` lies in."""
    if kind == "week":
        return day - timedelta(days=(day.weekday() - starts.weekday) % 7)
    if kind == "day":
        return day
    month = day.year * 12 + day.month - 1
    if day < _day_in(month, starts.day):
        month -= 1
    # Months are counted from the year 0; quarters and years begin in every 3rd and 12th from that of `starts`.
    return _day_in(month - (month - (starts.month - 1)) % _MONTHS_IN[kind], starts.day)


def _day_in(month: int, day: int) -> date:
    """The day of this number in a month counted from the year 0, or the month's last."""
    year, index = divmod(month, 12)
    return date(year, index + 1, min(day, monthrange(year, index + 1)[1]))


@lru_cache(maxsize=1024)
def _period_from(kind: CalendarKind, zone: str, first: date, starts: Starts) -> Period:
    """The period that begins on the local day `first`."""
    if kind in _MONTHS_IN:
        after = _day_in(first.year * 12 + first.month - 1 + _MONTHS_IN[kind], starts.day)
    else:
        after = first + (_ONE_DAY if kind == "day" else 7 * _ONE_DAY)
    label = _label(kind, first, after, starts)
    return Period(kind, _midnight(first, zone), _midnight(after, zone), zone, label, starts)


@lru_cache(maxsize=1024)
def _hour(start: datetime, zone: str) -> Period:
    """The hour of the ledger that begins at `start` (UTC), called as the clocks of the zone call it."""
    local = start.astimezone(ZoneInfo(zone))
    return Period("hour", start, start + HOUR, zone, f"{_day_label(local.date())}, {local:%H:%M}")


def _label(kind: CalendarKind, first: date, after: date, starts: Starts) -> str:
    """What people call it: by its calendar name where it has one, else by its first day or its first and last."""
    if kind == "day":
        return _day_label(first)
    if kind == "week":
        return f"week of {_day_label(first)}"
    if starts.day != 1 or (kind != "month" and starts.month != 1):
        return _span_label(first, after)
    if kind == "month":
        return f"{MONTHS[first.month - 1]} {first.year}"
    return f"{first.year}" if kind == "year" else f"Q{(first.month + 2) // 3} {first.year}"


def _span_label(first: date, after: date) -> str:
    """The first and the last day."""
    last = after - _ONE_DAY
    begin = _day_label(first)
    return f"{begin.removesuffix(f' {last.year}')} to {_day_label(last)}" if first != last else begin


def _day_label(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1][:3]} {day.year}"


def _midnight(day: date, zone: str) -> datetime:
    """The instant at which `day` begins in `zone`.

    fold=0 takes the first of two midnights, and for a skipped one the offset before the change, which is the instant
    of the change itself.
    """
    return datetime.combine(day, time(), tzinfo=ZoneInfo(zone)).astimezone(UTC)
