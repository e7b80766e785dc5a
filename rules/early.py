"""What a budget tells of before its thresholds are crossed: every trigger that it asks for, judged on one view.

Each is a state of a budget, a scope and a mark, and of a period where it belongs to one. What is no longer asked for,
and what belongs to a period that has ended, is over without a word. Within a stall of the data nothing is foreseen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime

from rules import burn, foreseen, pace
from rules.budgets import running
from rules.limits import is_known, limits_of
from rules.members import Field, Members, before
from rules.model import Alert, Budget, Clear, Kind, Names, SpendView, Subject, Verdict
from rules.periods import Period
from rules.triggers import TRIGGERS


def asked(budget: Budget) -> tuple[Kind, ...]:
    """The triggers that the budget asks for; a rolling one has none."""
    given = {"forecast": budget.forecast, "burn": budget.burn, "pace": budget.pace}
    return () if budget.window is not None else tuple(kind for kind in TRIGGERS if given[kind])


def judge(
    budget: Budget,
    view: SpendView,
    names: Names,
    held: Iterable[Alert],
    now: datetime,
    *,
    off: AbstractSet[str] = frozenset(),
    stalled: bool = False,
) -> list[Verdict]:
    """A `Breach` for what holds, and a `Clear` for each alert in `held`, the open ones of its triggers, that is over.

    `off` are the ids of keys that are switched off; `stalled` says that the newest hours are not believed.
    """
    kinds, period = asked(budget), running(budget, now)
    if not kinds:
        return []
    current = {alert.subject: alert for alert in held if alert.subject.kind in kinds}
    verdicts: list[Verdict] = []
    marks = _instances(budget, period)
    for subject in [subject for subject in current if subject.instance not in marks[subject.kind]]:
        del current[subject]
        verdicts.append(Clear(subject, over="its period has ended, or it is no longer asked for"))
    if period is None or not is_known(budget):
        return verdicts
    members = Members(budget, view, names)
    limits = limits_of(budget, members.scopes, period.start)
    field = Field(budget, period, members, limits, before(budget, members, names, period), now)
    for subject in [subject for subject in current if _has_none(subject, field)]:
        del current[subject]
        verdicts.append(Clear(subject, over="nothing of it, or no limit, is left"))
    if "burn" in kinds:
        verdicts += burn.judge(field, _of("burn", current))
    if "pace" in kinds:
        verdicts += pace.judge(field, _of("pace", current))
    if "forecast" in kinds and not stalled:
        verdicts += foreseen.judge(field, _of("forecast", current), off)
    return verdicts


def _instances(budget: Budget, period: Period | None) -> Mapping[Kind, AbstractSet[str]]:
    """What the alerts of each trigger may be about at present."""
    return {
        "burn": {burn.pair_id(pair) for pair in budget.burn} if period is not None else set(),
        "pace": {pace.pace_id(period, mark) for mark in budget.pace} if period is not None else set(),
        "forecast": {foreseen.forecast_id(period, mark) for mark in budget.forecast} if period is not None else set(),
    }


def _of(kind: Kind, held: Mapping[Subject, Alert]) -> dict[Subject, Alert]:
    return {subject: alert for subject, alert in held.items() if subject.kind == kind}


def _has_none(subject: Subject, field: Field) -> bool:
    """Whether the scope has no limit any more, or is none of the budget's."""
    place = field.members.places.get(subject.scope)
    return place is None or field.limits[place] is None
