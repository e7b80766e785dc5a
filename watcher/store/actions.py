"""The journal of actions on keys, and what protects keys from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, insert, or_, select, update

from rules.actions import OPEN, UNDER_WAY, Action, ActionState
from rules.model import Notification
from rules.protection import Examined
from watcher.store.database import Database
from watcher.store.outbox import write_notifications
from watcher.store.payload import Payload
from watcher.store.tables import actions as table
from watcher.store.tables import protections
from watcher.store.times import from_moment, moment

REACH = timedelta(days=400)
"""So far back decisions are handed to a judgement: longer than any period that one may be about."""

_action = Payload[Action](Action)
_of = lru_cache(4096)(_action.read)
"""A decision by its text: the same ones are read in every cycle."""

_ALL = (
    select(table.c.payload).where(table.c.organization == bindparam("whose")).order_by(table.c.created_at, table.c.id)
)
_NEAR = _ALL.where(or_(table.c.state.in_(sorted(OPEN)), table.c.created_at >= bindparam("since")))
_UNDER_WAY = _ALL.where(table.c.state.in_(sorted(UNDER_WAY)))
_OF_KEY = _ALL.where(table.c.api_key == bindparam("key"))
_ONE = _ALL.where(table.c.id == bindparam("ident"))
_THIS = (table.c.organization == bindparam("whose")) & (table.c.id == bindparam("ident"))
_CHANGE = update(table).values({name: bindparam(f"new_{name}") for name in ("state", "updated_at", "payload")})
_SET = _CHANGE.where(_THIS)
_ADVANCE = _CHANGE.where(_THIS, table.c.state == bindparam("expected"))


class Actions:
    """The decisions about keys of every organization."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def near(self, organization: str, now: datetime) -> tuple[Action, ...]:
        """Those that are open, and those of the last `REACH`, the oldest first."""
        return self._read(_NEAR, organization, since=moment(now - REACH))

    def under_way(self, organization: str) -> tuple[Action, ...]:
        """Those that are to be carried out, or are being, the oldest first."""
        return self._read(_UNDER_WAY, organization)

    def all(self, organization: str) -> tuple[Action, ...]:
        """The whole journal, the oldest first."""
        return self._read(_ALL, organization)

    def of_key(self, organization: str, key: str) -> tuple[Action, ...]:
        """Those about one key, the oldest first."""
        return self._read(_OF_KEY, organization, key=key)

    def get(self, organization: str, ident: str) -> Action | None:
        """One decision."""
        found = self._read(_ONE, organization, ident=ident)
        return found[0] if found else None

    def advance(self, row: Action, expected: ActionState, notifications: Sequence[Notification] = ()) -> bool:
        """Keep a row as it is now, and what is told of it, together; False, and nothing, if it is not as expected."""
        with self._database.writing() as connection:
            if not connection.execute(_ADVANCE, {**_bound(row), "expected": expected.value}).rowcount:
                return False
            write_notifications(connection, notifications)
        return True

    def protections(self, organization: str) -> tuple[Examined, ...]:
        """What every glob was held against, and what was protected by hand."""
        query = select(protections).where(protections.c.organization == organization)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return tuple(
            Examined(row.what, row.id, row.pattern, bool(row.taken), from_moment(row.at), row.by) for row in rows
        )

    def _read(self, query: Select[Any], organization: str, **asked: object) -> tuple[Action, ...]:
        with self._database.reading() as connection:
            payloads = connection.scalars(query, {"whose": organization, **asked}).all()
        return tuple(map(_of, payloads))


def write_actions(connection: Connection, rows: Iterable[Action]) -> None:
    """Keep decisions as they are now, inside a transaction."""
    for row in rows:
        if not connection.execute(_SET, _bound(row)).rowcount:
            fixed = {"organization": row.organization, "id": row.id, "cause": row.cause.id, "api_key": row.key}
            connection.execute(insert(table).values(**fixed, created_at=moment(row.created_at), **_values(row)))


def write_protections(connection: Connection, organization: str, examined: Iterable[Examined]) -> None:
    """Keep what was found of protection, inside a transaction; what is known of the same is replaced."""
    for each in examined:
        place = {"organization": organization, "what": each.what, "id": each.id, "pattern": each.pattern}
        values = {"taken": int(each.taken), "at": moment(each.at), "by": each.by}
        this = [protections.c[name] == value for name, value in place.items()]
        if not connection.execute(update(protections).where(*this).values(values)).rowcount:
            connection.execute(insert(protections).values(**place, **values))


def _values(row: Action) -> dict[str, object]:
    return {"state": row.state.value, "updated_at": moment(row.updated_at), "payload": _action.write(row)}


def _bound(row: Action) -> dict[str, object]:
    """What the statements about one row are executed with."""
    return {
        "whose": row.organization,
        "ident": row.id,
        **{f"new_{name}": value for name, value in _values(row).items()},
    }
