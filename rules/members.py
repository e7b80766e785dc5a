"""The scopes of a budget over a view: which leaves each of them has, and what they have spent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from rules.course import course_of
from rules.dimensions import groups
from rules.earlier import Reach
from rules.model import HOUR, Alert, Budget, Dimension, Kind, Names, Nano, Scope, Share, SpendView, Subject
from rules.periods import Period
from rules.selectors import select

TOP = 5
"""How many children evidence names."""
Rows = npt.NDArray[np.intp]
Longs = npt.NDArray[np.int64]


class Members:
    """The scopes that a budget stands for, in the order of their first leaf, each with its rows of the view."""

    def __init__(self, budget: Budget, view: SpendView, names: Names) -> None:
        self.view, self._names = view, names
        rows = np.flatnonzero(select(budget.select, view.leaves, names))
        of, values = groups(budget.per, [view.leaves[row] for row in rows.tolist()], names)
        scopes = [Scope.of(view.organization, dict(zip(budget.per, some, strict=True))) for some in values]
        self.scopes: tuple[Scope, ...] = tuple(scopes) if len(rows) else ()
        """Those that have a leaf."""
        self._rows = rows[np.argsort(of, kind="stable")]
        self._bounds = np.searchsorted(np.sort(of), np.arange(len(self.scopes) + 1))

    @cached_property
    def places(self) -> dict[Scope, int]:
        """Which scope has which number."""
        return {scope: place for place, scope in enumerate(self.scopes)}

    @property
    def complete(self) -> int:
        """The column after the newest complete hour."""
        return min(max(self.view.index(self.view.complete_until), 0), self.view.hours)

    @property
    def shown(self) -> int:
        """The column after the newest hour of which anything is known."""
        return min(max(-((self.view.start - self.view.observed_until) // HOUR), self.complete), self.view.hours)

    def rows(self, place: int) -> Rows:
        """The rows of one scope."""
        return self._rows[self._bounds[place] : self._bounds[place + 1]]

    def sums(self, values: Longs) -> Longs:
        """Of one value a leaf, the sum of each scope."""
        if not self.scopes:
            return np.zeros(0, dtype=np.int64)
        return np.add.reduceat(values[self._rows], self._bounds[:-1])

    def hours(self, first: int, stop: int, chosen: Sequence[int] | None = None) -> Longs:
        """What each scope, or each of the chosen ones, cost in the columns from `first` to `stop` (scopes × hours)."""
        columns = slice(max(first, 0), max(stop, 0))
        if chosen is None:
            rows, firsts = self._rows, self._bounds[:-1]
        else:
            members = [self.rows(place) for place in chosen]
            rows = np.concatenate(members) if members else np.zeros(0, dtype=np.intp)
            firsts = np.cumsum([0, *(len(each) for each in members[:-1])])
        if not len(rows):
            return np.zeros((0, columns.stop - columns.start), dtype=np.int64)
        return np.add.reduceat(self.view.cost[rows, columns], firsts, axis=0)

    def unpriced(self, place: int, columns: slice) -> tuple[str, ...]:
        """The models of a scope that have no price of their own and cost anything within the columns."""
        if not self.view.unpriced:
            return ()
        rows = self.rows(place)
        spent = self.view.cost[rows, columns].any(axis=1)
        return tuple(sorted({self.view.leaves[row].model for row in rows[spent].tolist()} & self.view.unpriced))

    def dearest(self, place: int, columns: slice) -> tuple[Share, ...]:
        """The dearest children of a scope: keys of one that names none, models of a key; none of a key on a model."""
        scope, rows = self.scopes[place], self.rows(place)
        if scope.api_key is not None and scope.model is not None:
            return ()
        dimension: Dimension = "api_key" if scope.api_key is None else "model"
        sums: dict[str, int] = {}
        for row, cost in zip(rows.tolist(), self.view.cost[rows, columns].sum(axis=1).tolist(), strict=True):
            if cost:
                leaf = self.view.leaves[row]
                child = leaf.api_key if dimension == "api_key" else leaf.model
                sums[child] = sums.get(child, 0) + cost
        largest = sorted(sums.items(), key=lambda item: (-item[1], item[0]))[:TOP]
        return tuple(Share(dimension, child, self._names.of(child), cost) for child, cost in largest)


@dataclass(frozen=True, slots=True, eq=False)
class Before:
    """What each scope spent in that part of a period that lies before the view, and how much of it is settled."""

    spent: Longs
    settled: Longs
    whole: bool
    """Whether every hour of it is known; also where there is none."""


def before(budget: Budget, members: Members, names: Names, period: Period) -> Before:
    """The same of a budget's members."""
    view, size = members.view, len(members.scopes)
    spent, settled = np.zeros((2, size), dtype=np.int64)
    if period.start >= view.start:
        return Before(spent, settled, whole=True)
    reach = Reach(view, [period])
    rows = np.flatnonzero(select(budget.select, reach.leaves, names))
    of, values = groups(budget.per, [reach.leaves[row] for row in rows.tolist()], names)
    scopes = [Scope.of(view.organization, dict(zip(budget.per, some, strict=True))) for some in values]
    # Scopes that spent nothing since the view begins have no place: nothing of theirs goes on.
    place = np.array([members.places.get(scope, size) for scope in scopes], dtype=np.intp)[of]
    there = place < size
    for into, sums in zip((spent, settled), reach.sums_before(period), strict=True):
        np.add.at(into, place[there], sums[rows[there]])
    whole = reach.since(period) <= period.start and not reach.unread_before(period)
    return Before(spent, settled, whole=whole)


@dataclass(frozen=True, slots=True)
class Field:
    """A budget in its running period: what every trigger of it judges."""

    budget: Budget
    period: Period
    members: Members
    limits: Sequence[Nano | None]
    """The limit of each of the members' scopes; None where there is none."""
    before: Before
    now: datetime

    @property
    def as_of(self) -> datetime:
        """How far anything is known."""
        return min(self.members.view.observed_until, self.now)

    def subject(self, kind: Kind, place: int, instance: str) -> Subject:
        """What an alert about one of the scopes is about."""
        return Subject(self.budget.name, kind, self.members.scopes[place], instance)

    def held(self, alerts: Mapping[Subject, Alert]) -> set[int]:
        """The scopes that have open alerts."""
        places = self.members.places
        return {places[subject.scope] for subject in alerts if subject.scope in places}

    def figures(self, place: int, driven: slice) -> dict[str, Any]:
        """What the evidence of every trigger holds of a scope; `driven` are the columns whose children are named."""
        period, members = self.period, self.members
        view, rows = members.view, members.rows(place)
        columns = period.columns(view.start, view.hours)
        hours = view.cost[rows, columns].sum(axis=0)
        return {
            "period": period.label,
            "period_start": period.start,
            "period_end": period.end,
            "timezone": period.timezone,
            "limit": self.limits[place] or 0,
            "spent": int(self.before.spent[place] + hours.sum()),
            "settled": int(self.before.settled[place] + view.settled[rows, columns].sum()),
            "data_as_of": self.as_of,
            "course": course_of(hours.cumsum()) if period.start >= view.start else None,
            "top": members.dearest(place, driven),
            "unpriced": members.unpriced(place, driven),
        }
