"""The price book: what a token of some traffic cost on some day."""

from watcher.pricing.book import KINDS, PriceBook, Rates, Source, Traffic

__all__ = ["KINDS", "PriceBook", "Rates", "Source", "Traffic"]
