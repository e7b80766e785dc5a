"""Public holidays by country and subdivision, from the `holidays` package, which is imported only where it is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

ENGLISH = "en_US"


@dataclass(frozen=True, slots=True)
class Region:
    """A country by its two letters, and one of its parts as the package calls it, "" for the whole country."""

    country: str
    part: str = ""

    @property
    def shown(self) -> str:
        """ "US-CA"."""
        return f"{self.country}-{self.part}" if self.part else self.country


def countries() -> Mapping[str, str]:
    """The two letters of every country that is known, and its name."""
    from holidays.registry import COUNTRIES  # noqa: PLC0415 (only a few configurations need it)

    return {entry[1]: name.replace("_", " ").title() for name, entry in COUNTRIES.items()}


def parts(country: str) -> tuple[str, ...]:
    """What the parts of a country are called, in the package's order; KeyError where there is no such country."""
    from holidays import list_supported_countries  # noqa: PLC0415 (as above)

    return tuple(list_supported_countries(include_aliases=False)[country])


@lru_cache(maxsize=64)
def holidays_of(region: Region, year: int) -> tuple[tuple[date, str], ...]:
    """The public holidays of a year in order, each with its name: in English where the package has it so."""
    from holidays import country_holidays  # noqa: PLC0415 (as above)

    part = region.part or None
    plain = country_holidays(region.country, subdiv=part)
    language = ENGLISH if ENGLISH in plain.supported_languages else plain.default_language
    found = country_holidays(region.country, subdiv=part, years=[year], language=language)
    return tuple(sorted(found.items()))


def between(region: Region, first: date, last: date) -> Iterable[tuple[date, str]]:
    """The public holidays from the first day to the last, both included."""
    for year in range(first.year, last.year + 1):
        yield from ((day, name) for day, name in holidays_of(region, year) if first <= day <= last)
