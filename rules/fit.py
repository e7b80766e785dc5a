"""One rule's baseline, fitted to a view and followed hour by hour through the day after."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rules.before import Before, hour_of, matched
from rules.materiality import Floors
from rules.model import AnomalyRule, Names, SpendView
from rules.overlay import Foreknown, Overlay
from rules.profile import DAY, Tier
from rules.room import Room
from rules.seasonal import Baseline
from rules.story import Told
from rules.subjects import (
    DOLLAR,
    Flags,
    Floats,
    Rows,
    Subjects,
    over_of,
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


class Fit:
    """What is carried of one rule. Hours are counted from a Monday 00:00 UTC.

    Behind the rows there is one more of which nothing was ever known: a series that begins today is a copy of it.
    """

    def __init__(self, rule: AnomalyRule, rows: Rows, names: Names) -> None:
        self._rule, self._rows, self._names = rule, rows, names
        floor = rule.min_excess / DOLLAR
        self._floors = Floors(per_hour=floor, one_hour=OVERWHELMING * floor)
        self._baseline = Baseline(len(rows.places) + 1, _with_another(rows.tiers))
        self._before = Before.nothing()
        self._begun = np.zeros(len(rows.places) + 1, dtype=np.bool_)
        """Which rows had spent anything before midnight."""
        self._days, self._today = 1, 0
        """How many days are kept to be told of, and the first hour that is not of a day learnt."""
        self._learnt, self._over = 0, Overlay()
        """The first hour that was learnt from, and what was foreknown of all days learnt."""
        self._window = Window(len(rows.places) + 1)
        self._judged = _Hours(np.zeros((0, len(rows.places) + 1)), None, None)
        """The hours of the day that the baseline carries, as they were read."""

    def learn(self, view: SpendView, subjects: Subjects, keep: int) -> None:
        """Learn from all days of the view that are over and not too old, and keep `keep` hours to be told of."""
        start, complete = hour_of(view), subjects.complete
        midnight = complete - (start + complete) % DAY
        at = complete - max(HISTORY, keep)
        at = max(at - (start + at) % DAY, _first_day(subjects.dollars))
        self._before = Before.of(view, start + at, start + midnight)
        self._begun[:-1] = (subjects.dollars[: max(midnight, 0)] > 0).any(axis=0)
        self._days = max(keep // DAY, 1)
        self._learnt = start + at
        over = Overlay(subjects.factor, subjects.untaught, subjects.allowed)
        self._over = over.part(slice(at, max(midnight, at)))
        while (until := at + DAY - (start + at) % DAY) <= midnight:
            some = _Hours.of(subjects, at, until)
            if until > midnight - self._days * DAY:
                reading = self._baseline.advance(some.values, start + at, self._floors, some.barred, some.room)
                self._window.put_dollars(start + at, subjects.dollars[at:until])
                self._window.put(start + at, reading)
            else:
                self._baseline.follow(some.values, start + at, some.barred, some.room)
            at = until
        self._today = start + at
        self._window.put_dollars(self._today, subjects.dollars[at:])

    def cut(self, rule: AnomalyRule, view: SpendView, names: Names, foreknown: Foreknown) -> Subjects | None:
        """The subjects from the first hour that is kept; None where all has to be fitted anew."""
        if rule != self._rule or not self._before.holds(view):
            return None
        if not (self._groups(view, names) or self._regroup(view, names)):
            return None
        start, hours = hour_of(view), seen_hours(view)
        today, begin = self._today - start, self._window.begin - start
        if begin < 0 or hours < today:
            return None
        over = over_of(self._rows, view, names, foreknown)
        learnt = self._learnt - start
        if not over.part(slice(learnt, today)).same(self._over):
            return None
        self._window.put_dollars(self._today, self._rows.sum(view, today, hours, self._begun[:-1]))
        return subjects_of(self._rows, view, self._window.dollars(hours - begin), over, begin)

    def read(self, view: SpendView, subjects: Subjects) -> Told:
        """Judge the hours since midnight, and tell of these and the days that are kept."""
        start, baseline, end = hour_of(view), self._baseline, len(subjects.dollars)
        today = self._today - start - subjects.begin
        hours = _Hours.of(subjects, today, end)
        complete = max(subjects.complete - (self._today - start), 0)
        if baseline.ticked > complete or not self._as_judged(hours):
            baseline.rewind()
        at = baseline.ticked
        if complete > at:
            some = hours.part(slice(at, complete))
            reading = baseline.advance(some.values, self._today + at, self._floors, some.barred, some.room)
            self._window.put(self._today + at, reading)
        if len(hours.values) > complete:
            rest = hours.part(slice(complete, None))
            reading = baseline.read(rest.values, self._today + complete, self._floors, rest.room)
            self._window.put(self._today + complete, reading)
        self._judged = hours.part(slice(complete))
        days = self._days - (len(hours.values) > 0)
        begin = max(self._today - days * DAY, self._window.begin)
        reading = self._window.reading(begin, self._today + len(hours.values))
        return Told(subjects, reading, begin - start, subjects.complete - (begin - start))

    def _as_judged(self, hours: _Hours) -> bool:
        """Whether the hours that the baseline carries are what they were."""
        done = slice(self._baseline.ticked)
        return hours.part(done).same(self._judged.part(done))

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


def alone(rule: AnomalyRule, view: SpendView, subjects: Subjects, keep: int) -> Told:
    """What is told of the subjects of a whole view where nothing is carried, over about the last `keep` hours."""
    nobody = np.zeros(0, dtype=np.intp)
    places = (*[nobody] * subjects.first, *subjects.members)
    rows = Rows(view.leaves, nobody, places, (), subjects.scopes, subjects.tiers, subjects.first)
    fit = Fit(rule, rows, Names())
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


class _Hours(NamedTuple):
    """Some hours as the baseline takes them, with the row of which nothing is known."""

    values: Floats
    barred: Flags | None
    """Those from which nothing is to be learnt."""
    room: Room | None

    @classmethod
    def of(cls, subjects: Subjects, begin: int, end: int) -> _Hours:
        """Hours of the subjects, counted from the first one that is looked at."""
        some = slice(begin, end)
        room = None
        if subjects.factor is not None or subjects.allowed is not None:
            room = Room(_with(subjects.factor, some, 1.0), _with(subjects.allowed, some, 0.0))
        barred = None if subjects.untaught is None else subjects.untaught[some]
        barred = _with(barred, slice(None), False) if barred is not None and barred.any() else None  # noqa: FBT003
        return cls(np.concatenate([subjects.dollars[some], _column(end - begin, np.nan)], axis=1), barred, room)

    def part(self, hours: slice) -> _Hours:
        """Some of them."""
        return _Hours(
            self.values[hours],
            None if self.barred is None else self.barred[hours],
            None if self.room is None else self.room.part(hours),
        )

    def same(self, other: _Hours) -> bool:
        """Whether both say the same of every hour."""
        room, their = self.room or Room(), other.room or Room()
        pairs = (
            (self.values, other.values),
            (self.barred, other.barred),
            (room.factor, their.factor),
            (room.allowed, their.allowed),
        )
        return all(_equal(one, another) for one, another in pairs)


def _with(array: npt.NDArray[Any] | None, hours: slice, last: float) -> npt.NDArray[Any] | None:
    """These hours with one row more."""
    if array is None:
        return None
    some = array[hours]
    return np.concatenate([some, _column(len(some), last).astype(array.dtype)], axis=1)


def _column(hours: int, value: float) -> Floats:
    return np.full((hours, 1), value)


def _equal(one: npt.NDArray[Any] | None, another: npt.NDArray[Any] | None) -> bool:
    if one is None or another is None:
        return one is another
    return np.array_equal(one, another, equal_nan=one.dtype.kind == "f")
