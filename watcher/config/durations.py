"""Durations as people write them: "5m", "1h", "60d", "2h30m"."""

from __future__ import annotations

import re
from datetime import timedelta

from watcher.config.problems import Wrong, shown

_SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_WORDS = {"w": "week", "d": "day", "h": "hour", "m": "minute", "s": "second"}
_DURATION = re.compile("".join(rf"(?:(?P<{unit}>[0-9]{{1,9}}){unit})?" for unit in _SECONDS))
_LONGEST = timedelta(days=36_525)


def parse_duration(value: object) -> timedelta:
    """The duration of "90s", "5m", "1h", "60d", "2w", or several parts from the largest unit down, "2h30m".

    Raises Wrong for anything else, for a negative one, and for one of more than a hundred years.
    """
    right = 'must be a duration such as "90s", "5m", "2h30m" or "60d"'
    if not isinstance(value, str):
        raise Wrong(f"{right} (a text with a unit), not {shown(value)}")
    if value.strip().startswith("-"):
        raise Wrong(f"must not be negative, but {shown(value)} is")
    match = _DURATION.fullmatch(value)
    if match is None or not value:
        raise Wrong(f"{right}, not {shown(value)}")
    seconds = sum(int(digits) * _SECONDS[unit] for unit, digits in match.groupdict(default="0").items())
    if seconds > _LONGEST.total_seconds():
        raise Wrong(f"{shown(value)} is longer than any that makes sense here")
    return timedelta(seconds=seconds)


def write_duration(duration: timedelta) -> str:
    """The duration as the configuration writes it: "5m", "1h", "60d", "2h30m"; whole seconds."""
    return "".join(f"{count}{unit}" for count, unit in _parts(duration)) or "0s"


def spell_duration(duration: timedelta) -> str:
    """The duration in words: "5 minutes", "60 days", "2 hours 30 minutes"."""
    parts = [f"{count} {_WORDS[unit]}{'' if count == 1 else 's'}" for count, unit in _parts(duration)]
    return " ".join(parts) or "0 seconds"


def _parts(duration: timedelta) -> list[tuple[int, str]]:
    """Counts by unit, largest first, without weeks: people say 60 days."""
    parts, rest = [], int(duration.total_seconds())
    for unit, size in _SECONDS.items():
        if unit != "w":
            count, rest = divmod(rest, size)
            parts.append((count, unit))
    return [(count, unit) for count, unit in parts if count]
