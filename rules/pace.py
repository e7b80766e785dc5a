"""Pace: spent so far, against the part of the limit that the period should have used by now.

What it should have used is the limit times the part of the period's hours that have passed, each hour weighed by the
scope's own week (`rules.entitled`), learned from before the period: a Friday evening is further than the calendar says.
Judged are the complete hours, and all that is known: open hours count as passed as far as they have, with what they
show, which is a lower bound and proves a breach but never its end. Nothing is said before `GUARD` of the period's
weight has passed, and nothing once the limit is spent: that is for the threshold to tell.

**It ends** when complete data, no hour of the period missing, have it clearly (`BELOW`) below the mark; silently with
the period, or when the limit is spent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from rules.entitled import Weeks, batches
from rules.habits import Flags, Floats
from rules.members import Field, Longs
from rules.model import HOUR, Alert, Breach, Clear, Nano, PaceEvidence, Subject, Verdict
from rules.periods import Period, instant
from rules.triggers import PaceMark

GUARD = 0.1
BELOW = 0.95
KEEP_FIRING_FOR = timedelta(hours=6)
_DAY = 24


def pace_id(period: Period, mark: PaceMark) -> str:
    """The mark in its period as it stands in identifiers: "2026-11-01T00:00:00Z/120"."""
    return f"{instant(period.start)}/{mark.percent:.10g}"


def judge(field: Field, held: Mapping[Subject, Alert]) -> Iterator[Verdict]:
    """A `Breach` for each scope and mark that is reached, a `Clear` for each open alert (`held`) that is over."""
    members, period, marks = field.members, field.period, field.budget.pace
    view = members.view
    spent = field.before.spent + members.sums(view.cost[:, period.columns(view.start, members.shown)].sum(axis=1))
    limits = np.array([limit or 0 for limit in field.limits], dtype=np.int64)
    least = min(mark.percent for mark in marks)
    found = (limits > 0) & (spent * 100.0 >= least * GUARD * limits) & (spent < limits)
    asked = field.held(held)
    chosen = sorted(asked | set(np.flatnonzero(found).tolist()))
    if not chosen:
        return
    weeks = Weeks(members, max(-((view.start - period.start) // HOUR), 0))
    for some in batches(chosen):
        course = _Course(field, weeks, some, limits[some])
        reached = course.reach(least)
        for at in [at for at, place in enumerate(some) if reached[at] or place in asked]:
            yield from _judged(field, course, some[at], at, held)


def _judged(field: Field, course: _Course, place: int, at: int, held: Mapping[Subject, Alert]) -> Iterator[Verdict]:
    """The verdicts on one scope, the one of number `at` in the course."""
    limit, spent = field.limits[place] or 0, course.spent(at)
    for mark in field.budget.pace:
        subject = field.subject("pace", place, pace_id(field.period, mark))
        stand = course.reached(at, mark.percent) if spent < limit else None
        if stand is not None:
            yield _told(field, place, mark, stand)
        elif subject in held and spent >= limit:
            yield Clear(subject, over="the limit is spent")
        elif subject in held and course.is_below(at, BELOW * mark.percent, held[subject]):
            yield Clear(subject, spent)


@dataclass(frozen=True, slots=True)
class _Stand:
    """Where one scope is at one moment."""

    end: int
    """The column after the newest hour that counts."""
    spent: Nano
    share: float
    """The part of the period's weight that has passed."""
    curve: Floats
    """The part that has passed after each hour of the period."""
    per_hour: Nano
    """Spent per hour over the day before."""


@dataclass(frozen=True, slots=True)
class _Moment:
    """Where all the chosen scopes are at one moment, `at` hours of the view from its start."""

    at: float
    end: int
    spent: Longs
    share: Floats


