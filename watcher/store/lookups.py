"""What is asked for one by one: a key by its id, one workspace's members, a day of a report that the API refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select

from watcher.store.database import Database
from watcher.store.tables import lookups as table
from watcher.store.times import from_moment, moment


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
        with self._database.writing() as connection:
            connection.execute(delete(table).where(*(table.c[name] == value for name, value in place.items())))
            answer = None if found is None else int(found)
            connection.execute(insert(table).values(**place, asked_at=moment(asked_at), found=answer))

    def all(self, organization: str, subject: str) -> Mapping[str, Lookup]:
        """Everything of one kind that was asked for, by id."""
        query = select(table).where(table.c.organization == organization, table.c.subject == subject)
        with self._database.reading() as connection:
            return {
                row.id: Lookup(from_moment(row.asked_at), None if row.found is None else bool(row.found))
                for row in connection.execute(query)
            }
