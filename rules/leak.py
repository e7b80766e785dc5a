"""Spend that has crept up for days: the last six days against the same days of the week two to four weeks before.

The seasonal baseline follows growth within days, and so it follows a leak, too. What this expects lies at least two
weeks back, where a leak has not been: of each day the median of those weeks, so that neither a holiday nor an incident
among them matters. What the workspace's spend does as a whole (`rules.shared_growth`) is taken out: a launch or a
busy season is no key's own. The ratio of both is held against how far such ratios of the very series have strayed so
far: one that wanders or grows by nature is judged by that. Days are whole UTC days; what is found at midnight holds for
the day that follows. A level that has been found for four days is the normal one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rules.shared_growth import in_common

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]
Reals = npt.NDArray[np.floating[Any]]

DAY, DAYS_A_WEEK = 24, 7
SPAN, NEWEST = 6, 3
"""Days that are compared, and the newest of them, over which it must not have become less."""
TAIL = 0.5
"""Of a day, what its newest hours usually bring in which what may be a burst must go on."""
TELLING = 0.02
"""Of a day, what hours must usually bring to tell whether something goes on."""
WEEKS = (2, 3, 4)
"""How many weeks back the same days of the week are looked up; two of them must be known."""
KEPT = DAYS_A_WEEK * max(WEEKS) + 1
LEAST = SPAN + DAYS_A_WEEK * sorted(WEEKS)[1]
"""Days without which nothing is said."""


@dataclass(frozen=True, slots=True)
class Creep:
    """The numbers behind the judgement."""

    threshold: float = 2.25
    """How many of its own deviations the logarithm of the ratio must reach."""
    uneven: float = 0.25
    """A series that strays further than this does so less evenly: so many times more deviations are asked for."""
    ratio: float = 1.3
    """Times the spend of before over six days, over the newest three, and on the newest of them."""
    above: float = 1.1
    """Times the spend of before, from which a day counts as above it."""
    spread_prior: float = 0.2
    spread_prior_days: float = 7.0
    """How far the ratio strays to begin with, and how many days that weighs as much as."""
    spread_memory: float = 42.0
    """E-folding days."""
    outlier: float = 2.5
    """Times the spread, up to which a ratio counts in it: an incident is no wandering."""
    breadth: int = 4
    """Of the days compared, so many at least must lie above: some dear days are no leak."""
    jump: float = 1.7
    """Times what the day in the middle is above before, beyond which a day may be a burst: the hours must go on so."""
    burst: float = 2.2
    """The same, beyond which it is one: what bursts does not creep."""
    told_hours: float = 6.0
    """Odd hours of a day, from which it may be one, too."""
    adopt_days: int = 4


class Hours(NamedTuple):
    """What the hours of a day were, hours × rows: `expected` tells how it is usually spread over them; which were `odd`
    by what some hours say is no leak's doing, as what a day and more say may be."""

    expected: Floats
    odd: Flags


