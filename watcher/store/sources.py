"""What is known of each source of data: whether it is offered, how far it reaches, since when it fails."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from rules.model import SourceState
from watcher.store.database import Database
from watcher.store.tables import sources as table
from watcher.store.times import from_moment, moment


class Sources:
    """The state of every source of every organization."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, organization: str) -> tuple[SourceState, ...]:
        """Every source that was ever asked, by name."""
        query = select(table).where(table.c.organization == organization).order_by(table.c.source)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return tuple(
            SourceState(
                source=row.source,
                offered=None if row.offered is None else bool(row.offered),
                watermark=from_moment(row.watermark_at),
                last_attempt_at=from_moment(row.last_attempt_at),
                last_success_at=from_moment(row.last_success_at),
                failing_since=from_moment(row.failing_since_at),
                failure=row.failure,
                stalled_since=from_moment(row.stalled_since_at),
            )
            for row in rows
        )

    def get(self, organization: str, source: str) -> SourceState:
        """One source; one that was never asked is told as such."""
        return next((state for state in self.all(organization) if state.source == source), SourceState(source))

    def save(self, organization: str, state: SourceState) -> None:
        """Keep the state of one source in the place of what was known."""
        with self._database.writing() as connection:
            write_source(connection, organization, state)

    def forget(self, organization: str, source: str) -> None:
        """Know nothing of a source any more, as it is no longer asked."""
        if any(state.source == source for state in self.all(organization)):
            this = (table.c.organization == organization) & (table.c.source == source)
            with self._database.writing() as connection:
                connection.execute(delete(table).where(this))


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
    this = (table.c.organization == organization) & (table.c.source == state.source)
    connection.execute(delete(table).where(this))
    connection.execute(insert(table).values(values))
