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

from rules.entitled import weights
from rules.habits import Floats
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
    columns = period.columns(view.start, members.shown)
    amounts = np.array([limit or 0 for limit in field.limits], dtype=np.int64)
    spent = members.sums(view.cost[:, columns].sum(axis=1))
    least = min(mark.percent for mark in marks) / 100 * GUARD
    found = (amounts > 0) & (spent >= least * amounts) & (spent < amounts)
    chosen = sorted(field.held(held) | set(np.flatnonzero(found).tolist()))
    if not chosen:
        return
    course = _Course(field, chosen)
    for at, place in enumerate(chosen):
        limit = int(amounts[place])
        for mark in marks:
            subject = field.subject("pace", place, pace_id(period, mark))
            if limit and spent[place] >= limit:
                if subject in held:
                    yield Clear(subject, over="the limit is spent")
                continue
            stand = course.reached(at, mark.percent, limit) if limit else None
            if stand is not None:
                yield _told(field, place, mark, stand)
            elif subject in held and course.is_below(at, BELOW * mark.percent, limit, held[subject]):
                yield Clear(subject, int(spent[place]))


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
    recent: float
    """Spent per hour over the day before."""


class _Course:
    """The chosen scopes through the period."""

    def __init__(self, field: Field, chosen: Sequence[int]) -> None:
        members, period = field.members, field.period
        self._members, view = members, members.view
        self._begin, after = -((view.start - period.start) // HOUR), -((view.start - period.end) // HOUR)
        weight = weights(members, chosen, max(self._begin, 0), self._begin, after)
        curve = weight.cumsum(axis=1)
        whole = curve[:, -1:]
        even = np.arange(1, curve.shape[1] + 1) / curve.shape[1]
        self._curve: Floats = np.divide(curve, whole, out=np.tile(even, (len(chosen), 1)), where=whole > 0)
        stop = min(members.shown, after)
        self._first = max(self._begin, 0)
        cost = members.hours(self._first, stop, chosen)
        self._running: Longs = np.concatenate([np.zeros((len(cost), 1), dtype=np.int64), cost.cumsum(axis=1)], axis=1)
        self._complete = min(max(members.complete, self._first), max(stop, self._first))
        seen = (field.as_of - view.start) / HOUR
        self._ends = sorted({(float(self._complete), self._complete), (min(seen, float(stop)), stop)}, reverse=True)

    def _at(self, at: int, moment: float, end: int) -> _Stand | None:
        """Where it is at a moment, in hours of the view, with what is known of the columns before `end`."""
        passed = moment - self._begin
        if end <= self._first or passed <= 0:
            return None
        curve = self._curve[at]
        share = float(np.interp(passed, np.arange(len(curve) + 1), np.concatenate([[0.0], curve])))
        spent = int(self._running[at, end - self._first])
        day = max(end - _DAY, self._first)
        recent = (spent - int(self._running[at, day - self._first])) / max(moment - day, 1.0)
        return _Stand(end, spent, share, curve, recent)

    def reached(self, at: int, percent: float, limit: Nano) -> _Stand | None:
        """Where it is at the newest moment at which the mark is reached."""
        for moment, end in self._ends:
            stand = self._at(at, moment, end)
            if stand is not None and stand.share >= GUARD and stand.spent * 100 >= percent * limit * stand.share:
                return stand
        return None

    def is_below(self, at: int, percent: float, limit: Nano, alert: Alert) -> bool:
        """Whether complete data say so, of the whole period."""
        view = self._members.view
        proven = alert.evidence.proven_until if isinstance(alert.evidence, PaceEvidence) else view.complete_until
        whole = self._begin >= 0 and view.known[self._first : self._complete].all()
        stand = self._at(at, float(self._complete), self._complete)
        if not limit or not whole or stand is None or view.complete_until < proven:
            return False
        return stand.spent * 100 < percent * limit * stand.share


def _told(field: Field, place: int, mark: PaceMark, stand: _Stand) -> Breach:
    period, view = field.period, field.members.view
    figures = field.figures(place, period.columns(view.start, stand.end)) | {"spent": stand.spent}
    limit = figures["limit"]
    ends_at = int(stand.spent / stand.share)
    beyond = np.flatnonzero(stand.curve * ends_at >= limit)
    evidence = PaceEvidence(
        **figures,
        per_hour=int(stand.recent),
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
