"""What a budget tells of beside its thresholds, as the configuration gives it: `forecast`, `burn_rate` and `pace`.

Readers as in `watcher.config.values`: each returns the value, or raises `Wrong` with a clause that says what is right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar, cast

from rules.model import Severity
from rules.thresholds import Mark
from rules.triggers import BurnPair, ForecastMark, PaceMark, When
from watcher.config.problems import Wrong, shown, shown_key
from watcher.config.threshold_values import ascending, threshold
from watcher.config.values import duration, member_of, one_of, part, percent

_T = TypeVar("_T")
MOST_PAIRS = 10
LONGEST_WINDOW = timedelta(days=14)
LARGEST_FACTOR = 1000
_HOUR = timedelta(hours=1)
_FORECAST = 'a percent such as 100, or a table such as { at = 120, severity = "critical" } or { at_usd = 9000 }'
_PACE = 'a percent such as 120, or a table such as { at = 150, severity = "critical" }'
_PAIR = '{ long = "6h", short = "1h", factor = 6, severity = "critical" }'


def forecast(value: object) -> list[ForecastMark]:
    """Marks in ascending order, as a list, or the one of them."""
    marks = _each(value, _forecast_mark)
    return marks if not marks else _in_order(marks, [mark.mark for mark in marks])


def pace(value: object) -> list[PaceMark]:
    """Percents above 100 in ascending order, as a list, or the one of them."""
    marks = _each(value, _pace_mark)
    return marks if not marks else _in_order(marks, [mark.percent for mark in marks])


def _in_order(marks: list[_T], given: Sequence[Mark]) -> list[_T]:
    ascending(given)
    return marks


def burn_rate(value: object) -> list[BurnPair] | bool:
    """True for the usual pairs of windows, false for none, or a list of pairs."""
    if isinstance(value, bool):
        return value
    given = [value] if isinstance(value, dict) else value
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_PAIRS:
        raise Wrong(f"must be true, or a list of 1 to {MOST_PAIRS} pairs of windows such as [{_PAIR}]")
    pairs = [_numbered(number, given, _pair) for number in range(len(given))]
    for number, pair in enumerate(pairs):
        if any((pair.long, pair.short) == (other.long, other.short) for other in pairs[:number]):
            raise Wrong(f"must name each pair of windows once: number {number + 1} is there already")
    return pairs


def _each(value: object, read: Callable[[object], _T]) -> list[_T]:
    given = value if isinstance(value, list) else [value]
    return [_numbered(number, given, read) for number in range(len(given))]


def _numbered(number: int, given: Sequence[object], read: Callable[[object], _T]) -> _T:
    """One of several, named by its place in what is wrong with it."""
    try:
        return read(given[number])
    except Wrong as wrong:
        if len(given) == 1:
            raise
        raise Wrong(f"its mark number {number + 1} {wrong}") from None


def _forecast_mark(value: object) -> ForecastMark:
    when: When = "likely"
    if isinstance(value, dict) and "when" in value:
        when = cast("When", part("when", one_of("likely", "expected"), value["when"]))
        value = {key: each for key, each in value.items() if key != "when"}
    if isinstance(value, dict):
        _check(value, {"at", "at_usd", "severity"}, _FORECAST)
    return ForecastMark(threshold(value), when)


def _pace_mark(value: object) -> PaceMark:
    severity = PaceMark(0).severity
    if isinstance(value, dict):
        if "at_usd" in value:
            raise Wrong(f"has `at_usd`, and a pace is a percent of what should be spent by now: {_PACE}")
        _check(value, {"at", "severity"}, _PACE)
        if "at" not in value:
            raise Wrong(f"must have `at`: {_PACE}")
        if "severity" in value:
            severity = part("severity", member_of(Severity), value["severity"])
        found = part("at", percent, value["at"])
    else:
        found = percent(value)
    if found <= 100:
        raise Wrong(f"must be above 100, which is just as much as should be spent by now, not {found:.10g}")
    return PaceMark(found, severity)


def _pair(value: object) -> BurnPair:
    if not isinstance(value, dict):
        raise Wrong(f"must be a table such as {_PAIR}, not {shown(value)}")
    _check(value, {"long", "short", "factor", "severity"}, _PAIR)
    for key in ("long", "short", "factor"):
        if key not in value:
            raise Wrong(f"must have `{key}`: {_PAIR}")
    long, short = (part(key, _window, value[key]) for key in ("long", "short"))
    if short > long:
        raise Wrong("has a `short` that is longer than its `long`")
    severity = part("severity", member_of(Severity), value["severity"]) if "severity" in value else Severity.CRITICAL
    return BurnPair(long, short, part("factor", _factor, value["factor"]), severity)


def _window(value: object) -> timedelta:
    found = duration(_HOUR, LONGEST_WINDOW)(value)
    if found % _HOUR:
        raise Wrong(f"must be whole hours, as spend is known by the hour, not {shown(value)}")
    return found


def _factor(value: object) -> float:
    number = Decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else Decimal("nan")
    if number.is_nan() or not 1 < number <= LARGEST_FACTOR:  # nothing compares with what is no number
        raise Wrong(f"must be a number above 1 and at most {LARGEST_FACTOR}, not {shown(value)}")
    return float(number)


def _check(value: Mapping[Any, object], keys: set[str], right: str) -> None:
    """Refuse what is no setting of it."""
    for key in value:
        if key not in keys:
            raise Wrong(f"has {shown_key(str(key))}, which is not a setting of it; it must be {right}")
