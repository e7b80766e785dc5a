"""Claude Code's own estimate of what it cost, in the form of the ledger's working view: so that budgets may count it.

It is a figure of its own and in no spend. The report knows days only: a day's amount stands in the day's first hour.
People are told by e-mail address, keys by their name; whose they are is looked up, and who is not known goes by the
address.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np

from rules.measures import Measure
from rules.model import UNKNOWN, Leaf, Names, SpendView
from watcher.admin_api.answers import ClaudeCodeRow
from watcher.claude_code.actors import ActorKind, Actors
from watcher.ingest.claude_code import SOURCE, days_asked
from watcher.store import Store

_DAY = timedelta(days=1)
_HOURS = 24


@dataclass(frozen=True, slots=True)
class Use:
    """Who used which model as which kind of customer."""

    customer_type: str
    kind: ActorKind
    actor: str
    model: str


@dataclass(slots=True)
class Estimates:
    """What the report says of each day, kept until the day is read again. Not thread-safe: it belongs to the cycle."""

    _days: dict[date, tuple[datetime, Mapping[Use, int]]] = field(default_factory=dict)

    def views(
        self, store: Store, organization: str, like: SpendView, wanted: Mapping[Measure, date], now: datetime
    ) -> Mapping[Measure, SpendView | str]:
        """The estimates as views of the hours of `like`, or why they are not known.

        `wanted` says from which day on each must be whole: until the history from there has been asked for, all of
        it is not known, since the report comes a few days at a poll, and is to be told of once.
        """
        if not wanted:
            return {}
        state = store.sources.get(organization, SOURCE)
        if state.offered is False:
            return dict.fromkeys(wanted, f"{SOURCE} is not offered to this key")
        asked, observed = days_asked(store, organization, now), store.claude_code.observed(organization)
        first, today = like.start.date(), now.astimezone(UTC).date()
        self._take(store, organization, {day: at for day, at in observed.items() if first <= day <= today})
        found: dict[Measure, SpendView | str] = {}
        for measure, since in wanted.items():
            waiting = [day for day in _span(max(since, first), today) if day not in asked]
            if waiting:
                found[measure] = f"the Claude Code report is still being read: {len(waiting)} days are missing"
            else:
                found[measure] = self._view(measure, replace(like, complete_until=state.watermark or like.start))
        return found

    def people(self, store: Store, organization: str, names: Names) -> Names:
        """The names with whose each actor is: the keys of the views are actors of the report."""
        actors = Actors.of(store, organization)
        whose: dict[str, str] = {}
        for use in {use for _, uses in self._days.values() for use in uses}:
            ident = actors.ident(use.kind, use.actor)
            if use.kind == "user":
                whose[key_of(use)] = ident or use.actor
            else:
                whose[key_of(use)] = names.user_of_key.get(ident or "", UNKNOWN)
        return replace(names, user_of_key={**names.user_of_key, **whose})

    def _take(self, store: Store, organization: str, observed: Mapping[date, datetime]) -> None:
        """Read the days that were read anew since."""
        stale = [day for day, at in observed.items() if day not in self._days or self._days[day][0] != at]
        for first, last in _runs(sorted(stale)):
            for day, rows in store.claude_code.read(organization, first, last + _DAY).items():
                self._days[day] = (observed[day], _sums(rows))
        for day in self._days.keys() - observed.keys():
            del self._days[day]

    def _view(self, measure: Measure, like: SpendView) -> SpendView:
        first = like.start.date()
        index: dict[Leaf, int] = {}
        cells: list[tuple[int, int, int]] = []
        known = np.zeros(like.hours, dtype=np.bool_)
        for day, (_, uses) in self._days.items():
            hour = _HOURS * (day - first).days
            known[hour : hour + _HOURS] = True
            for use, nano in uses.items():
                if use.customer_type == measure.claude_code and nano:
                    leaf = Leaf("", key_of(use), use.model)
                    cells.append((index.setdefault(leaf, len(index)), hour, nano))
        cost = np.zeros((len(index), like.hours), dtype=np.int64)
        for row, hour, nano in cells:
            cost[row, hour] += nano
        nothing = np.broadcast_to(np.zeros((), dtype=np.int64), cost.shape)
        return replace(
            like,
            leaves=tuple(index),
            cost=cost,
            settled=nothing,
            known=known,
            observed_until=max((at for at, _ in self._days.values()), default=like.start),
            unpriced=frozenset(),
            earlier=None,
        )


def key_of(use: Use) -> str:
    """What stands in a view for the key: the actor, who may be somebody without one."""
    return f"(claude code {use.kind}) {use.actor}"


def _sums(rows: tuple[ClaudeCodeRow, ...]) -> Mapping[Use, int]:
    found: dict[Use, int] = {}
    for row in rows:
        for model in row.model_breakdown:
            use = Use(row.customer_type or "", row.actor_kind, row.actor, model.model)
            found[use] = found.get(use, 0) + model.cost_nano
    return found


def _span(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += _DAY


def _runs(days: list[date]) -> Iterator[tuple[date, date]]:
    """Stretches of days in a row, as first and last."""
    start = 0
    for end in range(1, len(days) + 1):
        if end == len(days) or days[end] != days[end - 1] + _DAY:
            yield days[start], days[end - 1]
            start = end