class Leak:
    """The last four weeks of some series by day, and how far their ratios have strayed.

    `parents` names the group of each series, -1 for none.
    """

    def __init__(self, parents: Places, creep: Creep | None = None) -> None:
        rows = len(parents)
        self._creep = creep or Creep()
        self._parents = parents
        self._days: deque[Floats] = deque(maxlen=KEPT)
        self._news: deque[Floats] = deque(maxlen=SPAN)
        """The newest of them without what was allowed to come; 0 where they or their past are not known."""
        self._before: deque[Floats] = deque(maxlen=SPAN)
        """What was expected of those."""
        self._told: deque[Floats] = deque(maxlen=SPAN)
        """How many of the hours of those were odd by themselves."""
        self._strayed = np.full(rows, self._creep.spread_prior**2 * self._creep.spread_prior_days)
        self._counted = np.full(rows, self._creep.spread_prior_days)
        self._stretch = np.zeros(rows)
        self._earlier = np.zeros(rows)
        """What a leak had cost, while it was found, on days that are no longer compared."""
        self.score, self.excess = np.zeros((2, rows))
        """What the last midnight found: 1 and more is a leak; and what it has cost so far."""
        self.rise = np.zeros(rows)
        """Times the spend of before that the newest day came to, where one day is so dear that it may be a burst."""
        self.usual = np.full(rows, np.inf)
        """What the day that follows would have cost as in those weeks, where it is known."""

    def close(
        self,
        fair: Floats,
        present: npt.NDArray[np.floating[Any]],
        meant: Flags | None = None,
        hours: Hours | None = None,
    ) -> None:
        """Take in a day, and judge the days up to it; hours × rows.

        `fair` is what was seen, limited to what is no outlier; `present` is 1 for the hours that teach. What was
        `meant` makes no leak; later days are held against it. By the `hours` is told whether a burst among the days is
        over.
        """
        self._days.append(_whole(fair, present))
        news, before = self._days[-1] if meant is None else _whole(fair, present * ~meant), self._weeks_before(0)
        known = np.isfinite(news) & np.isfinite(before)
        shared = in_common(np.where(known, _ratio(news, before), np.nan), before, self._parents)
        if len(self._news) == SPAN:
            self._earlier += np.maximum(self._news[0] - self._before[0], 0.0)
        self._news.append(np.where(known, news, 0.0))
        self._before.append(np.where(known, before * shared, 0.0))
        if len(self._days) < LEAST:
            return
        creep = self._creep
        now, then = np.array(self._news), np.array(self._before)
        days, whole, base = _ratio(now, then), now.sum(axis=0), then.sum(axis=0)
        ratio, newest = _ratio(whole, base), _ratio(now[-NEWEST:].sum(axis=0), then[-NEWEST:].sum(axis=0))
        away = np.log(np.maximum(ratio, 0.05))
        jump = days.max(axis=0) / np.maximum(np.median(days, axis=0), 1e-9)
        creeps = (ratio >= creep.ratio) & (newest >= ratio) & (days[-1] >= creep.ratio) & (jump <= creep.burst)
        broad = (now > creep.above * then).sum(axis=0) >= creep.breadth
        creeps &= broad | (days[-NEWEST:] >= creep.ratio).all(axis=0)
        spread = np.sqrt(self._strayed / self._counted)
        far = spread * np.maximum(spread / creep.uneven, 1.0)
        self.score = np.where(creeps, away / (far * creep.threshold), 0.0)
        self._told.append(np.zeros(len(whole)) if hours is None else hours.odd.sum(axis=0))
        burst = (jump > creep.jump) | (np.array(self._told) >= creep.told_hours).any(axis=0)
        self.rise = np.where(burst | (self.score < 1.0), days[-1], 0.0)
        if hours is not None:
            self.score *= goes_on(self.rise, then[-1], *_tail(fair * present, hours.expected))
        self._earlier = np.where((self.score >= 1.0) & (self._stretch > 0), self._earlier, 0.0)
        self.excess = whole - base + self._earlier
        compared = (then > 0).sum(axis=0) >= creep.breadth
        self._learn(np.minimum(np.abs(away), creep.outlier * spread), compared, now[-NEWEST:].sum(axis=0))
        self.usual = np.nan_to_num(self._weeks_before(1), nan=np.inf)

    def adopt(self, rows: Flags, spent: npt.NDArray[np.floating[Any]]) -> None:
        """Let what these rows have `spent` over the newest days be their normal level."""
        if rows.any() and self._before:
            before = np.array(self._before)[-NEWEST:].sum(axis=0)
            factor = np.where(rows, np.maximum(_ratio(spent.astype(np.float64), before), 1.0), 1.0)
            past = len(self._days) - SPAN
            self._days = deque((day * factor if at < past else day for at, day in enumerate(self._days)), maxlen=KEPT)
            self._before = deque((day * factor for day in self._before), maxlen=SPAN)
            self._stretch[rows] = 0

    def taken(self, places: Places, parents: Places) -> Leak:
        """The rows at these places, each as often as it is named, in the groups of these `parents`."""
        after = Leak(parents, self._creep)
        after._days = deque((day[places] for day in self._days), maxlen=KEPT)
        after._news = deque((day[places] for day in self._news), maxlen=SPAN)
        after._before = deque((day[places] for day in self._before), maxlen=SPAN)
        after._told = deque((day[places] for day in self._told), maxlen=SPAN)
        after._strayed, after._counted = self._strayed[places], self._counted[places]
        after._stretch, after.usual = self._stretch[places], self.usual[places]
        after.score, after.excess = self.score[places], self.excess[places]
        after._earlier, after.rise = self._earlier[places], self.rise[places]
        return after

    def _weeks_before(self, ahead: int) -> Floats:
        """What the same day of the week has cost, of the day so many days after the newest; NaN if not known twice."""
        places = (len(self._days) - 1 + ahead - DAYS_A_WEEK * week for week in WEEKS)
        weeks = [self._days[at] for at in places if at >= 0]
        if len(weeks) < 2:
            return np.full(len(self._parents), np.nan)
        past = np.array(weeks)
        known = np.isfinite(past).sum(axis=0)
        total = np.where(np.isfinite(past), past, 0.0).sum(axis=0)
        middle = total - np.fmax.reduce(past) - np.fmin.reduce(past)
        result: Floats = np.where(known == 3, middle, np.where(known == 2, total / 2.0, np.nan))
        return result

    def _learn(self, strayed: Floats, known: Flags, spent: Floats) -> None:
        creep, found = self._creep, self.score >= 1.0
        calm = known & ~found
        keep = np.where(calm, np.exp(-1.0 / creep.spread_memory), 1.0)
        self._strayed = self._strayed * keep + np.where(calm, strayed**2, 0.0)
        self._counted = self._counted * keep + calm
        self._stretch = np.where(found, self._stretch + 1, 0)
        self.adopt(self._stretch >= creep.adopt_days, spent)


