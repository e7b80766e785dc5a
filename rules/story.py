"""What an anomaly is told with: since when, how much, how much it would have been, and who inside it spends it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from rules.attribution import Cut
from rules.driven import driven
from rules.horizons import Reals
from rules.model import (
    HOUR,
    AnomalyEvidence,
    AnomalyRule,
    Breach,
    HourPoint,
    Names,
    Nano,
    Severity,
    SpendView,
    Subject,
    Terms,
)
from rules.seasonal import Reading
from rules.sensitivity import SPEND, odds
from rules.subjects import DOLLAR, Subjects

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

POINTS = 48
GAP = 2
"""Ordinary hours that a story may contain between hot ones."""
CRITICAL = 10
"""Times `min_excess` in the worst hour of the story, from which it is critical."""
LEAST_FRACTION = 0.25
"""An open hour is not scaled up from less than this part of it."""


@dataclass(frozen=True, slots=True)
class Told:
    """Subjects beside what the baseline read of their newest hours: hour `i` of the reading is hour `begin + i` of the
    view, and the first `complete` of them are complete."""

    subjects: Subjects
    reading: Reading
    begin: int
    complete: int
    threshold: float = 1.0
    """By which the reading's `material` was divided: from 1 on it reaches the rule's own threshold."""

    def observed(self, place: int) -> Floats:
        """Dollars of the subject at `place` in the hours of the reading, 0 where unknown."""
        begin = self.begin - self.subjects.begin
        column: Floats = np.nan_to_num(self.subjects.dollars[begin:, self.subjects.first + place])
        return column

    def latest(self) -> Sequence[Nano | None]:
        """What the newest complete hour of each subject cost; None if there is none."""
        if self.complete <= 0:
            return [None] * len(self.subjects.scopes)
        hour = self.begin - self.subjects.begin + self.complete - 1
        dollars = np.nan_to_num(self.subjects.dollars[hour, self.subjects.first :]).tolist()
        return [_nano(amount) for amount in dollars]


def breach(rule: AnomalyRule, view: SpendView, names: Names, subject: Subject, told: Told, place: int) -> Breach:
    """The breach of the subject at `place`, with its evidence."""
    row = told.subjects.first + place
    reading = told.reading
    observed, expected, upper = told.observed(place), reading.expected[:, row], reading.upper[:, row]
    material = reading.material[:, row]
    end = len(observed)
    at = _at(material, told.complete)
    since = _since(_hot(observed, expected, upper, material, rule.min_excess / DOLLAR, at), at)
    fraction = _fractions(view, told, end)
    likely = float((expected * fraction)[since:].sum())
    per_hour = float(observed[told.complete - 1]) if at < told.complete or told.complete > since else 0.0
    if at >= told.complete:
        per_hour = max(per_hour, float(observed[at] / max(fraction[at], LEAST_FRACTION)))
    members = told.subjects.members[place]
    begin = told.begin + since
    likely_by_hour = (expected * fraction)[since:] * DOLLAR
    odd = tuple((np.flatnonzero(material[:since] >= 1.0) + told.begin).tolist())
    window = slice(begin, told.begin + end)
    drives = driven(view, names, subject.scope, Cut(members, window, likely_by_hour, _nano(likely), odd))
    reached = _reached(told, row, at)
    evidence = AnomalyEvidence(
        since=view.start + begin * HOUR,
        observed=drives.observed,
        expected=_nano(likely),
        per_hour=_nano(per_hour),
        normal_per_hour=_nano(float(expected[at])),
        upper_per_hour=_nano(float(upper[at])),
        score=round(float(reading.z[at, row]), 1),
        odds=odds(reached, len(told.subjects.scopes), SPEND),
        terms=_terms(rule, told.threshold, reached),
        history_hours=known_hours(view, members, told.begin + at, told.subjects.complete),
        points=_points(view, told, observed, expected, upper),
        data_as_of=view.observed_until,
        settled=int(view.settled[members, begin : told.begin + end].sum()),
        top=drives.top,
        cause=drives.cause,
        unpriced=tuple(
            sorted({view.leaves[leaf].model for leaf in members if view.cost[leaf, begin:].any()} & view.unpriced)
        ),
    )
    worst = max(per_hour - float(expected[at]), float((observed - expected)[since:].max()))
    return Breach(
        subject=subject,
        severity=Severity.CRITICAL if worst >= CRITICAL * rule.min_excess / DOLLAR else rule.severity,
        starts_at=evidence.since,
        value=evidence.per_hour,
        expected=evidence.normal_per_hour,
        limit=evidence.upper_per_hour,
        evidence=evidence,
        hold_for=rule.hold_for,
        keep_firing_for=rule.keep_firing_for,
    )


def _terms(rule: AnomalyRule, threshold: float, reached: float) -> Terms:
    return Terms(
        threshold=round(threshold, 3),
        reached=round(reached, 2),
        min_excess=rule.min_excess,
        one_hour=round(rule.tuning.one_hour * rule.min_excess),
        of_usual=rule.tuning.of_usual,
        hold_for=rule.hold_for,
    )


def _at(material: Reals, complete: int) -> int:
    """The newest hour that proves the breach; the newest complete one if it only lingers."""
    proving = np.flatnonzero(material >= 1.0)
    newest = int(proving[-1]) if proving.size else 0
    return max(newest, complete - 1, 0)


def _reached(told: Told, row: int, at: int) -> float:
    """The most that was reached of the usual threshold by the hour `at`, in it and in those that make it linger."""
    recent = slice(max(at - 2, 0), at + 1)
    own = told.reading.material[recent, row] * told.threshold
    return float(np.maximum(told.reading.score[recent, row], own).max(initial=0.0))


def _hot(observed: Floats, expected: Floats, upper: Reals, material: Reals, floor: float, at: int) -> Flags:
    """Hours that were flagged, or dear and either half-way from the expected to their bound or half as bad as `at`."""
    excess = observed - expected
    least = np.minimum(0.5 * (upper - expected), 0.5 * max(float(excess[at]), 0.0))
    hot: Flags = (material >= 0.7) | ((excess >= least) & (excess >= 0.5 * floor))
    return hot


def _since(hot: Flags, at: int) -> int:
    """The first hour of the stretch that reaches `at`: back over hot hours, at most `GAP` ordinary ones between."""
    first = at
    for hour in np.flatnonzero(hot[: at + 1])[::-1]:
        if first - hour > GAP + 1:
            break
        first = int(hour)
    return first


def known_hours(view: SpendView, members: npt.NDArray[np.intp], end: int, complete: int) -> int:
    """How many hours before `end` are known of a subject that is made of these leaves, since its first spend."""
    begun = np.maximum.accumulate(view.cost[members, :end].any(axis=0))
    known = view.known[:end] | (np.arange(end) >= complete)
    return int((begun & known).sum())


def _fractions(view: SpendView, told: Told, end: int) -> Floats:
    """How much of each hour has been seen: 1 for complete and ended ones, less for the one that is filling."""
    seen = (view.observed_until - view.start) / HOUR - (told.begin + np.arange(end))
    fractions: Floats = np.clip(seen, 0.0, 1.0)
    return fractions


def _points(
    view: SpendView,
    told: Told,
    observed: Floats,
    expected: Floats,
    upper: Reals,
) -> tuple[HourPoint, ...]:
    return tuple(
        HourPoint(
            hour=_hour(view, told.begin + hour),
            observed=_nano(float(observed[hour])),
            expected=_nano(float(expected[hour])),
            upper=_nano(float(upper[hour])),
            complete=hour < told.complete,
        )
        for hour in range(max(len(observed) - POINTS, 0), len(observed))
    )


def _hour(view: SpendView, place: int) -> datetime:
    return view.start + place * HOUR


def _nano(dollars: float) -> Nano:
    return round(dollars * DOLLAR)
