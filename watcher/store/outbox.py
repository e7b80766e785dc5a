"""The outbox: notifications written with the judgement that caused them, and what became of every try to send them.

A notification is sent, then marked: at least once, with the same id on every try. The order is that of `sequence`.
What became of a try that cannot be written (a full disk) is kept in memory and written as soon as that is possible:
meanwhile the notification is not due, or it would be sent again and again.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from rules.merging import merged
from rules.model import Notification, Reason
from watcher.store.database import Database
from watcher.store.errors import StoreError
from watcher.store.payload import Payload
from watcher.store.tables import deliveries, outbox
from watcher.store.times import from_moment, moment

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
    error: str | None = None
    due_at: datetime | None = None


class Outbox:
    """The notifications that were written and not cut by retention yet."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._unwritten: dict[str, _Try] = {}
        self._writing = threading.Lock()
        self._since: int | None = None
        """The last notification that an earlier process may have sent."""
        self._trying: set[str] = set()
        """Those whose last try this process began, unless it is sure that they were not taken by it."""
        self._out: set[str] = set()
        """Those that an earlier try may have brought to the receiver."""
        self._merged: set[str] = set()

    def due(self, now: datetime, receiver: str) -> tuple[OutboxRow, ...]:
        """What may be sent to a receiver now, in order.

        No row overtakes an earlier one that tells of the same alert: while that waits for its next try, the later one
        is not due. So an answer never holds two rows of one alert; ask again after it was worked off, until it is
        empty.
        """
        unwritten = self._write_again()
        held: set[str] = set()
        ready: list[Any] = []
        with self._database.reading() as connection:
            waiting = outbox.c.delivered_at.is_(None) & (outbox.c.receiver == receiver)
            query = select(outbox.c.id, outbox.c.sequence, outbox.c.alert_ids, outbox.c.due_at).where(waiting)
            for ident, sequence, alert_ids, due_at in connection.execute(query.order_by(outbox.c.sequence)):
                alerts = set(json.loads(alert_ids))
                if ident not in unwritten and due_at <= moment(now) and not alerts & held:
                    ready.append(sequence)
                held |= alerts
            rows = connection.execute(
                select(outbox).where(outbox.c.sequence.in_(ready)).order_by(outbox.c.sequence)
            ).all()
        return tuple(map(_row, rows))

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
        """Whether it is still to be sent; from now on the receiver may have taken it."""
        with self._writing:
            if notification_id in self._trying:
                self._out.add(notification_id)
            self._trying.add(notification_id)
            return notification_id not in self._merged

    def untaken(self, notification_id: str) -> None:
        """Remember that the try that began did not reach the receiver."""
        with self._writing:
            self._trying.discard(notification_id)

    def merge(self, receiver: str, now: datetime) -> None:
        """Put what waits for a receiver that could not be reached together, as `merged` says.

        Of what may have been taken, by a try of this process or of an earlier one, nothing is: it keeps its id.
        """
        waiting = outbox.c.delivered_at.is_(None) & (outbox.c.receiver == receiver)
        with self._writing:
            with self._database.reading() as connection:
                if self._since is None:
                    self._since = connection.execute(select(func.max(outbox.c.sequence))).scalar_one() or 0
                rows = connection.execute(
                    select(outbox).where(waiting & (outbox.c.sequence > self._since)).order_by(outbox.c.sequence)
                ).all()
                first = select(outbox.c.alert_ids).where(waiting & (outbox.c.sequence <= self._since))
                before = {ident for text in connection.scalars(first) for ident in json.loads(text)}
            for fresh in self._unsent(rows, before, now):
                parts = [_notification.read(row.payload) for row in fresh]
                messages = merged(parts)
                if len(messages) == len(parts):
                    continue
                tries = {"attempts": max(row.attempts for row in fresh), "last_error": fresh[0].last_error}
                with self._database.writing() as connection:
                    connection.execute(delete(outbox).where(outbox.c.id.in_([each.id for each in parts])))
                    write_notifications(connection, messages)
                    these = outbox.c.id.in_([each.id for each in messages])
                    connection.execute(update(outbox).where(these).values(**tries))
                self._merged |= {each.id for each in parts}

    def _unsent(self, rows: Sequence[Any], before: set[str], now: datetime) -> Iterator[Sequence[Any]]:
        """By organization the rows that may become fewer: none was taken, one was tried, and one is due.

        `before` are the ids of alerts that earlier messages tell of.
        """
        told = {row.id: set(json.loads(row.alert_ids)) for row in rows}
        perhaps_taken = {*self._trying, *self._out, *self._unwritten}
        kept = {ident for ident in told if ident in perhaps_taken}
        held = before.union(*(told[ident] for ident in kept))
        while more := {ident for ident in told if ident not in kept and told[ident] & held}:
            kept |= more  # or it would overtake what tells of the same alert
            held = held.union(*(told[ident] for ident in more))
        by_organization: dict[tuple[str, str], list[Any]] = {}
        for row in rows:
            if row.id not in kept:
                message = _notification.read(row.payload)
                by_organization.setdefault((message.organization, message.told_as), []).append(row)
        for fresh in by_organization.values():
            unreachable = any(row.attempts for row in fresh) and any(row.due_at <= moment(now) for row in fresh)
            if len(fresh) > 1 and unreachable:
                yield fresh

    def delivered(self, notification_id: str, at: datetime) -> None:
        """Mark a notification as delivered, and note the try."""
        self._record(notification_id, _Try(at))
        with self._writing:
            self._trying.discard(notification_id)
            self._out.discard(notification_id)

    def failed(self, notification_id: str, error: str, due_at: datetime, at: datetime) -> None:
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
        note = {"notification_id": notification_id, "at": moment(tried.at), "error": tried.error}
        this = (outbox.c.id == notification_id) & outbox.c.delivered_at.is_(None)
        change: dict[str, Any] = {"delivered_at": moment(tried.at)}
        if tried.due_at is not None:
            change = {"attempts": outbox.c.attempts + 1, "last_error": tried.error, "due_at": moment(tried.due_at)}
        with self._database.writing() as connection:
            connection.execute(insert(deliveries).values(note))
            connection.execute(update(outbox).where(this).values(**change))


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
        }
        connection.execute(insert(outbox).values(values))


def _row(row: Any) -> OutboxRow:
    notification = _notification.read(row.payload)
    due, delivered = from_moment(row.due_at), from_moment(row.delivered_at)
    return OutboxRow(notification, row.attempts, due, row.last_error, delivered)
