"""Single values as the configuration gives them, read into what the program uses.

Each reader takes whatever TOML produced and returns the value, or raises `Wrong` with a clause that says what would be
right. They are pydantic validators, so that the models below stay a plain list of keys.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from notifiers.text import LONGEST_GIVEN
from rules.measures import TOKENS
from rules.model import DIMENSIONS, HOUR, TAG
from rules.money import NANO_PER_USD, parse_usd
from rules.periods import LONGEST, MONTHS
from rules.selectors import tag_problem
from watcher.config.durations import parse_duration, write_duration
from watcher.config.problems import Expanded, Wrong, did_you_mean, enumerated, nearest, shown, shown_key

_K = TypeVar("_K", bound=StrEnum)
_R = TypeVar("_R")
LONGEST_GLOB = 300
LARGEST_PERCENT = 1000
LEAST_PRICE = 1_000
LARGEST_PRICE = 100_000 * NANO_PER_USD
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTH_WORDS = tuple(month.lower() for month in MONTHS)
ROLLING = "rolling"
PERIODS = ("hour", "day", "week", "month", "quarter", "year")
LOOKS_BACK = "the last 70 days are known by the hour"
_OFFSET = re.compile(r"(?:utc|gmt)?[+-]?[0-9][0-9:.]*", re.IGNORECASE)
_NEAR = 0.8
"""How like the city of a zone a word is that means it: "Tokio" does, and "Munich" is not "Zurich"."""
_ABBREVIATION = re.compile(r"[A-Za-z]{2,4}")
_REVERSED = re.compile(r"(.)-(.)", re.DOTALL)


def text(value: object) -> str:
    """Any text that is not blank."""
    if not isinstance(value, str):
        raise Wrong(f'must be a text in quotation marks, such as "…", not {shown(value)}')
    if not value.strip():
        written = f", and {shown(value)} is" if isinstance(value, Expanded) else ""
        raise Wrong(f"must not be empty{written}")
    return value


def secret_text(value: object) -> str:
    """Any text that is not blank, and is never shown."""
    if not isinstance(value, str):
        raise Wrong('must be a text in quotation marks, such as "${NAME}"')
    if not value.strip():
        raise Wrong("must not be empty")
    return value


def flag(value: object) -> bool:
    """true or false, without quotation marks."""
    if not isinstance(value, bool):
        raise Wrong(f"must be true or false (without quotation marks), not {shown(value)}")
    return value


def name(value: object) -> str:
    """What people call a rule or a receiver: printable, at most 100 characters."""
    found = text(value)
    if len(found) > LONGEST_GIVEN:
        raise Wrong(f"must have at most {LONGEST_GIVEN} characters, not {len(found)}")
    if not found.isprintable() or found != found.strip():
        raise Wrong("must be one line of printable characters, with no blank before or after it")
    return str(found)


def one_of(*words: str) -> Callable[[object], str]:
    """A reader of one of these words, exactly as written."""

    def read(value: object) -> str:
        if isinstance(value, str) and value in words:
            return str(value)
        guess = did_you_mean(value, words) if isinstance(value, str) and not isinstance(value, Expanded) else ""
        raise Wrong(f"must be {enumerated(words)}, not {shown(value)}{guess}")

    return read


def dimension(value: object) -> str:
    """A word that spend can be broken down by: one of `DIMENSIONS`, or the tag of a workspace, "tag:team"."""
    if isinstance(value, str) and value in DIMENSIONS:
        return str(value)
    right = f'{enumerated(DIMENSIONS)}, or a workspace tag such as "tag:team"'
    if not isinstance(value, str):
        raise Wrong(f"must be {right}, not {shown(value)}")
    key = value.removeprefix(TAG)
    if key != value and key.strip() and key.isprintable() and len(key) <= LONGEST_GIVEN:
        return str(value)
    if value.strip(":") in {"tag", "tags"}:
        raise Wrong(f'must say which tag, as in "tag:team", not {shown(value)}')
    guess = "" if isinstance(value, Expanded) else did_you_mean(value, DIMENSIONS)
    raise Wrong(f"must be {right}, not {shown(value)}{guess}")


def member_of(kind: type[_K]) -> Callable[[object], _K]:
    """A reader of one of the words of an enumeration."""
    read = one_of(*kind)
    return lambda value: kind(read(value))


def duration(least: timedelta, most: timedelta, why: str = "") -> Callable[[object], timedelta]:
    """A reader of a duration within these bounds, both allowed; `why` explains the lower one."""

    def read(value: object) -> timedelta:
        found = parse_duration(value)
        if found < least:
            raise Wrong(f"must be at least {write_duration(least)}{why and f' ({why})'}, not {shown(value)}")
        if found > most:
            raise Wrong(f"must be at most {write_duration(most)}, not {shown(value)}")
        return found

    return read


def whole(least: int, most: int) -> Callable[[object], int]:
    """A reader of whole numbers from `least` to `most`."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise Wrong(f"must be a whole number from {least} to {most}, not {shown(value)}")
        return value

    return read


