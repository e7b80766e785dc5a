"""Where every budget stands and will end: its lines, with the forecast of the dearest of them."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime

import numpy as np
import numpy.typing as npt

from rules.budgets import Line, lines, running
from rules.dimensions import groups
from rules.earlier import Reach
from rules.forecast import Group, forecasts
from rules.model import HOUR, Budget, Names, Nano, Scope, SpendView
from rules.selectors import select
from rules.thresholds import threshold_amount

MOST = 500
"""How many lines of a budget are forecast, dearest first: a budget of each of ten thousand keys costs no more."""
BURN_HOURS = 6
"""Complete hours that a line's burn rate looks at."""


def outlook(
    budget: Budget, view: SpendView, names: Names, now: datetime, off: AbstractSet[str] = frozenset()
) -> list[Line]:
    """The lines of `rules.budgets.lines`, dearest first, the first `MOST` with their forecast.

    The same have their burn rate. Crossings are those of `amounts`. `off` are the ids of keys that are switched off.
    What rolls on has no end to forecast.
    """
    found, period = lines(budget, view, names, now), running(budget, now)
    if not found or period is None:
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
    dearest, rest = found[:MOST], found[MOST:]
    shown = {line.scope: members[line.scope][members[line.scope] < len(view.leaves)] for line in dearest}
    burning = [replace(line, burn=_burn(line, view, shown[line.scope])) for line in dearest]
    if dearest[0].rolling:
        return burning + rest
    begins = reach.days_before(period)
    asked = [
        Group(
            shown[line.scope],
            amounts(budget, line.limit),
            reach.spent_before(period, members[line.scope]),
            begins,
        )
        for line in dearest
    ]
    told = forecasts(view, asked, period.start, period.end, off)
    return [replace(line, forecast=each) for line, each in zip(burning, told, strict=True)] + rest


def _burn(line: Line, view: SpendView, rows: npt.NDArray[np.intp]) -> float | None:
    """The rate of the last complete hours over the even share of the limit; None where either is not known."""
    end = view.index(view.complete_until)
    begin = end - BURN_HOURS
    if not line.limit or line.measure.claude_code or begin < 0 or not view.known[begin:end].all():
        return None
    even = line.limit * BURN_HOURS / ((line.end - line.start) / HOUR)
    return float(view.cost[rows, begin:end].sum() / even)


def amounts(budget: Budget, limit: Nano | None) -> tuple[Nano, ...]:
    """The amounts whose crossing is forecast under this limit, ascending: those of the thresholds, and the limit."""
    if limit is None:
        return ()
    steps = {threshold_amount(limit, mark) for mark in budget.thresholds}
    return tuple(sorted(steps | {limit}))
