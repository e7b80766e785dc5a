"""Published prices by traffic and day: list price times the modifiers that the usage report shows.

Sources of the modifiers (Anthropic's published prices, 2026-11): batch 50 % on all token kinds; US-only inference
1.1x on all token kinds for Claude 4.6 and later; fast mode 2x, not together with batch; web search $10 per 1,000,
whatever the mode. Priority and flex tiers have no published price per token: estimated as standard and marked.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from watcher.pricing.lists import Mode, PromptLengths, dearest_price, list_price
from watcher.pricing.models import version
from watcher.pricing.rates import Quote, Rates, Source, Traffic

_PICO_PER_TOKEN = 1_000_000
"""Pico-dollars a token for each dollar a million tokens."""
_WEB_SEARCH = 10_000_000_000
_FACTORS: dict[Mode, Decimal] = {"standard": Decimal(1), "batch": Decimal("0.5"), "fast": Decimal(2)}
_US_FACTOR = Decimal("1.1")
_US_PRICED_SINCE = (4, 6)
_KNOWN_TIERS = frozenset({"standard", "batch"})
_WORLDWIDE = frozenset({"global", "not_available"})
_WINDOW = re.compile(
    r"(?P<floor>[0-9]+)(?P<floor_unit>[km]?)-(?P<ceiling>[0-9]+)(?P<ceiling_unit>[km]?)", re.IGNORECASE
)
_UNITS = {"": 1, "k": 1_000, "m": 1_000_000}


def prompt_lengths(context_window: str) -> PromptLengths:
    """The prompt lengths that a context window of the report stands for ("0-200k", "200k-1M")."""
    match = _WINDOW.fullmatch(context_window)
    if match is None:
        return PromptLengths()
    floor = int(match["floor"]) * _UNITS[match["floor_unit"].lower()]
    return PromptLengths(floor, int(match["ceiling"]) * _UNITS[match["ceiling_unit"].lower()])


def published_rates(traffic: Traffic, day: date) -> Rates:
    """The rates of some traffic on a UTC day; of a model that no list holds, the dearest of its family."""
    mode = _mode(traffic)
    prompts = prompt_lengths(traffic.context_window)
    listed = list_price(traffic.model, day, mode, prompts)
    price = listed or dearest_price(traffic.model, day, prompts)
    factor = Decimal(1) if price.mode_applied else _FACTORS[mode]
    geo_factor, geo_unsure = _geo(traffic, listed=listed is not None)
    source: Source = "unpriced" if listed is None else "list"
    tokens = (_pico(usd * factor * geo_factor) for usd in price.usd_per_million)
    return Rates(
        quotes=(*(Quote(pico, source, price.since) for pico in tokens), Quote(_WEB_SEARCH, "list")),
        uncertain=price.uncertain or geo_unsure or traffic.service_tier not in _KNOWN_TIERS,
    )


def _mode(traffic: Traffic) -> Mode:
    if traffic.service_tier == "batch":
        return "batch"
    return "fast" if traffic.speed == "fast" else "standard"


def _geo(traffic: Traffic, *, listed: bool) -> tuple[Decimal, bool]:
    """The factor of the inference region, and whether it is a guess; an unlisted model counts as late."""
    if listed and (version(traffic.model) or _US_PRICED_SINCE) < _US_PRICED_SINCE:
        return Decimal(1), False
    if traffic.inference_geo == "us":
        return _US_FACTOR, False
    return Decimal(1), traffic.inference_geo not in _WORLDWIDE


def _pico(usd_per_million: Decimal) -> int:
    return int((usd_per_million * _PICO_PER_TOKEN).to_integral_value(ROUND_HALF_EVEN))
