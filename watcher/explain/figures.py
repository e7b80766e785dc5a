"""What a scope cost by hour and by day, as it is known now. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from rules.dimensions import values_of
from rules.model import HOUR, Names, Nano, Scope, Selector, SpendView
from rules.selectors import select
from watcher.ledger.days import VIEW_DAYS


@dataclass(frozen=True, slots=True)
class Figures:
    """The leaves of a view that lie in a scope. Windows are cut to the view; amounts are nano-dollars, or whatever the
    view counts."""

    view: SpendView
    members: npt.NDArray[np.intp]

    @classmethod
    def of(cls, view: SpendView, names: Names, scope: Scope, selector: Selector | None = None) -> Figures:
        """Those of this scope, as far as the selector takes them."""
        chosen = np.ones(len(view.leaves), dtype=np.bool_) if selector is None else select(selector, view.leaves, names)
        for dimension, ident in scope.parts().items():
            found = values_of(dimension, view.leaves, names)
            chosen &= np.fromiter((value == ident for value in found), dtype=np.bool_, count=len(found))
        return cls(view, np.flatnonzero(chosen))

    def reaches(self, moment: datetime) -> bool:
        """Whether the view goes back that far, or as far as anything is stored."""
        return self.view.start <= moment or self.view.hours < VIEW_DAYS * 24

    def cost(self, since: datetime, until: datetime) -> Nano:
        """The sum over [since, until)."""
        return int(self.view.cost[self.members, self._columns(since, until)].sum())

    def settled(self, since: datetime, until: datetime) -> Nano:
        """The part of it that is settled."""
        return int(self.view.settled[self.members, self._columns(since, until)].sum())

    def models(self, since: datetime, until: datetime) -> tuple[tuple[str, str], ...]:
        """The models and service tiers that cost anything, the dearest first."""
        spent = self.view.cost[self.members, self._columns(since, until)].sum(axis=1)
        sums: dict[tuple[str, str], int] = {}
        for place, cost in zip(self.members.tolist(), spent.tolist(), strict=True):
            leaf = self.view.leaves[place]
            which = leaf.model, leaf.service_tier
            sums[which] = sums.get(which, 0) + cost
        return tuple(which for which, cost in sorted(sums.items(), key=lambda item: (-item[1], item[0])) if cost > 0)

    def by_day(self, since: datetime, until: datetime, zone: str) -> Mapping[date, Nano]:
        """The sums of the days of a zone, in order."""
        columns = self._columns(since, until)
        hours = self.view.cost[self.members, columns].sum(axis=0)
        days: dict[date, int] = {}
        for place, cost in enumerate(hours.tolist(), columns.start):
            day = (self.view.start + place * HOUR).astimezone(ZoneInfo(zone)).date()
            days[day] = days.get(day, 0) + cost
        return days

    def _columns(self, since: datetime, until: datetime) -> slice:
        first = -((self.view.start - since) // HOUR)
        last = -((self.view.start - until) // HOUR)
        first = min(max(first, 0), self.view.hours)
        return slice(first, max(min(last, self.view.hours), first))
