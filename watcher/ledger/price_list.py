"""The price book as people read it: one line for each kind of each model in use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from watcher.ledger.days import DAY
from watcher.ledger.learning import learn_from, models_used
from watcher.ledger.reading import LedgerStore
from watcher.pricing import KINDS, Learned, PriceBook, Quote, plain

_IN_USE = 14
"""Days of usage whose models are in the list."""


@dataclass(frozen=True, slots=True)
class PriceLine:
    """One kind of one model: its quote, and the published price, both for everyday traffic.

    `published` is integer pico-dollars a token or search; None where only a stand-in is known.
    """

    model: str
    kind: str
    quote: Quote
    published: int | None


@dataclass(frozen=True, slots=True)
class PriceList:
    """The lines, model by model, kinds in the order of `KINDS`."""

    day: date
    learned: Learned
    lines: tuple[PriceLine, ...]


def read_price_list(store: LedgerStore, prices: PriceBook, organization: str, day: date, now: datetime) -> PriceList:
    """The prices that hold on a UTC day, of the models in use in the two weeks up to it.

    What was learned is what is known at `now`, whichever day is asked for: estimates of past days use it too.
    """
    book = prices.taught(learn_from(store, prices, organization, now))
    until = min(day, now.astimezone(UTC).date())
    return price_list(book, models_used(store, organization, [until - back * DAY for back in range(_IN_USE)]), day)


def price_list(book: PriceBook, models: Iterable[str], day: date) -> PriceList:
    """The prices of these models that a book holds for a UTC day."""
    lines = []
    for model in sorted(models):
        traffic = plain(model)
        published = book.published(traffic, day).quotes
        for kind, quote, listed in zip(KINDS, book.rates(traffic, day).quotes, published, strict=True):
            known = listed.pico if listed.source == "list" else None
            lines.append(PriceLine(model, kind, quote, known))
    return PriceList(day, book.learned, tuple(lines))
