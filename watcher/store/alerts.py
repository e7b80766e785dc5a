"""Alerts and their transitions, as they were last written."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, insert, or_, select, update

from rules.model import Alert, State, Transition
from watcher.store.database import Database
from watcher.store.payload import Payload
from watcher.store.tables import alerts as table
from watcher.store.tables import transitions
from watcher.store.times import from_moment, moment

_alert = Payload[Alert](Alert)
_AT_ONCE = 500
"""Ids in one query."""

_EVENTS = table.c.closes_at.is_not(None) & table.c.ends_at.is_(None)
_OPEN = (
    select(table.c.payload)
    .where(or_(table.c.state != State.RESOLVED.value, _EVENTS))
    .order_by(table.c.starts_at, table.c.id)
)
_OPEN_OF = _OPEN.where(table.c.organization == bindparam("whose"))
_CHANGE = update(table).where(table.c.id == bindparam("ident"))
_ADD = insert(table)


class Alerts:
    """Every alert that retention has not cut yet."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, organization: str | None = None) -> tuple[Alert, ...]:
        """Pending and firing alerts, and events that have not closed, oldest first."""
        return self._read(_OPEN) if organization is None else self._read(_OPEN_OF, whose=organization)

    def list(self, since: datetime | None = None, states: Collection[State] | None = None) -> tuple[Alert, ...]:
        """Alerts that had not ended before `since`, in any of `states`, newest first."""
        query = select(table.c.payload)
        if since is not None:
            query = query.where(or_(table.c.ends_at.is_(None), table.c.ends_at >= moment(since)))
        if states is not None:
            query = query.where(table.c.state.in_([State(state).value for state in states]))
        return self._read(query.order_by(table.c.starts_at.desc(), table.c.id))

    def closed_events(self, organization: str, since: datetime) -> tuple[Alert, ...]:
        """Events that have ended and were to close at `since` or later, also those whose rule was taken out before."""
        closed = (table.c.state == State.RESOLVED.value) & (table.c.closes_at >= moment(since))
        query = select(table.c.payload).where(closed & (table.c.organization == organization))
        return self._read(query.order_by(table.c.starts_at, table.c.id))

    def get(self, alert_id: str) -> Alert | None:
        """One alert by its id."""
        return next(iter(self._read(select(table.c.payload).where(table.c.id == alert_id))), None)

    def these(self, ids: Collection[str]) -> tuple[Alert, ...]:
        """Those of these ids, open or over, in the order of their ids."""
        wanted = sorted(set(ids))
        chunks = (wanted[at : at + _AT_ONCE] for at in range(0, len(wanted), _AT_ONCE))
        return tuple(
            alert
            for chunk in chunks
            for alert in self._read(select(table.c.payload).where(table.c.id.in_(chunk)).order_by(table.c.id))
        )

    def transitions(self, alert_id: str) -> tuple[Transition, ...]:
        """The changes of state of one alert, in the order they were made."""
        query = select(transitions).where(transitions.c.alert_id == alert_id).order_by(transitions.c.id)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return tuple(
            Transition(
                alert_id=row.alert_id,
                at=from_moment(row.at),
                before=None if row.before is None else State(row.before),
                after=State(row.after),
                why=row.why,
                silent=bool(row.silent),
            )
            for row in rows
        )

    def _read(self, query: Select[Any], **values: str) -> tuple[Alert, ...]:
        with self._database.reading() as connection:
            payloads = connection.scalars(query, values).all()
        return tuple(_alert.read(payload) for payload in payloads)


def write_alerts(connection: Connection, alerts: Sequence[Alert]) -> None:
    """Keep the alerts as they are now, inside a transaction."""
    for alert in alerts:
        values = {
            "organization": alert.subject.scope.organization,
            "fingerprint": alert.subject.fingerprint,
            "kind": alert.subject.kind,
            "rule": alert.subject.rule,
            "state": alert.state.value,
            "severity": alert.severity.value,
            "starts_at": moment(alert.starts_at),
            "ends_at": moment(alert.ends_at),
            "closes_at": moment(alert.closes_at),
            "payload": _alert.write(alert),
        }
        if not connection.execute(_CHANGE, {**values, "ident": alert.id}).rowcount:
            connection.execute(_ADD, {**values, "id": alert.id})


def write_transitions(connection: Connection, changes: Sequence[Transition]) -> None:
    """Add the transitions, inside a transaction; their alerts must be there."""
    rows = [
        {
            "alert_id": change.alert_id,
            "at": moment(change.at),
            "before": None if change.before is None else change.before.value,
            "after": change.after.value,
            "why": change.why,
            "silent": int(change.silent),
        }
        for change in changes
    ]
    if rows:
        connection.execute(insert(transitions), rows)
