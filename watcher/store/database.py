"""The connection: how a database is opened, written to by one, and how its failures become sentences.

SQLite: WAL, synchronous FULL, foreign keys on, `BEGIN IMMEDIATE` for what writes, a busy timeout, mode 0600.
PostgreSQL: through psycopg, at REPEATABLE READ.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import Pool
from sqlalchemy.util import LRUCache

from watcher.store import errors
from watcher.store.failures import sentence_for

BUSY_SECONDS = 10.0
"""How long a writer waits for another process's transaction before `Locked` is raised."""


class Sqlite(SQLiteDialect_pysqlite):
    """SQLite as SQLAlchemy speaks it, the same for every database: what was worded for one is not worded anew."""

    supports_statement_cache = True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sqlite)

    def __hash__(self) -> int:
        return hash(Sqlite)


registry.register("sqlite.watcher", __name__, Sqlite.__name__)
_worded: LRUCache[Any, Any] = LRUCache(1000)
"""Statements in the words of SQLite: finding those of a whole cycle takes as long as the cycle of a small database."""


def parse_url(url: str) -> URL:
    """The URL in its parts, with the driver that this program brings; raises `UnknownStore`.

    `sqlite:///relative.db`, `sqlite:////absolute.db`, `postgresql://…` and `postgresql+psycopg://…` are understood.
    """
    right = 'the store must be "sqlite:///FILE" or "postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"'
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise errors.UnknownStore(f"{right}; the URL given cannot be read") from None
    if parsed.drivername in {"postgresql", "postgres"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername in {"sqlite", "sqlite+pysqlite"}:
        if not parsed.database or parsed.database == ":memory:" or parsed.host:
            raise errors.UnknownStore(f"{right}; a database in memory would forget everything at the next start")
        return parsed
    if parsed.drivername != "postgresql+psycopg" or not parsed.database:
        raise errors.UnknownStore(f"{right}, not one of the kind {parsed.drivername!r}")
    return parsed


def database_file(url: str) -> Path | None:
    """The file of an SQLite URL, or None for a server; raises `UnknownStore`."""
    parsed = parse_url(url)
    return Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None


class Database:
    """Transactions on one database, for any number of threads; one of them writes at a time.

    `place` names the database in messages, without a password.
    """

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        """Prepare the file (SQLite) or the connection (PostgreSQL); raises the errors of `watcher.store.errors`."""
        parsed = parse_url(url)
        self.read_only = read_only
        self.sqlite = parsed.get_backend_name() == "sqlite"
        self.path = Path(parsed.database or "") if self.sqlite else None
        self.place = str(self.path) if self.path else parsed.render_as_string(hide_password=True)
        if self.path is not None:
            _prepare_file(self.path, read_only=read_only)
        self._identity = _identity(self.path)
        self._writer = threading.Lock()
        self._engine = _sqlite_engine(parsed, read_only=read_only) if self.sqlite else engine_of(parsed)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database throughout and writes nothing."""
        with self._translated(), self._engine.connect() as connection, connection.begin():
            if self.sqlite:  # touches nothing and cannot fail, so it needs none of what SQLAlchemy does for a statement
                driver: Any = connection.connection.driver_connection
                driver.execute("BEGIN")
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is kept whole when the block ends, and not at all when it raises."""
        if self.read_only:
            raise errors.NotWritable(f"{self.place} was opened for reading only")
        if _identity(self.path) != self._identity:
            raise errors.Replaced(
                f"{self.place} was removed or replaced while this program used it, and what it writes would be lost: "
                "restart it"
            )
        with self._writer, self._translated(), self._engine.connect() as connection, connection.begin():
            if self.sqlite:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection

    @contextmanager
    def raw(self) -> Iterator[Any]:
        """The driver's own connection, outside of any transaction, for what SQL has no words for."""
        with self._translated():
            pooled = self._engine.raw_connection()
            try:
                yield pooled.driver_connection
            finally:
                pooled.close()

    def close(self) -> None:
        """Give up the connections; the last one folds the write-ahead log into an SQLite file."""
        self._engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise sentence_for(error, self.place) from error


def _identity(path: Path | None) -> tuple[int, int] | None:
    """Which file it is that the path names now, if any."""
    try:
        found = path.stat() if path is not None else None
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found is not None else None


def _prepare_file(path: Path, *, read_only: bool) -> None:
    """See that the file can be used, and is for its owner's eyes only before anything is in it."""
    if not path.parent.is_dir():
        raise errors.NoSuchFolder(f"the folder {path.parent} does not exist: create it, or let store.url name another")
    if path.is_dir():
        raise errors.NotADatabase(f"{path} is a folder: let store.url name a file in it")
    if read_only:
        if not path.exists():
            raise errors.NoDatabase(f"there is no database at {path} yet: `watcher run` or `watcher poll` makes it")
        return
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(descriptor).st_mode & 0o077:
                os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise errors.NotWritable(f"{path} cannot be written to: {(error.strerror or str(error)).lower()}") from error


def _sqlite_engine(url: URL, *, read_only: bool) -> Engine:
    path = Path(url.database or "").absolute()
    if read_only:
        url = url.set(database=f"{path.as_uri()}?mode=ro", query={"uri": "true"})
    engine = create_engine(
        url.set(drivername="sqlite+watcher"),
        hide_parameters=True,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        execution_options={"compiled_cache": _worded},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions begin in `Database`, not where the driver guesses
        connection.execute("PRAGMA foreign_keys = ON")
        if read_only:
            connection.execute("PRAGMA query_only = ON")
        else:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")

    return engine


def engine_of(url: URL, *, poolclass: type[Pool] | None = None, application_name: str = "claude-watcher") -> Engine:
    """An engine for a PostgreSQL URL; raises `UnknownStore` where psycopg is not installed."""
    try:
        return create_engine(
            url,
            hide_parameters=True,
            pool_pre_ping=True,
            isolation_level="REPEATABLE READ",
            poolclass=poolclass,
            connect_args={"connect_timeout": 10, "application_name": application_name},
        )
    except ModuleNotFoundError as error:
        raise errors.UnknownStore("a PostgreSQL store needs psycopg: install claude-watcher[postgres]") from error
