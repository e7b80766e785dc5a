"""What priced the hours behind an alert: for each model of it the prices and where each comes from, as known now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from rules.model import UNATTRIBUTED, UNKNOWN
from watcher.explain.changes import window_of
from watcher.explain.figures import Figures
from watcher.explain.record import Record
from watcher.ledger.learning import learn_from
from watcher.pricing import KINDS, PriceBook, Quote, Traffic
from watcher.pricing.rates import MILLION
from watcher.store import Store

MOST_MODELS = 5
_SHOWN = ("uncached_input", "output")


@dataclass(frozen=True, slots=True)
class Priced:
    """One kind of one model: its quote, and the list price, in pico-dollars a token; None where there is none."""

    model: str
    kind: str
    quote: Quote
    listed: int | None

    @property
    def source(self) -> str:
        """As a clause: "own price", "list price", "list price times 0.8 (21 settled days since …)"."""
        quote = self.quote
        since = "" if quote.since is None else f" since {quote.since}"
        if quote.source == "override":
            return f"your own price{since}"
        if quote.source == "list":
            return f"list price{since}"
        if quote.source == "unpriced":
            return "no price is known: the dearest of the family stands in"
        of = "list price" if self.listed is not None else "stand-in"
        ratio = "" if not self.listed else f" times {quote.pico / self.listed:.3g}"
        whose = {"model": ", of all its kinds", "organization": ", of all models"}.get(quote.basis or "", "")
        return f"{of}{ratio}, learned from {quote.days} settled days{since}{whose}"


def priced(
    store: Store, prices: PriceBook, record: Record, figures: Figures, now: datetime
) -> tuple[tuple[Priced, ...], date | None]:
    """The prices of input and output of the dearest models, and the day that they are of. Raises StoreError."""
    window = window_of(record.decided.evidence)
    if window is None:
        return (), None
    day = window[1].astimezone(UTC).date()
    book = prices.taught(learn_from(store, prices, record.organization.id, now))
    return tuple(_prices(book, figures.models(*window)[:MOST_MODELS], day)), day


def _prices(book: PriceBook, models: tuple[tuple[str, str], ...], day: date) -> Iterator[Priced]:
    for model, tier in models:
        if model in {UNATTRIBUTED, UNKNOWN, ""}:
            continue
        traffic = Traffic(model, tier, "0-200k", "global")
        rates, listed = book.rates(traffic, day), book.published(traffic, day)
        for kind in _SHOWN:
            place = KINDS.index(kind)
            published = listed.quotes[place]
            known = published.pico if published.source == "list" else None
            yield Priced(model if tier in {"standard", ""} else f"{model} ({tier})", kind, rates.quotes[place], known)


def usd_a_million(pico: int) -> str:
    """A price a token as dollars for a million, exactly, with two decimals or more: "3.00", "0.30", "0.0375"."""
    whole, fraction = divmod(pico, MILLION)
    return f"{whole}.{f'{fraction:06d}'.rstrip('0'):0<2}"
