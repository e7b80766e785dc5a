"""Which answers in Slack's threads told of plans about keys, and how those plans stand now."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy import select

from notifiers.slack_keys import Shown
from notifiers.slack_memory import Sent
from rules.model import Notification, Reason
from watcher.store.actions import Actions
from watcher.store.database import Database
from watcher.store.payload import Payload
from watcher.store.tables import outbox
from watcher.store.tables import slack_messages as table

_notification = Payload[Notification](Notification)


class SlackPlans:
    """The answers of every Slack bot that told of plans, as long as their messages are kept. Raises StoreError."""

    def __init__(self, database: Database, actions: Actions) -> None:
        self._database, self._actions = database, actions

    def of(self, receiver: str, alerts: Collection[str]) -> Sequence[Shown]:
        """Those of one receiver about these alerts, in the order in which they were sent."""
        mine = (table.c.receiver == receiver) & table.c.alert.in_(sorted(set(alerts)))
        answers = mine & (table.c.reason == Reason.ACTION.value) & table.c.ts.is_not(None) & (table.c.thread != "")
        query = select(table.c.channel, table.c.ts, table.c.thread, outbox.c.payload)
        told = query.join(outbox, outbox.c.id == table.c.notification).where(answers)
        with self._database.reading() as connection:
            rows = connection.execute(told.order_by(table.c.at, table.c.ts)).all()
        found = [
            (Sent(row.channel, row.ts, row.thread, Reason.ACTION), _notification.read(row.payload)) for row in rows
        ]
        return [
            Shown(sent, self._now(letter))
            for sent, letter in found
            if letter.news is not None and letter.news.event == "planned"
        ]

    def _now(self, letter: Notification) -> Notification:
        """The message with the rows of the journal as they are by now."""
        if letter.news is None:
            return letter
        rows = tuple(self._actions.get(row.organization, row.id) or row for row in letter.news.actions)
        return replace(letter, news=replace(letter.news, actions=rows))
