"""A period that is going to end beyond a mark: the forecast (`rules.forecast`) held against a budget.

Of a mark that must be **likely**, the lower bound of the forecast's 80 % interval reaches it: in nine of ten cases the
period ends beyond. Of one that is to be **expected**, the expected total does, yet only once `EARLY` of the period has
passed and two weeks of history stand behind it; before that the lower bound must. Without any history nothing is said.

It is told of the `MOST` dearest scopes of a budget, those that have a forecast elsewhere.

**It ends** when complete data, no hour of the period missing, have the expected total clearly (`BELOW`) below the mark;
silently with the period, or when spend reaches the mark: what was foreseen has happened, and the threshold tells it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

import numpy as np

from rules.forecast import Forecast, Group, forecasts
from rules.members import Field
from rules.model import HOUR, Alert, Breach, Clear, ForecastEvidence, Nano, Subject, Verdict
from rules.outlook import MOST
from rules.periods import Period, instant
from rules.thresholds import mark_amount, mark_id, percent_of, threshold_amount
from rules.triggers import ForecastMark

EARLY = 0.1
BELOW = 0.95
KEEP_FIRING_FOR = timedelta(hours=6)


def forecast_id(period: Period, mark: ForecastMark) -> str:
    """The mark in its period as it stands in identifiers: "2026-11-01T00:00:00Z/100"."""
    return f"{instant(period.start)}/{mark_id(mark.mark)}"


def judge(field: Field, held: Mapping[Subject, Alert], off: AbstractSet[str] = frozenset()) -> Iterator[Verdict]:
    """A `Breach` for each scope and mark that is foreseen, a `Clear` for each alert in `held` (open ones) that is over.

    `off` are the ids of keys that are switched off.
    """
    members, period, marks = field.members, field.period, field.budget.forecast
    view = members.view
    columns = period.columns(view.start, view.hours)
    before = field.before.spent
    spent = before + members.sums(view.cost[:, columns].sum(axis=1))
    limited = np.array([limit is not None for limit in field.limits], dtype=np.bool_)
    dearest = np.argsort(-spent, kind="stable")
    worth = dearest[limited[dearest] & (spent[dearest] > 0)][:MOST].tolist()
    chosen = [place for place in sorted(field.held(held) | set(worth)) if limited[place]]
    groups = [
        Group(
            members.rows(place),
            tuple(sorted({threshold_amount(field.limits[place] or 0, mark.mark) for mark in marks})),
            (int(before[place]),),
            (period.start,),
        )
        for place in chosen
    ]
    told = forecasts(view, groups, period.start, period.end, off)
    whole = field.before.whole and bool(view.known[columns.start : members.complete].all())
    for place, forecast in zip(chosen, told, strict=True):
        for mark in marks:
            subject = field.subject("forecast", place, forecast_id(period, mark))
            amount = threshold_amount(field.limits[place] or 0, mark.mark)
            if spent[place] >= amount:
                if subject in held:
                    yield Clear(subject, over="what was forecast has happened")
            elif _is_foreseen(forecast, mark, amount, period, min(view.complete_until, field.now)):
                yield _told(field, place, mark, forecast)
            elif subject in held and whole and _is_below(forecast, amount, held[subject], view.complete_until):
                yield Clear(subject, forecast.total)


def _is_foreseen(forecast: Forecast, mark: ForecastMark, amount: Nano, period: Period, complete: datetime) -> bool:
    if forecast.basis == "none":
        return False
    young = complete - period.start < EARLY * (period.end - period.start)
    eager = mark.when == "expected" and forecast.basis == "enough" and not young
    return (forecast.total if eager else forecast.low) >= amount


def _is_below(forecast: Forecast, amount: Nano, alert: Alert, complete: datetime) -> bool:
    proven = alert.evidence.proven_until if isinstance(alert.evidence, ForecastEvidence) else complete
    return forecast.basis != "none" and complete >= proven and forecast.total < BELOW * amount


def _told(field: Field, place: int, mark: ForecastMark, forecast: Forecast) -> Breach:
    members, period = field.members, field.period
    view = members.view
    figures = field.figures(place, period.columns(view.start, view.hours))
    limit = figures["limit"]
    amount = threshold_amount(limit, mark.mark)
    crossing = next(each for each in forecast.crossings if each.amount == amount)
    day = slice(max(members.complete - 24, 0), members.complete)
    evidence = ForecastEvidence(
        **figures,
        per_hour=int(view.cost[members.rows(place), day].sum()) // max(day.stop - day.start, 1),
        proven_until=view.complete_until,
        percent=percent_of(limit, mark.mark),
        amount=amount,
        own=mark_amount(mark.mark) is not None,
        total=forecast.total,
        low=forecast.low,
        high=forecast.high,
        sustainable=int((amount - figures["spent"]) / max((period.end - field.as_of) / HOUR, 1.0)),
        crosses=crossing.expected,
        early=crossing.early,
        late=crossing.late,
        little=forecast.basis == "little",
    )
    return Breach(
        subject=field.subject("forecast", place, forecast_id(period, mark)),
        severity=mark.severity(limit),
        starts_at=max(min(view.complete_until, field.now), period.start),
        value=forecast.total,
        expected=None,
        limit=limit,
        evidence=evidence,
        keep_firing_for=KEEP_FIRING_FOR,
    )
