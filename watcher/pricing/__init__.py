"""The price book: what a token of some traffic cost on some day, and which source says so."""

from watcher.pricing.book import PriceBook
from watcher.pricing.learned import NOTHING, Cell, Discount, Learned, PricedDay, learn
from watcher.pricing.own import OwnPrice
from watcher.pricing.rates import KINDS, Basis, Quote, Rates, Source, Traffic, plain
from watcher.pricing.state import BookState

__all__ = [
    "KINDS",
    "NOTHING",
    "Basis",
    "BookState",
    "Cell",
    "Discount",
    "Learned",
    "OwnPrice",
    "PriceBook",
    "PricedDay",
    "Quote",
    "Rates",
    "Source",
    "Traffic",
    "learn",
    "plain",
]
