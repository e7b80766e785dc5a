"""Amounts as arrays of leaf x hour of the day (0–23), in whole nano-dollars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rules.model import Leaf, Nano
from watcher.ledger.reading import IntArray
from watcher.ledger.shares import cascade

HOURS = 24


@dataclass(frozen=True, slots=True)
class Spent:
    """A day's amounts by standing, over its leaves.

    `rest` is what no usage explains, by workspace and model, and in none of the grids; `guessed` says which usage rows
    count with a price that stands in for an unknown one.
    """

    settled: IntArray
    provisional: IntArray
    estimated: IntArray
    rest: Mapping[tuple[str, str], Nano]
    guessed: npt.NDArray[np.bool_]


def grid(leaf: IntArray, hour: IntArray, values: IntArray, leaves: int) -> IntArray:
    """The sums of rows by leaf and hour."""
    flat = np.zeros(leaves * HOURS, dtype=np.int64)
    np.add.at(flat, leaf * HOURS + hour, values)
    return flat.reshape(leaves, HOURS)


def totals(index: IntArray, rows: IntArray, size: int) -> IntArray:
    """The sums of rows by number: `index[i]`, below `size`, says to which sum row i belongs."""
    sums = np.zeros((rows.shape[1], size), dtype=np.int64)
    for into, column in zip(sums, rows.T, strict=True):  # many times as fast as all columns at once
        np.add.at(into, index, column)
    return sums.T


def share(amount: int, into: IntArray, weights: IntArray, rows: IntArray, leaves: Sequence[Leaf]) -> bool:
    """Add an amount to those rows of a grid in proportion to their weights, which are not negative.

    Exact, and the same in whatever order the leaves are listed. False, and nothing is added, where nothing weighs.
    """
    rows = np.array(sorted(rows.tolist(), key=lambda row: _name(leaves[row])), dtype=np.int64)
    weight = weights[rows].ravel()
    if not weight.any():
        return False
    shares = cascade(np.array([amount], dtype=np.int64), weight, np.zeros(1, dtype=np.int64))
    into[rows] += shares.reshape(len(rows), HOURS)
    return True


def _name(leaf: Leaf) -> tuple[str, str, str, str]:
    return leaf.workspace, leaf.api_key, leaf.model, leaf.service_tier
