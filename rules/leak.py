"""Spend that has crept up for days: the last six days against the same days of the week two to four weeks before.

The seasonal baseline follows growth within days, and so it follows a leak, too. What this expects lies at least two
weeks back, where a leak has not been: of each day the dearest of those weeks, so that a holiday among them, or growth,
makes no leak. The ratio of both is held against how far such ratios of the very series have strayed so far: one that
wanders by nature is judged by that. Days are whole UTC days; what is found at
midnight holds for the day that follows. A level that has been found for four days is the normal one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

DAY, DAYS_A_WEEK = 24, 7
SPAN, NEWEST = 6, 3
"""Days that are compared, and the newest of them, over which it must not have become less."""
WEEKS = (2, 3, 4)
"""How many weeks back the same days of the week are looked up."""
KEPT = SPAN + DAYS_A_WEEK * max(WEEKS)
LEAST = SPAN + DAYS_A_WEEK * (min(WEEKS) + 1)
"""Days without which nothing is said."""
MOST = 1.0
"""A logarithm of a ratio counts only up to this in what a series strays: more is no wandering."""


@dataclass(frozen=True, slots=True)
class Creep:
    """The numbers behind the judgement."""

    threshold: float = 2.0
    """How many of its own deviations the logarithm of the ratio must reach."""
    ratio: float = 1.3
    """Times the spend of before over six days, and on the newest of them; over the newest three twice as far above."""
    spread_prior: float = 0.3
    spread_prior_days: float = 7.0
    """How far the ratio strays to begin with, and how many days that weighs as much as."""
    spread_memory: float = 42.0
    """E-folding days."""
    breadth: int = 4
    """Of the days compared, so many at least must lie above: a dear day is no leak."""
    adopt_days: int = 4


class Leak:
    """The last five weeks of `rows` series by day, and how far their ratios have strayed."""

    def __init__(self, rows: int, creep: Creep | None = None) -> None:
        self._creep = creep or Creep()
        self._days: deque[Floats] = deque(maxlen=KEPT)
        self._news: deque[Floats] = deque(maxlen=SPAN)
        """The newest of them without what was allowed to come."""
        self._strayed = np.full(rows, self._creep.spread_prior**2 * self._creep.spread_prior_days)
        self._counted = np.full(rows, self._creep.spread_prior_days)
        self._stretch = np.zeros(rows)
        self.score, self.excess = np.zeros((2, rows))
        """What the last midnight found: 1 and more is a leak; and what it has cost over the days compared."""
        self.usual = np.full(rows, np.inf)
        """What the day that follows would have cost as in the dearest of those weeks, where it is known."""

    def close(self, fair: Floats, present: npt.NDArray[np.floating[Any]], meant: Flags | None = None) -> None:
        """Take in a day, and judge the days up to it; hours × rows.

        `fair` is what was seen, limited to what is no outlier; `present` is 1 for the hours that count: they teach, and
        were not flagged. What was `meant` makes no leak; later days are held against it.
        """
        self._days.append(_whole(fair, present))
        self._news.append(self._days[-1] if meant is None else _whole(fair, present * ~meant))
        if len(self._days) < LEAST:
            return
        creep = self._creep
        now, before = self._compared()
        ratio = _ratio(now.sum(axis=0), before.sum(axis=0))
        newest = _ratio(now[:NEWEST].sum(axis=0), before[:NEWEST].sum(axis=0))
        away = np.log(np.maximum(ratio, 0.05))
        self.excess = (now - before).sum(axis=0)
        creeps = (ratio >= creep.ratio) & (newest >= 2.0 * creep.ratio - 1.0) & (newest >= ratio)
        creeps &= (_ratio(now[0], before[0]) >= creep.ratio) & ((now > before).sum(axis=0) >= creep.breadth)
        spread = np.sqrt(self._strayed / self._counted)
        self.score = np.where(creeps, away / spread / creep.threshold, 0.0)
        self.usual = np.nan_to_num(self._dearest(-1), nan=np.inf)
        self._learn(away, newest, before.sum(axis=0) > 0)

    def taken(self, places: npt.NDArray[np.intp]) -> Leak:
        """The rows at these places, each as often as it is named."""
        after = Leak(0, self._creep)
        after._days = deque((day[places] for day in self._days), maxlen=KEPT)
        after._news = deque((day[places] for day in self._news), maxlen=SPAN)
        after._strayed, after._counted = self._strayed[places], self._counted[places]
        after._stretch, after.usual = self._stretch[places], self.usual[places]
        after.score, after.excess = self.score[places], self.excess[places]
        return after

    def _compared(self) -> tuple[Floats, Floats]:
        """The last days, newest first, and what the same days of the week had before; 0 where either is not known."""
        days = list(self._news)
        now, before = np.empty((2, SPAN, len(days[-1])))
        for back in range(SPAN):
            dearest = self._dearest(back)
            both = np.isfinite(days[-1 - back]) & np.isfinite(dearest)
            now[back], before[back] = np.where(both, days[-1 - back], 0.0), np.where(both, dearest, 0.0)
        return now, before

    def _dearest(self, back: int) -> Floats:
        """Of the day so many days before the newest one: the most that the same day of the week has cost."""
        places = (len(self._days) - 1 - back - DAYS_A_WEEK * week for week in WEEKS)
        dearest: Floats = np.fmax.reduce([self._days[at] for at in places if at >= 0])
        return dearest

    def _learn(self, away: Floats, newest: Floats, known: Flags) -> None:
        creep, found = self._creep, self.score >= 1.0
        calm = known & ~found
        keep = np.where(calm, np.exp(-1.0 / creep.spread_memory), 1.0)
        self._strayed = self._strayed * keep + np.where(calm, np.minimum(np.abs(away), MOST) ** 2, 0.0)
        self._counted = self._counted * keep + calm
        self._stretch = np.where(found, self._stretch + 1, 0)
        stays = self._stretch >= creep.adopt_days
        if stays.any():
            factor = np.where(stays, np.maximum(newest, 1.0), 1.0)
            past = len(self._days) - SPAN
            self._days = deque((day * factor if at < past else day for at, day in enumerate(self._days)), maxlen=KEPT)
            self._stretch[stays] = 0


def _whole(fair: Floats, present: npt.NDArray[np.floating[Any]]) -> Floats:
    """What a day came to by its hours that count; NaN where these are less than half of it."""
    hours = present.sum(axis=0)
    total = (fair * present).sum(axis=0) * DAY
    whole: Floats = np.divide(total, hours, out=np.full_like(total, np.nan), where=hours >= DAY / 2)
    return whole


def _ratio(above: Floats, below: Floats) -> Floats:
    result: Floats = np.divide(above, below, out=np.ones_like(above), where=below > 0)
    return result
