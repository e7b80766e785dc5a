"""List prices by date, from genai-prices and the additions to it, before any modifier it lacks.

genai-prices is imported when the first price is asked for, as its import is slow (0.12 s). Only its bundled table is
read: nothing here, and nothing in its import, starts its updater or opens a connection.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Literal, TypeAlias

from rules.families import family
from watcher.pricing.additions import ADDITIONS, Addition
from watcher.pricing.models import without_suffix

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, PriceCalculation, TieredPrices

Mode: TypeAlias = Literal["standard", "batch", "fast"]

_CONTEXT: dict[Mode, dict[str, str]] = {"standard": {}, "batch": {"processing": "batch"}, "fast": {"speed": "fast"}}
_KEYS = ("input_mtok", "cache_read_mtok", "cache_write_mtok", "cache_write_1h_mtok", "output_mtok")
_WITHOUT_CACHE_PRICE = (Decimal(1), Decimal(1), Decimal("1.25"), Decimal(2), Decimal(1))
"""Times the input price, where a model of old has no cache price: a read like input, a write as on every model."""


@dataclass(frozen=True, slots=True)
class PromptLengths:
    """The prompt lengths that a row of usage may hold: over `floor` tokens and up to `ceiling` (None: unknown)."""

    floor: int = 0
    ceiling: int | None = None


@dataclass(frozen=True, slots=True)
class ListPrice:
    """USD per million tokens in the order input, cache read, 5-minute write, 1-hour write, output.

    `mode_applied` says whether the price is already that of the mode asked for; False means that the list has no
    such variant and the caller's factor applies. `uncertain`: a step in the price lies inside the prompt lengths.
    `since`: the day from which the model's standard price holds, None without one.
    """

    usd_per_million: tuple[Decimal, ...]
    mode_applied: bool
    uncertain: bool = False
    since: date | None = None


def list_price(model: str, day: date, mode: Mode, prompts: PromptLengths) -> ListPrice | None:
    """The list price of a model on a UTC day; None for a model the list does not hold."""
    found = _calculation(model, day, mode) or _calculation(without_suffix(model), day, mode)
    if found is None:
        return None
    addition = _addition(found.model.id, day, prompts)
    if addition is not None:
        usd = tuple(Decimal(price) for price in addition.usd_per_million)
        return ListPrice(usd, mode_applied=mode == "standard", since=addition.since)
    price = _priced(found.model_price, prompts, mode_applied=_has_variant(found.model, day, mode))
    return replace(price, since=_since(found.model, day))


def dearest_price(model: str, day: date, prompts: PromptLengths) -> ListPrice:
    """The dearest standard price, kind by kind, of the model's family; of all Claude models if that is unknown.

    Models of old that had no cache prices are left out: what stands in for those would exaggerate cached traffic.
    """
    known = [(family(info.id), info.get_prices(_noon(day))) for info in _claude_models()]
    cached = [(name, price) for name, price in known if price.cache_read_mtok is not None]
    wanted = family(model)
    relatives = [price for name, price in cached if name == wanted and wanted is not None] or [p for _, p in cached]
    rates = [_priced(price, prompts, mode_applied=False).usd_per_million for price in relatives]
    return ListPrice(tuple(max(column) for column in zip(*rates, strict=True)), mode_applied=False, uncertain=True)


def period_of(day: date) -> date:
    """A day that stands for a UTC day: no list price begins or ends between the two, so that all are the same."""
    turns = _turns()
    if turns is None:
        return day
    place = bisect_right(turns, day)
    return turns[place - 1] if place else turns[0] - timedelta(days=1)


@cache
def _turns() -> tuple[date, ...] | None:
    """The days on which some list price begins or ends, in order; None where a price depends on more than these."""
    from genai_prices.types import StartDateConstraint, TimeOfDateConstraint  # noqa: PLC0415 - as above

    dated = [price.constraint for info in _claude_models() if isinstance(info.prices, list) for price in info.prices]
    dated += [variant.constraint for info in _claude_models() for variant in info.price_variants or ()]
    if not all(each is None or isinstance(each, (StartDateConstraint, TimeOfDateConstraint)) for each in dated):
        return None
    days = {each.start_date for each in dated if isinstance(each, StartDateConstraint)}
    days |= {day for addition in ADDITIONS for day in (addition.since, addition.until) if day is not None}
    return tuple(sorted(days or {date(2026, 1, 1)}))


def _calculation(model: str, day: date, mode: Mode) -> PriceCalculation | None:
    from genai_prices import Usage, calc_price  # noqa: PLC0415 - slow to import, see the module's docstring

    try:
        return calc_price(
            Usage(),
            model,
            provider_id="anthropic",
            genai_request_timestamp=_noon(day),
            price_context=_CONTEXT[mode],
        )
    except LookupError:
        return None


@cache
def _claude_models() -> tuple[ModelInfo, ...]:
    """Every Claude model of the list, by way of one that is certainly in it."""
    known = _calculation("claude-opus-4-1", date(2026, 1, 1), "standard")
    if known is None:
        raise LookupError("genai-prices no longer lists claude-opus-4-1: its price table is not the expected one")
    return tuple(known.provider.models)


def _has_variant(model: ModelInfo, day: date, mode: Mode) -> bool:
    """Whether the list has its own price for the mode on that day, as it does for batch from 2026-10-14."""
    if mode == "standard":
        return True
    return any(
        variant.when == _CONTEXT[mode] and (variant.constraint is None or variant.constraint.active(_noon(day)))
        for variant in model.price_variants or ()
    )


def _since(model: ModelInfo, day: date) -> date | None:
    """When the list price of that day began, where the list dates it."""
    if not isinstance(model.prices, list):
        return None
    for price in reversed(model.prices):
        if price.constraint is None or price.constraint.active(_noon(day)):
            return getattr(price.constraint, "start_date", None)
    return None


def _addition(model_id: str, day: date, prompts: PromptLengths) -> Addition | None:
    for addition in ADDITIONS:
        dated = (addition.since is None or addition.since <= day) and (addition.until is None or day < addition.until)
        if dated and addition.model == model_id and prompts.floor >= addition.prompts_over:
            return addition
    return None


def _priced(price: ModelPrice, prompts: PromptLengths, *, mode_applied: bool) -> ListPrice:
    steps: list[Decimal | None] = []
    uncertain = False
    for key in _KEYS:
        usd, unsure = _step(getattr(price, key), prompts)
        steps.append(usd)
        uncertain = uncertain or unsure or usd is None
    # Each published Claude model has an input and an output price; without them nothing could be said of the others.
    base = steps[0] if steps[0] is not None else steps[-1] or Decimal(0)
    filled = (base * factor if usd is None else usd for usd, factor in zip(steps, _WITHOUT_CACHE_PRICE, strict=True))
    return ListPrice(tuple(filled), mode_applied, uncertain)


def _step(price: Decimal | TieredPrices | None, prompts: PromptLengths) -> tuple[Decimal | None, bool]:
    """The price for these prompt lengths, and whether another step may apply to some of them."""
    if price is None or isinstance(price, Decimal):
        return price, False
    chosen, unsure = price.base, False
    for tier in price.tiers:
        if tier.start <= prompts.floor:
            chosen = tier.price
        elif prompts.ceiling is None or tier.start < prompts.ceiling:
            unsure = True
    return chosen, unsure


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)
