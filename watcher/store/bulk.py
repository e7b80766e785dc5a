"""Many rows at once, by the fastest way the driver has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Select, Table

_PAGE = 20_000


def insert_rows(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert tuples that have a value for every column of `table`, in the table's order."""
    if not rows:
        return
    columns = ", ".join(column.name for column in table.columns)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(table.columns))
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({columns}) VALUES ({marks})", list(rows))  # noqa: S608 (names of our own tables)
        return
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def pages(connection: Connection, query: Select[Any]) -> Iterator[Sequence[tuple[Any, ...]]]:
    """The rows of a query with numbers for parameters, as plain tuples, some thousands at a time."""
    statement = str(query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
    driver: Any = connection.connection.driver_connection
    # PostgreSQL sends a whole answer at once unless the cursor lives in the server, which a name makes it do.
    cursor = driver.cursor() if connection.dialect.name == "sqlite" else driver.cursor(name="pages")
    try:
        cursor.execute(statement)
        while rows := cursor.fetchmany(_PAGE):
            yield rows
    finally:
        cursor.close()
