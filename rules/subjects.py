"""The series that a rule asks for, cut from the ledger's leaves, and where each of them borrows its shape.

Rows come in tiers: the organization, its workspaces, then the subjects. The first two are there to be borrowed from:
they hold everything that usage explains, whatever the rule selects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rules.model import HOUR, UNATTRIBUTED, AnomalyRule, Names, Scope, SpendView
from rules.profile import Tier
from rules.selectors import select

DOLLAR = 1e9

Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Subjects:
    """What to judge: `dollars` is hours × rows, NaN where nothing is known; row `first + i` belongs to `scopes[i]`."""

    scopes: tuple[Scope, ...]
    members: tuple[Places, ...]
    """Of each scope, the places of its leaves in the view."""
    dollars: npt.NDArray[np.float64]
    tiers: tuple[Tier, ...]
    first: int
    complete: int
    """How many of the hours are complete; the rest are lower bounds."""


def cut(rule: AnomalyRule, view: SpendView, names: Names) -> Subjects:
    """Sum the view's leaves to the rule's scopes, leaving out what no usage explains and what has never cost anything.

    A series begins with its first spend: the hours before are missing, not zero, so that a new key is judged as new.
    """
    complete = min(max(view.index(view.complete_until), 0), view.hours)
    hours = min(max(-((view.start - view.observed_until) // HOUR), complete), view.hours)
    active = view.cost[:, :hours].any(axis=1) if hours else np.zeros(len(view.leaves), dtype=np.bool_)
    explained = active & np.array([leaf.api_key != UNATTRIBUTED for leaf in view.leaves], dtype=np.bool_)
    within = np.flatnonzero(explained)
    chosen = np.flatnonzero(explained & select(rule.select, view.leaves, names))
    workspaces, by_workspace = _group([(view.leaves[at].workspace,) for at in within], within)
    values, members = _group([tuple(getattr(view.leaves[at], d) for d in rule.per) for at in chosen], chosen)
    rows = [within, *by_workspace, *members]
    dollars = _sum(view.cost[:, :hours], rows) / DOLLAR
    missing = ~np.maximum.accumulate(dollars > 0, axis=0)
    missing[:complete] |= ~view.known[:complete, None]
    dollars[missing] = np.nan
    first = 1 + len(workspaces)
    home = {workspace: 1 + place for place, (workspace,) in enumerate(workspaces)}
    inside = "workspace" in rule.per or "api_key" in rule.per
    parents = [
        home[view.leaves[places[0]].workspace] if inside and rule.per != ("workspace",) else 0 for places in members
    ]
    tiers = (
        Tier(0, 1, None),
        Tier(1, first, np.zeros(len(workspaces), dtype=np.intp)),
        Tier(first, len(rows), np.array(parents, dtype=np.intp)),
    )
    scopes = tuple(Scope(view.organization, **dict(zip(rule.per, value, strict=True))) for value in values)
    return Subjects(scopes, tuple(members), dollars, tiers, first, complete)


def _group(labels: Sequence[tuple[str, ...]], places: Places) -> tuple[list[tuple[str, ...]], list[Places]]:
    """The distinct labels in order of appearance, and the places of each."""
    found: dict[tuple[str, ...], list[int]] = {}
    for label, place in zip(labels, places, strict=True):
        found.setdefault(label, []).append(int(place))
    return list(found), [np.array(some, dtype=np.intp) for some in found.values()]


def _sum(cost: npt.NDArray[np.int64], rows: Sequence[Places]) -> npt.NDArray[np.float64]:
    """Sums of the given rows of `cost` (exact, in integers), as hours × sums."""
    result = np.zeros((cost.shape[1], len(rows)))
    sizes = np.array([len(places) for places in rows], dtype=np.intp)
    filled = np.flatnonzero(sizes)
    if filled.size:
        starts = np.concatenate([[0], np.cumsum(sizes[filled])[:-1]])
        picked = cost[np.concatenate([places for places in rows if len(places)])]
        result[:, filled] = np.add.reduceat(picked, starts, axis=0).T
    return result
