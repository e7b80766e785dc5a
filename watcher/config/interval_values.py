"""What a `[[time_interval]]` consists of, as the configuration gives it: times of day, days and months."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from watcher.config.problems import Expanded, Wrong, nearest, shown
from watcher.config.values import MONTH_WORDS, WEEKDAYS

_TIMES = re.compile(r"([0-9]{1,2}):([0-9]{2})-([0-9]{1,2}):([0-9]{2})")
_DAYS = re.compile(r"(-?[0-9]{1,2})(?::(-?[0-9]{1,2}))?")
_BETWEEN = re.compile(r"\s*(?::|-|–|\.\.+|\bto\b)\s*")
"""What people write between the two ends of a stretch; ":" is right, as in Alertmanager."""
_SHORTEST = 3
_NEAR = 0.75
_MIDNIGHT = 24 * 60
_LAST_DAY = 31


def times(value: object) -> tuple[int, int]:
    """Minutes of "09:00-17:00": from and until before."""
    right = 'must be times of day such as "09:00-17:00"'
    found = _TIMES.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Wrong(f"{right}, not {shown(value)}")
    hours = [int(part) for part in found.groups()]
    begin, end = 60 * hours[0] + hours[1], 60 * hours[2] + hours[3]
    if max(hours[1], hours[3]) > 59 or max(begin, end) > _MIDNIGHT:
        raise Wrong(f"{right}, up to 24:00, not {shown(value)}")
    if begin >= end:
        if end == 0:
            midnight = f'"{found[1]}:{found[2]}-24:00"'
            raise Wrong(f"must end after it begins, and {shown(value)} does not; write midnight as 24:00, {midnight}")
        if begin == end:
            raise Wrong(f'must end after it begins, and {shown(value)} does not; the whole day is "00:00-24:00"')
        night = f'["{found[1]}:{found[2]}-24:00", "00:00-{found[3]}:{found[4]}"]'
        raise Wrong(f"must end after it begins, and {shown(value)} does not; a night is two, {night}")
    return begin, end


def words(known: Sequence[str], what: str) -> Callable[[object], tuple[int, ...]]:
    """A reader of one word or a stretch of them, "monday:friday", as numbers from 0."""
    right = f'must be {what} such as "{known[0]}", or a stretch such as "{known[0]}:{known[4]}"'

    def read(value: object) -> tuple[int, ...]:
        parts = value.lower().split(":") if isinstance(value, str) else []
        if len(parts) not in (1, 2) or any(part not in known for part in parts):
            raise Wrong(f"{right}, not {shown(value)}{_meant(value, known)}")
        first, last = known.index(parts[0]), known.index(parts[-1])
        if first > last:
            raise Wrong(f"must not end before it begins, and {shown(value)} does; write two stretches")
        return tuple(range(first, last + 1))

    return read


def _meant(value: object, known: Sequence[str]) -> str:
    """The end of the sentence: the word or the stretch that was probably meant, '; did you mean "monday:friday"?'."""
    if not isinstance(value, str) or isinstance(value, Expanded):
        return ""
    parts = [_nearest(part, known) for part in _BETWEEN.split(value.strip().lower(), maxsplit=1)]
    return "" if None in parts else f'; did you mean "{":".join(map(str, parts))}"?'


def _nearest(part: str, known: Sequence[str]) -> str | None:
    """The word that is abbreviated so, or nearly written so."""
    abbreviated = [word for word in known if len(part) >= _SHORTEST and word.startswith(part)]
    return abbreviated[0] if len(abbreviated) == 1 else nearest(part, known, _NEAR)


weekdays = words(WEEKDAYS, "a weekday")
_months = words(MONTH_WORDS, "a month")


def months(value: object) -> tuple[int, ...]:
    """Months, January being 1."""
    return tuple(number + 1 for number in _months(value))


def days_of_month(value: object) -> tuple[int, int]:
    """Days such as "1", "1:7" or "-3:-1", the last three."""
    found = _DAYS.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Wrong(f'must be days such as "1", "1:7" or "-3:-1" (the last three), not {shown(value)}')
    begin = int(found[1])
    end = begin if found[2] is None else int(found[2])
    if 0 in (begin, end) or max(abs(begin), abs(end)) > _LAST_DAY:
        raise Wrong(f"must be days from 1 to 31, or from -31 to -1, not {shown(value)}")
    if (begin > 0) == (end > 0) and begin > end:
        raise Wrong(f"must not end before it begins, and {shown(value)} does")
    return begin, end
