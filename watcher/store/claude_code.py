"""Claude Code's daily report, kept whole: nothing is queried inside a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import delete, insert, select, update

from watcher.admin_api.answers import ClaudeCodeRow
from watcher.store import held
from watcher.store.database import Database
from watcher.store.payload import Payload
from watcher.store.tables import claude_code_days as table
from watcher.store.times import day_number, from_day, from_moment, moment

SOURCE = "claude_code"

_rows = Payload[tuple[ClaudeCodeRow, ...]](tuple[ClaudeCodeRow, ...])
_NOTHING = "[]"
"""How a day without a row is kept."""


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
            held.update(connection, organization, SOURCE, [day_number(day)], {}, observed_at)
            before = connection.execute(select(table.c.payload).where(this)).scalar_one_or_none()
            if before == payload:
                connection.execute(update(table).where(this).values(observed_at=at))
                return False
            connection.execute(delete(table).where(this))
            values = {"organization": organization, "day": day_number(day), "payload": payload}
            connection.execute(insert(table).values(**values, observed_at=at, changed_at=at))
        return True

    def hold_back(self, organization: str, day: date, observed_at: datetime) -> None:
        """Note a reading of a stored day that is not believed: what is stored stays."""
        number = day_number(day)
        query = select(table.c.observed_at).where(table.c.organization == organization, table.c.day == number)
        with self._database.writing() as connection:
            accepted = connection.execute(query).scalar_one()
            held.update(connection, organization, SOURCE, [], {number: accepted}, observed_at)

    def holds_rows(self, organization: str, day: date) -> bool:
        """Whether the stored reading of a day has any row."""
        this = (table.c.organization == organization) & (table.c.day == day_number(day))
        with self._database.reading() as connection:
            return connection.execute(select(table.c.payload).where(this)).scalar_one_or_none() not in {None, _NOTHING}

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

    def observed(self, organization: str) -> Mapping[date, datetime]:
        """When each stored day was last read and believed, in order."""
        query = select(table.c.day, table.c.observed_at).where(table.c.organization == organization)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(table.c.day))
            return {from_day(day): from_moment(at) for day, at in rows}

    def held(self, organization: str) -> tuple[held.Held[date], ...]:
        """The days whose newest readings are not believed, oldest first."""
        with self._database.reading() as connection:
            return held.of(connection, organization, SOURCE, from_day)
