"""Lists of things by id, taken over whole: what is there now, when it was seen, and what changed between two listings.

The API tells neither when a thing changed nor who changed it: what is kept are changes seen between two listings. The
name, the status, and whether a thing is listed are always compared; a kind says what else of it is worth keeping.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, Update, and_, bindparam, insert, select, update

from watcher.store.database import Database
from watcher.store.payload import Payload
from watcher.store.tables import directory, directory_changes
from watcher.store.times import from_moment, moment

Item = TypeVar("Item")

_YES_OR_NO = ("no", "yes")
_FIELDS = ("name", "status", "listed", "payload")

_OF = (directory.c.organization == bindparam("whose")) & (directory.c.kind == bindparam("of"))
_ALL = select(directory).where(_OF).order_by(directory.c.id)
_CHANGE = (
    update(directory)
    .where(_OF, directory.c.id == bindparam("ident"))
    .values({field: bindparam(f"new_{field}") for field in _FIELDS})
)


class _Statements(NamedTuple):
    """What is known of a kind of things, and that those listed were seen again."""

    look: Select[Any]
    see: Update


@lru_cache(1024)
def _within(part: str) -> _Statements:
    """The statements about all things of a kind, or about those whose id begins with a text."""
    return _about(and_(_OF, directory.c.id.startswith(part, autoescape=True)) if part else _OF)


@lru_cache(1024)
def _alone(ident: str) -> _Statements:
    """The same about one thing."""
    return _about(and_(_OF, directory.c.id == ident))


def _about(mine: ColumnElement[bool]) -> _Statements:
    see = update(directory).where(mine, directory.c.listed == 1).values(last_seen_at=bindparam("at"))
    return _Statements(select(directory).where(mine), see)


@dataclass(frozen=True, slots=True)
class Listed(Generic[Item]):
    """One thing as it was last listed; `listed` is False once a whole listing has left it out."""

    item: Item
    listed: bool
    first_seen_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """What differed between two listings of a thing, or that it came ("listed") or went.

    It happened after `last_seen_before` and no later than `observed_at`. The status of a workspace is active or
    archived, that of a user or member the role. Amounts are nano-dollars; None is none.
    """

    kind: str
    id: str
    field: str
    before: str | None
    after: str | None
    last_seen_before: datetime
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class Kind(Generic[Item]):
    """One kind of thing: how it is written, what it goes by, and what of it is compared besides name and status."""

    name: str
    payload: Payload[Item]
    ident: Callable[[Item], str]
    called: Callable[[Item], str]
    status: Callable[[Item], str]
    told: Callable[[Item], Mapping[str, str | None]] = lambda _: {}


class Listings(Generic[Item]):
    """The things of one kind, of every organization."""

    def __init__(self, database: Database, kind: Kind[Item]) -> None:
        self._database = database
        self._kind = kind
        self._read: dict[str, dict[str, Item]] = {}
        """What was read last of each organization, by its text: most of it is the same again."""

    def record(self, organization: str, items: Iterable[Item], observed_at: datetime, within: str = "") -> None:
        """Take a whole listing over; what it leaves out is listed no more.

        With `within` it is a listing of that part alone: of the things whose id begins with it. Of things that share an
        id each keeps its place in the listing, with a number from the second on.
        """
        found: dict[str, Item] = {}
        for item in items:
            ident, number = self._kind.ident(item), 2
            while ident in found:
                ident, number = f"{self._kind.ident(item)}#{number}", number + 1
            found[ident] = item
        with self._database.writing() as connection:
            _TakeOver(connection, organization, self._kind, _within(within), moment(observed_at)).take(found)

    def record_one(self, organization: str, item: Item, observed_at: datetime) -> None:
        """Take one thing over as it was read by itself; the others stay as they are."""
        ident = self._kind.ident(item)
        with self._database.writing() as connection:
            _TakeOver(connection, organization, self._kind, _alone(ident), moment(observed_at)).take({ident: item})

    def keep(self, organization: str, item: Item, observed_at: datetime) -> None:
        """Keep one thing that no listing has; one that is known already stays as it was listed."""
        kind, at = self._kind, moment(observed_at)
        place = {"organization": organization, "kind": kind.name, "id": kind.ident(item)}
        this = and_(*(directory.c[name] == value for name, value in place.items()))
        values = {"name": kind.called(item), "status": kind.status(item), "payload": kind.payload.write(item)}
        with self._database.writing() as connection:
            known = connection.execute(select(directory.c.listed).where(this)).scalar_one_or_none()
            if known is None:
                times = {"listed": 0, "first_seen_at": at, "last_seen_at": at}
                connection.execute(insert(directory).values(**place, **values, **times))
            elif not known:
                connection.execute(update(directory).where(this).values(**values, last_seen_at=at))

    def all(self, organization: str) -> tuple[Listed[Item], ...]:
        """Everything ever listed or kept, by id."""
        with self._database.reading() as connection:
            rows = connection.execute(_ALL, {"whose": organization, "of": self._kind.name}).all()
        before, payload = self._read.get(organization, {}), self._kind.payload
        known = {row.payload: before.get(row.payload) or payload.read(row.payload) for row in rows}
        self._read[organization] = known
        return tuple(
            Listed(
                known[row.payload],
                bool(row.listed),
                from_moment(row.first_seen_at),
                from_moment(row.last_seen_at),
            )
            for row in rows
        )

    def listed(self, organization: str) -> tuple[Item, ...]:
        """What the last listing had, by id."""
        return tuple(entry.item for entry in self.all(organization) if entry.listed)

    def changes(self, organization: str, since: datetime, ident: str | None = None) -> tuple[Change, ...]:
        """The changes of this kind observed from `since` on, in the order they were seen."""
        with self._database.reading() as connection:
            return read_changes(connection, organization, since, (self._kind.name,), ident)


def read_changes(
    connection: Connection, organization: str, since: datetime, kinds: Sequence[str] = (), ident: str | None = None
) -> tuple[Change, ...]:
    """The changes observed from `since` on, in the order they were seen; of all kinds where none is named."""
    column = directory_changes.c
    query = select(directory_changes).where(column.organization == organization, column.observed_at >= moment(since))
    if kinds:
        query = query.where(column.kind.in_(kinds))
    if ident is not None:
        query = query.where(column.subject == ident)
    return tuple(
        Change(
            row.kind,
            row.subject,
            row.field,
            row.before,
            row.after,
            from_moment(row.last_seen_before_at),
            from_moment(row.observed_at),
        )
        for row in connection.execute(query.order_by(column.id))
    )


class _TakeOver(Generic[Item]):
    """One listing as it goes into the tables, inside a transaction."""

    def __init__(self, connection: Connection, organization: str, kind: Kind[Item], do: _Statements, at: int) -> None:
        self._connection = connection
        self._organization = organization
        self._kind = kind
        self._at = at
        self._mine = {"whose": organization, "of": kind.name}
        self._do = do
        self._fresh: list[dict[str, Any]] = []
        self._changed: list[dict[str, Any]] = []
        self._changes: list[dict[str, Any]] = []

    def take(self, items: Mapping[str, Item]) -> None:
        """Compare what is known with the listing, then write what differs."""
        known = {row.id: row for row in self._connection.execute(self._do.look, self._mine)}
        for ident, item in items.items():
            self._one(ident, item, known.get(ident))
        for ident, row in known.items():
            if row.listed and ident not in items:
                self._changed.append(_values(ident, row.name, row.status, row.payload, listed=0))
                self._changes.append(self._change(row, "listed", "yes", "no"))
        self._write()

    def _one(self, ident: str, item: Item, row: Any) -> None:
        kind = self._kind
        name, status, payload = kind.called(item), kind.status(item), kind.payload.write(item)
        values = _values(ident, name, status, payload, listed=1)
        if row is None:
            self._fresh.append(values)
            return
        if row.payload == payload and row.listed:
            return
        self._changed.append(values)
        told: dict[str, tuple[str | None, str | None]] = {
            "name": (row.name, name),
            "status": (row.status, status),
            "listed": (_YES_OR_NO[row.listed], "yes"),
        }
        if row.payload != payload:
            before, after = kind.told(kind.payload.read(row.payload)), kind.told(item)
            told |= {field: (before.get(field), after.get(field)) for field in sorted({*before, *after})}
        self._changes += [self._change(row, field, *pair) for field, pair in told.items() if pair[0] != pair[1]]

    def _change(self, row: Any, field: str, before: str | None, after: str | None) -> dict[str, Any]:
        return {
            "organization": self._organization,
            "kind": self._kind.name,
            "subject": row.id,
            "field": field,
            "before": before,
            "after": after,
            "last_seen_before_at": row.last_seen_at,
            "observed_at": self._at,
        }

    def _write(self) -> None:
        connection, at = self._connection, self._at
        if self._changed:
            connection.execute(
                _CHANGE,
                [
                    {**self._mine, "ident": row["id"], **{f"new_{field}": row[field] for field in _FIELDS}}
                    for row in self._changed
                ],
            )
        connection.execute(self._do.see, {**self._mine, "at": at})
        if self._fresh:
            place = {"organization": self._organization, "kind": self._kind.name}
            seen = {"first_seen_at": at, "last_seen_at": at}
            connection.execute(insert(directory), [{**place, **row, **seen} for row in self._fresh])
        if self._changes:
            connection.execute(insert(directory_changes), self._changes)


def _values(ident: str, name: str, status: str, payload: str, *, listed: int) -> dict[str, Any]:
    return {"id": ident, "name": name, "status": status, "payload": payload, "listed": listed}
