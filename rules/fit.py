"""One rule's baseline, fitted to a view and followed hour by hour through the day after."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from rules.before import Before, hour_of, matched
from rules.materiality import Floors
from rules.model import AnomalyRule, Names, SpendView
from rules.profile import DAY, Tier
from rules.seasonal import Baseline, Reading
from rules.story import Told
from rules.subjects import (
    DOLLAR,
    Flags,
    Floats,
    Rows,
    Subjects,
    rows_of,
    seen_hours,
    subjects_of,
)
from rules.window import Window

OVERWHELMING = 5
"""Times `min_excess`: one such hour needs no second one."""
HISTORY = 56 * DAY
"""Hours the baseline is fitted on, from a midnight: what is older would hardly weigh."""
LOOK_BACK = 8 * DAY
"""Hours a story can be followed back."""

_Hours: TypeAlias = Floats | Flags | None


class Fit:
    """What is carried of one rule. Hours are counted from a Monday 00:00 UTC.

    Behind the rows there is one more of which nothing was ever known: a series that begins today is a copy of it.
    """

    def __init__(self, rule: AnomalyRule, rows: Rows, names: Names, marks: object) -> None:
        self._rule, self._rows, self._names, self._marks = rule, rows, names, marks
        floor = rule.min_excess / DOLLAR
        self._floors = Floors(per_hour=floor, one_hour=OVERWHELMING * floor)
        self._baseline = Baseline(len(rows.places) + 1, _with_another(rows.tiers))
        self._before = Before.nothing()
        self._begun = np.zeros(len(rows.places) + 1, dtype=np.bool_)
        """Which rows had spent anything before midnight."""
        self._days, self._today = 1, 0
        """How many days are kept to be told of, and the first hour that is not of a day learnt."""
        self._window = Window(len(rows.places) + 1)
        self._judged: tuple[_Hours, ...] = (None, None, None)
        """The hours of the day that the baseline carries, as they were read: values, what teaches nothing, factors."""

    def learn(self, view: SpendView, subjects: Subjects, keep: int) -> None:
        """Learn from all days of the view that are over and not too old, and keep `keep` hours to be told of."""
        start, complete = hour_of(view), subjects.complete
        midnight = complete - (start + complete) % DAY
        at = complete - max(HISTORY, keep)
        at = max(at - (start + at) % DAY, _first_day(subjects.dollars))
        self._before = Before.of(view, start + at, start + midnight)
        self._begun[:-1] = (subjects.dollars[: max(midnight, 0)] > 0).any(axis=0)
        self._days = max(keep // DAY, 1)
        while (until := at + DAY - (start + at) % DAY) <= midnight:
            values, barred = _values(subjects, at, until)
            if until > midnight - self._days * DAY:
                reading = self._baseline.advance(values, start + at, self._floors, barred)
                self._window.put_dollars(start + at, subjects.dollars[at:until])
                self._window.put(start + at, _planned(reading, subjects, at, until))
            else:
                self._baseline.follow(values, start + at, barred)
            at = until
        self._today = start + at
        self._window.put_dollars(self._today, subjects.dollars[at:])

    def cut(self, rule: AnomalyRule, view: SpendView, names: Names, marks: object) -> Subjects | None:
        """The subjects from the first hour that is kept; None where all has to be fitted anew."""
        if (rule, marks) != (self._rule, self._marks) or not self._before.holds(view):
            return None
        if not (self._groups(view, names) or self._regroup(view, names)):
            return None
        start, hours = hour_of(view), seen_hours(view)
        today, begin = self._today - start, self._window.begin - start
        if begin < 0 or hours < today:
            return None
        self._window.put_dollars(self._today, self._rows.sum(view, today, hours, self._begun[:-1]))
        return subjects_of(self._rows, view, self._window.dollars(hours - begin), begin)

    def read(self, view: SpendView, subjects: Subjects) -> Told:
        """Judge the hours since midnight, and tell of these and the days that are kept."""
        start, baseline, end = hour_of(view), self._baseline, len(subjects.dollars)
        today = self._today - start - subjects.begin
        values, barred = _values(subjects, today, end)
        complete = max(subjects.complete - (self._today - start), 0)
        factor = None if subjects.factor is None else subjects.factor[today:]
        read = values, barred, factor
        done = baseline.ticked
        if done > complete or (done and not all(map(_same, _first(done, read), _first(done, self._judged)))):
            baseline.rewind()
        at = baseline.ticked
        if complete > at:
            some = None if barred is None else barred[at:complete]
            reading = baseline.advance(values[at:complete], self._today + at, self._floors, some)
            self._window.put(self._today + at, _planned(reading, subjects, today + at, today + complete))
        if len(values) > complete:
            reading = baseline.read(values[complete:], self._today + complete, self._floors)
            self._window.put(self._today + complete, _planned(reading, subjects, today + complete, end))
        self._judged = _first(complete, read)
        days = self._days - (len(values) > 0)
        begin = max(self._today - days * DAY, self._window.begin)
        reading = self._window.reading(begin, self._today + len(values))
        return Told(subjects, reading, begin - start, subjects.complete - (begin - start))

    def _groups(self, view: SpendView, names: Names) -> bool:
        """Whether the rows are those of the view."""
        if view.leaves != self._rows.leaves or names != self._names:
            return False
        return not view.cost[self._rows.idle, max(self._today - hour_of(view), 0) :].any()

    def _regroup(self, view: SpendView, names: Names) -> bool:
        """Follow leaves and names that have changed; False where that changes what was learnt."""
        rows = rows_of(self._rule, view, names)
        before = self._before.among(view)
        places = matched(self._rows, self._before.past, rows, before.past)
        if places is None:
            return False
        if not np.array_equal(places, np.arange(len(self._rows.places))):
            places = np.append(places, -1)
            self._baseline = self._baseline.taken(places, _with_another(rows.tiers))
            self._begun = self._begun[places]
            self._window.take(places)
        self._rows, self._names, self._before = rows, names, before
        return True


def _first(hours: int, arrays: tuple[_Hours, ...]) -> tuple[_Hours, ...]:
    return tuple(None if each is None else each[:hours].copy() for each in arrays)


def _same(one: _Hours, other: _Hours) -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(one, other, equal_nan=one.dtype != np.bool_)


def alone(rule: AnomalyRule, view: SpendView, subjects: Subjects, keep: int) -> Told:
    """What is told of the subjects of a whole view where nothing is carried, over about the last `keep` hours."""
    nobody = np.zeros(0, dtype=np.intp)
    places = (*[nobody] * subjects.first, *subjects.members)
    rows = Rows(view.leaves, nobody, places, (), subjects.scopes, subjects.tiers, subjects.first)
    fit = Fit(rule, rows, Names(), None)
    fit.learn(view, subjects, keep)
    return fit.read(view, subjects)


def _with_another(tiers: tuple[Tier, ...]) -> tuple[Tier, ...]:
    *others, last = tiers
    parent = np.append(last.parent, 0) if last.parent is not None else None
    return (*others, Tier(last.begin, last.end + 1, parent))


def _first_day(dollars: Floats) -> int:
    """How many whole days lie before the first hour of which anything is known: there is nothing to learn from them."""
    known = np.isfinite(dollars).any(axis=1)
    return int(known.argmax()) // DAY * DAY if known.size else 0


def _values(subjects: Subjects, begin: int, end: int) -> tuple[Floats, Flags | None]:
    """What is held against the usual, and what of it teaches nothing, with the row of which nothing is known."""
    dollars = subjects.dollars[begin:end]
    usual = dollars if subjects.factor is None else dollars / subjects.factor[begin:end]
    values = np.concatenate([usual, np.full((len(usual), 1), np.nan)], axis=1)
    if subjects.untaught is None or not subjects.untaught[begin:end].any():
        return values, None
    return values, np.concatenate([subjects.untaught[begin:end], np.zeros((len(usual), 1), dtype=np.bool_)], axis=1)


def _planned(reading: Reading, subjects: Subjects, begin: int, end: int) -> Reading:
    """The reading of these hours in dollars, where something is planned."""
    if subjects.factor is None:
        return reading
    expected, upper = reading.expected.copy(), reading.upper.copy()
    expected[:, :-1] *= subjects.factor[begin:end]
    upper[:, :-1] *= subjects.factor[begin:end]
    return reading._replace(expected=expected, upper=upper)
