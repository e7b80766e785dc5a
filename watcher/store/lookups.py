"""What is asked for one by one: a key by its id, one workspace's members, a day of a report that the API refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select

from watcher.store.database import Database
from watcher.store.tables import lookups as table
from watcher.store.times import from_moment, moment

_OF = (table.c.organization == bindparam("whose")) & (table.c.subject == bindparam("of"))
_ALL = select(table).where(_OF)
_REMOVE = delete(table).where(_OF, table.c.id == bindparam("which"))
_ADD = insert(table)


@dataclass(frozen=True, slots=True)
class Lookup:
    """When something was asked for last, and whether it was there; None where the answer did not say."""

    asked_at: datetime
    found: bool | None


class Lookups:
    """The last question of each kind about each thing, of every organization."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, organization: str, subject: str, ident: str, asked_at: datetime, *, found: bool | None) -> None:
        """Remember a question and its answer in the place of the one before."""
        place = {"organization": organization, "subject": subject, "id": ident}
        answer = None if found is None else int(found)
        with self._database.writing() as connection:
            connection.execute(_REMOVE, {"whose": organization, "of": subject, "which": ident})
            connection.execute(_ADD, {**place, "asked_at": moment(asked_at), "found": answer})

    def all(self, organization: str, subject: str) -> Mapping[str, Lookup]:
        """Everything of one kind that was asked for, by id."""
        with self._database.reading() as connection:
            return {
                row.id: Lookup(from_moment(row.asked_at), None if row.found is None else bool(row.found))
                for row in connection.execute(_ALL, {"whose": organization, "of": subject})
            }
