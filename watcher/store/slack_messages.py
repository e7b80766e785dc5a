"""Which Slack message tells of which alert: noted before a message is sent, and once it is known where it stands."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import delete, insert, select, update

from notifiers.slack_memory import Begun, Sent
from rules.model import Alert, Notification, Reason
from watcher.store.alerts import Alerts
from watcher.store.database import Database
from watcher.store.tables import slack_messages as table
from watcher.store.times import moment

_AT_ONCE = 500
"""Alerts in one query."""


class SlackMessages:
    """The messages of every Slack bot, until retention cuts them. It is their `Memory`; raises StoreError."""

    def __init__(self, database: Database, alerts: Alerts) -> None:
        self._database, self._alerts = database, alerts

    def begin(self, notification: Notification) -> Begun:
        """Note that it is about to be sent; tells what was known of it before."""
        this = (table.c.receiver == notification.receiver) & (table.c.notification == notification.id)
        with self._database.writing() as connection:
            found = connection.execute(select(table).where(this).limit(1)).first()
            if found is None:
                about = [alert.id for alert in notification.alerts] or [""]
                row = {
                    "receiver": notification.receiver,
                    "notification": notification.id,
                    "at": moment(notification.created_at),
                    "reason": notification.reason.value,
                }
                connection.execute(insert(table), [{**row, "alert": alert} for alert in dict.fromkeys(about)])
                return Begun(before=False)
        sent = None if found.ts is None else Sent(found.channel, found.ts, found.thread, Reason(found.reason))
        return Begun(before=True, sent=sent)

    def posted(self, notification: Notification, sent: Sent) -> None:
        """Note where it stands."""
        this = (table.c.receiver == notification.receiver) & (table.c.notification == notification.id)
        where = {"channel": sent.channel, "ts": sent.ts, "thread": sent.thread}
        with self._database.writing() as connection:
            connection.execute(update(table).where(this).values(where))

    def firsts(self, receiver: str, alerts: Collection[str]) -> Mapping[str, Sent]:
        """By alert the first message that tells of it outside of a thread."""
        wanted = sorted(set(alerts))
        firsts: dict[str, Sent] = {}
        top = (table.c.receiver == receiver) & table.c.ts.is_not(None) & (table.c.thread == "")
        with self._database.reading() as connection:
            for at in range(0, len(wanted), _AT_ONCE):
                some = top & table.c.alert.in_(wanted[at : at + _AT_ONCE])
                for row in connection.execute(select(table).where(some).order_by(table.c.at, table.c.ts)):
                    firsts.setdefault(row.alert, Sent(row.channel, row.ts, "", Reason(row.reason)))
        return firsts

    def alerts(self, receiver: str, sent: Sent) -> tuple[Alert, ...]:
        """The alerts that a message tells of, as they stand now."""
        this = (table.c.receiver == receiver) & (table.c.channel == sent.channel) & (table.c.ts == sent.ts)
        with self._database.reading() as connection:
            ids = connection.scalars(select(table.c.alert).where(this)).all()
        return self._alerts.these(ids)

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
