"""What is kept of whole UTC days: what they came to by leaf, and what that was made from.

The words that the store and the ledger share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rules.model import Leaf

IntArray = npt.NDArray[np.int64]

FIGURES = 9
"""Settled, provisional and estimated nano-dollars, five kinds of tokens, and web searches."""
DIGEST = 16
"""Bytes of the digest of an hour of usage."""
STANDINGS = 3
"""The first so many figures are money."""


class Reading(NamedTuple):
    """What a bucket said (a digest of it), when it was read last, and since when it says so."""

    digest: bytes
    observed_at: datetime
    unchanged_since: datetime


@dataclass(frozen=True, slots=True)
class DayState:
    """What is stored of one day: its hours of usage (hour and digest, one behind the other), its cost report, and the
    hours of analytics that were told, by hour (0–23)."""

    usage: bytes = b""
    cost: Reading | None = None
    analytics: Mapping[int, Reading] | None = None

    @property
    def hours(self) -> frozenset[int]:
        """The hours (0–23) of which usage was ever read."""
        return frozenset(self.usage[:: 1 + DIGEST])


class Head(NamedTuple):
    """What is kept of a day beside its figures: what they were made from, and which prices they rest on (b"": none).

    `lesson` is what the day teaches the price book, None where that is nothing; `unpriced` names models, one a line.
    """

    made_from: bytes
    prices: bytes
    lesson: str | None
    unpriced: str


@dataclass(frozen=True, slots=True, eq=False)
class DaySum:
    """One whole day to be kept: `figures[i]`, in the order of `FIGURES`, are those of `leaves[i]`, no leaf twice."""

    day: date
    head: Head
    leaves: Sequence[Leaf]
    figures: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class SumColumns:
    """Kept days: of each, in `days`, the places of its leaves in `leaves` and their figures (leaf x figure)."""

    leaves: tuple[Leaf, ...]
    days: Mapping[date, tuple[npt.NDArray[np.intp], IntArray]]
