"""Small values that have to outlive a restart, by name."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, delete, insert, select

from watcher.store.database import Database
from watcher.store.tables import cursor as table


class Cursor:
    """A text for each name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str) -> str | None:
        """The value of that name, or None where none was set."""
        with self._database.reading() as connection:
            return read_cursor(connection, name)

    def set(self, name: str, value: str) -> None:
        """Set the value of that name."""
        with self._database.writing() as connection:
            write_cursor(connection, {name: value})

    def add(self, name: str, count: int) -> int:
        """Add to the value of that name, which counts from 0; returns the sum."""
        with self._database.writing() as connection:
            total = int(read_cursor(connection, name) or 0) + count
            write_cursor(connection, {name: str(total)})
        return total


def read_cursor(connection: Connection, name: str) -> str | None:
    """The value of that name, inside a transaction."""
    return connection.execute(select(table.c.value).where(table.c.name == name)).scalar_one_or_none()


def write_cursor(connection: Connection, values: Mapping[str, str]) -> None:
    """Set the values of those names, inside a transaction."""
    if values:
        connection.execute(delete(table).where(table.c.name.in_(list(values))))
        connection.execute(insert(table), [{"name": name, "value": value} for name, value in values.items()])
