"""The outbox: notifications written with the judgement that caused them, and what became of every try to send them.

A notification is sent, then marked: at least once, with the same id on every try. The order is that of `sequence`.
What became of a try that cannot be written (a full disk) is kept in memory and written as soon as that is possible:
meanwhile the notification is not due, or it would be sent again and again.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, delete, func, insert, select, update

from notifiers.base import DeliveryError
from rules.merging import merged
from rules.model import Notification, Reason
from rules.waiting import Waiting, due, together
from watcher.store.database import Database
from watcher.store.errors import StoreError
from watcher.store.payload import Payload
from watcher.store.tables import deliveries, outbox
from watcher.store.times import from_moment, moment

GIVEN_UP_AFTER = timedelta(days=7)
"""How long a message waits for a receiver that the configuration names no more, in case it is put back."""

_notification = Payload[Notification](Notification)


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A notification; `attempts` is the number of failed tries, `due_at` is when it may be tried next."""

    notification: Notification
    attempts: int
    due_at: datetime
    last_error: str | None
    delivered_at: datetime | None = None
    """None while it waits."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One try to deliver a notification; `error` is None for the one that succeeded."""

    notification_id: str
    at: datetime
    error: str | None


@dataclass(frozen=True, slots=True)
class _Try:
    """What became of a try: accepted, or the error and when the next try is due."""

    at: datetime
    error: DeliveryError | None = None
    due_at: datetime | None = None


