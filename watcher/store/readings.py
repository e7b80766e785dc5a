"""Which hours were read when: disjoint stretches, so that a poll that finds nothing new leaves one row behind."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Table, delete, insert, select

from watcher.store.tables import usage_readings
from watcher.store.times import moment


def record(
    connection: Connection,
    organization: str,
    low: int,
    high: int,
    observed_at: datetime,
    *,
    table: Table = usage_readings,
) -> None:
    """Note that the hours in `[low, high)` were read at `observed_at`; earlier readings of them are forgotten."""
    touched = (table.c.organization == organization) & (table.c.start_hour < high) & (table.c.end_hour > low)
    fresh = [{"organization": organization, "start_hour": low, "end_hour": high, "observed_at": moment(observed_at)}]
    for start, end, at in connection.execute(
        select(table.c.start_hour, table.c.end_hour, table.c.observed_at).where(touched)
    ):
        for left, right in ((start, min(end, low)), (max(start, high), end)):
            if left < right:
                fresh.append({"organization": organization, "start_hour": left, "end_hour": right, "observed_at": at})
    connection.execute(delete(table).where(touched))
    connection.execute(insert(table), fresh)


def between(
    connection: Connection, organization: str, low: int, high: int, *, table: Table = usage_readings
) -> dict[int, int]:
    """When each hour in `[low, high)` was last read, as the columns have it."""
    found: dict[int, int] = {}
    query = select(table.c.start_hour, table.c.end_hour, table.c.observed_at).where(
        table.c.organization == organization, table.c.start_hour < high, table.c.end_hour > low
    )
    for start, end, at in connection.execute(query):
        for hour in range(max(start, low), min(end, high)):
            found[hour] = at
    return found
