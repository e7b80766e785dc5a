"""What the series of one parent have in common: what most of a workspace's spend does is no key's own doing.

A launch that nobody announced is one story of its workspace; after its first day it is no news of each of its keys.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rules.profile import Tier

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

LEAST_MEMBERS = 5
"""Series without which there is nothing in common."""
HALF = 0.5 - 1e-9
"""Of the money; but for what sums of fractions lose."""


def parents_of(tiers: tuple[Tier, ...], rows: int) -> Places:
    """The row that each row belongs to; -1 where it belongs to none."""
    parents = np.full(rows, -1, dtype=np.intp)
    for tier in tiers:
        if tier.parent is not None:
            parents[tier.begin : tier.end] = tier.parent[: max(rows - tier.begin, 0)]
    return parents


def in_common(ratios: npt.NDArray[np.floating[Any]], usual: npt.NDArray[np.floating[Any]], parents: Places) -> Floats:
    """Of every row, how many times the usual its parent's series came to in common, at least 1.

    `ratios` are what each came to of its `usual` amount; NaN where that is not known. In common is what half of the
    usual money came to at least. A launch lifts the few keys that spend most of a workspace, and not the many that
    hardly spend. No series weighs more than a fifth of the money, so that neither one nor two speak for the others.
    """
    result = np.ones(len(ratios))
    known = np.flatnonzero(np.isfinite(ratios) & (parents >= 0) & (usual > 0))
    if not known.size:
        return result
    order = known[np.lexsort((ratios[known], parents[known]))]
    own, begins, counts = np.unique(parents[order], return_index=True, return_counts=True)
    weights = usual[order].astype(np.float64)
    weights /= np.repeat(np.add.reduceat(weights, begins), counts)
    weights = np.minimum(weights, 1.0 / LEAST_MEMBERS)
    below = np.cumsum(weights) - weights
    ends = np.append(below[begins[1:]], below[-1] + weights[-1])
    at_least_half = np.repeat(ends, counts) - below >= HALF
    so_many = np.add.reduceat(at_least_half.astype(np.intp), begins)
    most = ratios[order[begins + np.maximum(so_many, 1) - 1]]
    common = np.where((counts >= LEAST_MEMBERS) & (so_many > 0), most, 1.0)
    shared = np.ones(int(parents.max()) + 1)
    shared[own] = np.maximum(common, 1.0)
    belongs = parents >= 0
    result[belongs] = shared[parents[belongs]]
    return result
