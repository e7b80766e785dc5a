"""Which hours were read when: disjoint stretches, so that a poll that finds nothing new leaves one row behind."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Delete, Insert, Select, Table, and_, bindparam, delete, insert, select

from watcher.store.tables import analytics_readings, usage_readings
from watcher.store.times import moment


class _Statements(NamedTuple):
    """What is done with the stretches of one table that touch the hours in `[low, high)`, built once."""

    look: Select[Any]
    remove: Delete
    add: Insert


def _statements(table: Table) -> _Statements:
    column = table.c
    mine = column.organization == bindparam("whose")
    if "source" in column:
        mine &= column.source == bindparam("of")
    touched = and_(mine, column.start_hour < bindparam("high"), column.end_hour > bindparam("low"))
    look = select(column.start_hour, column.end_hour, column.observed_at).where(touched)
    return _Statements(look, delete(table).where(touched), insert(table))


_USAGE, _ANALYTICS = _statements(usage_readings), _statements(analytics_readings)


def record(
    connection: Connection, organization: str, low: int, high: int, observed_at: datetime, source: str | None = None
) -> None:
    """Note that the hours in `[low, high)` were read at `observed_at`; earlier readings of them are forgotten.

    `source` names one of the analytics reports; without it, it is the usage report.
    """
    do = _USAGE if source is None else _ANALYTICS
    whose = {"organization": organization} | ({} if source is None else {"source": source})
    touched = {"whose": organization, "of": source, "low": low, "high": high}
    fresh = [{**whose, "start_hour": low, "end_hour": high, "observed_at": moment(observed_at)}]
    for start, end, at in connection.execute(do.look, touched):
        for left, right in ((start, min(end, low)), (max(start, high), end)):
            if left < right:
                fresh.append({**whose, "start_hour": left, "end_hour": right, "observed_at": at})
    connection.execute(do.remove, touched)
    connection.execute(do.add, fresh)


def between(
    connection: Connection, organization: str, low: int, high: int, source: str | None = None
) -> dict[int, int]:
    """When each hour in `[low, high)` was last read, as the columns have it."""
    do = _USAGE if source is None else _ANALYTICS
    found: dict[int, int] = {}
    for start, end, at in connection.execute(do.look, {"whose": organization, "of": source, "low": low, "high": high}):
        for hour in range(max(start, low), min(end, high)):
            found[hour] = at
    return found
