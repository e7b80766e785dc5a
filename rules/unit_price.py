"""Whether what a unit costs has shifted: dollars or tokens a request, whatever the number of requests. Pure.

A cache that no longer hits, longer prompts, a dearer model: the volume is as ever, and every unit of it costs more. How
many units come is given, not expected, so that neither the hour of the week nor a busy day matters here, and a shift by
half is seen within hours where the sum would need days.

    variance of the amount of n units at price p = p² × (size × n + wander × n²)

`size` is the squared relative spread of single units, learnt from the residuals of hours; `wander` is what the mean of
however many units may stray. All series are carried at once, day by day, causally, in a state of fixed size. A day
trains after three days, unless it or one of those was flagged; a price that stays four days is the normal one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rules.horizons import Reals, Totals, z_score
from rules.profile import DAY

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

HORIZONS = (3, 6, 24, 72)
LONGEST = max(HORIZONS)


@dataclass(frozen=True, slots=True)
class Shift:
    """The numbers behind the judgement of a price; z-scores count standard deviations of the horizon's own spread."""

    threshold: float = 4.5
    """For every horizon."""
    ratio: float = 1.3
    """Times the price of before, from which a shift is worth telling."""
    of_usual: float = 2.0
    """How many mean hours of the last three days it must have cost: a single odd request at night is no shift."""
    cap: float = 6.0
    """The z-score up to which one hour counts, so that one odd request does not carry a day."""
    wander: float = 0.1**2
    size: float = 3.0
    size_units: float = 50.0
    """The squared relative spread of single units to begin with, and how many units it weighs as much as."""
    least_units: float = 20.0
    """Units seen before anything is said."""
    memory_days: float = 21.0
    """E-folding time in days with units."""
    quarantine_days: int = 3
    adopt_days: int = 4
    adopt_hours: int = 3
    """Days running, each with so many flagged hours, after which their price is the normal one."""
    outlier: float = 6.0
    """An hour trains only up to so many times its expected amount, or to the price of `outlier_units` units."""
    outlier_units: float = 30.0
    spread_memory: float = 28 * 24.0
    spread_prior_hours: float = 96.0
    least_spread: float = 0.9


class _Day(NamedTuple):
    amounts: Floats
    units: Floats
    flagged: Flags
    """Which series were flagged that day."""


class _Seen(NamedTuple):
    """What was made of some hours: all but `z` (horizons × hours × rows) are hours × rows."""

    scores: Floats
    z: Floats
    amounts: Floats
    units: Floats


class _Ticked:
    """What there is to learn from the hours of a day, so many of `hours` so far; arrays are hours × rows."""

    def __init__(self, hours: int, rows: int) -> None:
        self.hours, self.count = hours, 0
        self.amounts, self.units = np.zeros((2, hours, rows))
        self.flagged = np.zeros((hours, rows), dtype=np.bool_)
        self.strayed = np.zeros((len(HORIZONS), rows))
        """Squared z-scores above zero of the hours that were not flagged, summed."""
        self.calm = np.zeros(rows)
        """How many these are."""

    def take(self, seen: _Seen, known: Flags, most: Floats) -> None:
        """Take the next hours; an hour strays at most up to `most` (horizons × rows)."""
        at = slice(self.count, self.count + len(seen.units))
        self.count = at.stop
        self.amounts[at], self.units[at] = seen.amounts, seen.units
        self.flagged[at] = flagged = seen.scores >= 1.0
        calm = (seen.units > 0) & ~flagged & known
        for hour, own in enumerate(calm):
            self.strayed += np.clip(seen.z[:, hour], 0.0, most) ** 2 * own
        self.calm += calm.sum(axis=0)


