"""What people said of anomalies: one row an alert, until retention cuts it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, or_, select, update

from rules.quieted import Feedback
from watcher.store.database import Database
from watcher.store.payload import Payload
from watcher.store.tables import feedback as table
from watcher.store.times import moment

_feedback = Payload[Feedback](Feedback)
_HOLDS = or_(table.c.ends_at.is_(None), table.c.ends_at > bindparam("now"))
_OPEN = select(table.c.payload).where(table.c.organization == bindparam("whose"), _HOLDS).order_by(table.c.alert)


class Feedbacks:
    """The feedback on alerts of every organization."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, organization: str, now: datetime) -> tuple[Feedback, ...]:
        """All that still changes what is judged, by the id of the alert."""
        with self._database.reading() as connection:
            payloads = connection.scalars(_OPEN, {"whose": organization, "now": moment(now)}).all()
        return tuple(map(_feedback.read, payloads))


def write_feedback(connection: Connection, organization: str, feedback: Sequence[Feedback]) -> None:
    """Keep the feedback as it is now, inside a transaction."""
    for each in feedback:
        this = (table.c.organization == organization) & (table.c.alert == each.alert)
        values = {"ends_at": moment(each.ends_at), "payload": _feedback.write(each)}
        if not connection.execute(update(table).where(this).values(values)).rowcount:
            connection.execute(insert(table).values(organization=organization, alert=each.alert, **values))
