"""The price book: what a token of some traffic cost on some day, and which source says so.

For each kind the first that speaks: the owner's own price; the list price by date times the ratio learned from the
organization's settled days; the list price; for a model that no list holds, the dearest list price of its family,
times what the model's own settled days taught.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from functools import cached_property

from watcher.pricing.learned import NOTHING, Learned
from watcher.pricing.lists import period_of
from watcher.pricing.own import OwnPrice
from watcher.pricing.published import published_rates
from watcher.pricing.rates import KINDS, MILLION, TOKENS, Quote, Rates, Traffic, plain

_STAND_IN_DAY = date(2026, 11, 1)
"""The day whose stand-in is the measure of what was learned about a model without a list price."""
_LARGEST_CACHE = 50_000


class PriceBook:
    """Looks up rates and remembers them, once for all days between two price changes.

    Never answers zero for a token, and never reaches the network.

    `own` are the owner's prices: of those that cover a model and day the first that names a kind is taken. `learned`
    is what the organization's settled days taught.
    """

    def __init__(self, own: Sequence[OwnPrice] = (), learned: Learned = NOTHING) -> None:
        self._own = tuple(own)
        self._turns = sorted({day for each in own for day in (each.since, each.until) if day is not None})
        self._learned = learned
        self._published: dict[tuple[Traffic, date], Rates] = {}
        self._known: dict[tuple[Traffic, date], Rates] = {}

    @property
    def learned(self) -> Learned:
        """What it was taught."""
        return self._learned

    @cached_property
    def digest(self) -> bytes:
        """Equal where the owner's prices and what was learned are equal: what decides a rate beside the lists."""
        learned = (sorted(self._learned.cells.items()), sorted(self._learned.models.items()))
        text = repr((self._own, learned, self._learned.organization))
        return hashlib.blake2b(text.encode(), digest_size=16).digest()

    def taught(self, learned: Learned) -> PriceBook:
        """The book with something else learned; it remembers the published prices that this one looked up."""
        if learned == self._learned:
            return self
        book = PriceBook(self._own, learned)
        book._published = self._published
        return book

    def rates(self, traffic: Traffic, day: date) -> Rates:
        """The rates of some traffic on a UTC day."""
        key = (traffic, max(period_of(day), self._own_period(day)))
        rates = self._known.get(key)
        if rates is None:
            rates = _remember(self._known, key, self._look_up(*key))
        return rates

    def published(self, traffic: Traffic, day: date) -> Rates:
        """The same without anything of the owner's and anything learned."""
        key = (traffic, period_of(day))
        rates = self._published.get(key)
        if rates is None:
            rates = _remember(self._published, key, published_rates(*key))
        return rates

    def basis(self, traffic: Traffic, day: date) -> Rates:
        """What learned ratios are ratios of: the list price by date, or the stand-in of one day for all."""
        published = self.published(traffic, day)
        return published if published.source == "list" else self.published(traffic, _STAND_IN_DAY)

    def _own_period(self, day: date) -> date:
        """The latest day up to this one on which some price of the owner's begins or ends."""
        place = bisect_right(self._turns, day)
        return self._turns[place - 1] if place else date.min

    def _look_up(self, traffic: Traffic, day: date) -> Rates:
        published = self.published(traffic, day)
        quotes = tuple(
            self._own_quote(kind, traffic, day) or self._learned_quote(kind, traffic, day) or published.quotes[kind]
            for kind in range(len(KINDS))
        )
        owned = all(quote.source == "override" for quote in quotes[:TOKENS])
        return Rates(quotes, uncertain=published.uncertain and not owned)

    def _own_quote(self, kind: int, traffic: Traffic, day: date) -> Quote | None:
        for own in self._own:
            price = own.pico[kind]
            if price is not None and own.covers(traffic.model, day):
                everyday = self.published(plain(traffic.model), day).quotes[kind].pico
                pico = _scaled(price, self.published(traffic, day).quotes[kind].pico, everyday)
                return Quote(pico, "override", own.since)
        return None

    def _learned_quote(self, kind: int, traffic: Traffic, day: date) -> Quote | None:
        basis = self.basis(traffic, day).quotes[kind]
        discount = self._learned.discount(traffic.model, kind, listed=basis.source == "list")
        if discount is None:
            return None
        pico = _scaled(basis.pico, discount.ratio, MILLION)
        return Quote(pico, "learned", discount.since, discount.spread, discount.basis, discount.days)


def _scaled(pico: int, numerator: int, denominator: int) -> int:
    """pico x numerator / denominator to the nearest whole number, never below one."""
    return max((2 * pico * numerator + denominator) // (2 * denominator), 1)


def _remember(known: dict[tuple[Traffic, date], Rates], key: tuple[Traffic, date], rates: Rates) -> Rates:
    if len(known) >= _LARGEST_CACHE:
        known.clear()
    known[key] = rates
    return rates
