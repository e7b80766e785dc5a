"""The series: every combination of dimensions that was ever used, numbered for the tables that have it in each row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, bindparam, func, select

from rules.model import CONSOLE, DEFAULT_WORKSPACE
from watcher.admin_api.answers import UsageBucket
from watcher.store.bulk import insert_rows
from watcher.store.tables import series

Dimensions: TypeAlias = tuple[str | None, ...]
"""The first seven fields of a `UsageRow`, nulls and all."""


_MINE = series.c.organization == bindparam("whose")
_EXTENT = select(func.count(), func.max(series.c.id)).where(_MINE)
_ALL = select(series).where(_MINE).order_by(series.c.id)


class SeriesKey(NamedTuple):
    """The dimensions of a usage series; `CONSOLE` and `DEFAULT_WORKSPACE` stand for null, "" for any other null."""

    workspace: str
    api_key: str
    model: str
    service_tier: str
    context_window: str
    inference_geo: str
    speed: str


class SeriesIndex(NamedTuple):
    """An organization's series in the order of their ids, and an array from an id to its place (-1: not theirs)."""

    keys: tuple[SeriesKey, ...]
    place: npt.NDArray[np.int32]


class SeriesIds:
    """The ids of the series, remembered between transactions once they are committed."""

    def __init__(self) -> None:
        self._known: dict[str, dict[Dimensions, int]] = {}
        self._handed_out: dict[str, dict[Dimensions, int]] = {}
        self._indexed: dict[str, tuple[tuple[int, int], SeriesIndex]] = {}

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
        self._handed_out[organization] = ids
        return ids

    def keep(self, organization: str, ids: dict[Dimensions, int]) -> None:
        """Remember ids whose transaction has been committed, unless rows were removed since they were handed out."""
        if self._handed_out.get(organization) is ids:
            self._known[organization] = ids

    def index(self, connection: Connection, organization: str) -> SeriesIndex:
        """The organization's series; the same object as long as there are no others."""
        count, last = connection.execute(_EXTENT, {"whose": organization}).one()
        state = (count, last or 0)
        known = self._indexed.get(organization)
        if known is None or known[0] != state:
            rows = connection.execute(_ALL, {"whose": organization}).all()
            place = np.full(state[1] + 1, -1, dtype=np.int32)
            place[[row[0] for row in rows]] = np.arange(count)
            known = self._indexed[organization] = state, SeriesIndex(tuple(SeriesKey(*row[2:]) for row in rows), place)
        return known[1]

    def forget(self) -> None:
        """Drop what is remembered; called in the transaction that removes rows of the table."""
        self._known, self._handed_out, self._indexed = {}, {}, {}


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
    for row in connection.execute(_ALL, {"whose": organization}):
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
    mine = series.c.organization == organization
    last = connection.execute(select(func.max(series.c.id))).scalar_one() or 0
    insert_rows(connection, series, [(organization, *each) for each in names], [*series.columns][1:])
    created = connection.execute(select(series).where(mine, series.c.id > last))
    return {tuple(row[2:]): row[0] for row in created}
