"""The series that a rule asks for, cut from the ledger's leaves, and where each of them borrows its shape.

Rows come in tiers: the organization, its workspaces, then the subjects. The first two are there to be borrowed from:
they hold everything that usage explains, whatever the rule selects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rules.dimensions import groups
from rules.model import HOUR, TAG, UNATTRIBUTED, AnomalyRule, Dimension, Leaf, Names, Scope, SpendView
from rules.profile import Tier
from rules.selectors import select

DOLLAR = 1e9

Places = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Subjects:
    """What to judge: `dollars` is hours × rows, NaN where nothing is known; row `first + i` belongs to `scopes[i]`."""

    scopes: tuple[Scope, ...]
    members: tuple[Places, ...]
    """Of each scope, the places of its leaves in the view."""
    dollars: Floats
    tiers: tuple[Tier, ...]
    first: int
    complete: int
    """How many of the view's hours are complete; the rest are lower bounds."""
    factor: Floats | None = None
    """Hours × rows like `dollars`, 1 and more: how many times the usual is expected, because something is planned. What
    comes trains as if it had not been planned."""
    untaught: Flags | None = None
    """Hours × rows like `dollars`: those that are judged as any other and from which nothing is ever learnt, however
    long they go on."""
    allowed: Floats | None = None
    """Hours × rows like `dollars`: so much on top of the expected is no news, and trains as it is."""
    places: tuple[Places, ...] = ()
    """Of each row, the places of its leaves in the view."""
    begin: int = 0
    """The hour of the view that `dollars` begins with: what lies before is carried (`rules.carried`)."""

    @property
    def done(self) -> int:
        """How many of the hours of `dollars` are complete."""
        return max(self.complete - self.begin, 0)


@dataclass(frozen=True, eq=False)
class Rows:
    """Which leaves make which row, for one rule and one set of leaves."""

    leaves: tuple[Leaf, ...]
    idle: Places
    """The places of leaves that had cost nothing, and are in no row."""
    places: tuple[Places, ...]
    """Of each row, the places of its leaves."""
    names: tuple[tuple[str, ...], ...]
    """What tells each row from the others."""
    scopes: tuple[Scope, ...]
    tiers: tuple[Tier, ...]
    first: int

    @cached_property
    def members(self) -> tuple[Places, ...]:
        """Of each scope, the places of its leaves; the same object as long as these rows are."""
        return self.places[self.first :]

    @cached_property
    def _order(self) -> _Order:
        return _Order.of(self.places)

    def parent(self, place: int) -> tuple[str, ...] | None:
        """The name of the row that a row borrows its shape from; None if from none."""
        tier = next(tier for tier in self.tiers if tier.begin <= place < tier.end)
        return None if tier.parent is None else self.names[tier.parent[place - tier.begin]]

    def borrows_as(self, others: Rows) -> bool:
        """Whether each row borrows its shape from the row at the same place as there."""
        nobody = np.zeros(0, dtype=np.intp)
        mine, theirs = (
            [nobody if tier.parent is None else tier.parent for tier in rows.tiers] for rows in (self, others)
        )
        return all(np.array_equal(own, other) for own, other in zip(mine, theirs, strict=True))

    def sum(self, view: SpendView, begin: int, end: int, begun: Flags | None = None) -> Floats:
        """Dollars of these hours of the view, hours × rows, NaN where nothing is known.

        A series begins with its first spend: the hours before are missing, not zero, so that a new key is judged as
        new. `begun` says which series have begun before these hours.
        """
        complete = complete_hours(view)
        dollars = self._order.sum(view.cost[:, begin:end]) / DOLLAR
        missing = ~np.maximum.accumulate(dollars > 0, axis=0)
        if begun is not None:
            missing &= ~begun
        known = max(min(complete, end) - begin, 0)
        missing[:known] |= ~view.known[begin : begin + known, None]
        dollars[missing] = np.nan
        return dollars


def cut(rule: AnomalyRule, view: SpendView, names: Names) -> Subjects:
    """Sum the view's leaves to the rule's scopes, leaving out what no usage explains and what has never cost anything.

    A series begins with its first spend: the hours before are missing, not zero, so that a new key is judged as new.
    """
    rows = rows_of(rule, view, names)
    return subjects_of(rows, view, rows.sum(view, 0, seen_hours(view)))


