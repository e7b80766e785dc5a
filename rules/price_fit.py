"""What an output token costs, fitted to a view and followed hour by hour through the day after.

A unit is `UNIT_TOKENS` output tokens, about what one request brings: tokens are what is known of every key and hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from rules.before import hour_of
from rules.configured import AnomalyRule
from rules.measures import Measure
from rules.model import Leaf, Scope, SpendView
from rules.profile import DAY
from rules.sensitivity import PRICE, threshold
from rules.subjects import DOLLAR, Flags, Places, Rows, Subjects
from rules.unit_price import PriceReading, Shift, UnitPrice

Floats = npt.NDArray[np.float64]

TOKENS = Measure("tokens", "output")
"""What has to be counted beside spend for prices to be followed."""
UNIT_TOKENS = 500.0
HISTORY = 35 * DAY
"""Hours the price is fitted on, from a midnight: what is older would hardly weigh."""
KEPT = 8 * DAY
"""Hours that a shift can be followed back."""
NEWEST = 3
"""Hours whose mean is the price at present."""


@dataclass(frozen=True, slots=True)
class Priced:
    """What was read of the prices of subjects in their newest hours; arrays are hours × scopes, hour 0 is hour `begin`
    of the view, and the first `complete` of them are complete."""

    reading: PriceReading
    """`material` in multiples of the rule's own threshold."""
    amounts: Floats
    """Dollars, 0 where unknown."""
    units: Floats
    begin: int
    complete: int
    threshold: float

    def before(self, place: int, at: int) -> float:
        """Dollars a unit that were normal at that hour; 0 where none is known."""
        held, units = self.reading.held[: at + 1, place], self.units[: at + 1, place]
        known = np.flatnonzero((held > 0) & (units > 0))
        return float(held[known[-1]] / units[known[-1]]) if known.size else 0.0

    def newest(self, place: int, begin: int) -> float:
        """Dollars a unit over the last `NEWEST` hours with any from hour `begin` on; 0 without any."""
        hours = begin + np.flatnonzero(self.units[begin:, place] > 0)[-NEWEST:]
        units = float(self.units[hours, place].sum())
        return float(self.amounts[hours, place].sum()) / units if units > 0 else 0.0


_Told: TypeAlias = tuple[PriceReading, Floats, Floats]
"""What was read of some hours, the dollars and the units."""


