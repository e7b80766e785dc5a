"""Removing what is older than the owner wants to keep, a slice at a time, so that nobody waits long for the writer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, Table, and_, delete, exists, func, select

from rules.actions import OPEN
from rules.model import State
from watcher.store import analytics, blocks, costs, day_sums, encoding, requests, tables
from watcher.store.actions import REACH
from watcher.store.database import Database
from watcher.store.times import day_number, hour_number, moment

_SLICE_HOURS = 24
_SLICE_ROWS = 5_000


def prune(database: Database, before: datetime, forget: Callable[[], None]) -> int:
    """Remove what is older than `before`; returns the number of rows removed. See `Store.prune`.

    `forget` drops what is remembered of the ids of series and lines, while nobody else can write.
    """
    removed = _hours(database, tables.usage_blocks, hour_number(before))
    removed += _hours(database, tables.analytics_blocks, hour_number(before))
    removed += _hours(database, tables.request_blocks, hour_number(before))
    for table, old in _old(before):
        while count := _slice(database, table, old):
            removed += count
    return removed + _unused_ids(database, forget)


def _hours(database: Database, table: Table, before: int) -> int:
    removed = 0
    hour = table.c.hour
    while True:
        with database.writing() as connection:
            first = connection.execute(select(func.min(hour))).scalar_one()
            if first is None or first >= before:
                return removed
            upto = min(before, first + _SLICE_HOURS)
            removed += connection.execute(delete(table).where(hour < upto)).rowcount


def _old(before: datetime) -> Iterator[tuple[Table, ColumnElement[bool]]]:
    """What is old in each table, in an order in which nothing is removed before what points to it."""
    at, hour, day = moment(before), hour_number(before), day_number(before.date())
    yield tables.usage_buckets, tables.usage_buckets.c.hour < hour
    yield tables.usage_readings, tables.usage_readings.c.end_hour <= hour
    yield tables.analytics_buckets, tables.analytics_buckets.c.hour < hour
    yield tables.analytics_readings, tables.analytics_readings.c.end_hour <= hour
    held = tables.held_buckets.c
    yield tables.held_buckets, held.observed_at < at
    yield tables.revisions, tables.revisions.c.observed_at < at
    yield tables.cost_blocks, tables.cost_blocks.c.day < day
    yield tables.cost_days, tables.cost_days.c.day < day
    yield tables.day_sums, tables.day_sums.c.day <= day  # of a day that is cut in the middle too
    yield tables.claude_code_days, tables.claude_code_days.c.day < day
    yield tables.directory_changes, tables.directory_changes.c.observed_at < at
    listed = tables.directory.c
    named = listed.kind.in_(["organization", "workspace", "api_key"])  # history is told by their names for ever
    yield tables.directory, and_(~named, listed.listed == 0, listed.last_seen_at < at)
    yield tables.lookups, tables.lookups.c.asked_at < at
    yield tables.outbox, tables.outbox.c.delivered_at < at
    alerts = tables.alerts.c
    yield tables.alerts, and_(alerts.state == State.RESOLVED.value, alerts.ends_at < at, ~_in_group(alerts.id))
    yield tables.journal, tables.journal.c.at < at
    yield tables.commands, tables.commands.c.consumed_at < at
    yield tables.silences, tables.silences.c.ends_at < at
    yield tables.feedback, tables.feedback.c.ends_at < at
    done = ~tables.actions.c.state.in_(sorted(OPEN))  # what was decided of a cause must outlive its period
    yield tables.actions, and_(done, tables.actions.c.updated_at < moment(before - REACH))
    messages = tables.slack_messages.c
    open_alerts = select(alerts.id).where(alerts.state != State.RESOLVED.value)  # those are still edited
    yield tables.slack_messages, and_(messages.at < at, messages.alert.not_in(open_alerts))


def _in_group(alert: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a group is still to tell something of an alert: it reads the alert then."""
    return exists().where(tables.groups.c.payload.like('%"' + alert + '"%'))


def _slice(database: Database, table: Table, old: ColumnElement[bool]) -> int:
    keys = list(table.primary_key.columns)
    with database.writing() as connection:
        some = connection.execute(select(*keys).where(old).limit(_SLICE_ROWS)).all()
        if not some:
            return 0
        first = keys[0].in_({row[0] for row in some}) if len(keys) == 1 else None
        return connection.execute(delete(table).where(old if first is None else and_(old, first))).rowcount


def _unused_ids(database: Database, forget: Callable[[], None]) -> int:
    with database.writing() as connection:
        used = blocks.used_ids(connection, tables.usage_blocks, encoding.COLUMNS)
        used |= blocks.used_ids(connection, tables.analytics_blocks, analytics.COLUMNS)
        used |= blocks.used_ids(connection, tables.request_blocks, requests.COLUMNS)
        lines = blocks.used_ids(connection, tables.cost_blocks, costs.COLUMNS)
        removed = blocks.remove_others(connection, tables.series, used)
        removed += blocks.remove_others(connection, tables.cost_lines, lines)
        leaves = blocks.used_ids(connection, tables.day_sums, day_sums.COLUMNS)
        removed += blocks.remove_others(connection, tables.leaves, leaves)
        forget()  # before anyone else may write with an id that is no more
    return removed
