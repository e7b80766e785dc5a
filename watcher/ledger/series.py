"""The series of some usage, numbered: their leaves, their traffic, and their dimensions as integer codes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from rules.model import UNATTRIBUTED, Leaf
from rules.model import UNKNOWN as UNTOLD
from watcher.ledger.reading import IntArray, SeriesKey
from watcher.pricing import Traffic

Part: TypeAlias = Literal["workspace", "model", "service_tier", "context_window", "inference_geo", "speed"]

PRICE_PARTS: tuple[Part, ...] = ("service_tier", "context_window", "inference_geo", "speed")
PARTS: tuple[Part, ...] = ("workspace", "model", *PRICE_PARTS)
UNKNOWN = -1
"""The code of a value that no series has."""

_SAME_AS_NULL: dict[Part, str] = {"inference_geo": "not_available", "speed": "standard"}
"""Values that one report writes where the other may write null."""


class SeriesTable:
    """Series by number. Arrays have one entry a series; codes of a dimension begin at 0."""

    def __init__(self, keys: Sequence[SeriesKey]) -> None:
        self.keys = tuple(keys)
        leaves: dict[Leaf, int] = {}
        traffics: dict[Traffic, int] = {}
        self._values: dict[Part, dict[str, int]] = {part: {} for part in PARTS}
        codes: dict[Part, list[int]] = {part: [] for part in PARTS}
        leaf_of, traffic_of = [], []
        for key in keys:
            tier = UNTOLD if key.api_key == UNATTRIBUTED else key.service_tier or UNTOLD
            leaf = Leaf(key.workspace, key.api_key, key.model, tier)
            leaf_of.append(leaves.setdefault(leaf, len(leaves)))
            traffic = Traffic(key.model, key.service_tier, key.context_window, key.inference_geo, key.speed)
            traffic_of.append(traffics.setdefault(traffic, len(traffics)))
            for part in PARTS:
                values = self._values[part]
                codes[part].append(values.setdefault(as_matched(part, getattr(key, part)), len(values)))
        self.leaves: tuple[Leaf, ...] = tuple(leaves)
        self.traffics: tuple[Traffic, ...] = tuple(traffics)
        self.leaf_of: IntArray = np.array(leaf_of, dtype=np.int64)
        self.traffic_of: IntArray = np.array(traffic_of, dtype=np.int64)
        self.null: dict[Part, npt.NDArray[np.bool_]] = {
            part: np.array([getattr(key, part) == "" for key in self.keys], dtype=bool) for part in PRICE_PARTS
        }
        """Where a price dimension was null, or not asked for."""
        self.codes: dict[Part, IntArray] = {part: np.array(codes[part], dtype=np.int64) for part in PARTS}

    @cached_property
    def rank(self) -> IntArray:
        """The place of each series among all by what they are called, whatever order they are numbered in."""
        names = [(*(getattr(key, part) for part in PARTS), key.api_key) for key in self.keys]
        rank = np.empty(len(names), dtype=np.int64)
        rank[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
        return rank

    def code(self, part: Part, value: str) -> int:
        """The code of a dimension's value; UNKNOWN if no series has it."""
        return self._values[part].get(value, UNKNOWN)

    def size(self, part: Part) -> int:
        """How many values the dimension has."""
        return len(self._values[part])

    def values(self, part: Part) -> tuple[str, ...]:
        """The dimension's values by code."""
        return tuple(self._values[part])


def as_matched(part: Part, value: str) -> str:
    """A dimension's value as it is compared between reports: "" for null and for what means the same."""
    return "" if _SAME_AS_NULL.get(part) == value else value
