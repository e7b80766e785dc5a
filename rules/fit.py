"""One rule's baseline, fitted to a view and followed hour by hour through the day after."""

from __future__ import annotations

import numpy as np

from rules.before import Before, hour_of, matched
from rules.model import AnomalyRule, Names, SpendView
from rules.profile import DAY, Tier
from rules.room import Hours, Room, with_another
from rules.seasonal import Baseline
from rules.sensitivity import floors_of
from rules.story import Told
from rules.subjects import (
    Floats,
    Rows,
    Subjects,
    rows_of,
    seen_hours,
    subjects_of,
)
from rules.tuning import Tuning
from rules.window import Window

HISTORY = 56 * DAY
"""Hours the baseline is fitted on, from a midnight: what is older would hardly weigh."""
LOOK_BACK = 8 * DAY
"""Hours a story can be followed back."""


class Fit:
    """What is carried of one rule. Hours are counted from a Monday 00:00 UTC.

    Behind the rows there is one more of which nothing was ever known: a series that begins today is a copy of it.
    """

    def __init__(self, rule: AnomalyRule, rows: Rows, names: Names, marks: object) -> None:
        self._rule, self._rows, self._names, self._marks = rule, rows, names, marks
        self._floors = floors_of(rule, len(rows.scopes))
        self._baseline = Baseline(len(rows.places) + 1, _with_another(rows.tiers), Tuning(hot=rule.tuning.hot))
        self._before = Before.nothing()
        self._begun = np.zeros(len(rows.places) + 1, dtype=np.bool_)
        """Which rows had spent anything before midnight."""
        self._days, self._today = 1, 0
        """How many days are kept to be told of, and the first hour that is not of a day learnt."""
        self._window = Window(len(rows.places) + 1)
        self._judged = Hours(np.zeros((0, 0)))
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
        while (until := at + DAY - (start + at) % DAY) <= midnight:
            day = _hours(subjects, at, until)
            if until > midnight - self._days * DAY:
                reading = self._baseline.advance(day.values, start + at, self._floors, day.untaught, day.room)
                self._window.put_dollars(start + at, subjects.dollars[at:until])
                self._window.put(start + at, reading)
            else:
                self._baseline.follow(day.values, start + at, day.untaught, day.room)
            at = until
        self._today = start + at
        self._window.put_dollars(self._today, subjects.dollars[at:])

    def cut(
        self, rule: AnomalyRule, view: SpendView, names: Names, marks: object, *, further: bool = False
    ) -> Subjects | None:
        """The subjects from the first hour that is kept; None where all has to be fitted anew.

        The day that is followed may be over where it goes `further`: `read` then learns it first.
        """
        days = 1 if further and self._today == self._before.midnight else 0
        if (rule, marks) != (self._rule, self._marks) or not self._before.holds(view, days):
            return None
        if not (self._groups(view, names) or self._regroup(view, names)):
            return None
        if floors_of(rule, len(self._rows.scopes)) != self._floors:
            return None  # a budget of false alarms is shared out over so many scopes
        start, hours = hour_of(view), seen_hours(view)
        today, begin = self._today - start, self._window.begin - start
        if begin < 0 or hours < today:
            return None
        self._window.put_dollars(self._today, self._rows.sum(view, today, hours, self._begun[:-1]))
        return subjects_of(self._rows, view, self._window.dollars(hours - begin), begin)

    def read(self, view: SpendView, subjects: Subjects) -> Told:
        """Judge the hours since midnight, and tell of these and the days that are kept.

        A day that is over by now is learnt with its last hour.
        """
        start, baseline, end = hour_of(view), self._baseline, len(subjects.dollars)
        if subjects.complete >= self._today - start + DAY:
            self._go_on(view, subjects)
        today = self._today - start - subjects.begin
        hours = _hours(subjects, today, end)
        count = len(hours.values)
        complete = max(subjects.complete - (self._today - start), 0)
        done = slice(0, baseline.ticked)
        if baseline.ticked > complete or not hours.part(done).same(self._judged.part(done)):
            baseline.rewind()
        at = baseline.ticked
        if complete > at:
            new = hours.part(slice(at, complete))
            reading = baseline.advance(new.values, self._today + at, self._floors, new.untaught, new.room)
            self._window.put(self._today + at, reading)
        if count > complete:
            open_ones = hours.part(slice(complete, None))
            reading = baseline.read(open_ones.values, self._today + complete, self._floors, open_ones.room)
            self._window.put(self._today + complete, reading)
        self._judged = hours.part(slice(0, complete))
        days = self._days - (count > 0)
        begin = max(self._today - days * DAY, self._window.begin)
        reading = self._window.reading(begin, self._today + count)
        return Told(subjects, reading, begin - start, subjects.complete - (begin - start))

    def _go_on(self, view: SpendView, subjects: Subjects) -> None:
        """Learn the day that was followed, and follow the next one."""
        today, baseline = self._today - hour_of(view), self._baseline
        day = _hours(subjects, today - subjects.begin, today - subjects.begin + DAY)
        at = baseline.ticked
        if not day.part(slice(0, at)).same(self._judged.part(slice(0, at))):
            baseline.rewind()
            at = 0
        new = day.part(slice(at, None))
        self._window.put(
            self._today + at, baseline.advance(new.values, self._today + at, self._floors, new.untaught, new.room)
        )
        self._judged = Hours(np.zeros((0, 0)))
        self._begun[:-1] |= (day.values[:, :-1] > 0).any(axis=0)
        self._today += DAY
        self._before = Before.of(view, max(self._before.begin, self._today - HISTORY), self._today)
        self._window.forget(self._today - self._days * DAY)

    def _groups(self, view: SpendView, names: Names) -> bool:
        """Whether the rows are those of the view: what was idle still is, and what began today is not taken back."""
        if view.leaves != self._rows.leaves or names != self._names:
            return False
        today = view.cost[:, max(self._today - hour_of(view), 0) :]
        begun = ~self._before.past
        begun[self._rows.idle] = False
        return not today[self._rows.idle].any() and bool(today[begun].any(axis=1).all())

    def _regroup(self, view: SpendView, names: Names) -> bool:
        """Follow leaves and names that have changed; False where that changes what was learnt."""
        rows = rows_of(self._rule, view, names)
        before = self._before.among(view)
        places = matched(self._rows, self._before.past, rows, before.past)
        if places is None:
            return False
        if rows.names != self._rows.names or not rows.borrows_as(self._rows):
            places = np.append(places, -1)
            self._baseline = self._baseline.taken(places, _with_another(rows.tiers))
            self._begun = self._begun[places]
            self._window.take(places)
            self._judged = Hours(np.zeros((0, 0)))
        self._rows, self._names, self._before = rows, names, before
        return True


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


def _hours(subjects: Subjects, begin: int, end: int) -> Hours:
    """Some hours of the subjects, with the row of which nothing is known."""
    some = slice(begin, end)
    factor, allowed, untaught = subjects.factor, subjects.allowed, subjects.untaught
    room = None if factor is None and allowed is None else Room(factor, allowed).part(some).with_another()
    barred = None if untaught is None or not untaught[some].any() else with_another(untaught[some], fill=False)
    return Hours(with_another(subjects.dollars[some], np.nan), barred, room)
