"""The words of the price book: what decides a price, and what a price consists of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple, TypeAlias

KINDS = ("uncached_input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "web_searches")
"""What is counted and priced, in the order of `Rates.quotes`."""
TOKENS = 5
"""The first so many kinds are tokens."""
WEB_SEARCH = 5
MILLION = 1_000_000
"""Ratios and spreads are whole parts per million."""

Source: TypeAlias = Literal["override", "learned", "list", "unpriced"]
"""From the surest to the least sure."""
Basis: TypeAlias = Literal["kind", "model", "organization"]
"""Whose settled days a learned ratio comes from: the model's own of this kind, all of the model's, or everything's."""

_LEAST_SURE_FIRST: tuple[Source, ...] = ("unpriced", "list", "learned")


class Traffic(NamedTuple):
    """What decides a price: the dimensions of a usage row as the report writes them, "" for null or unknown."""

    model: str
    service_tier: str = ""
    context_window: str = ""
    inference_geo: str = ""
    speed: str = ""


def plain(model: str) -> Traffic:
    """A model's everyday traffic: no batch, no fast mode, no region, short prompts."""
    return Traffic(model, "standard", "0-200k", "global")


@dataclass(frozen=True, slots=True)
class Quote:
    """One price, and where it comes from: integer pico-dollars (1e-12 USD) a token or search, above zero.

    `since` is the first day that speaks for it: when the override or the list price began, or the first of the `days`
    settled days it was learned from; None where no day is known. `spread` is how far those days lie apart, relative to
    the price, in parts per million: 1.4826 times their median distance from the median, which of normally distributed
    days would be the standard deviation. None where nothing was learned.
    """

    pico: int
    source: Source
    since: date | None = None
    spread: int | None = None
    basis: Basis | None = None
    days: int = 0


@dataclass(frozen=True, slots=True)
class Rates:
    """A quote for each of `KINDS`.

    `uncertain` says that the published price may not be the one that applies: an unpublished tier, a step in the price
    that the report does not show, a dimension that was not read.
    """

    quotes: tuple[Quote, ...]
    uncertain: bool

    @property
    def pico(self) -> tuple[int, ...]:
        """The prices alone."""
        return tuple(quote.pico for quote in self.quotes)

    @property
    def source(self) -> Source:
        """The least sure source of the token prices."""
        sources = {quote.source for quote in self.quotes[:TOKENS]}
        return next((source for source in _LEAST_SURE_FIRST if source in sources), "override")