def goes_on(rise: Floats, day: Floats, came: Reals, share: Reals) -> Flags:
    """Whether some hours still bring half of what the newest day had too much, where that is asked and they can tell.

    `rise` is that of `Leak`, `day` what a whole day would bring as in the weeks before, and `share` what part of that
    these hours would, which brought what `came`.
    """
    result: Flags = (rise <= 0) | (share < TELLING) | (came >= (1.0 + rise) / 2.0 * day * share)
    return result


def stands(rise: Floats, expected: Floats, came: Floats) -> Flags:
    """Whether the newest hours of a day go on with what is so many times the `expected`; hours × rows."""
    return goes_on(rise, expected.sum(axis=0), *_tail(came, expected))


def _tail(came: Floats, expected: Floats) -> tuple[Floats, Floats]:
    """What the newest hours of a day brought that usually bring `TAIL` of it, and what part of it they usually do."""
    shares = expected / np.maximum(expected.sum(axis=0), 1e-12)
    newer = np.cumsum(shares[::-1], axis=0)[::-1] - shares
    tail = newer < TAIL
    return (came * tail).sum(axis=0), (shares * tail).sum(axis=0)


def _whole(fair: Floats, present: npt.NDArray[np.floating[Any]]) -> Floats:
    """What a day came to by its hours that count; NaN where these are less than half of it."""
    hours = present.sum(axis=0)
    total = (fair * present).sum(axis=0) * DAY
    whole: Floats = np.divide(total, hours, out=np.full_like(total, np.nan), where=hours >= DAY / 2)
    return whole


def _ratio(above: Floats, below: Floats) -> Floats:
    result: Floats = np.divide(above, below, out=np.ones_like(above), where=below > 0)
    return result
