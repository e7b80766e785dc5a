"""Where every budget stands and will end: its lines, with the forecast of the dearest of them."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime

import numpy as np

from rules.budgets import Line, lines, running
from rules.dimensions import groups
from rules.earlier import Reach
from rules.forecast import Group, forecasts
from rules.model import Budget, Names, Nano, Scope, SpendView
from rules.selectors import select
from rules.thresholds import threshold_amount

MOST = 500
"""How many lines of a budget are forecast, dearest first: a budget of each of ten thousand keys costs no more."""


def outlook(
    budget: Budget, view: SpendView, names: Names, now: datetime, off: AbstractSet[str] = frozenset()
) -> list[Line]:
    """The lines of `rules.budgets.lines`, dearest first, the first `MOST` with their forecast.

    Its crossings are those of `amounts`. `off` are the ids of keys that are switched off. What rolls on has no end to
    forecast.
    """
    found, period = lines(budget, view, names, now), running(budget, now)
    if not found or period is None or found[0].rolling:
        return found
    reach = Reach(view, [period])
    rows = np.flatnonzero(select(budget.select, reach.leaves, names))
    of, values = groups(budget.per, [reach.leaves[row] for row in rows.tolist()], names)
    order = np.argsort(of, kind="stable")
    bounds = np.searchsorted(of[order], np.arange(len(values) + 1))
    members = {
        Scope.of(view.organization, dict(zip(budget.per, some, strict=True))): rows[order[bounds[n] : bounds[n + 1]]]
        for n, some in enumerate(values)
    }
    dearest = found[:MOST]
    begins = reach.days_before(period)
    asked = [
        Group(mine[mine < len(view.leaves)], amounts(budget, line.limit), reach.spent_before(period, mine), begins)
        for line, mine in ((line, members[line.scope]) for line in dearest)
    ]
    told = forecasts(view, asked, period.start, period.end, off)
    return [replace(line, forecast=each) for line, each in zip(dearest, told, strict=True)] + found[MOST:]


def amounts(budget: Budget, limit: Nano | None) -> tuple[Nano, ...]:
    """The amounts whose crossing is forecast under this limit, ascending: those of the thresholds, and the limit."""
    if limit is None:
        return ()
    steps = {threshold_amount(limit, mark) for mark in budget.thresholds}
    return tuple(sorted(steps | {limit}))
