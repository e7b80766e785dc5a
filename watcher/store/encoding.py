"""From a bucket of the Admin API to columns of numbers: series ids for dimensions, and a digest to compare by."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np

from watcher.admin_api.answers import UsageBucket
from watcher.store.packing import IntArray
from watcher.store.series import Dimensions

COLUMNS = 7
"""The series' id and six counts."""
TOKENS = slice(1, 6)
"""Which of the columns are tokens."""


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """A bucket as columns, ordered by series; the digest is equal where rows and grouping are equal."""

    columns: IntArray
    grouped_by: str
    digest: bytes
    tokens: int


def encode(bucket: UsageBucket, ids: Mapping[Dimensions, int]) -> Encoded:
    """The columns of a bucket. Rows that fall together once nulls have names are added."""
    rows = bucket.rows
    columns = np.empty((COLUMNS, len(rows)), dtype=np.int64)
    columns[0] = np.fromiter((ids[row[:7]] for row in rows), np.int64, len(rows))
    counts = chain.from_iterable(row[7:] for row in rows)
    columns[1:] = np.fromiter(counts, np.int64, 6 * len(rows)).reshape(-1, 6).T
    columns = added(columns)
    grouped_by = ",".join(sorted(bucket.grouped_by))
    digest = hashlib.blake2b(columns.T.tobytes() + grouped_by.encode(), digest_size=16)
    return Encoded(columns, grouped_by, digest.digest(), int(columns[TOKENS].sum()))


def added(columns: IntArray) -> IntArray:
    """The same rows ordered by series; the figures of rows that share one are added."""
    columns = columns[:, np.argsort(columns[0], kind="stable")]
    starts = np.flatnonzero(np.diff(columns[0], prepend=-1))
    if len(starts) == columns.shape[1]:
        return columns
    return np.vstack((columns[:1, starts], np.add.reduceat(columns[1:], starts, axis=1)))
