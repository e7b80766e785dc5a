"""Claude Code's daily report, kept whole: nothing is queried inside a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import delete, insert, select, update

from watcher.admin_api.answers import ClaudeCodeRow
from watcher.store.database import Database
from watcher.store.payload import Payload
from watcher.store.tables import claude_code_days as table
from watcher.store.times import day_number, from_day, moment

_rows = Payload[tuple[ClaudeCodeRow, ...]](tuple[ClaudeCodeRow, ...])


class ClaudeCode:
    """The Claude Code report of every organization, by UTC day."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def replace(self, organization: str, day: date, rows: Sequence[ClaudeCodeRow], observed_at: datetime) -> bool:
        """Take a finished reading of a day over; returns whether it says something new."""
        payload = _rows.write(tuple(rows))
        this = (table.c.organization == organization) & (table.c.day == day_number(day))
        at = moment(observed_at)
        with self._database.writing() as connection:
            before = connection.execute(select(table.c.payload).where(this)).scalar_one_or_none()
            if before == payload:
                connection.execute(update(table).where(this).values(observed_at=at))
                return False
            connection.execute(delete(table).where(this))
            values = {"organization": organization, "day": day_number(day), "payload": payload}
            connection.execute(insert(table).values(**values, observed_at=at, changed_at=at))
        return True

    def read(self, organization: str, start: date, end: date) -> Mapping[date, tuple[ClaudeCodeRow, ...]]:
        """The rows of each day in `[start, end)` that was ever read, in order."""
        query = (
            select(table.c.day, table.c.payload)
            .where(
                table.c.organization == organization,
                table.c.day >= day_number(start),
                table.c.day < day_number(end),
            )
            .order_by(table.c.day)
        )
        with self._database.reading() as connection:
            return {from_day(day): _rows.read(payload) for day, payload in connection.execute(query)}
