"""Small values that have to outlive a restart, by name: of one organization, or of the whole program."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, delete, insert, select

from watcher.store.database import Database
from watcher.store.tables import cursor as table

_MINE = table.c.organization == bindparam("whose")
_VALUE = select(table.c.value).where(_MINE, table.c.name == bindparam("named"))
_REMOVE = delete(table).where(_MINE, table.c.name.in_(bindparam("these", expanding=True)))
_ADD = insert(table)


class Cursor:
    """A text for each name of each organization; under the organization "" stands what holds for all of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str, organization: str = "") -> str | None:
        """The value of that name, or None where none was set."""
        with self._database.reading() as connection:
            return read_cursor(connection, name, organization)

    def set(self, name: str, value: str, organization: str = "") -> None:
        """Set the value of that name."""
        with self._database.writing() as connection:
            write_cursor(connection, {name: value}, organization)

    def add(self, name: str, count: int, organization: str = "") -> int:
        """Add to the value of that name, which counts from 0; returns the sum."""
        with self._database.writing() as connection:
            total = int(read_cursor(connection, name, organization) or 0) + count
            write_cursor(connection, {name: str(total)}, organization)
        return total


def read_cursor(connection: Connection, name: str, organization: str = "") -> str | None:
    """The value of that name, inside a transaction."""
    return connection.execute(_VALUE, {"whose": organization, "named": name}).scalar_one_or_none()


def write_cursor(connection: Connection, values: Mapping[str, str], organization: str = "") -> None:
    """Set the values of those names, inside a transaction."""
    if values:
        rows = [{"organization": organization, "name": name, "value": value} for name, value in values.items()]
        connection.execute(_REMOVE, {"whose": organization, "these": list(values)})
        connection.execute(_ADD, rows)