class _Course:
    """The chosen scopes through the period."""

    def __init__(self, field: Field, weeks: Weeks, chosen: Sequence[int], limits: Longs) -> None:
        members, period = field.members, field.period
        self._members, self._limits, view = members, limits, members.view
        self._begin, after = -((view.start - period.start) // HOUR), -((view.start - period.end) // HOUR)
        self._first = max(self._begin, 0)
        curve = weeks.weights(chosen, self._begin, after).cumsum(axis=1)
        even = np.tile(np.arange(1, curve.shape[1] + 1) / curve.shape[1], (len(chosen), 1))
        self._curve: Floats = np.divide(curve, curve[:, -1:], out=even, where=curve[:, -1:] > 0)
        stop = max(min(members.shown, after), self._first)
        cost = members.hours(self._first, stop, chosen)
        before = field.before.spent[list(chosen), None]
        self._running: Longs = np.concatenate([before, before + cost.cumsum(axis=1)], axis=1)
        self._whole_before = field.before.whole
        complete = min(max(members.complete, self._first), stop)
        seen = min((field.as_of - view.start) / HOUR, float(stop))
        self._newest, self._complete = self._at(seen, stop), self._at(float(complete), complete)

    def _at(self, moment: float, end: int) -> _Moment:
        """Where they are at a moment, with what is known of the columns before `end`."""
        passed = max(moment - self._begin, 0.0)
        hour = min(int(passed), self._curve.shape[1] - 1)
        before = self._curve[:, hour - 1] if hour else np.zeros(len(self._curve))
        share = before + (self._curve[:, hour] - before) * min(passed - hour, 1.0)
        return _Moment(moment, end, self._running[:, end - self._first], share)

    def spent(self, at: int) -> Nano:
        """All that is known to be spent."""
        return int(self._newest.spent[at])

    def reach(self, percent: float) -> Flags:
        """Which scopes have reached the mark at either moment."""
        return self._reach(self._newest, percent) | self._reach(self._complete, percent)

    def _reach(self, moment: _Moment, percent: float) -> Flags:
        ahead: Flags = (moment.share >= GUARD) & (moment.spent * 100.0 >= percent * self._limits * moment.share)
        return ahead & (moment.spent > 0)

    def reached(self, at: int, percent: float) -> _Stand | None:
        """Where it is at the newest moment at which the mark is reached."""
        for moment in (self._newest, self._complete):
            share, spent = float(moment.share[at]), int(moment.spent[at])
            if share >= GUARD and spent * 100 >= percent * int(self._limits[at]) * share and spent > 0:
                day = max(moment.end - _DAY, self._first)
                lately = spent - int(self._running[at, day - self._first])
                return _Stand(moment.end, spent, share, self._curve[at], int(lately / max(moment.at - day, 1.0)))
        return None

    def is_below(self, at: int, percent: float, alert: Alert) -> bool:
        """Whether complete data say so, of the whole period."""
        view, moment = self._members.view, self._complete
        proven = alert.evidence.proven_until if isinstance(alert.evidence, PaceEvidence) else view.complete_until
        whole = self._whole_before and bool(view.known[self._first : moment.end].all())
        if not whole or moment.end <= self._first or view.complete_until < proven:
            return False
        return bool(moment.spent[at] * 100.0 < percent * self._limits[at] * moment.share[at])


def _told(field: Field, place: int, mark: PaceMark, stand: _Stand) -> Breach:
    period, view = field.period, field.members.view
    figures = field.figures(place, period.columns(view.start, stand.end)) | {"spent": stand.spent}
    limit = figures["limit"]
    ends_at = int(stand.spent / stand.share)
    beyond = np.flatnonzero(stand.curve * ends_at >= limit)
    evidence = PaceEvidence(
        **figures,
        per_hour=stand.per_hour,
        proven_until=view.start + stand.end * HOUR,
        percent=mark.percent,
        expected=int(limit * stand.share),
        sustainable=int((limit - stand.spent) / max((period.end - field.as_of) / HOUR, 1.0)),
        ends_at=ends_at,
        exhausted_at=period.start + int(beyond[0]) * HOUR if len(beyond) else None,
    )
    return Breach(
        subject=field.subject("pace", place, pace_id(period, mark)),
        severity=mark.severity,
        starts_at=view.start + (stand.end - 1) * HOUR,
        value=stand.spent,
        expected=evidence.expected,
        limit=limit,
        evidence=evidence,
        keep_firing_for=KEEP_FIRING_FOR,
    )
