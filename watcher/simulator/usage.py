"""What was truly used: the drawn traffic with incidents laid over it, and nothing from keys that were off.

Every amount is the floor of a function that grows evenly through its hour, so that minutes add up to hours, an hour
that is still filling grows in proportion to the time gone, and a key that stops in mid-hour stops there.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from watcher.simulator.incidents import Effect
from watcher.simulator.moments import DAY, HOUR
from watcher.simulator.series import MEASURES, Catalogue
from watcher.simulator.traffic import Amounts, Traffic

MAX_LAG = 1200.0
"""No amount appears later than so many seconds after it was used."""

Seconds = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Off:
    """A stretch of time, seconds since 1970, in which some rows of the catalogue are not used."""

    rows: NDArray[np.intp]
    from_second: float
    to_second: float


@dataclass(frozen=True, slots=True)
class _Hours:
    """Some whole hours of one day: their starts as a column, and what was drawn for them."""

    starts: Seconds
    base: Amounts
    lag: NDArray[np.float32]


class Usage:
    """Answers how much each series used in a stretch of time, by then or as visible at some moment.

    `catalogue` has the rows of the everyday traffic first, then those of the twins that incidents brought.
    """

    def __init__(self, catalogue: Catalogue, everyday: Traffic, twins: Traffic | None, effects: list[Effect]) -> None:
        self.catalogue = catalogue
        self._everyday = everyday
        self._twins = twins
        self._effects = effects

    def within_hours(
        self, day: int, hours: slice, off: list[Off], *, from_second: float, to_second: float, seen_at: float | None
    ) -> Amounts:
        """Amounts[hour, series, measure] of the hours of the day `day` that fall into [from_second, to_second).

        With `seen_at` only what the usage report would show at that moment, each series a few minutes behind.
        """
        drawn = self._hours(day, hours)
        starts = drawn.starts
        first, last = float(starts[0, 0]), float(starts[-1, 0]) + HOUR
        whole = from_second <= first and to_second >= last and (seen_at is None or seen_at >= last + MAX_LAG)
        off = [each for each in off if each.from_second < last and each.to_second > first]
        effects = [each for each in self._effects if each.from_second < last and each.to_second > first]
        if whole and not effects and not off:
            return drawn.base
        ends = np.broadcast_to(np.minimum(starts + HOUR, to_second), drawn.lag.shape)
        if seen_at is not None:
            ends = np.minimum(ends, seen_at - drawn.lag)
        until = self._counted(drawn, np.maximum(ends, starts), effects, off)
        if from_second <= first:
            return until
        begins = np.clip(np.broadcast_to(np.maximum(starts, from_second), ends.shape), None, np.maximum(ends, starts))
        before: Amounts = until - self._counted(drawn, begins, effects, off)
        return before

    def _hours(self, day: int, hours: slice) -> _Hours:
        starts = (day * DAY + HOUR * np.arange(24)[hours])[:, None].astype(float)
        everyday = self._everyday.day(day)
        base, lag = everyday.amounts[hours], everyday.lag[hours]
        if self._twins is not None:
            twins = self._twins.day(day)
            base = np.concatenate([base, twins.amounts[hours]], axis=1)
            lag = np.concatenate([lag, twins.lag[hours]], axis=1)
        return _Hours(starts, base, lag)

    def _counted(self, drawn: _Hours, ends: Seconds, effects: list[Effect], off: list[Off]) -> Amounts:
        """Whole counts from the start of each hour to `ends[hour, series]`."""
        everything = np.arange(len(self.catalogue))
        amounts = self._measure(drawn, everything, np.broadcast_to(drawn.starts, ends.shape), ends, effects)
        for each in off:
            left = np.clip(each.from_second, drawn.starts, ends[:, each.rows])
            right = np.clip(each.to_second, drawn.starts, ends[:, each.rows])
            amounts[:, each.rows] -= self._measure(drawn, each.rows, left, right, effects)
        # A hair more than the sum, lest rounding of a sum of parts loses a whole token.
        counted: Amounts = np.floor(np.maximum(amounts, 0) + 1e-6).astype(np.int64)
        return counted

    def _measure(
        self, drawn: _Hours, rows: NDArray[np.intp], begins: Seconds, ends: Seconds, effects: list[Effect]
    ) -> NDArray[np.float64]:
        """Amounts of some rows between two instants of each hour, additive over adjacent stretches."""
        base = drawn.base if len(rows) == drawn.base.shape[1] else drawn.base[:, rows]
        amounts: NDArray[np.float64] = base * (np.maximum(ends - begins, 0) / HOUR)[..., None]
        places = np.full(len(self.catalogue), -1, dtype=np.intp)
        places[rows] = np.arange(len(rows))
        for effect in effects:
            touched = effect.series[places[effect.series] >= 0]
            if not len(touched):
                continue
            here = places[touched]
            shared = np.minimum(ends[:, here], effect.to_second) - np.maximum(begins[:, here], effect.from_second)
            part = (np.maximum(shared, 0) / HOUR)[..., None]
            if effect.ramp:
                part = part * (np.maximum(drawn.starts - effect.from_second, 0) / DAY)[..., None]
            if effect.change is not None:
                amounts[:, here] += (base[:, here] @ effect.change) * part
            if effect.extra:
                amounts[:, here] += self.catalogue.mean[touched] * effect.extra * part * _unrest(drawn.starts)
        return amounts


def _unrest(starts: Seconds) -> NDArray[np.float64]:
    """A loop does not run quite evenly: about 10 % up and down from hour to hour, without a generator's state."""
    phase = starts / HOUR
    unrest: NDArray[np.float64] = 1 + 0.08 * np.sin(phase * 1.7) + 0.05 * np.sin(phase * 0.31)
    return unrest[..., None]


def outside(rows: NDArray[np.intp], from_second: float, to_second: float) -> list[Off]:
    """The stretches that leave rows in use only between the two instants."""
    return [Off(rows, -inf, from_second), Off(rows, to_second, inf)]


def no_amounts(series: int) -> Amounts:
    """Zero of every measure for so many series."""
    return np.zeros((series, MEASURES), dtype=np.int64)
