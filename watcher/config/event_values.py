"""Single values of `[[event]]`: moments, regions with public holidays, how many times the usual."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal

from watcher.config.problems import Wrong, did_you_mean, enumerated, nearest, shown
from watcher.config.values import day
from watcher.public_holidays import Region, countries, parts

LARGEST_EXPECT = 1000
_MOST_LISTED = 60
_MOMENT = 'must be a date such as "2026-12-01" or a local time such as "2026-12-01T09:00"'


def moment(value: object) -> datetime:
    """A date, which is its midnight, or a time; without a zone, where it names none itself."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise Wrong(f"{_MOMENT}, not {shown(value)}") from None
    if isinstance(value, datetime):
        day(value.date())
        return value
    if isinstance(value, date):
        return datetime.combine(day(value), time())
    raise Wrong(f"{_MOMENT}, not {shown(value)}")


def times_the_usual(value: object) -> float:
    """How many times the usual may come: from 1 on, as an event widens what is expected and never narrows it."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Wrong(f"must be how many times the usual may come, such as 3, not {shown(value)}")
    if Decimal(value).is_nan():
        raise Wrong(f"must be from 1 to {LARGEST_EXPECT}, not {shown(value)}")
    if not 1 <= value <= LARGEST_EXPECT:
        why = "an event never narrows what may come" if value < 1 else "for more, leave the rule out for a while"
        raise Wrong(f"must be from 1 to {LARGEST_EXPECT}, not {shown(value)}: {why}")
    return float(value)


def region(value: object) -> Region:
    """A country such as "DE", or a part of one such as "US-CA"."""
    right = 'must be a country such as "DE", or a part of one such as "US-CA"'
    if not isinstance(value, str) or not value.strip():
        raise Wrong(f"{right}, not {shown(value)}")
    country, dash, part = value.strip().partition("-")
    known = countries()
    if country not in known:
        raise Wrong(f"{right}, not {shown(value)}{_meant(value.strip(), country, known)}")
    if not dash:
        return Region(country)
    if not part:
        raise Wrong(f'{right}, not {shown(value)}: no part of the country stands behind the "-"')
    having = parts(country)
    found = next((each for each in having if each.casefold() == part.casefold()), None)
    if found is None:
        raise Wrong(f"names {shown(part)}, which is no part of {known[country]} with holidays of its own{_of(having)}")
    return Region(country, found)


def _meant(text: str, country: str, known: Mapping[str, str]) -> str:
    """The country that was probably meant: by its name, by small letters, or by letters near to it."""
    by_name = {name.casefold(): letters for letters, name in known.items()}
    name = nearest(text, by_name)
    found = country.upper() if country.upper() in known else None if name is None else by_name[name]
    return did_you_mean(country, known) if found is None else f'; did you mean "{found}" ({known[found]})?'


def _of(having: Iterable[str]) -> str:
    listed = tuple(having)
    if not listed:
        return ": it has none"
    return f"; it has {enumerated(listed, 'and')}" if len(listed) <= _MOST_LISTED else ""
