"""Recurring stretches of time by the wall clock of a zone: working hours, nights, a month's last days. Pure."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

_LEAP_YEAR = 2028


@dataclass(frozen=True, slots=True)
class TimeInterval:
    """Every moment whose local time meets all that is given; what is empty is met by every moment."""

    name: str
    timezone: str = "UTC"
    times: tuple[tuple[int, int], ...] = ()
    """Minutes of the day, from and until before: 540 to 1020 is 09:00 to 17:00, 1440 is midnight."""
    weekdays: tuple[int, ...] = ()
    """0 is Monday."""
    days_of_month: tuple[tuple[int, int], ...] = ()
    """From and to, both included; negative ones count from the month's end, -1 is its last day."""
    months: tuple[int, ...] = ()

    @property
    def has_days(self) -> bool:
        """Whether there is a day in a leap year that its months and days of the month name."""
        return not self.days_of_month or any(
            _has_day(self.days_of_month, date(_LEAP_YEAR, month, day))
            for month in self.months or range(1, 13)
            for day in range(1, calendar.monthrange(_LEAP_YEAR, month)[1] + 1)
        )

    def holds(self, moment: datetime) -> bool:
        """Whether the moment (with a zone) lies in it."""
        local = moment.astimezone(ZoneInfo(self.timezone))
        minute = 60 * local.hour + local.minute
        return (
            (not self.times or any(begin <= minute < end for begin, end in self.times))
            and (not self.weekdays or local.weekday() in self.weekdays)
            and (not self.months or local.month in self.months)
            and (not self.days_of_month or _has_day(self.days_of_month, local))
        )


def is_open(active: Sequence[TimeInterval], mute: Sequence[TimeInterval], moment: datetime) -> bool:
    """Whether messages go out: within one of `active`, if there is any, and in none of `mute`."""
    return (not active or any(each.holds(moment) for each in active)) and not any(each.holds(moment) for each in mute)


def _has_day(ranges: Sequence[tuple[int, int]], local: date) -> bool:
    last = calendar.monthrange(local.year, local.month)[1]
    bounds = ((_day(begin, last), _day(end, last)) for begin, end in ranges)
    return any(begin <= local.day <= end for begin, end in bounds)


def _day(day: int, last: int) -> int:
    return day if day > 0 else last + 1 + day
