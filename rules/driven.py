"""What drives a story: the parts of its excess by every dimension that its scope leaves open, and what kind of more.

Nothing of this is worked out, and nothing of what was used is read, unless there is a story to tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from rules.attribution import Attribution, Cut, Excess, explaining
from rules.causes import Carriers, Cause, Effects
from rules.effects import Amount, Basket, Item, effects
from rules.figures import SpendView
from rules.scope import HOUR, UNKNOWN, Dimension, Names, Nano, Scope
from rules.shift_evidence import Share

TOP = 5
"""Children that are named, and keys that may carry half of an excess together."""
CHILDREN: tuple[Dimension, ...] = ("workspace", "api_key", "model", "service_tier")
"""What evidence names the parts of; users, tags and families follow from these."""
HALF = Fraction(1, 2)
NEARLY_ALL = Fraction(4, 5)
"""Of the parent's excess, from which one key on one model is named as what carries it."""
CARRIES = Fraction(1, 10)
"""Of the largest key's excess, from which a key counts as one of those over which it is spread."""
BASIS_DAYS = 14
"""Days before a story whose use, in the same hours of the day, says how spend is made up otherwise."""


class Driven(NamedTuple):
    """The largest children, and the cause; `observed` is the exact sum of what was seen."""

    observed: Nano
    top: tuple[Share, ...]
    cause: Cause


def driven(view: SpendView, names: Names, scope: Scope, cut: Cut) -> Driven:
    """Of each of `CHILDREN` that the scope leaves open those with the largest excess, and the cause of it."""
    excess = Excess(view, names, cut)
    fixed = set(scope.parts()) | ({"workspace"} if scope.api_key else set())
    by = {dimension: excess.by(dimension) for dimension in CHILDREN if dimension not in fixed}
    top = tuple(share for dimension, parts in by.items() for share in _largest(dimension, parts, names))
    keys = by.get("api_key")
    carriers = None if keys is None else _carriers(excess, keys, names, open_model="model" in by)
    observed = excess.observed
    return Driven(observed, top, Cause(observed - cut.likely, _effects(view, cut, observed), carriers))


def _largest(dimension: Dimension, parts: Attribution, names: Names) -> Iterable[Share]:
    told = [part for part in parts.parts if part.excess > 0 and (dimension, part.ids[0]) != ("service_tier", UNKNOWN)]
    return (Share(dimension, part.ids[0], names.of(part.ids[0]), part.excess) for part in told[:TOP])


def _carriers(excess: Excess, keys: Attribution, names: Names, *, open_model: bool) -> Carriers | None:
    """Over how many keys it is spread, and the one pair that has nearly all of it."""
    if keys.excess <= 0 or not keys.parts or keys.parts[0].excess <= 0:
        return None
    first = keys.parts[0]
    count = sum(part.excess >= CARRIES * first.excess for part in keys.parts)
    found = explaining(keys, HALF, TOP)
    confidence = 0.0 if found is None else round(found.confidence, 3)
    if open_model and first.excess >= NEARLY_ALL * keys.excess:
        pair = excess.within("api_key", first.ids[0], "model").parts[0]
        if pair.excess >= NEARLY_ALL * keys.excess:
            key = first.ids[0]
            return Carriers(count, first.excess, confidence, key, names.of(key), pair.ids[0], pair.excess)
    return Carriers(count, first.excess, confidence)


def _effects(view: SpendView, cut: Cut, observed: Nano) -> Effects | None:
    """What kind of more it is; None where it is not known what was used."""
    if view.used is None or observed <= 0:
        return None
    columns = range(cut.window.start, cut.window.stop)
    hours = {(view.start + column * HOUR).hour for column in columns}
    odd = set(cut.odd)
    begin = max(cut.window.start - BASIS_DAYS * 24, 0)
    past = [
        column
        for column in range(begin, cut.window.start)
        if column not in odd and (view.start + column * HOUR).hour in hours
    ]
    now = _basket(view, cut, list(columns))
    if not now.items:
        return None
    before = _basket(view, cut, past)
    if not before.items:
        before = _basket(view, cut, list(range(begin, columns[0])))
    return effects(before.items, now.items, cut.likely, observed, before.beside)


class _Bought(NamedTuple):
    """What some hours were for, and what they cost that no tokens explain."""

    items: Basket
    beside: Nano


def _basket(view: SpendView, cut: Cut, columns: Sequence[int]) -> _Bought:
    """What was used in these hours, at what it cost by the ledger: bills and discounts are in its prices."""
    if view.used is None or not columns:
        return _Bought({}, 0)
    spent = view.cost[cut.members[:, None], np.array(columns)].sum(axis=1)
    leaves = [(view.leaves[place], cost) for place, cost in zip(cut.members.tolist(), spent.tolist(), strict=True)]
    hours: list[datetime] = [view.start + column * HOUR for column in columns]
    basket = view.used([leaf for leaf, cost in leaves if cost], hours)
    booked: dict[tuple[str, str], int] = {}
    for leaf, cost in leaves:
        group = leaf.model, leaf.service_tier
        booked[group] = booked.get(group, 0) + cost
    estimated: dict[tuple[str, str], int] = {}
    for item, amount in basket.items():
        group = item.model, item.service_tier
        estimated[group] = estimated.get(group, 0) + amount.cost
    beside = sum(cost for group, cost in booked.items() if not estimated.get(group))
    return _Bought({item: _booked(item, amount, estimated, booked) for item, amount in basket.items()}, beside)


def _booked(
    item: Item, amount: Amount, estimated: dict[tuple[str, str], int], booked: dict[tuple[str, str], int]
) -> Amount:
    """An item at its part of what its model and tier cost by the ledger."""
    group = item.model, item.service_tier
    whole = estimated[group]
    return Amount(amount.quantity, amount.cost * booked.get(group, 0) // whole if whole else 0)
