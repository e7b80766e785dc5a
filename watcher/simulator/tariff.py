"""The simulated provider's price list, written down apart from the watcher's own price book.

The simulator bills by this table and the tests compare what the watcher worked out against it, so the two must
never share code. Prices are the published ones in USD per million tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

FEMTO_PER_USD = 10**15
FEMTO_PER_NANO = 10**6
FEMTO_PER_CENT = 10**13

WEB_SEARCH_USD_PER_REQUEST = Fraction(10, 1000)

TOKEN_KINDS = (
    "uncached_input_tokens",
    "cache_creation.ephemeral_1h_input_tokens",
    "cache_creation.ephemeral_5m_input_tokens",
    "cache_read_input_tokens",
    "output_tokens",
)
"""Token kinds in the order used by every array of this package; the cost report names them so."""


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """List price of one model, USD per million tokens, kinds in the order of `TOKEN_KINDS`.

    `geo` says whether inference kept in the US costs a tenth more; `premium` whether prompts above 200,000 tokens
    cost twice the input and one and a half times the output.
    """

    title: str
    usd_per_million: tuple[Fraction, Fraction, Fraction, Fraction, Fraction]
    geo: bool = True
    premium: bool = False


def _price(title: str, rates: tuple[str, str, str, str, str], *, geo: bool = True, premium: bool = False) -> ModelPrice:
    """Rates are given as published: input, 5 minute write, 1 hour write, cache read, output."""
    uncached, write_5m, write_1h, read, output = (Fraction(rate) for rate in rates)
    return ModelPrice(title, (uncached, write_1h, write_5m, read, output), geo, premium)


_OPUS = ("5", "6.25", "10", "0.5", "25")

PRICES: dict[str, ModelPrice] = {
    "claude-opus-5-5": _price("Claude Opus 5.5", ("4", "5", "8", "0.2", "20")),
    "claude-opus-5": _price("Claude Opus 5", _OPUS),
    "claude-opus-4-8": _price("Claude Opus 4.8", _OPUS),
    "claude-opus-4-7": _price("Claude Opus 4.7", _OPUS),
    "claude-opus-4-6": _price("Claude Opus 4.6", _OPUS),
    "claude-opus-4-5-20251101": _price("Claude Opus 4.5", _OPUS, geo=False),
    "claude-opus-4-1-20250805": _price("Claude Opus 4.1", ("15", "18.75", "30", "1.5", "75"), geo=False),
    "claude-sonnet-5-5": _price("Claude Sonnet 5.5", ("2", "2.5", "4", "0.1", "10")),
    "claude-sonnet-5": _price("Claude Sonnet 5", ("2", "2.5", "4", "0.2", "10")),
    "claude-sonnet-4-6": _price("Claude Sonnet 4.6", ("3", "3.75", "6", "0.3", "15")),
    "claude-sonnet-4-5-20250929": _price("Claude Sonnet 4.5", ("3", "3.75", "6", "0.3", "15"), geo=False, premium=True),
    "claude-haiku-5-5": _price("Claude Haiku 5.5", ("0.1", "0.125", "0.2", "0.01", "0.5")),
    "claude-haiku-4-5-20251001": _price("Claude Haiku 4.5", ("1", "1.25", "2", "0.1", "5"), geo=False),
    "claude-3-5-haiku-20241022": _price("Claude Haiku 3.5", ("0.8", "1", "1.6", "0.08", "4"), geo=False),
    "claude-opus-9": _price("Claude Opus 9", ("6", "7.5", "12", "0.6", "30")),
}
"""By the id that usage rows carry. `claude-opus-9` does not exist: it stands for a model newer than any price list."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What, beside the model and the token kind, decides a price. `long_share` is the share of tokens that belong to
    prompts of more than 100,000 tokens, a step of Haiku 5.5 that no report shows."""

    service_tier: str = "standard"
    context_window: str = "0-200k"
    inference_geo: str = "global"
    speed: str = "standard"
    long_share: Fraction = Fraction(0)


def femto_per_token(model: str, terms: Terms, discount: Fraction) -> tuple[int, int, int, int, int]:
    """Price of one token of each kind in femto-dollars (1e-15 USD), after `discount` (0.2 is 20 % off).

    Priority tier usage is priced as standard: it is paid by commitment and no cost report lists it.

    Raises:
        KeyError: the model has no price.
    """
    price = PRICES[model]
    factor = 1 - discount
    if terms.service_tier == "batch":
        factor /= 2
    if terms.inference_geo == "us" and price.geo:
        factor *= Fraction(11, 10)
    if terms.speed == "fast":
        factor *= 2
    if model == "claude-haiku-5-5":
        factor *= 1 + 4 * terms.long_share
    rates: list[int] = []
    for kind, usd in zip(TOKEN_KINDS, price.usd_per_million, strict=True):
        step = Fraction(1)
        if price.premium and terms.context_window == "200k-1M":
            step = Fraction(3, 2) if kind == "output_tokens" else Fraction(2)
        rates.append(round(usd * factor * step * FEMTO_PER_USD / 1_000_000))
    return (rates[0], rates[1], rates[2], rates[3], rates[4])


def femto_per_web_search(discount: Fraction) -> int:
    """Price of one web search request in femto-dollars, after `discount`."""
    return round(WEB_SEARCH_USD_PER_REQUEST * (1 - discount) * FEMTO_PER_USD)


def cents(femto: int) -> str:
    """A femto-dollar amount as the decimal string of cents that the cost report uses, exact to the last digit."""
    sign = "-" if femto < 0 else ""
    whole, rest = divmod(abs(femto), FEMTO_PER_CENT)
    fraction = f"{rest:013d}".rstrip("0")
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


def nano(femto: int) -> int:
    """A femto-dollar amount rounded half to even to nano-dollars."""
    return round(Fraction(femto, FEMTO_PER_NANO))