def subjects_of(rows: Rows, view: SpendView, dollars: Floats, begin: int = 0) -> Subjects:
    """The subjects whose dollars these are from hour `begin` of the view on."""
    return Subjects(
        rows.scopes,
        rows.members,
        dollars,
        rows.tiers,
        rows.first,
        complete_hours(view),
        places=rows.places,
        begin=begin,
    )


def complete_hours(view: SpendView) -> int:
    """How many of the view's hours are complete."""
    return min(max(view.index(view.complete_until), 0), view.hours)


def seen_hours(view: SpendView) -> int:
    """How many of the view's hours are complete or have been looked at."""
    return min(max(-((view.start - view.observed_until) // HOUR), complete_hours(view)), view.hours)


def rows_of(rule: AnomalyRule, view: SpendView, names: Names) -> Rows:
    """Which leaves make which row: those that no usage explains, or that have cost nothing, make none."""
    hours = seen_hours(view)
    active = view.cost[:, :hours].any(axis=1) if hours else np.zeros(len(view.leaves), dtype=np.bool_)
    explained = active & np.array([leaf.api_key != UNATTRIBUTED for leaf in view.leaves], dtype=np.bool_)
    within = np.flatnonzero(explained)
    chosen = np.flatnonzero(explained & select(rule.select, view.leaves, names))
    workspaces, by_workspace = _group(("workspace",), view, names, within)
    values, members = _group(rule.per, view, names, chosen)
    first = 1 + len(workspaces)
    home = {workspace: 1 + place for place, (workspace,) in enumerate(workspaces)}
    inside = _lies_in_a_workspace(rule.per)
    parents = [home[view.leaves[places[0]].workspace] if inside else 0 for places in members]
    tiers = (
        Tier(0, 1, None),
        Tier(1, first, np.zeros(len(workspaces), dtype=np.intp)),
        Tier(first, first + len(members), np.array(parents, dtype=np.intp)),
    )
    scopes = tuple(Scope.of(view.organization, dict(zip(rule.per, value, strict=True))) for value in values)
    kinds = ("organization",), *(("workspace", *name) for name in workspaces), *(("scope", *name) for name in values)
    places = (within, *by_workspace, *members)
    return Rows(view.leaves, np.flatnonzero(~active), places, kinds, scopes, tiers, first)


def _lies_in_a_workspace(per: Sequence[Dimension]) -> bool:
    """Whether each such scope is a part of one workspace, and less than the whole of it."""
    divided = any(dimension != "workspace" and not dimension.startswith(TAG) for dimension in per)
    return "api_key" in per or ("workspace" in per and divided)


def _group(
    by: Sequence[Dimension], view: SpendView, names: Names, places: Places
) -> tuple[tuple[tuple[str, ...], ...], list[Places]]:
    """The groups of the leaves at these places, in order of appearance, and the places of each."""
    if not len(places):
        return (), []
    of, values = groups(by, [view.leaves[at] for at in places.tolist()], names)
    order = np.argsort(of, kind="stable")
    bounds = np.searchsorted(of[order], np.arange(1, len(values)))
    return values, np.split(places[order], bounds)


class _Order(NamedTuple):
    """The leaves of all rows one after another, so that they are summed at once."""

    rows: int
    filled: Places
    """The rows that have any."""
    starts: Places
    """Where the leaves of each of these begin."""
    leaves: Places

    @classmethod
    def of(cls, rows: Sequence[Places]) -> _Order:
        sizes = np.array([len(places) for places in rows], dtype=np.intp)
        filled = np.flatnonzero(sizes)
        starts = np.cumsum(sizes[filled]) - sizes[filled]
        return cls(len(rows), filled, starts, np.concatenate([np.zeros(0, dtype=np.intp), *rows]))

    def sum(self, cost: npt.NDArray[np.int64]) -> Floats:
        """The sums of each row of leaves (exact, in integers), as hours × sums."""
        result = np.zeros((cost.shape[1], self.rows))
        if self.filled.size:
            result[:, self.filled] = np.add.reduceat(cost[self.leaves], self.starts, axis=0).T
        return result
