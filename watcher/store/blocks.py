"""Tables of blocks: all rows of one hour of an organization, packed; the first column is the series' id."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np
from sqlalchemy import Connection, Table, delete, func, insert, select

from watcher.store.packing import IntArray, pack, unpack

_AT_ONCE = 256


def write(
    connection: Connection, table: Table, organization: str, blocks: Mapping[int, IntArray], stored: Collection[int]
) -> None:
    """Put the rows of some hours (column x row) into place; `stored` names those hours that are there already."""
    again = [hour for hour in blocks if hour in stored]
    for begin in range(0, len(again), _AT_ONCE):
        mine = (table.c.organization == organization) & table.c.hour.in_(again[begin : begin + _AT_ONCE])
        connection.execute(delete(table).where(mine))
    fresh = [
        {"organization": organization, "hour": hour, "packed": pack(block)} for hour, block in sorted(blocks.items())
    ]
    if fresh:
        connection.execute(insert(table), fresh)


def read(
    connection: Connection, table: Table, organization: str, low: int, high: int, width: int
) -> tuple[IntArray, IntArray]:
    """The rows of the hours in `[low, high)`, ordered by hour: each row's hour, and the columns x rows."""
    query = (
        select(table.c.hour, table.c.packed)
        .where(table.c.organization == organization, table.c.hour >= low, table.c.hour < high)
        .order_by(table.c.hour)
    )
    found = connection.execute(query).all()
    columns, sizes = unpack([bytes(packed) for _, packed in found], width)
    return np.repeat(np.array([hour for hour, _ in found], dtype=np.int64), sizes), columns


def used_series(connection: Connection, table: Table, width: int) -> set[int]:
    """The ids of the series that some block has rows of."""
    used: set[int] = set()
    for low, high in _slices(connection, table):
        query = select(table.c.packed).where(table.c.hour >= low, table.c.hour < high)
        columns, _ = unpack([bytes(packed) for (packed,) in connection.execute(query)], width)
        used.update(np.unique(columns[0]).tolist())
    return used


def _slices(connection: Connection, table: Table) -> Iterator[tuple[int, int]]:
    """The hours of a table some at a time, so that memory stays small."""
    first, last = connection.execute(select(func.min(table.c.hour), func.max(table.c.hour))).one()
    if first is not None:
        for low in range(first, last + 1, _AT_ONCE):
            yield low, low + _AT_ONCE
