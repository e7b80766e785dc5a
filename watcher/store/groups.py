"""Groups of alerts whose messages are timed: those that are alive."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from rules.groups import Group, waiting
from watcher.store.database import Database
from watcher.store.payload import Payload
from watcher.store.tables import groups as table

_group = Payload[Group](Group)
_ALIVE = select(table.c.payload).where(table.c.organization == bindparam("whose")).order_by(table.c.id)


class Groups:
    """The groups of every organization."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, organization: str) -> tuple[Group, ...]:
        """Those of one organization, in the order of their ids."""
        with self._database.reading() as connection:
            rows = connection.execute(_ALIVE, {"whose": organization}).all()
        return tuple(_group.read(row.payload) for row in rows)

    def waiting(self, organizations: Collection[str]) -> frozenset[tuple[str, str]]:
        """Receivers, and ids of alerts of these organizations that they are still to be told of."""
        return waiting(group for each in organizations for group in self.all(each))


def write_groups(connection: Connection, organization: str, groups: Sequence[Group]) -> None:
    """Keep the groups as they are now, and forget those that are over, inside a transaction."""
    for group in groups:
        this = (table.c.organization == organization) & (table.c.id == group.id)
        if group.is_over:
            connection.execute(delete(table).where(this))
            continue
        payload = _group.write(group)
        if not connection.execute(update(table).where(this).values(payload=payload)).rowcount:
            connection.execute(insert(table).values(organization=organization, id=group.id, payload=payload))
