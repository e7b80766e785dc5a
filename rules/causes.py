"""Why spend is more than was expected: what kind of more it is, and who carries it; frozen with the alert."""

from __future__ import annotations

from dataclasses import dataclass

from rules.scope import Nano

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Effects:
    """An excess by what it comes from, nano-dollars that sum to it exactly; below zero what made it less.

    Cache shares are cache reads in parts per million of all input tokens.
    """

    volume: Nano
    """More tokens, at the average price of before."""
    model: Nano
    """Other models."""
    tier: Nano
    """Other service tiers."""
    kind: Nano
    """Other kinds of tokens: less from the cache, more output."""
    price: Nano
    """The same, dearer."""
    other: Nano
    """What no tokens explain."""
    tokens: int
    """Used, and beside it as many as the expectation stands for."""
    tokens_expected: int
    cache: int
    cache_before: int
    output: int
    """Output in parts per million of all tokens."""
    output_before: int
    gained: str = ""
    """The model, and the tier, whose share of the tokens grew most, and the ones whose share fell most."""
    lost: str = ""
    tier_gained: str = ""
    tier_lost: str = ""

    @property
    def excess(self) -> Nano:
        """The sum of them."""
        return self.volume + self.model + self.tier + self.kind + self.price + self.other


@dataclass(frozen=True, slots=True)
class Carriers:
    """How an excess is spread over keys."""

    keys: int
    """How many carry at least a tenth of what the largest does."""
    largest: Nano
    """The excess of the one that has most of it."""
    confidence: float = 0.0
    """The probability that the fewest keys which seem to carry half of it do, by the noise of what was expected; 0
    where five keys do not."""
    key: str = ""
    """The key, with its name, that has nearly all of it on one model, and that model; empty where none has."""
    key_name: str = ""
    model: str = ""
    pair: Nano = 0
    """The excess of that key on that model."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Both, as far as they are known."""

    excess: Nano
    effects: Effects | None = None
    carriers: Carriers | None = None
