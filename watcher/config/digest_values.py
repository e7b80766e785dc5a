"""What a `[[digest]]` consists of, as the configuration gives it: a time of day, and one receiver or several."""

from __future__ import annotations

import re

from watcher.config import values
from watcher.config.problems import Wrong, shown

_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")


def clock(value: object) -> str:
    """A time of day as ISO 8601 has it, "09:00"."""
    found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Wrong(f'must be a time of day from "00:00" to "23:59", such as "09:00", not {shown(value)}')
    return f"{int(found[1]):02}:{found[2]}"


def receivers(value: object) -> list[str]:
    """The name of one receiver, or a list of several."""
    names = [values.name(each) for each in (value if isinstance(value, list) else [value])]
    if not names:
        raise Wrong('must name a receiver, as in receiver = "ops"')
    twice = next((name for index, name in enumerate(names) if name in names[:index]), None)
    if twice is not None:
        raise Wrong(f"must name each receiver once: {shown(twice)} stands there twice")
    return names
