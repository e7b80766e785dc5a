"""A consistent copy of a database that is in use."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from watcher.store import errors
from watcher.store.database import Database

_PAGES_A_STEP = 4096
_WAITING_MAY_BE_TAKEN = "UPDATE outbox SET in_doubt = in_doubt + 1 WHERE delivered_at IS NULL"
"""By the time that a copy is put back, what waited in it has been delivered: its ids are to stay the same."""


def backup(database: Database, target: Path) -> None:
    """Copy the database to the new file `target`, mode 0600; raises `BackupRefused` and leaves nothing half-written.

    The copy is made in one reading transaction, so it is one state of the database, and writers are not kept out.
    """
    if not database.sqlite:
        raise errors.BackupRefused("a PostgreSQL store is copied with pg_dump, not by this program")
    if not target.parent.is_dir():
        raise errors.BackupRefused(f"the folder {target.parent} does not exist: create it, or name another")
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        raise errors.BackupRefused(f"{target} exists already and is not overwritten: name a new file") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise errors.BackupRefused(f"{target} cannot be written to: {reason}") from error
    try:
        with database.raw() as connection:
            _copy(connection, target)
    except BaseException as error:
        target.unlink(missing_ok=True)
        if isinstance(error, sqlite3.Error):
            raise errors.BackupRefused(f"the copy to {target} failed and was removed: {error}") from error
        raise


def _copy(connection: sqlite3.Connection, target: Path) -> None:
    copy = sqlite3.connect(target, isolation_level=None)
    try:
        connection.execute("BEGIN")  # pins one state, so that a busy writer cannot make the copy start over
        connection.execute("SELECT 1 FROM sqlite_master").fetchall()
        connection.backup(copy, pages=_PAGES_A_STEP)
        copy.execute("PRAGMA journal_mode = DELETE")
        copy.execute(_WAITING_MAY_BE_TAKEN)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        copy.close()
    with target.open("rb") as file:
        os.fsync(file.fileno())
