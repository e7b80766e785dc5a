"""One owner of a PostgreSQL store: an advisory lock, which the server frees when its holder's connection ends."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from watcher.store.database import engine_of, parse_url
from watcher.store.failures import sentence_for

_CLASS, _OBJECT = 0x77617463, 1
"""The two halves of the lock's number: "watc", and the one lock there is."""


@contextmanager
def advisory_lock(url: str) -> Iterator[str | None]:
    """Hold the lock of the database while the block runs.

    Gives None when the lock is held now, else the name that its holder gave itself ("claude-watcher, pid 7 on host").
    Raises `Unreachable` where the server cannot be used.
    """
    parsed = parse_url(url)
    place = parsed.render_as_string(hide_password=True)
    name = f"claude-watcher, pid {os.getpid()} on {socket.gethostname()}"[:63]
    engine = engine_of(parsed, poolclass=NullPool, application_name=name)
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            ours = {"class": _CLASS, "object": _OBJECT}
            taken = connection.execute(text("SELECT pg_try_advisory_lock(:class, :object)"), ours).scalar_one()
            yield None if taken else str(connection.execute(_HOLDER, ours).scalar() or "another process")
    except DBAPIError as error:
        raise sentence_for(error, place) from error
    finally:
        engine.dispose()


_HOLDER = text(
    "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid) "
    "WHERE locktype = 'advisory' AND classid = :class AND objid = :object AND granted "
    "AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
