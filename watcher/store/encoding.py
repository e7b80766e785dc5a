"""From a bucket of the Admin API to rows of the table: series ids for dimensions, and a digest to compare by."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from sqlalchemy import Connection, insert, select

from rules.model import CONSOLE, DEFAULT_WORKSPACE
from watcher.admin_api.answers import UsageBucket
from watcher.store.tables import series

Dimensions: TypeAlias = tuple[str | None, ...]
"""The first seven fields of a `UsageRow`, nulls and all."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A bucket as rows of `usage_hours`, ordered by series; the digest is equal where rows and grouping are equal."""

    rows: Sequence[tuple[int, ...]]
    grouped_by: str
    digest: bytes
    tokens: int


class SeriesIds:
    """The ids of the series, remembered between transactions once they are committed."""

    def __init__(self) -> None:
        self._known: dict[str, dict[Dimensions, int]] = {}

    def known(self, connection: Connection, organization: str, buckets: Iterable[UsageBucket]) -> dict[Dimensions, int]:
        """The id of every combination of dimensions in `buckets`, making those that are new."""
        return self.of(connection, organization, {row[:7] for bucket in buckets for row in bucket.rows})

    def of(self, connection: Connection, organization: str, wanted: AbstractSet[Dimensions]) -> dict[Dimensions, int]:
        """The id of every combination that is wanted, among others, making those that are new."""
        ids = dict(self._known.get(organization) or _stored_ids(connection, organization))
        missing = wanted - ids.keys()
        if missing:
            by_names = {_names(dimensions): ident for dimensions, ident in ids.items()}
            fresh = {names for names in map(_names, missing) if names not in by_names}
            by_names |= _create(connection, organization, sorted(fresh))
            ids |= {dimensions: by_names[_names(dimensions)] for dimensions in missing}
        return ids

    def keep(self, organization: str, ids: dict[Dimensions, int]) -> None:
        """Remember ids whose transaction has been committed."""
        self._known[organization] = ids

    def forget(self) -> None:
        """Drop what is remembered, after rows of the table were removed."""
        self._known = {}


def encode(number: int, bucket: UsageBucket, ids: Mapping[Dimensions, int]) -> Encoded:
    """The rows of a bucket of hour `number`. Rows that fall together once nulls have names are added."""
    rows: list[tuple[int, ...]] = sorted((number, ids[row[:7]], *row[7:]) for row in bucket.rows)
    if len({row[1] for row in rows}) < len(rows):
        rows = _added(rows)
    table = np.array(rows, dtype=np.int64).reshape(-1, 8)
    grouped_by = ",".join(sorted(bucket.grouped_by))
    digest = hashlib.blake2b(table[:, 1:].tobytes() + grouped_by.encode(), digest_size=16)
    return Encoded(rows, grouped_by, digest.digest(), int(table[:, 2:7].sum()))


def _added(rows: Iterable[tuple[int, ...]]) -> list[tuple[int, ...]]:
    sums: dict[tuple[int, ...], tuple[int, ...]] = {}
    for row in rows:
        counts = sums.get(row[:2])
        sums[row[:2]] = row[2:] if counts is None else tuple(map(sum, zip(counts, row[2:], strict=True)))
    return [(*place, *counts) for place, counts in sorted(sums.items())]


def _names(dimensions: Dimensions) -> tuple[str, ...]:
    """The dimensions in the order of the table, each null by its name."""
    key, workspace, *rest = dimensions
    return (
        DEFAULT_WORKSPACE if workspace is None else workspace,
        CONSOLE if key is None else key,
        *(value or "" for value in rest),
    )


def _stored_ids(connection: Connection, organization: str) -> dict[Dimensions, int]:
    ids: dict[Dimensions, int] = {}
    for row in connection.execute(select(series).where(series.c.organization == organization)):
        ident, _, workspace, key, *rest = row
        ids[
            None if key == CONSOLE else key,
            None if workspace == DEFAULT_WORKSPACE else workspace,
            *(value or None for value in rest),
        ] = ident
    return ids


def _create(connection: Connection, organization: str, names: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], int]:
    if not names:
        return {}
    columns = [column.name for column in series.columns][2:]
    values: list[dict[str, str]] = [
        {"organization": organization, **dict(zip(columns, each, strict=True))} for each in names
    ]
    created = connection.execute(insert(series).returning(series), values)
    return {tuple(row[2:]): row.id for row in created}
