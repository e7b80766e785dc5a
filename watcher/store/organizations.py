"""Which organization each name in the configuration stands for: found out once, from the key, and held to since."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select

from watcher.store.cursor import read_cursor, write_cursor
from watcher.store.database import Database
from watcher.store.tables import organizations as table

_REFUSED = "refused:"
"""What the name of a refusal in the cursor begins with; the organization's name follows."""

_ID = select(table.c.id).where(table.c.label == bindparam("called"))


@dataclass(frozen=True, slots=True)
class Bound:
    """An organization's id, and the name that the configuration last had for it: "" where it had none."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing can be read under a name of the configuration, and since when."""

    since: datetime
    why: str


class Organizations:
    """Every organization that this database was ever filled from."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> tuple[Bound, ...]:
        """Every one, by id; also those that the configuration names no more."""
        with self._database.reading() as connection:
            rows = connection.execute(select(table.c.id, table.c.label).order_by(table.c.id)).all()
        return tuple(Bound(ident, label) for ident, label in rows)

    def id_of(self, label: str) -> str | None:
        """The id of the organization of that name; None where its key has never been asked."""
        with self._database.reading() as connection:
            return connection.execute(_ID, {"called": label}).scalar_one_or_none()

    def refusal(self, label: str) -> Refusal | None:
        """Why the organization of that name cannot be told, or is not the one it was; None where all is well."""
        with self._database.reading() as connection:
            text = read_cursor(connection, _REFUSED + label)
        since, _, why = (text or "").partition(" ")
        return Refusal(datetime.fromisoformat(since), why) if since else None

    def refused(self, label: str, why: str, at: datetime) -> None:
        """Note that nothing can be read under that name; since when is kept over further refusals."""
        known = self.refusal(label)
        since = at if known is None else known.since
        with self._database.writing() as connection:
            write_cursor(connection, {_REFUSED + label: f"{since.isoformat()} {why}"})

    def admitted(self, label: str) -> None:
        """Note that all is well again."""
        if self.refusal(label) is not None:
            with self._database.writing() as connection:
                write_cursor(connection, {_REFUSED + label: ""})

    def bind(self, label: str, ident: str, configured: Collection[str] = ()) -> str:
        """Give an organization a name of the configuration, unless another one of `configured` has it already.

        Returns the name that it has now. One that had a name which is not in `configured` any more is renamed, and
        keeps all its history.
        """
        with self._database.writing() as connection:
            held = connection.execute(select(table.c.label).where(table.c.id == ident)).scalar_one_or_none()
            if held is not None and held != label and held in configured:
                return str(held)
            if held != label:
                connection.execute(delete(table).where((table.c.id == ident) | (table.c.label == label)))
                connection.execute(insert(table).values(id=ident, label=label))
        return label