class PriceFit:
    """What is carried of the prices of one rule's subjects. Hours are counted from a Monday 00:00 UTC."""

    def __init__(self, rule: AnomalyRule, subjects: Subjects) -> None:
        self._rule, self._scopes = rule, subjects.scopes
        self._rows = _rows_of(subjects.scopes, subjects.members)
        self._least = threshold(rule, len(subjects.scopes), PRICE)
        self._floor = rule.min_excess / DOLLAR / self._least
        self._prices = UnitPrice(len(subjects.scopes), Shift(ratio=rule.tuning.price_ratio))
        self._beside = Beside()
        self._today = 0
        """The first hour that is not of a day learnt."""
        self._begun: Flags = np.zeros(len(subjects.scopes), dtype=np.bool_)
        """Which scopes had spent anything before."""
        self._kept: list[_Told] = []
        """Of the last days learnt what was read, the dollars and the units."""
        self._ticked: list[_Told] = []
        """The same of the hours since that are carried."""
        self._together: tuple[list[_Told], tuple[Floats, ...]] | None = None
        """What is kept, put together."""

    def learn(self, view: SpendView, tokens: SpendView, complete: int, keep: int = KEPT) -> None:
        """Learn from all days of the view that are over and not too old, and keep `keep` hours to be told of."""
        start = hour_of(view)
        midnight = complete - (start + complete) % DAY
        at = self._first_day(view, max(complete - max(HISTORY, keep), 0))
        begun = self._begun_before(view, at)
        while at + DAY <= midnight:
            amounts, units = self._hours(view, tokens, slice(at, at + DAY), begun)
            reading = self._prices.advance(amounts, units, start + at, self._floor)
            begun = begun | np.asarray((amounts > 0).any(axis=0))
            if at + DAY > midnight - keep:
                self._kept.append((reading, amounts, units))
            at += DAY
        self._today, self._begun = start + at, begun

    def holds(self, rule: AnomalyRule, view: SpendView, subjects: Subjects, days: int = 0) -> bool:
        """Whether the same midnight was the last one, or at most so many `days` before it, of the same rule and
        subjects."""
        end = hour_of(view) + subjects.complete
        same = rule == self._rule and subjects.scopes == self._scopes
        return same and 0 <= end - end % DAY - self._today <= days * DAY

    def read(self, view: SpendView, tokens: SpendView, subjects: Subjects) -> Priced:
        """Judge the hours since midnight, and tell of these and the days that are kept.

        A day that is over by now is learnt with its last hour.
        """
        if subjects.members is not self._rows.places:
            self._rows = _rows_of(subjects.scopes, subjects.members)
        start = hour_of(view)
        if start + subjects.complete >= self._today + DAY:
            self._go_on(view, tokens)
        today, end = self._today - start, subjects.begin + len(subjects.dollars)
        amounts, units = self._hours(view, tokens, slice(today, end), self._begun)
        complete = max(subjects.complete - today, 0)
        if not self._as_judged(amounts[:complete], units[:complete]):
            self._prices.rewind()
            self._ticked.clear()
        at = sum(len(seen) for _, seen, _ in self._ticked)
        if complete > at:
            new, counts = amounts[at:complete], units[at:complete]
            self._ticked.append((self._prices.advance(new, counts, self._today + at, self._floor), new, counts))
        told = list(self._ticked)
        if len(amounts) > complete:
            ahead, counts = amounts[complete:], units[complete:]
            told.append((self._prices.read(ahead, counts, self._floor), ahead, counts))
        return self._priced(told, end, subjects.complete)

    def _go_on(self, view: SpendView, tokens: SpendView) -> None:
        """Learn the day that was followed, and follow the next one."""
        today = self._today - hour_of(view)
        amounts, units = self._hours(view, tokens, slice(today, today + DAY), self._begun)
        if not self._as_judged(amounts, units):
            self._prices.rewind()
            self._ticked.clear()
        at = sum(len(seen) for _, seen, _ in self._ticked)
        new, counts = amounts[at:], units[at:]
        self._ticked.append((self._prices.advance(new, counts, self._today + at, self._floor), new, counts))
        readings, _, _ = zip(*self._ticked, strict=True)
        whole = PriceReading(*(np.concatenate(part) for part in zip(*readings, strict=True)))
        self._kept = [*self._kept, (whole, amounts, units)][-(KEPT // DAY) :]
        self._ticked.clear()
        self._begun = self._begun | np.asarray((amounts > 0).any(axis=0))
        self._today += DAY

    def _priced(self, told: Sequence[_Told], end: int, complete: int) -> Priced:
        """All that is told of: what is kept is put together once a day."""
        if self._together is None or self._together[0] is not self._kept:
            self._together = self._kept, self._joined(self._kept)
        scores, material, held, amounts, units = map(
            np.concatenate, zip(self._together[1], self._joined(told), strict=True)
        )
        begin = end - len(held)
        return Priced(PriceReading(scores, material, held), amounts, units, begin, complete - begin, self._least)

    def _joined(self, told: Sequence[_Told]) -> tuple[Floats, ...]:
        """What was read (`material` in multiples of the rule's own threshold), the dollars and the units, 0 where
        unknown, as one array each."""
        empty = np.zeros((0, len(self._scopes)))
        every = [(*reading, amounts, units) for reading, amounts, units in told]
        scores, material, held, amounts, units = map(np.concatenate, zip((empty,) * 5, *every, strict=True))
        return scores, material / self._least, held, np.nan_to_num(amounts), np.nan_to_num(units)

    def _as_judged(self, amounts: Floats, units: Floats) -> bool:
        """Whether the hours that are carried are what they were."""
        at = 0
        for _, spent, counts in self._ticked:
            some = slice(at, at + len(spent))
            at = some.stop
            if not np.array_equal(amounts[some], spent, equal_nan=True):
                return False
            if not np.array_equal(units[some], counts, equal_nan=True):
                return False
        return True

    def _hours(self, view: SpendView, tokens: SpendView, hours: slice, begun: Flags) -> tuple[Floats, Floats]:
        """Dollars and units of some hours of the view, hours × scopes, NaN where nothing is known."""
        amounts = self._rows.sum(view, hours.start, hours.stop, begun)
        beside = self._beside.places(view.leaves, tokens.leaves)
        return amounts, units_of(tokens, beside, self._rows.places, hours, amounts)

    def _begun_before(self, view: SpendView, hour: int) -> Flags:
        spent: Flags = view.cost[:, :hour].max(axis=1, initial=0) > 0
        return np.array([bool(spent[members].any()) for members in self._rows.places], dtype=np.bool_)

    def _first_day(self, view: SpendView, hour: int) -> int:
        """The midnight before this hour, or before the first of which anything is known."""
        spent = view.cost[:, hour:].any(axis=0)
        first = hour + int(spent.argmax()) if spent.any() else hour
        return max(first - (hour_of(view) + first) % DAY, -hour_of(view) % DAY)


def read_prices(rule: AnomalyRule, view: SpendView, tokens: SpendView, subjects: Subjects, keep: int = KEPT) -> Priced:
    """What the prices of the subjects say over about the last `keep` hours, by the floors of the rule.

    `tokens` counts output tokens by leaf over the hours of the view. Nothing is carried.
    """
    fit = PriceFit(rule, subjects)
    fit.learn(view, tokens, subjects.complete, keep)
    return fit.read(view, tokens, subjects)


def _rows_of(scopes: tuple[Scope, ...], members: tuple[Places, ...]) -> Rows:
    """The rows of these scopes, to sum over their leaves alone."""
    return Rows((), np.zeros(0, dtype=np.intp), members, (), scopes, (), 0)


class Beside:
    """Where the leaves of a view stand among those of its tokens; worked out when either of them changes."""

    def __init__(self) -> None:
        self._of: tuple[tuple[Leaf, ...], tuple[Leaf, ...]] = ((), ())
        self._places: Places = np.zeros(0, dtype=np.intp)

    def places(self, leaves: tuple[Leaf, ...], tokens: tuple[Leaf, ...]) -> Places:
        """Of each leaf its row in the tokens, -1 where there is none."""
        if self._of != (leaves, tokens):
            row = {leaf: at for at, leaf in enumerate(tokens)}
            self._of, self._places = (leaves, tokens), np.array([row.get(leaf, -1) for leaf in leaves], dtype=np.intp)
        return self._places


def units_of(tokens: SpendView, beside: Places, members: tuple[Places, ...], hours: slice, amounts: Floats) -> Floats:
    """Units of each scope in some hours, NaN where its dollars are missing; hours × scopes.

    `beside` says of each leaf that the `members` are places of which row it has in `tokens`, -1 for none.
    """
    counts = tokens.cost[:, hours]
    result = np.zeros(amounts.shape)
    rows = beside[np.concatenate([np.zeros(0, dtype=np.intp), *members])]
    of = np.repeat(np.arange(len(members)), [len(leaves) for leaves in members])[rows >= 0]
    filled, starts = np.unique(of, return_index=True)
    if filled.size:
        result[: counts.shape[1], filled] = np.add.reduceat(counts[rows[rows >= 0]], starts, axis=0).T
    result /= UNIT_TOKENS
    result[np.isnan(amounts)] = np.nan
    return result
