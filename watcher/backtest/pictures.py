"""What the picture of an alert shows: an anomaly against its baseline, a budget's spend against its limit. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from notifiers.alert_chart import mark_of
from notifiers.chart import Chart, Point, of_points
from notifiers.subjects import capital, title_subject
from rules.dimensions import groups
from rules.judgement import Rules
from rules.measures import SPEND
from rules.model import HOUR, AnomalyEvidence, Budget, BudgetEvidence, Names, Nano, Scope, SpendView, TriggerEvidence
from rules.selectors import select
from watcher.backtest.told import Told


def picture_of(told: Told, rules: Rules, view: SpendView, names: Names) -> Chart | None:
    """The picture of an alert of a replay by these rules over `view`; None where there is nothing to draw."""
    title, rule = capital(title_subject(told.alert)), told.alert.subject.rule
    evidence = told.alert.evidence
    if isinstance(evidence, AnomalyEvidence):
        if not told.points:
            return None
        end = told.excess_ended or told.points[-1].hour + HOUR
        marked = (told.began, max(end, told.began + HOUR))
        return Chart(title, of_points(told.points), rule, marked=marked, told=told.told_at)
    if not isinstance(evidence, BudgetEvidence | TriggerEvidence):
        return None
    budget = next((each for each in rules.budgets if each.name == rule), None)
    if budget is None or budget.measure != SPEND:
        return None
    first = max(view.index(evidence.period_start), 0)
    last = min(view.index(evidence.period_end), view.index(view.complete_until))
    spent = np.cumsum(_spend(budget, told.alert.subject.scope, view, names)[first:last])
    points = tuple(Point(view.start + (first + place) * HOUR, nano) for place, nano in enumerate(spent.tolist()))
    subtitle = f"{rule}, {evidence.period}"
    limit: Nano = evidence.limit
    if not points:
        return None
    mark = mark_of(evidence)
    return Chart(title, points, subtitle, limit, mark, told=told.told_at, timezone=evidence.timezone, in_all=True)


def _spend(budget: Budget, scope: Scope, view: SpendView, names: Names) -> npt.NDArray[np.int64]:
    """Nano-dollars an hour of one scope of the budget."""
    places = np.flatnonzero(select(budget.select, view.leaves, names))
    of, values = groups(budget.per, [view.leaves[place] for place in places.tolist()], names)
    for number, value in enumerate(values):
        if Scope.of(view.organization, dict(zip(budget.per, value, strict=True))) == scope:
            total: npt.NDArray[np.int64] = view.cost[places[of == number]].sum(axis=0)
            return total
    return np.zeros(view.hours, dtype=np.int64)
