"""Claude Code's daily report, kept whole: nothing is queried inside a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import bindparam, delete, insert, select, update

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

_MINE = table.c.organization == bindparam("whose")
_THIS = _MINE & (table.c.day == bindparam("when"))
_PAYLOAD = select(table.c.payload).where(_THIS)
_OBSERVED = select(table.c.day, table.c.observed_at).where(_MINE).order_by(table.c.day)
_SEEN_AGAIN = update(table).where(_THIS).values(observed_at=bindparam("at"))
_REMOVE = delete(table).where(_THIS)
_ADD = insert(table)


class ClaudeCode:
    """The Claude Code report of every organization, by UTC day."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def replace(self, organization: str, day: date, rows: Sequence[ClaudeCodeRow], observed_at: datetime) -> bool:
        """Take a finished reading of a day over; returns whether it says something new."""
        payload = _rows.write(tuple(rows))
        number, at = day_number(day), moment(observed_at)
        this = {"whose": organization, "when": number}
        with self._database.writing() as connection:
            held.update(connection, organization, SOURCE, [number], {}, observed_at)
            before = connection.execute(_PAYLOAD, this).scalar_one_or_none()
            if before == payload:
                connection.execute(_SEEN_AGAIN, {**this, "at": at})
                return False
            connection.execute(_REMOVE, this)
            values = {"organization": organization, "day": number, "payload": payload}
            connection.execute(_ADD, {**values, "observed_at": at, "changed_at": at})
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
        this = {"whose": organization, "when": day_number(day)}
        with self._database.reading() as connection:
            return connection.execute(_PAYLOAD, this).scalar_one_or_none() not in {None, _NOTHING}

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
        with self._database.reading() as connection:
            rows = connection.execute(_OBSERVED, {"whose": organization})
            return {from_day(day): from_moment(at) for day, at in rows}

    def held(self, organization: str) -> tuple[held.Held[date], ...]:
        """The days whose newest readings are not believed, oldest first."""
        with self._database.reading() as connection:
            return held.of(connection, organization, SOURCE, from_day)
