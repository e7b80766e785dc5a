"""A budget cut-off as most scripts have it: when the day's total is too high, stop whoever spends most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.organization_traffic import DAY
from rules.model import CONSOLE, Leaf

USUAL = 7
"""Days before whose mean is usual."""
LEAST = 50.0
"""Dollars over that, below which nothing is done, as with the guard."""


class Cut(NamedTuple):
    """One key that it stops; `workspace` is "" for the organization's total."""

    workspace: str
    key: str
    hour: int


def biggest_spenders(
    leaves: Sequence[Leaf], dollars: npt.NDArray[np.float64], since: int, over: float
) -> Iterator[Cut]:
    """At most one a scope and day: the key that spent most of it when the total first was `over` times the usual."""
    for workspace in ("", *sorted({leaf.workspace for leaf in leaves})):
        rows = [at for at, leaf in enumerate(leaves) if workspace in {"", leaf.workspace}]
        keys = [leaves[at].api_key for at in rows]
        own = dollars[rows]
        total = own.sum(axis=0)
        for begin in range(since // DAY * DAY, dollars.shape[1] - DAY + 1, DAY):
            usual = float(total[begin - USUAL * DAY : begin].sum()) / USUAL
            running = np.cumsum(total[begin : begin + DAY])
            passed = np.flatnonzero(running >= max(over * usual, usual + LEAST))
            if not len(passed):
                continue
            hour = begin + int(passed[0])
            spent: dict[str, float] = {}
            for key, amount in zip(keys, own[:, begin : hour + 1].sum(axis=1).tolist(), strict=True):
                spent[key] = spent.get(key, 0.0) + amount
            spent.pop(CONSOLE, None)
            if spent:
                yield Cut(workspace, max(spent, key=lambda key: spent[key]), hour)
