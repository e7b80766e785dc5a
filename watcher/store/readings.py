"""Which hours were read when: disjoint stretches, so that a poll that finds nothing new leaves one row behind."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, insert, select

from watcher.store.tables import analytics_readings, usage_readings
from watcher.store.times import moment


def record(
    connection: Connection, organization: str, low: int, high: int, observed_at: datetime, source: str | None = None
) -> None:
    """Note that the hours in `[low, high)` were read at `observed_at`; earlier readings of them are forgotten.

    `source` names one of the analytics reports; without it, it is the usage report.
    """
    table, mine, whose = _stretches_of(organization, source)
    touched = and_(mine, table.c.start_hour < high, table.c.end_hour > low)
    fresh = [{**whose, "start_hour": low, "end_hour": high, "observed_at": moment(observed_at)}]
    for start, end, at in connection.execute(
        select(table.c.start_hour, table.c.end_hour, table.c.observed_at).where(touched)
    ):
        for left, right in ((start, min(end, low)), (max(start, high), end)):
            if left < right:
                fresh.append({**whose, "start_hour": left, "end_hour": right, "observed_at": at})
    connection.execute(delete(table).where(touched))
    connection.execute(insert(table), fresh)


def between(
    connection: Connection, organization: str, low: int, high: int, source: str | None = None
) -> dict[int, int]:
    """When each hour in `[low, high)` was last read, as the columns have it."""
    table, mine, _ = _stretches_of(organization, source)
    found: dict[int, int] = {}
    query = select(table.c.start_hour, table.c.end_hour, table.c.observed_at).where(
        mine, table.c.start_hour < high, table.c.end_hour > low
    )
    for start, end, at in connection.execute(query):
        for hour in range(max(start, low), min(end, high)):
            found[hour] = at
    return found


def _stretches_of(organization: str, source: str | None) -> tuple[Table, ColumnElement[bool], dict[str, str]]:
    """The table of the readings, which of its rows are meant, and what those have in common."""
    if source is None:
        return usage_readings, usage_readings.c.organization == organization, {"organization": organization}
    of_both = analytics_readings.c
    mine = and_(of_both.organization == organization, of_both.source == source)
    return analytics_readings, mine, {"organization": organization, "source": source}
