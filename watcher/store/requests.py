"""Requests by hour and series, which analytics/usage alone tells. An hour is here once it was told, be it of none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
from sqlalchemy import delete, insert, select

from watcher.store import blocks
from watcher.store.database import Database
from watcher.store.encoding import added
from watcher.store.packing import pack
from watcher.store.series import Dimensions, SeriesIds, SeriesKey
from watcher.store.tables import request_blocks as table
from watcher.store.times import from_hour, from_moment, hour_after, hour_number, moment

COLUMNS = 2
"""The series' id and its requests."""


@dataclass(frozen=True, slots=True, eq=False)
class RequestColumns:
    """Requests as columns of equal length, ordered by hour; `series[i]` is an index into `keys`."""

    keys: tuple[SeriesKey, ...]
    series: npt.NDArray[np.int32]
    hour: npt.NDArray[np.int32]
    requests: npt.NDArray[np.int64]


class Requests:
    """The requests of every organization, by hour."""

    def __init__(self, database: Database, ids: SeriesIds) -> None:
        self._database, self._ids = database, ids

    def replace(
        self,
        organization: str,
        hours: Mapping[datetime, Sequence[tuple[Dimensions, int]]],
        observed_at: datetime,
    ) -> frozenset[datetime]:
        """Take a finished reading over, in one transaction; returns the hours that say something new now."""
        if not hours:
            return frozenset()
        first, last = min(map(hour_number, hours)), max(map(hour_number, hours))
        with self._database.writing() as connection:
            ids = self._ids.of(connection, organization, {series for rows in hours.values() for series, _ in rows})
            mine = (table.c.organization == organization) & (table.c.hour >= first) & (table.c.hour <= last)
            stored = {
                row.hour: bytes(row.packed)
                for row in connection.execute(select(table.c.hour, table.c.packed).where(mine))
            }
            packed = {hour_number(hour): _packed(rows, ids) for hour, rows in hours.items()}
            connection.execute(delete(table).where(mine, table.c.hour.in_(list(packed))))
            rows = [
                {"organization": organization, "hour": hour, "observed_at": moment(observed_at), "packed": block}
                for hour, block in sorted(packed.items())
            ]
            connection.execute(insert(table), rows)
        self._ids.keep(organization, ids)
        return frozenset(from_hour(hour) for hour, block in packed.items() if stored.get(hour) != block)

    def read(self, organization: str, start: datetime, end: datetime) -> RequestColumns:
        """The rows of the hours in `[start, end)`."""
        with self._database.reading() as connection:
            keys, place = self._ids.index(connection, organization)
            low, high = hour_number(start), hour_after(end)
            hour, columns = blocks.read(connection, table, organization, low, high, COLUMNS)
        return RequestColumns(keys, place[columns[0]], hour.astype(np.int32), columns[1])

    def observed(self, organization: str, start: datetime, end: datetime) -> Mapping[datetime, datetime]:
        """From data of when each told hour in `[start, end)` is, in order."""
        query = (
            select(table.c.hour, table.c.observed_at)
            .where(
                table.c.organization == organization,
                table.c.hour >= hour_number(start),
                table.c.hour < hour_after(end),
            )
            .order_by(table.c.hour)
        )
        with self._database.reading() as connection:
            return {from_hour(hour): from_moment(at) for hour, at in connection.execute(query)}


def _packed(rows: Sequence[tuple[Dimensions, int]], ids: Mapping[Dimensions, int]) -> bytes:
    """The columns of one hour, ordered by series; rows that share one are added."""
    found = np.array([(ids[series], requests) for series, requests in rows], dtype=np.int64).reshape(-1, COLUMNS)
    return pack(added(found.T))
