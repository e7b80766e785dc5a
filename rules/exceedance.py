"""Hours that each exceed nearly all that a series brought in a month, most of half a day long.

Counts of exceedances are free of any law of the amounts: a few extreme hours long ago, from which a law concludes that
anything may come, do not hide half a day of which nearly every hour is among the dearest. Nothing in the last weeks
went so far: fewer hours of them exceed the bar than it takes within half a day.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rules.horizons import Reals

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

WEEKS, DAYS_A_WEEK = 4, 7
MOST = 10.0
"""Times the bar, up to which an hour counts."""
NEARLY = 0.5
"""Below so much of the bar nothing is said of how near it came."""


@dataclass(frozen=True, slots=True)
class Exceeding:
    """The numbers behind the judgement."""

    window: int = 12
    """Hours that are looked at."""
    least: int = 9
    """How many of them must exceed the bar."""
    rank: int = 8
    """The bar is the hour of this rank among the dearest of the last weeks: less than `least`, so none went so far."""
    times: float = 3.0
    """Times the expected that an hour must exceed besides: a growing key exceeds its past every day."""
    known: float = 336.0
    """Hours that must be known of a series before it has a bar."""


class Exceedances:
    """The dearest hours of the last four to five weeks of each of `rows` series, and how near the last hours came."""

    def __init__(self, rows: int, numbers: Exceeding | None = None) -> None:
        self._numbers = numbers = numbers or Exceeding()
        self._weeks: deque[Reals] = deque(maxlen=WEEKS)
        self._newest: Reals = np.zeros((numbers.rank, rows), dtype=np.float32)
        """The dearest hours of each week, and of that which goes on, in no order."""
        self._days = 0
        self._bar = np.zeros(rows, dtype=np.float32)
        self._times: Reals = np.zeros((numbers.window - 1, rows), dtype=np.float32)
        """How many times the bar each of the last hours came to."""

    def read(self, seen: Floats, present: Flags, expected: Floats, known: Floats) -> tuple[Reals, Exceedances]:
        """(score, the state afterwards), for hours × rows; `known` is how many hours of each row are.

        The score is how many times the bar at least `Exceeding.least` of the hours looked at came to, the newest one
        among them; 0 where that is less than `NEARLY`.
        """
        window, place = self._numbers.window, self._numbers.window - self._numbers.least
        bar = np.maximum(self._bar, self._numbers.times * expected)
        counts = present & (seen > 0) & (known >= self._numbers.known)
        times = np.zeros(seen.shape, dtype=np.float32)
        np.divide(seen, bar, out=times, where=counts & (bar > 0), casting="same_kind")
        times[counts & (bar <= 0)] = MOST
        times = np.concatenate([self._times, np.minimum(times, MOST)])
        near = np.cumsum(times >= NEARLY, axis=0, dtype=np.int16)
        within = near[window - 1 :].copy()
        within[1:] -= near[:-window]
        score = np.zeros(seen.shape, dtype=np.float32)
        for at, row in zip(*np.nonzero((within >= window - place) & (times[window - 1 :] >= NEARLY)), strict=True):
            last = times[at : at + window, row]
            score[at, row] = min(np.partition(last, place)[place], last[-1])
        return score, self._after(times[1 - window :])

    def learn(self, seen: Floats, usual: Flags) -> None:
        """Let the hours of a day that were `usual` set the bar of the next one; hours × rows."""
        if self._days == DAYS_A_WEEK:
            self._weeks.append(self._newest)
            self._newest, self._days = np.zeros_like(self._newest), 0
        self._days += 1
        day = np.where(usual, seen, 0.0).astype(np.float32)
        self._newest = self._dearest([self._newest, day])
        self._bar = self._dearest([*self._weeks, self._newest]).min(axis=0)

    def rescale(self, rows: Flags, factor: Floats) -> None:
        """Hold the past of these rows for so many times as dear: their level has changed."""
        times = np.where(rows, factor, 1.0).astype(np.float32)
        self._weeks = deque((week * times for week in self._weeks), maxlen=WEEKS)
        self._newest, self._bar = self._newest * times, self._bar * times

    def taken(self, places: npt.NDArray[np.intp]) -> Exceedances:
        """The rows at these places."""
        after = Exceedances(0, self._numbers)
        after._weeks = deque((week[:, places] for week in self._weeks), maxlen=WEEKS)
        after._newest, after._days = self._newest[:, places], self._days
        after._bar, after._times = self._bar[places], self._times[:, places]
        return after

    def _after(self, times: Reals) -> Exceedances:
        after = Exceedances(0, self._numbers)
        after._weeks, after._newest, after._days = self._weeks.copy(), self._newest, self._days
        after._bar, after._times = self._bar, times
        return after

    def _dearest(self, hours: Sequence[Reals]) -> Reals:
        """The dearest of these hours of each row, in no order."""
        every, rank = np.concatenate(hours), self._numbers.rank
        result: Reals = np.partition(every, len(every) - rank, axis=0)[-rank:]
        return result
