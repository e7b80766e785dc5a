"""Silences: those in force, those to come, and those that ended and were not cut by retention yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from rules.quieted import Silence
from watcher.store.database import Database
from watcher.store.payload import Payload
from watcher.store.tables import silences as table
from watcher.store.times import moment

_silence = Payload[Silence](Silence)
_MINE = table.c.organization == bindparam("whose")
_OPEN = select(table.c.payload).where(_MINE, table.c.ends_at > bindparam("now")).order_by(table.c.ends_at, table.c.id)


class Silences:
    """The silences of every organization."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, organization: str, now: datetime) -> tuple[Silence, ...]:
        """Those that have not ended, in force or to come, the next to end first."""
        with self._database.reading() as connection:
            payloads = connection.scalars(_OPEN, {"whose": organization, "now": moment(now)}).all()
        return tuple(map(_silence.read, payloads))

    def all(self, organization: str) -> tuple[Silence, ...]:
        """Those that have ended too, the last to end first."""
        query = select(table.c.payload).where(table.c.organization == organization)
        with self._database.reading() as connection:
            payloads = connection.scalars(query.order_by(table.c.ends_at.desc(), table.c.id)).all()
        return tuple(map(_silence.read, payloads))


def write_silences(connection: Connection, organization: str, silences: Sequence[Silence]) -> None:
    """Keep the silences as they are now, inside a transaction."""
    for silence in silences:
        this = (table.c.organization == organization) & (table.c.id == silence.id)
        values = {"ends_at": moment(silence.ends_at), "payload": _silence.write(silence)}
        if not connection.execute(update(table).where(this).values(values)).rowcount:
            connection.execute(insert(table).values(organization=organization, id=silence.id, **values))
