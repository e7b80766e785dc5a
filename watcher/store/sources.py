"""What is known of each source of data: whether it is offered, how far it reaches, since when it fails."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from rules.model import SourceState
from watcher.store.database import Database
from watcher.store.tables import sources as table
from watcher.store.times import from_moment, moment

_MINE = table.c.organization == bindparam("whose")
_THIS = _MINE & (table.c.source == bindparam("named"))
_ALL = select(table).where(_MINE).order_by(table.c.source)
_ONE = select(table).where(_THIS)
_REMOVE = delete(table).where(_THIS)
_ADD = insert(table)


class Sources:
    """The state of every source of every organization."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, organization: str) -> tuple[SourceState, ...]:
        """Every source that was ever asked, by name."""
        with self._database.reading() as connection:
            rows = connection.execute(_ALL, {"whose": organization}).all()
        return tuple(map(_state, rows))

    def get(self, organization: str, source: str) -> SourceState:
        """One source; one that was never asked is told as such."""
        with self._database.reading() as connection:
            row = connection.execute(_ONE, {"whose": organization, "named": source}).one_or_none()
        return SourceState(source) if row is None else _state(row)

    def save(self, organization: str, state: SourceState) -> None:
        """Keep the state of one source in the place of what was known."""
        with self._database.writing() as connection:
            write_source(connection, organization, state)

    def forget(self, organization: str, source: str) -> None:
        """Know nothing of a source any more, as it is no longer asked."""
        place = {"whose": organization, "named": source}
        with self._database.reading() as connection:
            known = connection.execute(_ONE, place).one_or_none() is not None
        if known:
            with self._database.writing() as connection:
                connection.execute(_REMOVE, place)


def write_source(connection: Connection, organization: str, state: SourceState) -> None:
    """Keep the state of one source, inside a transaction."""
    values = {
        "organization": organization,
        "source": state.source,
        "offered": None if state.offered is None else int(state.offered),
        "watermark_at": moment(state.watermark),
        "last_attempt_at": moment(state.last_attempt_at),
        "last_success_at": moment(state.last_success_at),
        "failing_since_at": moment(state.failing_since),
        "failure": state.failure,
        "stalled_since_at": moment(state.stalled_since),
    }
    connection.execute(_REMOVE, {"whose": organization, "named": state.source})
    connection.execute(_ADD, values)


def _state(row: Any) -> SourceState:
    return SourceState(
        source=row.source,
        offered=None if row.offered is None else bool(row.offered),
        watermark=from_moment(row.watermark_at),
        last_attempt_at=from_moment(row.last_attempt_at),
        last_success_at=from_moment(row.last_success_at),
        failing_since=from_moment(row.failing_since_at),
        failure=row.failure,
        stalled_since=from_moment(row.stalled_since_at),
    )
