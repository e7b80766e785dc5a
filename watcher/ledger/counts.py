"""What budgets count beside dollars: tokens by leaf and hour, over the same days as the working view.

Nothing is read or kept of a measure that no budget asks for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Self

import numpy as np

from rules.measures import TOKENS, Measure
from rules.model import Leaf, SpendView
from watcher.ledger.days import DAY, VIEW_DAYS, DayUsage, read_usage
from watcher.ledger.grids import HOURS, grid
from watcher.ledger.reading import IntArray, LedgerStore
from watcher.pricing import KINDS

_FIRST_ROOM = 64


class Counts:
    """The tokens of one organization. Not thread-safe: it belongs to the ledger."""

    def __init__(self, store: LedgerStore, organization: str) -> None:
        self._store, self._organization = store, organization
        self._grids: dict[Measure, _Grid] = {}
        self._touched: set[date] = set()

    def touch(self, days: Collection[date]) -> None:
        """Note that usage of these days may have changed."""
        self._touched |= set(days)

    def views(self, view: SpendView, measures: Collection[Measure]) -> Mapping[Measure, SpendView]:
        """Each measure in the form of the working view: `cost` counts tokens, and nothing is settled.

        An earlier view stays as it was. After a call that raised (StoreError) everything is counted again.
        """
        days = tuple(view.start.date() + number * DAY for number in range(VIEW_DAYS + 1))
        grids, self._grids = self._grids, {}
        touched, self._touched = self._touched & set(days), set()
        fresh = {each: grids[each].over(days, touched=bool(touched)) for each in measures if each in grids}
        _fill(fresh, read_usage(self._store, self._organization, touched if fresh else ()))
        new = {each: _Grid(days) for each in measures if each not in grids}
        _fill(new, read_usage(self._store, self._organization, days if new else ()))
        self._grids = fresh | new
        return {measure: counted.view(view) for measure, counted in self._grids.items()}


def count_tokens(
    store: LedgerStore, organization: str, view: SpendView, measures: Collection[Measure]
) -> Mapping[Measure, SpendView]:
    """Each measure in the form of a view of any length that begins at a midnight, read once and kept nowhere."""
    days = tuple(view.start.date() + number * DAY for number in range(-(-view.hours // HOURS)))
    grids = {each: _Grid(days) for each in measures}
    _fill(grids, read_usage(store, organization, days if grids else ()))
    return {measure: counted.view(view) for measure, counted in grids.items()}


def _fill(grids: Mapping[Measure, _Grid], days: Iterable[DayUsage]) -> None:
    columns = {measure: [KINDS.index(kind) for kind in TOKENS[measure.kind]] for measure in grids}
    for usage in days:
        for measure, into in grids.items():
            into.put(usage, usage.counts[:, columns[measure]].sum(axis=1))


@dataclass(slots=True)
class _Grid:
    """Leaves x hours of some days."""

    days: tuple[date, ...]
    index: dict[Leaf, int] = field(default_factory=dict)
    figures: IntArray = field(init=False)

    def __post_init__(self) -> None:
        self.figures = np.zeros((_FIRST_ROOM, HOURS * len(self.days)), dtype=np.int64)

    def over(self, days: Sequence[date], *, touched: bool) -> Self:
        """This one where nothing is to change, or a copy of it over other days."""
        if tuple(days) == self.days and not touched:
            return self
        moved = replace(self, days=tuple(days), index=dict(self.index))
        shift = HOURS * (days[0] - self.days[0]).days
        moved.figures = np.zeros_like(self.figures)
        if 0 <= shift < self.figures.shape[1]:
            moved.figures[:, : self.figures.shape[1] - shift] = self.figures[:, shift:]
        if shift:
            moved.leave_out_what_is_nothing()
        return moved

    def put(self, usage: DayUsage, counts: IntArray) -> None:
        """Replace one day's figures by the counts of its rows."""
        begin = HOURS * (usage.day - self.days[0]).days
        hours = slice(begin, begin + HOURS)
        leaves = usage.table.leaves
        of_day = grid(usage.table.leaf_of[usage.series], usage.hour, counts, len(leaves))
        present = np.flatnonzero(of_day.any(axis=1))
        rows = [self.index.setdefault(leaves[at], len(self.index)) for at in present.tolist()]
        if len(self.index) > len(self.figures):
            more = np.zeros((max(len(self.index), 2 * len(self.figures)), self.figures.shape[1]), dtype=np.int64)
            more[: len(self.figures)] = self.figures
            self.figures = more
        self.figures[:, hours] = 0
        self.figures[rows, hours] = of_day[present]

    def view(self, like: SpendView) -> SpendView:
        """The figures as far as the working view goes."""
        counted = self.figures[: len(self.index), : like.hours]
        counted.flags.writeable = False
        nothing = np.broadcast_to(np.zeros((), dtype=np.int64), counted.shape)
        return replace(
            like, leaves=tuple(self.index), cost=counted, settled=nothing, unpriced=frozenset(), earlier=None
        )

    def leave_out_what_is_nothing(self) -> None:
        """Forget the leaves of which no day tells anything any more."""
        used = np.flatnonzero(self.figures[: len(self.index)].any(axis=1))
        leaves = tuple(self.index)
        self.index = {leaves[row]: place for place, row in enumerate(used.tolist())}
        kept = self.figures[used]
        self.figures[: len(used)] = kept
        self.figures[len(used) :] = 0