class UnitPrice:
    """The prices of `rows` series."""

    def __init__(self, rows: int, shift: Shift | None = None) -> None:
        self.shift = shift or Shift()
        self._totals = Totals(rows, 3, HORIZONS, np.float64)
        """Amounts as counted, amounts held to be normal, units."""
        self._trained = np.zeros((2, rows))
        """Decayed sums of amounts and units."""
        self._sizes = np.zeros((2, rows))
        """Decayed sums of squared deviations, in units of the price, and of units."""
        self._spread = np.full((len(HORIZONS), rows), self.shift.spread_prior_hours)
        self._spread_hours = np.full(rows, self.shift.spread_prior_hours)
        self._quarantine: deque[_Day] = deque()
        self._stretch = np.zeros(rows)
        self._ticked: _Ticked | None = None

    @property
    def price(self) -> Floats:
        """What a unit is held to cost; 0 where too few have been seen."""
        amount, units = self._trained
        result: Floats = np.divide(amount, units, out=np.zeros_like(amount), where=units >= self.shift.least_units)
        return result

    def read(self, amounts: Floats, units: Floats) -> Floats:
        """How far the price of the hours that follow has risen; 1 and more is flagged.

        Both arrays are hours × rows, NaN = missing; the state stays as it is.
        """
        return self._read(amounts, units, keep=False).scores

    def advance(self, amounts: Floats, units: Floats, hour: int) -> Floats:
        """Judge complete hours as `read` does, none of them beyond the next midnight UTC, and carry them.

        `hour` is that of the first one, counted from a midnight UTC. With the last hour of a day the day is learnt.
        """
        if hour % DAY + len(units) > DAY:
            raise ValueError(f"{len(units)} hours from hour {hour % DAY} reach beyond midnight")
        ticked = self._ticked
        if ticked is None:
            ticked = self._ticked = _Ticked(DAY - hour % DAY, units.shape[1])
        if hour % DAY != DAY - ticked.hours + ticked.count:
            raise ValueError(f"hour {hour} does not follow the hours before it")
        seen = self._read(amounts, units, keep=True)
        ticked.take(seen, self.price > 0, 3.5 * np.sqrt(self._spread / self._spread_hours))
        if ticked.count == ticked.hours:
            self._learn(ticked)
        return seen.scores

    def rewind(self) -> None:
        """Forget the hours of the day that is not over, so that it can be begun anew."""
        self._totals.rewind()
        self._ticked = None

    def _read(self, amounts: Floats, units: Floats, *, keep: bool) -> _Seen:
        shift, price = self.shift, self.price
        present = np.isfinite(amounts) & np.isfinite(units)
        amounts, units = np.where(present, amounts, 0.0), np.where(present, units, 0.0)
        known = price > 0
        held = units * price
        spread = np.maximum(np.sqrt(self._spread / self._spread_hours), shift.least_spread)
        root = shift.cap * spread[0] * 0.25 / np.sqrt(self._k(units)) + 1.0 - 0.09375 / self._k(units)
        counted = np.minimum(amounts, held * np.maximum(root, 0.0) ** 4)
        sums = self._totals.sums((np.where(known, counted, 0.0), held, units), keep=keep)
        least = shift.of_usual / LONGEST * sums[:, -1, 1]
        z = np.empty((len(HORIZONS), *amounts.shape))
        scores = np.zeros_like(amounts)
        for place in range(len(HORIZONS)):
            total, usual, count = np.moveaxis(sums[:, place], 1, 0)
            z[place] = z_score(total, usual, self._k(count)) * (present & known)
            worth = (total >= shift.ratio * usual) & (total - usual >= least)
            scores = np.maximum(scores, np.where(worth, z[place] / spread[place], 0.0) / shift.threshold)
        scores *= amounts > held
        return _Seen(scores, z, amounts, units)

    def _k(self, units: Reals) -> Floats:
        """The shape of the gamma law of what so many units cost, by which they are as sure as their price is."""
        shift = self.shift
        size = (self._sizes[0] + shift.size_units * shift.size) / (self._sizes[1] + shift.size_units)
        trained = np.maximum(self._trained[1], 1.0)
        result: Floats = 1.0 / (size / np.maximum(units, 0.3) + shift.wander + size / trained)
        return result

    def _learn(self, ticked: _Ticked) -> None:
        shift = self.shift
        self._totals.close()
        self._ticked = None
        keep = np.exp(-ticked.calm / shift.spread_memory)
        self._spread = self._spread * keep + 2.0 * ticked.strayed
        self._spread_hours = self._spread_hours * keep + ticked.calm
        self._stretch = np.where(ticked.flagged.sum(axis=0) >= shift.adopt_hours, self._stretch + 1, 0)
        odd: Flags = ticked.flagged.max(axis=0)
        self._quarantine.append(_Day(ticked.amounts, ticked.units, odd))
        if len(self._quarantine) > shift.quarantine_days:
            young = self._trained[1] < 3.0 * shift.least_units
            clean = ~np.any([day.flagged for day in self._quarantine], axis=0)
            self._train(self._quarantine.popleft(), clean | young)
        self._adopt()

    def _train(self, day: _Day, rows: Flags) -> None:
        shift, price = self.shift, self.price
        held = day.units * price
        most = np.where(price > 0, np.maximum(shift.outlier * held, shift.outlier_units * price), np.inf)
        fair = np.where(day.units > 0, np.minimum(day.amounts, most), 0.0)
        weight = rows.astype(np.float64)
        keep = np.where(rows & (day.units > 0).any(axis=0), 1.0 - 1.0 / shift.memory_days, 1.0)
        off = np.divide(fair - held, price, out=np.zeros_like(fair), where=price > 0)
        units = day.units.sum(axis=0) * weight
        self._sizes = self._sizes * keep + np.stack([(off * off).sum(axis=0) * weight, units]) * (price > 0)
        self._trained = self._trained * keep + np.stack([fair.sum(axis=0) * weight, units])

    def _adopt(self) -> None:
        """Take the price of those that have come to stay from the days in quarantine."""
        stays = self._stretch >= self.shift.adopt_days
        if not stays.any():
            return
        amount = np.sum([day.amounts.sum(axis=0) for day in self._quarantine], axis=0)
        usual = np.sum([day.units.sum(axis=0) for day in self._quarantine], axis=0) * self.price
        factor = np.divide(amount, usual, out=np.ones_like(amount), where=stays & (usual > 0) & (amount > 0))
        self._trained[0] *= factor
        self._stretch[stays] = 0


def follow(prices: UnitPrice, amounts: Floats, units: Floats, hour: int) -> Floats:
    """Carry the given hours (hours × rows), so that whole days are learnt; the scores of all.

    `hour` is that of the first row, counted from a midnight UTC.
    """
    scores: list[Floats] = []
    at = 0
    while at < len(amounts):
        until = min(at + DAY - (hour + at) % DAY, len(amounts))
        scores.append(prices.advance(amounts[at:until], units[at:until], hour + at))
        at = until
    return np.concatenate(scores)
