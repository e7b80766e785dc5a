"""Which of the small whole numbers that stand for lines, traffics or hours occur in an array."""

from __future__ import annotations

import numpy as np

from watcher.ledger.reading import IntArray


def occurring(numbers: IntArray) -> list[int]:
    """The numbers that occur, each once, ascending; none may be negative.

    `np.unique` loads numpy's masked arrays to say so, which takes longer than all else that a short report counts.
    """
    return np.flatnonzero(np.bincount(numbers)).tolist()
