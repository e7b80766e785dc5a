"""Tables of blocks: all rows of one hour (or day) of an organization, packed; the first column is an id."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import cache
from typing import Any

import numpy as np
from sqlalchemy import Column, Connection, Delete, Select, Table, bindparam, delete, func, insert, select

from watcher.store.packing import IntArray, pack, unpack

_AT_ONCE = 256


def write(
    connection: Connection, table: Table, organization: str, blocks: Mapping[int, IntArray], stored: Collection[int]
) -> None:
    """Put the rows of some hours (column x row) into place; `stored` names those hours that are there already."""
    hour = _when(table)
    again = [number for number in blocks if number in stored]
    for begin in range(0, len(again), _AT_ONCE):
        connection.execute(_removal(table), {"whose": organization, "these": again[begin : begin + _AT_ONCE]})
    fresh = [
        {"organization": organization, hour.name: number, "packed": pack(block)}
        for number, block in sorted(blocks.items())
    ]
    if fresh:
        connection.execute(insert(table), fresh)


def read(
    connection: Connection, table: Table, organization: str, low: int, high: int, width: int
) -> tuple[IntArray, IntArray]:
    """The rows of the hours in `[low, high)`, ordered by hour: each row's hour, and the columns x rows."""
    found = connection.execute(_between(table), {"whose": organization, "low": low, "high": high}).all()
    columns, sizes = unpack([bytes(packed) for _, packed in found], width)
    return np.repeat(np.array([number for number, _ in found], dtype=np.int64), sizes), columns


def used_ids(connection: Connection, table: Table, width: int) -> set[int]:
    """The ids that some block has rows of."""
    used: set[int] = set()
    hour = _when(table)
    for low, high in _slices(connection, table):
        query = select(table.c.packed).where(hour >= low, hour < high)
        columns, _ = unpack([bytes(packed) for (packed,) in connection.execute(query)], width)
        used.update(np.unique(columns[0]).tolist())
    return used


def _slices(connection: Connection, table: Table) -> Iterator[tuple[int, int]]:
    """The hours of a table some at a time, so that memory stays small."""
    first, last = connection.execute(select(func.min(_when(table)), func.max(_when(table)))).one()
    if first is not None:
        for low in range(first, last + 1, _AT_ONCE):
            yield low, low + _AT_ONCE


def remove_others(connection: Connection, table: Table, used: AbstractSet[int]) -> int:
    """Remove the rows of a table of ids that are not `used`; returns how many there were."""
    gone = [ident for (ident,) in connection.execute(select(table.c.id)) if ident not in used]
    for begin in range(0, len(gone), _AT_ONCE):
        connection.execute(delete(table).where(table.c.id.in_(gone[begin : begin + _AT_ONCE])))
    return len(gone)


@cache
def _between(table: Table) -> Select[Any]:
    """The query for the blocks of the hours in `[low, high)`, built once."""
    hour = _when(table)
    mine = table.c.organization == bindparam("whose")
    return select(hour, table.c.packed).where(mine, hour >= bindparam("low"), hour < bindparam("high")).order_by(hour)


@cache
def _removal(table: Table) -> Delete:
    """The removal of the blocks of some hours, built once."""
    mine = table.c.organization == bindparam("whose")
    return delete(table).where(mine, _when(table).in_(bindparam("these", expanding=True)))


def _when(table: Table) -> Column[int]:
    """The column of the hour, or the day."""
    return list(table.primary_key.columns)[1]
