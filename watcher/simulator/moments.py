"""Instants as the simulator counts them: whole seconds since 1970 in UTC, and their spelling on the wire."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

HOUR = 3600
DAY = 86_400

_SPAN = re.compile(r"(\d+)([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": HOUR, "d": DAY, "w": 7 * DAY}


def seconds(moment: datetime) -> float:
    """Seconds since 1970. Raises ValueError for a naive datetime."""
    if moment.tzinfo is None:
        raise ValueError(f"a moment needs a time zone: {moment!r}")
    return moment.timestamp()


def from_seconds(value: float) -> datetime:
    """The aware UTC datetime of so many seconds since 1970."""
    return datetime.fromtimestamp(value, tz=UTC)


def stamp(value: float) -> str:
    """RFC 3339 to the second with `Z`, as report buckets are dated."""
    return from_seconds(value).strftime("%Y-%m-%dT%H:%M:%SZ")


def fine_stamp(moment: datetime) -> str:
    """RFC 3339 with microseconds and `Z`, as directory objects are dated."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_span(text: str) -> timedelta:
    """A length of time such as `90m`, `12h`, `2d` or `1h30m`. Raises ValueError for anything else."""
    parts = _SPAN.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"not a length of time: {text!r} (write 90m, 12h, 2d or 1h30m)")
    return timedelta(seconds=sum(int(number) * _SECONDS[unit] for number, unit in parts))
