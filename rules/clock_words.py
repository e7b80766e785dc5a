"""Moments and lengths of time as people read them. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from rules.periods import MONTHS

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def when(moment: datetime, now: datetime, zone: tzinfo | None = None) -> str:
    """A moment, as short as it stays unmistakable on the day of `now`: "09:00 UTC", "Thu 19 Nov 09:00 UTC".

    Both are shown in `zone` when it is given and not UTC, and named by it.
    """
    name = str(zone) if zone is not None and str(zone) != "UTC" else "UTC"
    if name != "UTC":
        moment, now = moment.astimezone(zone), now.astimezone(zone)
    if moment.date() == now.date():
        return f"{moment:%H:%M} {name}"
    day = f"{_WEEKDAYS[moment.weekday()]} {moment.day} {MONTHS[moment.month - 1][:3]}"
    year = "" if moment.year == now.year else f" {moment.year}"
    return f"{day}{year} {moment:%H:%M} {name}"


def duration(length: timedelta) -> str:
    """A length of time in one or two units: "8 min", "2 h 10 min", "5 h", "3 days"."""
    minutes = max(int(length.total_seconds() // 60), 0)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 4 and rest:
        return f"{hours} h {rest} min"
    if hours < 48:
        return f"{hours} h"
    return f"{hours // 24} days"


def ago(moment: datetime, now: datetime) -> str:
    """How long before `now` a moment was: "5 h ago", "just now"; "in 3 h" for one that is yet to come."""
    if abs(now - moment) < timedelta(minutes=1):
        return "just now"
    return f"in {duration(moment - now)}" if moment > now else f"{duration(now - moment)} ago"


def spoken(span: timedelta) -> str:
    """A duration in one unit where one does: "2 h", "15 min", "90 s"."""
    seconds = int(span.total_seconds())
    if seconds % 3600 == 0:
        return f"{seconds // 3600} h"
    return f"{seconds // 60} min" if seconds % 60 == 0 else f"{seconds} s"
