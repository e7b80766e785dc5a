"""What changed in a price book that people may want to be told of. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from watcher.pricing.learned import Learned
from watcher.pricing.rates import KINDS, MILLION

JUMP = 20_000
"""How far a learned ratio has to move to be told, in parts per million of what it was: 2 %."""
_SPREADS = 3


@dataclass(frozen=True, slots=True)
class BookState:
    """A book at one time: what was learned, the models in use, and those of them that no price is known for."""

    learned: Learned
    models: frozenset[str]
    unpriced: frozenset[str]


@dataclass(frozen=True, slots=True)
class ModelFirstSeen:
    """A model is in use that was not before; `unpriced` says whether it is counted at a stand-in."""

    model: str
    unpriced: bool


@dataclass(frozen=True, slots=True)
class ModelPriced:
    """A model that was counted at a stand-in has a price now."""

    model: str


@dataclass(frozen=True, slots=True)
class DiscountJumped:
    """What a model's kind really costs moved, in parts per million of its list price; `model` is "" for searches."""

    model: str
    kind: str
    before: int
    after: int


PriceEvent: TypeAlias = ModelFirstSeen | ModelPriced | DiscountJumped


def price_events(before: BookState | None, after: BookState) -> tuple[PriceEvent, ...]:
    """What happened between two states of a book, in the order of the models; nothing if there is no earlier one.

    A ratio has jumped when it moved by more than `JUMP` and by more than three times its spread, so that a model whose
    days always lie far apart is not told of again and again.
    """
    if before is None:
        return ()
    seen = [ModelFirstSeen(model, model in after.unpriced) for model in sorted(after.models - before.models)]
    priced = [ModelPriced(model) for model in sorted((before.unpriced & after.models) - after.unpriced)]
    return (*seen, *priced, *_jumps(before.learned, after.learned))


def _jumps(before: Learned, after: Learned) -> list[DiscountJumped]:
    jumps = []
    for model, kind in sorted(before.cells.keys() & after.cells.keys()):
        old, new = before.cells[model, kind], after.cells[model, kind]
        moved = abs(new.ratio - old.ratio) * MILLION
        if moved > old.ratio * max(JUMP, _SPREADS * old.spread):
            jumps.append(DiscountJumped(model, KINDS[kind], old.ratio, new.ratio))
    return jumps