def positive_usd(value: object) -> int:
    """Dollars as an integer, a decimal number or a text such as "1234.56", exactly, as nano-dollars above zero."""
    right = "must be an amount in US dollars such as 1000 or 49.90"
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise Wrong(f"{right}, not {shown(value)}")
    try:
        nano = parse_usd(str(value).strip())
    except ValueError:
        raise Wrong(f"{right} (no sign, no comma between thousands), not {shown(value)}") from None
    if nano <= 0:
        raise Wrong(f"must be more than 0, not {shown(value)}")
    return nano


def price(value: object) -> int:
    """A price in dollars for a million tokens, or for a thousand searches, as nano-dollars; within sensible bounds."""
    nano = positive_usd(value)
    if not LEAST_PRICE <= nano <= LARGEST_PRICE:
        raise Wrong(f"must be from 0.000001 to 100000 US dollars, not {shown(value)}")
    return nano


def counted(value: object) -> int:
    """So many tokens or requests."""
    return whole(1, MOST_COUNTED)(value)


def token_limit(value: object) -> tuple[str, int]:
    """The kind of tokens that a limit is of, and the limit."""
    right = "must be a table of one kind of tokens, such as { total = 50_000_000 }"
    if not isinstance(value, dict):
        raise Wrong(f"{right}, not {shown(value)}")
    if len(value) != 1:
        raise Wrong(f"{right}: one of {enumerated(tuple(TOKENS))}")
    ((kind, amount),) = value.items()
    if kind not in TOKENS:
        raise Wrong(f"has {shown_key(kind)}, which is no kind of tokens; it must be {enumerated(tuple(TOKENS))}")
    return kind, part(kind, counted, amount)


_YEARS = range(2000, 3000)
"""Of these every midnight is a moment in every zone."""


def day(value: object) -> date:
    """A date such as 2026-11-01, with or without quotation marks, whose midnight every zone has as a moment."""
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value.strip())
        except ValueError:
            raise Wrong(f'must be a date such as "2026-11-01", not {shown(value)}') from None
    if not isinstance(value, date) or isinstance(value, datetime):
        raise Wrong(f'must be a date such as "2026-11-01", not {shown(value)}')
    if value.year not in _YEARS:
        raise Wrong(f"must be a date from {_YEARS[0]} to {_YEARS[-1]}, not {value}")
    return value


def period(value: object) -> str:
    """A word for a calendar period, or a rolling window such as "rolling 24h", within the ledger's view."""
    if isinstance(value, str) and value.split(" ")[0] == ROLLING:
        rolling_window(value)
        return str(value)
    if isinstance(value, str) and value in PERIODS:
        return str(value)
    guess = did_you_mean(value, PERIODS) if isinstance(value, str) and not isinstance(value, Expanded) else ""
    raise Wrong(f'must be {enumerated(PERIODS)}, or a window such as "rolling 24h", not {shown(value)}{guess}')


def rolling_window(value: str) -> timedelta:
    """The length of "rolling 24h": whole hours, at most what can be looked at whole."""
    length = value.removeprefix(ROLLING).strip()
    try:
        found = parse_duration(length)
    except Wrong:
        raise Wrong(f'must say how long the window is, as in "rolling 24h", not {shown(value)}') from None
    if found % HOUR or not HOUR <= found <= LONGEST:
        most = f"{LONGEST.days}d"
        raise Wrong(f"must be a window of whole hours, from 1h to {most} ({LOOKS_BACK}), not {shown(value)}")
    return found


def percent(value: object) -> float:
    """So many percent, as a plain number."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Wrong(f"must be a percent such as 80 (a number without quotation marks), not {shown(value)}")
    if not Decimal(value).is_finite() or not 0 < value <= LARGEST_PERCENT or float(value) == 0:
        raise Wrong(f"must be a percent above 0 and at most {LARGEST_PERCENT}, not {shown(value)}")
    return float(value)


MOST_COUNTED = 10**15


def part(key: str, read: Callable[[object], _R], value: object) -> _R:
    """One key of a table within a list, named in what is wrong with it."""
    try:
        return read(value)
    except Wrong as wrong:
        raise Wrong(f"its `{key}` {wrong}") from None


def plan(value: object) -> dict[str, Any]:
    """A table of amounts by the periods that they are for; both are looked at beside the budget's period."""
    if not isinstance(value, dict):
        raise Wrong(f'must be a table such as {{ "2026-12" = 15000 }}, not {shown(value)}')
    return value


