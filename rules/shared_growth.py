"""What the series of one parent have in common: what most keys of a workspace do is growth, and no key's own doing."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rules.profile import Tier

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

LEAST_MEMBERS = 5
"""Series without which there is nothing in common."""


def parents_of(tiers: tuple[Tier, ...], rows: int) -> Places:
    """The row that each row belongs to; -1 where it belongs to none."""
    parents = np.full(rows, -1, dtype=np.intp)
    for tier in tiers:
        if tier.parent is not None:
            parents[tier.begin : tier.end] = tier.parent[: max(rows - tier.begin, 0)]
    return parents


def in_common(ratios: npt.NDArray[np.floating[Any]], parents: Places) -> Floats:
    """Of every row, how many times the usual the median series of its parent came to, at least 1; NaN = not known."""
    result = np.ones(len(ratios))
    known = np.flatnonzero(np.isfinite(ratios) & (parents >= 0))
    if not known.size:
        return result
    order = known[np.lexsort((ratios[known], parents[known]))]
    own, begins, counts = np.unique(parents[order], return_index=True, return_counts=True)
    low, high = order[begins + (counts - 1) // 2], order[begins + counts // 2]
    medians = np.where(counts >= LEAST_MEMBERS, (ratios[low] + ratios[high]) / 2.0, 1.0)
    shared = np.ones(int(parents.max()) + 1)
    shared[own] = np.maximum(medians, 1.0)
    belongs = parents >= 0
    result[belongs] = shared[parents[belongs]]
    return result
