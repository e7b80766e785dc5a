"""The band of one scope: what each hour was expected to cost, and from where on it alone would be odd.

It is the baseline of an anomaly rule, learnt for one scope and for what the scope borrows its shape from, its workspace
and the organization. That costs the hours of three series, however many others there are. What is expected is what the
rule expects; only of a series that is young the rule also goes by what is usual among its other scopes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from rules.dimensions import values_of
from rules.fit import Fit
from rules.model import UNATTRIBUTED, AnomalyRule, Dimension, Leaf, Names, Scope, SpendView
from rules.profile import DAY, Tier
from rules.subjects import Places, Rows, seen_hours, subjects_of

_NOBODY: Places = np.zeros(0, dtype=np.intp)


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """Dollars an hour; entry `i` is of hour `begin + i` of the view."""

    begin: int
    expected: npt.NDArray[np.float64]
    upper: npt.NDArray[np.float64]
    """Where a single hour reaches the threshold of one hour; endless where nothing is known yet."""


def members_of(view: SpendView, names: Names, parts: Mapping[Dimension, str]) -> Places:
    """The places of the leaves that have all these values; all leaves where none is named."""
    chosen = np.ones(len(view.leaves), dtype=np.bool_)
    for dimension, wanted in parts.items():
        chosen &= np.fromiter((value == wanted for value in values_of(dimension, view.leaves, names)), dtype=np.bool_)
    return np.flatnonzero(chosen)


def band_of(view: SpendView, names: Names, scope: Scope, rule: AnomalyRule, keep: int) -> Band | None:
    """The band of about the last `keep` hours; None where no usage explains any spend of the scope.

    What is planned, and what people said of earlier hours, is not in it.
    """
    explained = np.fromiter((leaf.api_key != UNATTRIBUTED for leaf in view.leaves), dtype=np.bool_)
    own = members_of(view, names, scope.parts())
    own = own[explained[own]]
    spent = hourly(view, own)
    if not spent.any():
        return None
    small, rows = _chain(view, own, spent, np.flatnonzero(explained), scope)
    subjects = subjects_of(rows, small, rows.sum(small, 0, seen_hours(small)))
    fit = Fit(rule, rows, names, None)
    fit.learn(small, subjects, max(keep, DAY))
    told = fit.read(small, subjects)
    row = rows.first
    return Band(
        told.begin,
        told.reading.expected[:, row],
        np.asarray(told.reading.upper[:, row], dtype=np.float64),
    )


def hourly(view: SpendView, places: Places) -> npt.NDArray[np.int64]:
    """The sums of these leaves, nano-dollars by hour of the view; of most leaves, by what is left out."""
    if 2 * len(places) <= len(view.leaves):
        return np.asarray(view.cost[places].sum(axis=0), dtype=np.int64)
    others = np.delete(np.arange(len(view.leaves)), places)
    return np.asarray(view.cost.sum(axis=0) - view.cost[others].sum(axis=0), dtype=np.int64)


def _chain(
    view: SpendView, own: Places, spent: npt.NDArray[np.int64], explained: Places, scope: Scope
) -> tuple[SpendView, Rows]:
    """A view of three leaves, the scope and what its workspace and the organization have beside it, and their rows."""
    homes = {view.leaves[place].workspace for place in own.tolist()}
    inside = len(homes) == 1 and set(scope.parts()) != {"workspace"} and bool(scope.parts())
    home = homes.pop() if inside else None
    around = explained[[view.leaves[place].workspace == home for place in explained.tolist()]] if inside else own
    nearby = hourly(view, around) if inside else spent
    everything = nearby if len(around) == len(explained) else hourly(view, explained)
    cost = np.stack([spent, nearby - spent, everything - nearby])
    leaves = tuple(Leaf("", f"({part})", "") for part in ("scope", "workspace", "organization"))
    small = replace(view, leaves=leaves, cost=cost, settled=np.zeros_like(cost), earlier=None, used=None)
    scoped, whole = np.array([0], dtype=np.intp), np.arange(3, dtype=np.intp)
    others: tuple[Places, ...] = (np.arange(2, dtype=np.intp),) if inside else ()
    first = 1 + len(others)
    tiers = (
        Tier(0, 1, None),
        *([Tier(1, 2, np.zeros(1, dtype=np.intp))] if inside else []),
        Tier(first, first + 1, np.array([first - 1], dtype=np.intp)),
    )
    names = (("organization",), *([("workspace", home or "")] if inside else []), ("scope",))
    return small, Rows(leaves, _NOBODY, (whole, *others, scoped), names, (scope,), tiers, first)