def distinct(values: Sequence[str]) -> Sequence[str]:
    """A list in which nothing stands twice."""
    for index, value in enumerate(values):
        if value in values[:index]:
            raise Wrong(f'must name each dimension once: "{value}" stands there twice')
    return values


def some(values: Sequence[str]) -> Sequence[str]:
    """A list of dimensions that names at least one."""
    if not values:
        raise Wrong(f'must name at least one of {enumerated(DIMENSIONS)}, or a tag such as "tag:team"')
    return values


def glob(value: object) -> str:
    """A pattern of `*`, `?` and `[…]` for an id or a name, that at least some text could match."""
    if isinstance(value, list):
        raise Wrong('must be one pattern such as "prod-*", not a list; for several, write one rule each')
    pattern = text(value)
    if len(pattern) > LONGEST_GLOB:
        raise Wrong(f"must have at most {LONGEST_GLOB} characters, not {len(pattern)}")
    if not pattern.isprintable():
        raise Wrong("must be one line of printable characters")
    _check_brackets(pattern)
    return str(pattern)


def tag(value: object) -> str:
    """A pattern for "key=value" of a workspace tag."""
    pattern = glob(value)
    problem = tag_problem(pattern)
    if problem is not None:
        raise Wrong(f"{problem}, not {shown(value)}")
    return pattern


def _check_brackets(pattern: str) -> None:
    """Refuse a bracket that is never closed and a range that runs backwards: such a pattern matches nothing meant."""
    start = pattern.find("[")
    while start >= 0:
        # As in a shell, a "]" that comes first, or first after the "!", is one of the characters.
        first = start + (2 if pattern[start + 1 : start + 2] == "!" else 1)
        end = pattern.find("]", first + 1)
        if end < 0:
            raise Wrong(f'has a "[" that is never closed, so {shown(pattern)} can match nothing; [[] stands for a "["')
        for low, high in _REVERSED.findall(pattern[first:end]):
            if low > high:
                raise Wrong(f'has the range "{low}-{high}", which runs backwards and matches nothing')
        start = pattern.find("[", end)


def zone(value: object) -> str:
    """The name of a time zone of the IANA database, such as "Europe/Berlin"."""
    found = text(value)
    if found == "UTC" or found in _zones():
        return str(found)
    remedy = "" if isinstance(found, Expanded) else _zone_meant(found)
    raise Wrong(f'must be a time zone such as "UTC" or "Europe/Berlin", not {shown(found)}{remedy}')


def _zone_meant(found: str) -> str:
    """The end of the sentence about a zone that there is not: what to write instead, as far as that can be told."""
    if _OFFSET.fullmatch(found):
        return "; an offset knows no change of the clocks: name a place"
    area, _, city = found.lower().replace(" ", "_").rpartition("/")
    zones = sorted(_zones() | {"UTC"}, key=lambda zone: (_in_parts(zone)[0] == area, zone))  # of its area the last word
    guess = {zone.lower(): zone for zone in zones}.get(found.lower())
    cities = {_in_parts(zone)[1]: zone for zone in zones if "/" in zone and not zone.startswith("Etc/")}
    guess = guess or cities.get(city)
    if guess is None and _ABBREVIATION.fullmatch(found):
        return "; an abbreviation may mean several: name a place"
    near = None if guess else nearest(city, cities, _NEAR)
    guess = guess or (None if near is None else cities[near])
    return "" if guess is None else f'; did you mean "{guess}"?'


def _in_parts(zone: str) -> tuple[str, str]:
    """Area and city of a zone, in small letters."""
    area, _, city = zone.lower().rpartition("/")
    return area, city


@cache
def _zones() -> frozenset[str]:
    # These two are files beside the zones: what one of them means differs from machine to machine.
    return frozenset(zoneinfo.available_timezones() - {"localtime", "Factory"})


def must_be_zero(why: str) -> Callable[[object], timedelta]:
    """A reader of a duration that has only one sensible value as yet."""

    def read(value: object) -> timedelta:
        if parse_duration(value):
            raise Wrong(f'must be "0s", not {shown(value)}: {why}')
        return timedelta(0)

    return read
