"""Shifts in what an output token costs, as anomalies of their own: the evidence of one, and whom it is about."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rules.attribution import Cut
from rules.configured import AnomalyRule
from rules.driven import driven
from rules.model import (
    HOUR,
    Breach,
    HourPoint,
    Names,
    Nano,
    PriceShift,
    Severity,
    SpendView,
    Subject,
    UnitPriceEvidence,
)
from rules.price_fit import NEWEST, UNIT_TOKENS, Priced
from rules.sensitivity import PRICE, odds
from rules.story import CRITICAL, LEAST_FRACTION, POINTS, known_hours
from rules.subjects import DOLLAR, Subjects

Floats = npt.NDArray[np.float64]

INSTANCE = "unit price"
MILLION = 1_000_000
GAP = 2
"""Ordinary hours with tokens that the story of a shift may contain between dear ones."""


def price_breach(
    rule: AnomalyRule, view: SpendView, names: Names, subjects: Subjects, priced: Priced, place: int
) -> Breach:
    """The breach of the scope at `place`, with its evidence."""
    evidence = _evidence(view, names, subjects, priced, place)
    return Breach(
        subject=price_subject(rule, subjects, place),
        severity=Severity.CRITICAL if evidence.per_hour >= CRITICAL * rule.min_excess else rule.severity,
        starts_at=evidence.since,
        value=evidence.per_hour,
        expected=None,
        limit=None,
        evidence=evidence,
        hold_for=rule.hold_for,
        keep_firing_for=rule.keep_firing_for,
    )


def price_subject(rule: AnomalyRule, subjects: Subjects, place: int) -> Subject:
    """What the alert about the price of a scope is about."""
    return Subject(rule.name, "anomaly", subjects.scopes[place], INSTANCE)


def per_million(dollars_a_unit: float) -> Nano:
    """Nano-dollars for a million output tokens."""
    return round(dollars_a_unit / UNIT_TOKENS * MILLION * DOLLAR)


def _since(priced: Priced, place: int, at: int) -> int:
    """The first hour of the stretch that reaches `at` and is half as dear beyond the usual; quiet hours break none."""
    amounts, held = priced.amounts[: at + 1, place], priced.reading.held[: at + 1, place]
    used = np.flatnonzero(held > 0)
    recent = used[-NEWEST:]
    rise = float(amounts[recent].sum() / held[recent].sum()) - 1.0 if recent.size else 0.0
    first, ordinary = at, 0
    for hour in used[::-1]:
        if amounts[hour] >= (1.0 + 0.5 * rise) * held[hour]:
            first, ordinary = int(hour), 0
        else:
            ordinary += 1
            if ordinary > GAP:
                break
    return first


def _evidence(view: SpendView, names: Names, subjects: Subjects, priced: Priced, place: int) -> UnitPriceEvidence:
    material = priced.reading.material[:, place]
    proving = np.flatnonzero(material >= 1.0)
    at = max(int(proving[-1]) if proving.size else 0, priced.complete - 1, 0)
    since, end = _since(priced, place, at), len(material)
    amounts, held = priced.amounts[:, place], priced.reading.held[:, place]
    spent, usual = float(amounts[since:].sum()), float(held[since:].sum())
    begin, members = priced.begin + since, subjects.members[place]
    window = slice(begin, priced.begin + end)
    score = float(priced.reading.scores[max(at - NEWEST, 0) :, place].max())
    shift = PriceShift(
        before=per_million(priced.before(place, at)),
        now=per_million(priced.newest(place, since)),
        since=view.start + begin * HOUR,
        excess=_nano(spent - usual),
    )
    return UnitPriceEvidence(
        shift=shift,
        tokens=round(float(priced.units[since:, place].sum()) * UNIT_TOKENS),
        observed=_nano(spent),
        expected=_nano(usual),
        per_hour=_nano(_more_an_hour(view, priced, place, max(since, end - NEWEST))),
        score=round(score, 2),
        history_hours=known_hours(view, members, priced.begin + at, subjects.complete),
        points=_points(view, priced, place),
        data_as_of=view.observed_until,
        settled=int(view.settled[members, window].sum()),
        top=driven(view, names, subjects.scopes[place], Cut(members, window, held[since:] * DOLLAR, _nano(usual))).top,
        unpriced=tuple(
            sorted({view.leaves[leaf].model for leaf in members if view.cost[leaf, begin:].any()} & view.unpriced)
        ),
        odds=odds(score, len(subjects.scopes), PRICE),
    )


def _more_an_hour(view: SpendView, priced: Priced, place: int, begin: int) -> float:
    """Dollars beyond the usual an hour since hour `begin`, by the time that has been seen of these hours."""
    more = float((priced.amounts[begin:, place] - priced.reading.held[begin:, place]).sum())
    seen = (view.observed_until - view.start) / HOUR - (priced.begin + begin)
    return max(more, 0.0) / max(seen, LEAST_FRACTION)


def _points(view: SpendView, priced: Priced, place: int) -> tuple[HourPoint, ...]:
    hours = range(max(len(priced.amounts) - POINTS, 0), len(priced.amounts))
    held = priced.reading.held
    return tuple(
        HourPoint(
            hour=view.start + (priced.begin + hour) * HOUR,
            observed=_nano(float(priced.amounts[hour, place])),
            expected=_nano(float(held[hour, place])),
            upper=_nano(float(held[hour, place])),
            complete=hour < priced.complete,
        )
        for hour in hours
    )


def _nano(dollars: float) -> Nano:
    return round(dollars * DOLLAR)