class Outbox:
    """The notifications that were written and not cut by retention yet."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._unwritten: dict[str, _Try] = {}
        self._writing = threading.Lock()

    def due(self, now: datetime, receiver: str) -> tuple[OutboxRow, ...]:
        """What may be sent to a receiver now, in order, as `rules.waiting.due` says."""
        unwritten = self._write_again()
        with self._database.reading() as connection:
            rows = connection.execute(_waiting_for(receiver)).all()
            known = [_as_waiting(row) for row in rows]
            ready = set(due(known, now)) - unwritten
            found = connection.execute(select(outbox).where(outbox.c.id.in_(ready)).order_by(outbox.c.sequence)).all()
        return tuple(map(_row, found))

    def pending(self) -> tuple[OutboxRow, ...]:
        """Everything that is not delivered yet, in order."""
        query = select(outbox).where(outbox.c.delivered_at.is_(None)).order_by(outbox.c.sequence)
        with self._database.reading() as connection:
            return tuple(map(_row, connection.execute(query).all()))

    def telling(self, alert_id: str) -> tuple[OutboxRow, ...]:
        """Everything that tells of an alert, by itself or inside another one's story, delivered or not; in order."""
        about = outbox.c.alert_ids.contains(json.dumps(alert_id), autoescape=True)
        with self._database.reading() as connection:
            return tuple(map(_row, connection.execute(select(outbox).where(about).order_by(outbox.c.sequence)).all()))

    def depth(self) -> Mapping[str, int]:
        """How many notifications wait for each receiver, by name; receivers that nothing waits for are left out."""
        query = select(outbox.c.receiver, func.count()).where(outbox.c.delivered_at.is_(None))
        with self._database.reading() as connection:
            rows = connection.execute(query.group_by(outbox.c.receiver).order_by(outbox.c.receiver)).all()
        return {row[0]: row[1] for row in rows}

    def told_to_others(self, receivers: Collection[str]) -> frozenset[str]:
        """The ids of the alerts that messages tell of which wait for receivers outside of these."""
        others = outbox.c.delivered_at.is_(None) & outbox.c.receiver.not_in(list(receivers))
        with self._database.reading() as connection:
            texts = connection.scalars(select(outbox.c.alert_ids).where(others))
            return frozenset(ident for text in texts for ident in json.loads(text))

    def add(self, notifications: Sequence[Notification]) -> None:
        """Add notifications that no judgement wrote; an id that is there already is left alone."""
        if notifications:
            with self._database.writing() as connection:
                write_notifications(connection, notifications)

    def told_of_end(self, receiver: str, since: datetime) -> frozenset[str]:
        """The ids of the alerts whose end a receiver was told, or will be, by notifications made since then."""
        ended = (outbox.c.receiver == receiver) & (outbox.c.reason == Reason.RESOLVED.value)
        query = select(outbox.c.alert_ids).where(ended & (outbox.c.created_at >= moment(since)))
        with self._database.reading() as connection:
            return frozenset(ident for text in connection.scalars(query) for ident in json.loads(text))

    def begin(self, notification_id: str) -> bool:
        """Whether it is still to be sent; from now on the receiver may have taken it, whatever becomes of us."""
        this = (outbox.c.id == notification_id) & outbox.c.delivered_at.is_(None)
        with self._database.writing() as connection:
            begun = connection.execute(update(outbox).where(this).values(in_doubt=outbox.c.in_doubt + 1))
            return begun.rowcount > 0

    def merge(self, receiver: str, now: datetime) -> None:
        """Put what waits for a receiver that fails together, as `rules.waiting.together` and `merged` say.

        Of what may have been taken, by a try of this process or of an earlier one, nothing is: it keeps its id.
        """
        if self._write_again():
            return
        with self._database.reading() as connection:
            rows = connection.execute(_waiting_for(receiver)).all()
        if not any(row.attempts for row in rows):
            return
        for kind in together([_as_waiting(row) for row in rows], now):
            self._merge(kind, [row.id for row in rows if row.in_doubt])

    def _merge(self, ids: Sequence[str], in_doubt: Sequence[str]) -> None:
        """Put these together, those of each organization; `in_doubt` are the messages that go before them."""
        with self._database.writing() as connection:
            still = outbox.c.delivered_at.is_(None) & (outbox.c.in_doubt == 0)
            query = select(outbox).where(outbox.c.id.in_(ids) & still).order_by(outbox.c.sequence)
            first = select(outbox.c.payload).where(outbox.c.id.in_(in_doubt)).order_by(outbox.c.sequence)
            before = [_notification.read(payload) for payload in connection.scalars(first)]
            by_organization: dict[tuple[str, str], list[tuple[Any, Notification]]] = {}
            for row in connection.execute(query).all():
                message = _notification.read(row.payload)
                by_organization.setdefault((message.organization, message.told_as), []).append((row, message))
            for parts in by_organization.values():
                _put_together(connection, [row for row, _ in parts], [message for _, message in parts], before)

    def delivered(self, notification_id: str, at: datetime) -> None:
        """Mark a notification as delivered, and note the try."""
        self._record(notification_id, _Try(at))

    def failed(self, notification_id: str, error: DeliveryError, due_at: datetime, at: datetime) -> None:
        """Note a try that failed, and when the next one is due."""
        self._record(notification_id, _Try(at, error, due_at))

    def give_up(self, configured: Collection[str], before: datetime) -> Mapping[str, int]:
        """Drop what has waited since before `before` for receivers outside `configured`; how many for each of them."""
        orphaned = (
            outbox.c.delivered_at.is_(None)
            & outbox.c.receiver.not_in(list(configured))
            & (outbox.c.created_at < moment(before))
        )
        counts = select(outbox.c.receiver, func.count()).where(orphaned).group_by(outbox.c.receiver)
        with self._database.writing() as connection:
            dropped = {row[0]: row[1] for row in connection.execute(counts)}
            connection.execute(delete(outbox).where(orphaned))
        return dropped

    def deliveries(self, notification_id: str | None = None) -> tuple[Delivery, ...]:
        """Every try, of one notification or of all, in the order they were made."""
        query = select(deliveries).order_by(deliveries.c.id)
        if notification_id is not None:
            query = query.where(deliveries.c.notification_id == notification_id)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return tuple(Delivery(row.notification_id, from_moment(row.at), row.error) for row in rows)

    def _record(self, notification_id: str, tried: _Try) -> None:
        try:
            self._write(notification_id, tried)
        except StoreError:
            with self._writing:
                self._unwritten[notification_id] = tried
            raise

    def _write_again(self) -> frozenset[str]:
        """Write what could not be written; the ids of what still cannot."""
        with self._writing:
            for notification_id, tried in tuple(self._unwritten.items()):
                try:
                    self._write(notification_id, tried)
                except StoreError:
                    break
                del self._unwritten[notification_id]
            return frozenset(self._unwritten)

    def _write(self, notification_id: str, tried: _Try) -> None:
        reason = None if tried.error is None else tried.error.reason
        note = {"notification_id": notification_id, "at": moment(tried.at), "error": reason}
        this = (outbox.c.id == notification_id) & outbox.c.delivered_at.is_(None)
        with self._database.writing() as connection:
            connection.execute(insert(deliveries).values(note))
            if tried.error is None or tried.due_at is None:
                connection.execute(update(outbox).where(this).values(delivered_at=moment(tried.at)))
                _believe_to_be_well(connection, notification_id, tried.at)
                return
            change: dict[str, Any] = {
                "attempts": outbox.c.attempts + 1,
                "last_error": reason,
                "due_at": moment(tried.due_at),
                "tried_at": moment(tried.at),
            }
            if tried.error.untaken:
                change["in_doubt"] = outbox.c.in_doubt - 1
            elif _stands_for_its_receiver(connection, notification_id, tried.error):
                change["failing_since_at"] = func.coalesce(outbox.c.failing_since_at, moment(tried.at))
            connection.execute(update(outbox).where(this).values(**change))


