"""What an organization really pays, learned from its own settled days as ratios of reported to listed amounts. Pure.

A cell is one model and token kind on one day. Its ratio counts where the cell's tokens list at `ENOUGH` or more, so
that even a report rounded to whole cents is within 1 %. The learned ratio is the median over days, and there are at
least `FEWEST_DAYS` of them: of three days one may be as wild as it likes. Credits and free days (a reported amount of
zero or less) teach nothing, since a price of zero would let any amount of use pass unseen.

With fewer days for the cell, the model's ratio over all token kinds is taken, and then, for listed models, the
organization's over all listed models. A model without a list price has a stand-in in its place: its ratios are of the
stand-in on one fixed day (`PriceBook.basis`), so what is learned is in effect its price per token, and it never
borrows from the organization.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from statistics import median
from typing import TypeVar

from rules.model import Nano
from rules.money import divide_half_even
from watcher.pricing.rates import MILLION, TOKENS, WEB_SEARCH, Basis

ENOUGH: Nano = 500_000_000
"""The list price in nano-dollars, 0.50 USD, of a cell's tokens on a day, below which the day says too little."""
FEWEST_DAYS = 3
MOST_DAYS = 21
"""Only the latest so many settled days are learned from: a discount that changes is followed within eleven."""
ANY_MODEL = ""
"""The model of web searches, which cost the same whichever model asks for them."""

_Key = TypeVar("_Key")
_DEVIATION = Fraction("1.4826")
_LARGEST = 1000 * MILLION


@dataclass(frozen=True, slots=True)
class Cell:
    """Nano-dollars of one model and kind on one settled day; `listed` rests on a stand-in if `stand_in`."""

    listed: Nano
    reported: Nano
    stand_in: bool = False


@dataclass(frozen=True, slots=True)
class PricedDay:
    """A settled day's cells, by model and index of the kind; only those that both usage and report hold."""

    day: date
    cells: Mapping[tuple[str, int], Cell]


@dataclass(frozen=True, slots=True)
class Discount:
    """Reported to listed, in parts per million (800,000 is 20 % off), above zero.

    `spread` is relative to the ratio, in parts per million (see `Quote.spread`). `since` and `until` are the first and
    the last of the `days` settled days it was learned from.
    """

    ratio: int
    spread: int
    days: int
    since: date
    until: date
    basis: Basis = "kind"


@dataclass(frozen=True, slots=True)
class Learned:
    """Everything learned at one time."""

    cells: Mapping[tuple[str, int], Discount] = field(default_factory=dict)
    models: Mapping[str, Discount] = field(default_factory=dict)
    organization: Discount | None = None

    def discount(self, model: str, kind: int, *, listed: bool) -> Discount | None:
        """The ratio that applies to a model's kind; None where nothing was learned.

        `listed` says whether there is a list price for it: what has none takes only what the model itself taught.
        """
        if kind == WEB_SEARCH:
            return self.cells.get((ANY_MODEL, kind)) or self.organization
        own = self.cells.get((model, kind)) or self.models.get(model)
        return own or (self.organization if listed else None)


NOTHING = Learned()


def learn(days: Iterable[PricedDay]) -> Learned:
    """What these settled days teach, the latest `MOST_DAYS` of them, in whatever order they come. Each comes once."""
    cells: dict[tuple[str, int], list[_Ratio]] = {}
    models: dict[str, list[_Ratio]] = {}
    organization: list[_Ratio] = []
    for day in sorted(days, key=lambda item: item.day)[-MOST_DAYS:]:
        sums: dict[str, Cell] = {}
        for (model, kind), cell in day.cells.items():
            if cell.listed <= 0 or cell.reported <= 0:
                continue
            _note(cells.setdefault((model, kind), []), day.day, cell)
            if kind < TOKENS:
                sums[model] = _sum(sums.get(model), cell)
        whole = Cell(0, 0)
        for model, total in sums.items():
            _note(models.setdefault(model, []), day.day, total)
            whole = whole if total.stand_in else _sum(whole, total)
        _note(organization, day.day, whole)
    return Learned(_discounts(cells, "kind"), _discounts(models, "model"), _discount(organization, "organization"))


@dataclass(frozen=True, slots=True)
class _Ratio:
    day: date
    ratio: int


def _sum(first: Cell | None, second: Cell) -> Cell:
    if first is None:
        return second
    return Cell(first.listed + second.listed, first.reported + second.reported, second.stand_in)


def _note(ratios: list[_Ratio], day: date, cell: Cell) -> None:
    if cell.listed >= ENOUGH:
        ratio = divide_half_even(cell.reported * MILLION, cell.listed)
        ratios.append(_Ratio(day, min(max(ratio, 1), _LARGEST)))


def _discounts(ratios: Mapping[_Key, list[_Ratio]], basis: Basis) -> dict[_Key, Discount]:
    found = ((key, _discount(each, basis)) for key, each in ratios.items())
    return {key: discount for key, discount in found if discount is not None}


def _discount(ratios: list[_Ratio], basis: Basis) -> Discount | None:
    if len(ratios) < FEWEST_DAYS:
        return None
    # A median of whole numbers is exact, and that of their distances from it in halves: much faster than fractions.
    twice = int(2 * median(each.ratio for each in ratios))
    middle = Fraction(twice, 2)
    distance = Fraction(median(abs(2 * each.ratio - twice) for each in ratios)) / 2
    return Discount(
        ratio=round(middle),
        spread=round(distance * _DEVIATION * MILLION / middle),
        days=len(ratios),
        since=ratios[0].day,
        until=ratios[-1].day,
        basis=basis,
    )
