"""What the price book holds for the models in use, and how far bills and estimates were apart, as the cycle kept it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from rules.model import Nano
from rules.money import usd_string
from rules.reconciled import ReconciledDay
from watcher.cli.prices_table import to_json
from watcher.cycle import Looked
from watcher.ledger.price_list import price_list
from watcher.pricing import PriceBook
from watcher.settings import Settings

_IN_USE = 14 * 24
_MOST_DAYS = 35
_LEAST_SURE_FIRST = ("unpriced", "list", "learned", "override")


@dataclass(frozen=True, slots=True)
class ModelPrices:
    """One model's prices by kind, as exact decimal strings of dollars, and where they come from."""

    model: str
    usd: Mapping[str, str]
    of_list: tuple[float, float] | None
    """The least and the largest part of the list price among its tokens; None where no list has the model."""
    sources: tuple[str, ...]
    """Of its tokens, the least sure first."""
    days: int
    """The fewest settled days that any of the learned ones rests on."""


@dataclass(frozen=True, slots=True)
class SettledDay:
    """One day whose bill has come: what was compared, nano-dollars."""

    day: date
    standing: str
    estimated: Nano
    billed: Nano
    left_out: Nano
    """What was billed and cannot be compared: no usage report holds it, or no price is known."""

    @property
    def drift(self) -> Nano:
        """The bill minus the estimate."""
        return self.billed - self.estimated

    @property
    def ratio(self) -> float | None:
        """The drift as a part of the estimate; None where nothing was estimated."""
        return self.drift / self.estimated if self.estimated else None


def price_rows(looked: Looked, settings: Settings) -> Mapping[str, Any]:
    """The prices of today, as `watcher prices --json` has them, of the models that cost something in two weeks."""
    view = looked.snapshot.view
    active = np.flatnonzero(view.cost[:, -_IN_USE:].any(axis=1)).tolist()
    models = {view.leaves[place].model for place in active}
    book = PriceBook(settings.prices).taught(looked.book.learned)
    named = [model for model in models if model and not model.startswith("(")]
    return to_json(price_list(book, named, looked.at.date()))


def by_model(prices: Mapping[str, Any]) -> tuple[ModelPrices, ...]:
    """The prices as a row a model."""
    lines: dict[str, list[Mapping[str, Any]]] = {}
    for line in prices["prices"]:
        lines.setdefault(line["model"], []).append(line)
    return tuple(_model(model, of_model) for model, of_model in lines.items())


def _model(model: str, lines: Sequence[Mapping[str, Any]]) -> ModelPrices:
    tokens = [line for line in lines if line["kind"] != "web_searches"]
    parts = [line["of_list"] for line in tokens if line["of_list"] is not None]
    sources = {line["source"] for line in tokens}
    return ModelPrices(
        model,
        {line["kind"]: line["usd"] for line in lines},
        (min(parts), max(parts)) if parts else None,
        tuple(source for source in _LEAST_SURE_FIRST if source in sources),
        min((line["days"] for line in tokens if line["source"] == "learned"), default=0),
    )


def settled_days(days: Sequence[ReconciledDay]) -> tuple[SettledDay, ...]:
    """The latest days that have a bill, newest first."""
    billed = [day for day in days if day.standing in {"settled", "provisional"}]
    return tuple(_settled(day) for day in reversed(billed[-_MOST_DAYS:]))


def _settled(day: ReconciledDay) -> SettledDay:
    compared = [cell for cell in day.cells if cell.sort == "compared"]
    return SettledDay(
        day.day,
        day.standing,
        sum(cell.estimated for cell in compared),
        sum(cell.billed for cell in compared),
        sum(cell.billed for cell in day.cells if cell.sort != "compared"),
    )


def settled_json(day: SettledDay) -> dict[str, Any]:
    """Money as exact decimal strings of dollars, the drift also as a part of the estimate."""
    return {
        "day": day.day.isoformat(),
        "standing": day.standing,
        "estimated_usd": usd_string(day.estimated),
        "billed_usd": usd_string(day.billed),
        "drift_usd": usd_string(day.drift),
        "drift_ratio": None if day.ratio is None else round(day.ratio, 6),
        "left_out_usd": usd_string(day.left_out),
    }
