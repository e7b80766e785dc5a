"""The price list for people, at 80 columns or more, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.text import Text

from notifiers.text import clean
from watcher.ledger.price_list import PriceLine, PriceList
from watcher.pricing import Quote

_KINDS = {
    "uncached_input": "uncached input",
    "cache_read": "cache read",
    "cache_write_5m": "cache write 5m",
    "cache_write_1h": "cache write 1h",
    "output": "output",
    "web_searches": "1,000 web searches",
}
_PICO_PER_USD_A_MILLION = 1_000_000
_PICO_PER_USD_A_THOUSAND = 1_000_000_000
_WIDTH = 80


def show(prices: PriceList, console: Console) -> None:
    """Print every model's prices, then what the words in the source column stand for."""
    console.print(Text(f"Prices on {prices.day} in US dollars for a million tokens", style="bold"))
    if not prices.lines:
        console.print("No model was in use in the two weeks before.")
        return
    console.print(Text(_row("", "price", "of list", "±", "since", "source"), style="dim"))
    model = None
    for line in prices.lines:
        if line.model != model:
            model = line.model
            title = Text(clean(model) or "no model", style="bold")
            title.truncate(_WIDTH, overflow="ellipsis")
            console.print(title, soft_wrap=True)
        console.print(_priced(line), soft_wrap=True, highlight=False, markup=False)
    for note in _notes(prices):
        console.print(Text(note, style="dim"))


def to_json(prices: PriceList) -> dict[str, Any]:
    """The list as a JSON document: money as exact decimal strings of dollars, ratios and spreads as numbers."""
    return {"day": prices.day.isoformat(), "currency": "USD", "prices": [_line(line) for line in prices.lines]}


def _priced(line: PriceLine) -> str:
    quote = line.quote
    return _row(
        f"  {_KINDS[line.kind]}",
        _money(_usd(line)),
        "" if line.published is None else f"{100 * quote.pico / line.published:.1f} %",
        "" if quote.spread is None else f"{quote.spread / 10_000:.1f} %",
        "" if quote.since is None else quote.since.isoformat(),
        _source(quote),
    )


def _row(kind: str, price: str, part: str, spread: str, since: str, source: str) -> str:
    return f"{kind:<20} {price:>10} {part:>7} {spread:>6}  {since:<10}  {source}".rstrip()


def _source(quote: Quote) -> str:
    """ "list", "learned 21 d", or with whose days they were, "learned 21 d, model"."""
    if quote.source != "learned":
        return quote.source
    whose = {"kind": "", "model": ", model", "organization": ", all"}
    return f"learned {quote.days} d{whose[quote.basis or 'kind']}"


def _notes(prices: PriceList) -> Iterator[str]:
    sources = {line.quote.source for line in prices.lines}
    if "override" in sources:
        yield "override: your own price, from the configuration."
    if "learned" in sources:
        yield "learned: list price times what so many of your settled days paid of it; ±: their spread."
    if {line.quote.basis for line in prices.lines} & {"model", "organization"}:
        yield "model, all: where a kind has too few days, those of its model, or of all models."
    if "list" in sources:
        yield "list: the published price, without any discount."
    if "unpriced" in sources:
        yield "unpriced: no price is known; the dearest of the family stands in, rather too high."


def _usd(line: PriceLine) -> str:
    """Exact dollars for a million tokens, or for a thousand searches."""
    unit = _PICO_PER_USD_A_THOUSAND if line.kind == "web_searches" else _PICO_PER_USD_A_MILLION
    whole, fraction = divmod(line.quote.pico, unit)
    digits = f"{fraction:0{len(str(unit)) - 1}d}".rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)


def _money(exact: str) -> str:
    """The price with at least two decimals, and as many as its first three digits need."""
    whole, _, fraction = exact.partition(".")
    leading = len(fraction) - len(fraction.lstrip("0")) if whole == "0" else 0
    places = max(2, leading + 3 if whole == "0" else 2)
    text = f"{float(exact):,.{places}f}"
    head, _, tail = text.partition(".")
    return f"{head}.{tail[:2]}{tail[2:].rstrip('0')}"


def _line(line: PriceLine) -> dict[str, Any]:
    quote = line.quote
    unit = "per_1000_searches" if line.kind == "web_searches" else "per_million_tokens"
    return {
        "model": line.model,
        "kind": line.kind,
        "usd": _usd(line),
        "unit": unit,
        "source": quote.source,
        "basis": quote.basis,
        "since": None if quote.since is None else quote.since.isoformat(),
        "days": quote.days,
        "of_list": None if line.published is None else round(quote.pico / line.published, 6),
        "spread": None if quote.spread is None else quote.spread / 1_000_000,
    }
