"""How much of an excess is volume, how much price and how much mix. Pure, additive, exact in nano-dollars.

The price-volume-mix decomposition of management accounting (sales variance analysis; Horngren, Datar and Rajan, Cost
Accounting, chapter on sales-mix and sales-quantity variances), for items i = model m × service tier t × kind of token k
with quantities q and average prices p, before (0) and now (1), the past scaled to what was expected:

    volume  Q1·P0 − C0                     more of everything, at the average price of before
    model   Σm Qm1·Pm0 − Q1·P0             other models, each at its own average price of before
    tier    Σmt Qmt1·Pmt0 − Σm Qm1·Pm0     other tiers within the models
    kind    Σi qi1·pi0 − Σmt Qmt1·Pmt0     other kinds of tokens within these
    price   Σi qi1·(pi1 − pi0)             the same, dearer or cheaper

What is new has no price of before and counts at its price of now, so that it is mix and no change of price. Each effect
is the difference of two sums that are rounded once, so that together they are C1 − C0 to the nano-dollar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from rules.causes import MILLION, Effects
from rules.scope import Nano


class Item(NamedTuple):
    """What has a price of its own; `kind` is one of the price book's."""

    model: str
    service_tier: str
    kind: str


class Amount(NamedTuple):
    """How much of an item, and what it cost."""

    quantity: int
    cost: Nano


Basket: TypeAlias = Mapping[Item, Amount]
_Key: TypeAlias = Callable[[Item], object]

INPUT = ("uncached_input", "cache_read", "cache_write_5m", "cache_write_1h")


def effects(before: Basket, now: Basket, expected: Nano, observed: Nano, beside: Nano = 0) -> Effects:
    """The effects that make `observed` of `expected`; `before` says how spend was made up, however long that was, and
    `beside` what it cost then that no tokens explain.

    Without anything before all of it is volume: nothing is known of prices and mix.
    """
    told = sum(amount.cost for amount in now.values())
    spent_before = sum(amount.cost for amount in before.values())
    by_tokens = expected * spent_before // (spent_before + beside) if spent_before + beside else expected
    keys: list[_Key] = [lambda _: None, lambda item: item.model, lambda item: item[:2], lambda item: item]
    levels = [round(_level(before, now, key)) for key in keys] if _quantity(before.values()) else [told] * len(keys)
    steps = [by_tokens, *levels, told]
    volume, model, tier, kind, price = (after - first for first, after in pairwise(steps))
    other = (observed - told) - (expected - by_tokens)
    models, tiers = _moved(before, now, lambda item: item.model), _moved(before, now, lambda item: item.service_tier)
    return Effects(
        volume,
        model,
        tier,
        kind,
        price,
        other,
        tokens=_quantity(now.values()),
        tokens_expected=round(Fraction(by_tokens * _quantity(before.values()), spent_before)) if spent_before else 0,
        cache=_part(now, ("cache_read",), INPUT),
        cache_before=_part(before, ("cache_read",), INPUT),
        output=_part(now, ("output",), (*INPUT, "output")),
        output_before=_part(before, ("output",), (*INPUT, "output")),
        gained=models[0],
        lost=models[1],
        tier_gained=tiers[0],
        tier_lost=tiers[1],
    )


def _level(before: Basket, now: Basket, key: _Key) -> Fraction:
    """What is used now at the average prices of before of each group; of a new group at its own price of now."""
    prices, new = _sums(before, key), _sums(now, key)
    total = Fraction(0)
    for group, (quantity, cost) in new.items():
        past = prices.get(group, Amount(0, 0))
        total += Fraction(quantity * past.cost, past.quantity) if past.quantity else cost
    return total


def _sums(basket: Basket, key: _Key) -> dict[object, Amount]:
    sums: dict[object, Amount] = {}
    for item, amount in basket.items():
        known = sums.get(key(item), Amount(0, 0))
        sums[key(item)] = Amount(known.quantity + amount.quantity, known.cost + amount.cost)
    return sums


def _quantity(amounts: Iterable[Amount]) -> int:
    return sum(amount.quantity for amount in amounts)


def _part(basket: Basket, some: tuple[str, ...], of: tuple[str, ...]) -> int:
    """Tokens of some kinds in parts per million of those of others."""
    whole = sum(amount.quantity for item, amount in basket.items() if item.kind in of)
    return (
        MILLION * sum(amount.quantity for item, amount in basket.items() if item.kind in some) // whole if whole else 0
    )


def _moved(before: Basket, now: Basket, key: Callable[[Item], str]) -> tuple[str, str]:
    """The one whose part of all tokens grew most, and the one whose fell most; empty where nothing moved."""
    sums = [{str(group): amount.quantity for group, amount in _sums(basket, key).items()} for basket in (before, now)]
    whole = [sum(counts.values()) for counts in sums]
    if not all(whole):
        return "", ""
    moves = {
        group: Fraction(sums[1].get(group, 0), whole[1]) - Fraction(sums[0].get(group, 0), whole[0])
        for group in sorted({*sums[0], *sums[1]})
    }
    most, least = max(moves, key=moves.__getitem__), min(moves, key=moves.__getitem__)
    return (most if moves[most] > 0 else "", least if moves[least] < 0 else "")
