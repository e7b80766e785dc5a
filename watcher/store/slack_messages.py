"""Which Slack message tells of which alert: noted before a message is sent, and once it is known where it stands.

Beside it stands what the message shows of what people said of the alert (`notifiers.slack_memory.face`). Whatever a
judgement commits that makes it show something else is noted in the same transaction, and stays noted until the message
has been edited: a restart loses no edit, and repeats none that was noted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, Connection, and_, case, delete, insert, null, or_, select, update

from notifiers.slack_memory import Begun, Outdated, Sent, face
from rules.model import Alert, Notification, Reason
from watcher.store.alerts import Alerts
from watcher.store.database import Database
from watcher.store.payload import Payload
from watcher.store.tables import outbox
from watcher.store.tables import slack_messages as table
from watcher.store.times import moment

_notification = Payload[Notification](Notification)
_AT_ONCE = 500
"""Alerts in one query."""
PLAIN = "plain"
"""What is wanted of a message about an alert of which nothing that was said holds any more."""
_ON_TOP = or_(table.c.thread.is_(None), table.c.thread == "")
_IS_WANTED = table.c.wanted > ""


class SlackMessages:
    """The messages of every Slack bot, until retention cuts them. It is their `Memory`; raises StoreError."""

    def __init__(self, database: Database, alerts: Alerts) -> None:
        self._database, self._alerts = database, alerts

    def begin(self, notification: Notification) -> Begun:
        """Note that it is about to be sent; tells what was known of it before."""
        this = (table.c.receiver == notification.receiver) & (table.c.notification == notification.id)
        now = {alert.id: face(alert) or None for alert in self._alerts.these([each.id for each in notification.alerts])}
        with self._database.writing() as connection:
            found = connection.execute(select(table).where(this).limit(1)).first()
            if found is None:
                about = dict.fromkeys([alert.id for alert in notification.alerts] or [""])
                row = {
                    "receiver": notification.receiver,
                    "notification": notification.id,
                    "at": moment(notification.created_at),
                    "reason": notification.reason.value,
                }
                rows = [{**row, "alert": alert, "wanted": now.get(alert)} for alert in about]
                connection.execute(insert(table), rows)
                return Begun(before=False)
        sent = None if found.ts is None else Sent(found.channel, found.ts, found.thread, Reason(found.reason))
        return Begun(before=True, sent=sent)

    def posted(self, notification: Notification, sent: Sent) -> None:
        """Note where it stands."""
        this = (table.c.receiver == notification.receiver) & (table.c.notification == notification.id)
        where = {"channel": sent.channel, "ts": sent.ts, "thread": sent.thread}
        with self._database.writing() as connection:
            connection.execute(update(table).where(this).values(where))
            if sent.thread:
                connection.execute(update(table).where(this).values(wanted=None))
            else:
                _show(connection, this, notification.alerts)

    def firsts(self, receiver: str, alerts: Collection[str]) -> Mapping[str, Sent]:
        """By alert the first message that tells of it outside of a thread."""
        firsts: dict[str, Sent] = {}
        top = (table.c.receiver == receiver) & table.c.ts.is_not(None) & (table.c.thread == "")
        with self._database.reading() as connection:
            for some in _chunks(alerts):
                query = select(table).where(top & table.c.alert.in_(some)).order_by(table.c.at, table.c.ts)
                for row in connection.execute(query):
                    firsts.setdefault(row.alert, Sent(row.channel, row.ts, "", Reason(row.reason)))
        return firsts

    def alerts(self, receiver: str, sent: Sent) -> tuple[Alert, ...]:
        """The alerts that a message tells of, as they stand now."""
        with self._database.reading() as connection:
            ids = connection.scalars(select(table.c.alert).where(_these(receiver, sent))).all()
        return self._alerts.these(ids)

    def outdated(self, receiver: str, most: int) -> Sequence[Outdated]:
        """The oldest of the first messages that show something else than they are to; those that are none are left."""
        stale = (table.c.receiver == receiver) & _IS_WANTED & table.c.ts.is_not(None)
        with self._database.reading() as connection:
            rows = connection.execute(
                select(table.c.alert, table.c.channel, table.c.ts, table.c.reason, outbox.c.payload)
                .join_from(table, outbox, outbox.c.id == table.c.notification, isouter=True)
                .where(stale)
                .order_by(table.c.at, table.c.ts)
                .limit(_AT_ONCE)
            ).all()
        firsts = self.firsts(receiver, [row.alert for row in rows])
        found: dict[Sent, Outdated] = {}
        for row in rows:
            sent = Sent(row.channel, row.ts, "", Reason(row.reason))
            if row.payload is None or firsts.get(row.alert) != sent:
                self._leave(receiver, sent, row.alert)
            elif sent not in found and len(found) < most:
                if alerts := self.alerts(receiver, sent):
                    found[sent] = Outdated(sent, replace(_notification.read(row.payload), alerts=alerts))
                else:
                    self._leave(receiver, sent, row.alert)
        return tuple(found.values())

    def shows(self, receiver: str, sent: Sent, alerts: Sequence[Alert]) -> None:
        """Note that a message shows these alerts as they are here; what was wanted meanwhile stays wanted."""
        with self._database.writing() as connection:
            _show(connection, _these(receiver, sent), alerts)

    def tells(self, receiver: str, alert: str) -> bool:
        """Whether a message of this receiver tells of an alert, or is about to."""
        this = (table.c.receiver == receiver) & (table.c.alert == alert)
        with self._database.reading() as connection:
            return connection.execute(select(table.c.alert).where(this).limit(1)).first() is not None

    def lost(self, receiver: str, sent: Sent) -> None:
        """Forget a message that is no more, and what answered it."""
        gone = (table.c.ts == sent.ts) | (table.c.thread == sent.ts)
        with self._database.writing() as connection:
            connection.execute(
                delete(table).where((table.c.receiver == receiver) & (table.c.channel == sent.channel) & gone)
            )

    def _leave(self, receiver: str, sent: Sent, alert: str) -> None:
        with self._database.writing() as connection:
            this = _these(receiver, sent) & (table.c.alert == alert)
            connection.execute(update(table).where(this).values(wanted=None))


def write_wanted(connection: Connection, alerts: Sequence[Alert]) -> None:
    """Note which messages no longer show how these alerts stand, inside the transaction that writes the alerts."""
    faces = {alert.id: face(alert) for alert in alerts}
    for some in _chunks(faces):
        query = select(table.c.receiver, table.c.notification, table.c.alert, table.c.shown, table.c.wanted)
        for row in connection.execute(query.where(table.c.alert.in_(some) & _ON_TOP)).all():
            now = faces[row.alert]
            wanted = (now or PLAIN) if now != (row.shown or "") else None
            if wanted != row.wanted:
                this = and_(table.c.receiver == row.receiver, table.c.notification == row.notification)
                connection.execute(update(table).where(this & (table.c.alert == row.alert)).values(wanted=wanted))


def _show(connection: Connection, these: ColumnElement[bool], alerts: Sequence[Alert]) -> None:
    for alert in alerts:
        shown = face(alert)
        reached = case((table.c.wanted == (shown or PLAIN), null()), else_=table.c.wanted)
        this = these & (table.c.alert == alert.id)
        connection.execute(update(table).where(this).values(shown=shown, wanted=reached))


def _these(receiver: str, sent: Sent) -> ColumnElement[bool]:
    """The rows of one message."""
    return and_(table.c.receiver == receiver, table.c.channel == sent.channel, table.c.ts == sent.ts)


def _chunks(alerts: Collection[str]) -> Iterator[Sequence[str]]:
    wanted = sorted(set(alerts))
    return (wanted[at : at + _AT_ONCE] for at in range(0, len(wanted), _AT_ONCE))
