"""What an anomaly is told with: since when, how much, how much it would have been, and who inside it spends it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import isnan

import numpy as np
import numpy.typing as npt

from rules.dimensions import values_of
from rules.horizons import Reals
from rules.model import (
    HOUR,
    UNKNOWN,
    AnomalyEvidence,
    AnomalyRule,
    Breach,
    Dimension,
    HourPoint,
    Names,
    Nano,
    Severity,
    Share,
    SpendView,
    Subject,
)
from rules.seasonal import Reading
from rules.subjects import DOLLAR, Places, Subjects

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

POINTS = 48
GAP = 2
"""Ordinary hours that a story may contain between hot ones."""
CRITICAL = 10
"""Times `min_excess` in the worst hour of the story, from which it is critical."""
TOP = 5
CHILDREN: tuple[Dimension, ...] = ("workspace", "api_key", "model", "service_tier")
"""What evidence names the parts of; users, tags and families follow from these."""
SHARE_HOURS = 28 * 24
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

    def observed(self, place: int) -> Floats:
        """Dollars of the subject at `place` in the hours of the reading, 0 where unknown."""
        begin = self.begin - self.subjects.begin
        column: Floats = np.nan_to_num(self.subjects.dollars[begin:, self.subjects.first + place])
        return column

    def latest(self, place: int) -> Nano | None:
        """What the newest complete hour cost; None if there is none."""
        if self.complete <= 0:
            return None
        hour = self.begin - self.subjects.begin + self.complete - 1
        dollars = float(self.subjects.dollars[hour, self.subjects.first + place])
        return 0 if isnan(dollars) else _nano(dollars)


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
    spent, likely = float(observed[since:].sum()), float((expected * fraction)[since:].sum())
    per_hour = float(observed[told.complete - 1]) if at < told.complete or told.complete > since else 0.0
    if at >= told.complete:
        per_hour = max(per_hour, float(observed[at] / max(fraction[at], LEAST_FRACTION)))
    members = told.subjects.members[place]
    begin = told.begin + since
    evidence = AnomalyEvidence(
        since=view.start + begin * HOUR,
        observed=_nano(spent),
        expected=_nano(likely),
        per_hour=_nano(per_hour),
        normal_per_hour=_nano(float(expected[at])),
        upper_per_hour=_nano(float(upper[at])),
        score=round(float(reading.z[at, row]), 1),
        history_hours=_known_hours(view, members, told.begin + at, told.subjects.complete),
        points=_points(view, told, observed, expected, upper),
        data_as_of=view.observed_until,
        settled=int(view.settled[members, begin : told.begin + end].sum()),
        top=_top(view, names, subject, members, slice(begin, told.begin + end), likely),
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


def _at(material: Reals, complete: int) -> int:
    """The newest hour that proves the breach; the newest complete one if it only lingers."""
    proving = np.flatnonzero(material >= 1.0)
    newest = int(proving[-1]) if proving.size else 0
    return max(newest, complete - 1, 0)


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


def _known_hours(view: SpendView, members: Places, end: int, complete: int) -> int:
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


def _top(
    view: SpendView, names: Names, subject: Subject, members: Places, window: slice, likely: float
) -> tuple[Share, ...]:
    """Of each of `CHILDREN` that the scope leaves open, the children with the largest excess within `window`.

    A child was expected to take the part of the parent's expectation that it had of its spend in the four weeks before.
    """
    past = view.cost[members, max(window.start - SHARE_HOURS, 0) : window.start].sum(axis=1)
    now = view.cost[members, window].sum(axis=1)
    whole = int(past.sum())
    shares: list[Share] = []
    fixed = set(subject.scope.parts()) | ({"workspace"} if subject.scope.api_key else set())
    leaves = [view.leaves[leaf] for leaf in members.tolist()]
    for dimension in CHILDREN:
        if dimension in fixed:
            continue
        spent: dict[str, list[int]] = {}
        for value, before, since in zip(values_of(dimension, leaves, names), past, now, strict=True):
            child = spent.setdefault(value, [0, 0])
            child[0] += int(before)
            child[1] += int(since)
        excess = {
            ident: since - (_nano(likely * before / whole) if whole else 0) for ident, (before, since) in spent.items()
        }
        if dimension == "service_tier":
            excess.pop(UNKNOWN, None)
        dearest = sorted(excess, key=lambda ident: (-excess[ident], ident))[:TOP]
        shares += [Share(dimension, ident, names.of(ident), excess[ident]) for ident in dearest if excess[ident] > 0]
    return tuple(shares)


def _hour(view: SpendView, place: int) -> datetime:
    return view.start + place * HOUR


def _nano(dollars: float) -> Nano:
    return round(dollars * DOLLAR)