def _failed_beside(notification_id: str) -> ColumnElement[bool]:
    """Other messages to the same receiver that wait after a try failed."""
    receiver = select(outbox.c.receiver).where(outbox.c.id == notification_id).scalar_subquery()
    others = (outbox.c.receiver == receiver) & (outbox.c.id != notification_id)
    return outbox.c.delivered_at.is_(None) & others & (outbox.c.attempts > 0)


def _believe_to_be_well(connection: Connection, notification_id: str, at: datetime) -> None:
    """Of a receiver that took this: those that stood for its failing are tried at once; what fails now is theirs."""
    due_at = case((outbox.c.failing_since_at.is_not(None), moment(at)), else_=outbox.c.due_at)
    change = {"due_at": due_at, "failing_since_at": None, "own_fault": 1}
    connection.execute(update(outbox).where(_failed_beside(notification_id)).values(change))


def _stands_for_its_receiver(connection: Connection, notification_id: str, error: DeliveryError) -> bool:
    """Whether it is the receiver that fails: as far as the error says so, or since a second message failed as well."""
    if not error.retryable:
        return False
    own = select(outbox.c.own_fault).where(outbox.c.id == notification_id)
    if connection.scalar(own):
        return False
    failing = _failed_beside(notification_id) & (outbox.c.in_doubt > 0) & (outbox.c.own_fault == 0)
    return not error.of_message or connection.scalar(select(outbox.c.id).where(failing).limit(1)) is not None


def _put_together(
    connection: Connection, rows: Sequence[Any], parts: Sequence[Notification], before: Sequence[Notification]
) -> None:
    """Write what these messages come to in their place, where that is fewer."""
    messages = merged(parts, before)
    if len(messages) >= len(parts):
        return
    kept = {message.id for message in messages}
    write_notifications(connection, messages)
    last = max(rows, key=lambda row: row.tried_at or 0)
    tries = {"attempts": max(row.attempts for row in rows), "last_error": last.last_error, "tried_at": last.tried_at}
    new = kept - {part.id for part in parts}
    connection.execute(update(outbox).where(outbox.c.id.in_(new)).values(**tries))
    gone = [part for part in parts if part.id not in kept]
    for part in gone:
        if (teller := _teller(part, messages)) is not None:
            tried = deliveries.c.notification_id == part.id
            connection.execute(update(deliveries).where(tried).values(notification_id=teller.id))
    connection.execute(delete(outbox).where(outbox.c.id.in_([part.id for part in gone])))


def _teller(part: Notification, messages: Sequence[Notification]) -> Notification | None:
    """The message that says in place of this one what it said; None where that is told no more."""
    own = {alert.id for alert in part.alerts}
    return next((message for message in messages if own.intersection(alert.id for alert in message.alerts)), None)


def write_notifications(connection: Connection, notifications: Sequence[Notification]) -> None:
    """Add notifications at the end, due at once, inside a transaction; an id that is there already is left alone."""
    for notification in notifications:
        if connection.execute(select(outbox.c.sequence).where(outbox.c.id == notification.id)).first():
            continue
        told = {alert.id for alert in (*notification.alerts, *notification.inhibited)}
        values = {
            "id": notification.id,
            "receiver": notification.receiver,
            "reason": notification.reason.value,
            "created_at": moment(notification.created_at),
            "alert_ids": json.dumps(sorted(told)),
            "payload": _notification.write(notification),
            "attempts": 0,
            "due_at": moment(notification.created_at),
            "in_doubt": 0,
            "own_fault": 0,
        }
        connection.execute(insert(outbox).values(values))


def _row(row: Any) -> OutboxRow:
    notification = _notification.read(row.payload)
    due, delivered = from_moment(row.due_at), from_moment(row.delivered_at)
    return OutboxRow(notification, row.attempts, due, row.last_error, delivered)


def _waiting_for(receiver: str) -> Any:
    columns = [column for column in outbox.c if column is not outbox.c.payload]
    waiting = outbox.c.delivered_at.is_(None) & (outbox.c.receiver == receiver)
    return select(*columns).where(waiting).order_by(outbox.c.sequence)


def _as_waiting(row: Any) -> Waiting:
    return Waiting(
        id=row.id,
        alerts=frozenset(json.loads(row.alert_ids)),
        due_at=from_moment(row.due_at),
        attempts=row.attempts,
        tried_at=from_moment(row.tried_at),
        in_doubt=row.in_doubt > 0,
        failing_since=from_moment(row.failing_since_at),
        written_at=from_moment(row.created_at),
        ends=row.reason == Reason.RESOLVED.value,
    )
