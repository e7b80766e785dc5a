"""Which version of the tables a database has, and how it gets to this program's."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Dialect,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    create_mock_engine,
    insert,
    inspect,
    select,
)

from watcher.store import errors, tables
from watcher.store.database import Database

HEAD = "0015"
"""The newest migration. Kept here too, so that a database that is up to date opens without importing Alembic."""

_version = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Alembic's own table, as Alembic makes it."""


def bring_up_to_date(database: Database) -> None:
    """Give the database this program's tables, in one transaction; nothing is done where nothing is due.

    An empty database gets the newest tables at once, another one the migrations that it lacks.

    Raises `SchemaTooNew` for a version that this program does not know, `SchemaTooOld` where a migration is due and the
    database is open for reading only, `NotADatabase` where somebody else's tables are in it.
    """
    with database.reading() as connection:
        found = _found(connection, database.place)
    if found == HEAD:
        return
    if database.read_only:
        _refuse_to_read(found, database.place)
    with database.writing() as connection:
        found = _found(connection, database.place)  # another process may just have migrated
        if found is None:
            _make(connection)
        elif found != HEAD:
            _migrate(connection, found, database.place)


def _found(connection: Connection, place: str) -> str | None:
    """The version in the database; None for an empty one."""
    names = set(inspect(connection).get_table_names())
    if "alembic_version" in names:
        found = connection.execute(select(_version.c.version_num)).scalar_one_or_none()
        if found is not None:
            return str(found)
    if names - {"alembic_version"}:
        raise errors.NotADatabase(f"{place} holds another program's tables: let store.url name a database of its own")
    return None


def _refuse_to_read(found: str | None, place: str) -> None:
    if found is None:
        raise errors.NoDatabase(f"{place} is empty: `watcher run` or `watcher poll` fills it")
    if found > HEAD:
        raise _too_new(found, place)
    raise errors.SchemaTooOld(f"{place} is of an older version ({found}): start `watcher run` or `watcher poll` once")


def _too_new(found: str, place: str) -> errors.SchemaTooNew:
    return errors.SchemaTooNew(
        f"{place} was written by a newer version of claude-watcher (schema {found}, this program knows {HEAD}): "
        "install that version again, or restore a backup made before it"
    )


def _make(connection: Connection) -> None:
    """All tables as the newest migration leaves them, without the steps in between and without Alembic."""
    for statement in _statements(connection.dialect):
        connection.exec_driver_sql(statement)
    _version.create(connection, checkfirst=True)
    connection.execute(insert(_version).values(version_num=HEAD))


_worded: dict[str, tuple[str, ...]] = {}


def _statements(dialect: Dialect) -> tuple[str, ...]:
    """What makes all tables; a process words it once for a kind of database, as that takes longer than making them."""
    if dialect.name not in _worded:
        said: list[str] = []

        def note(statement: Any, *_: object, **__: object) -> None:
            said.append(str(statement.compile(dialect=dialect)))

        recorder = create_mock_engine(f"{dialect.name}://", note)
        tables.metadata.create_all(recorder, checkfirst=False)
        _worded[dialect.name] = tuple(said)
    return _worded[dialect.name]


def _migrate(connection: Connection, found: str, place: str) -> None:
    from alembic import command  # noqa: PLC0415 (a fifth of a second that only a migration is worth)
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "watcher.store:migrations")
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found not in known:
        raise _too_new(found, place)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
