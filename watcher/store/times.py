"""How time is kept in the tables, in one convention throughout.

A column named `at`, or ending in `_at`, is a moment: integer microseconds since 1970-01-01T00:00:00Z, exact for every
`datetime`. A column named `hour` is a UTC hour: integer hours since then. A column named `day` is a UTC day: integer
days since then.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import overload

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = EPOCH.date().toordinal()
_MICROSECOND = timedelta(microseconds=1)
_HOUR = timedelta(hours=1)


@overload
def moment(value: datetime) -> int: ...
@overload
def moment(value: None) -> None: ...
def moment(value: datetime | None) -> int | None:
    """The column value of an aware datetime, or None; TypeError for a naive one."""
    return None if value is None else (value - EPOCH) // _MICROSECOND


@overload
def from_moment(value: int) -> datetime: ...
@overload
def from_moment(value: None) -> None: ...
def from_moment(value: int | None) -> datetime | None:
    """The aware UTC datetime of a column value, or None."""
    return None if value is None else EPOCH + timedelta(microseconds=value)


def hour_number(value: datetime) -> int:
    """The hour that an aware datetime falls in, as hours since 1970."""
    return (value - EPOCH) // _HOUR


def hour_after(value: datetime) -> int:
    """The first hour that begins at or after an aware datetime: the exclusive end of a window `[from, to)`."""
    return -((EPOCH - value) // _HOUR)


@lru_cache(1 << 15)  # of more than three years: every cycle asks for all that it knows of
def from_hour(value: int) -> datetime:
    """When hour `value` begins."""
    return EPOCH + timedelta(hours=value)


def day_number(value: date) -> int:
    """The day as days since 1970."""
    return value.toordinal() - _EPOCH_DAY


def from_day(value: int) -> date:
    """The UTC day of a column value."""
    return date.fromordinal(value + _EPOCH_DAY)
