"""What people and the program did, and what people have asked for beside a running daemon."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from watcher.store.database import Database
from watcher.store.tables import commands, journal
from watcher.store.times import from_moment, moment


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done."""

    id: int
    at: datetime
    actor: str
    what: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that was asked for; the daemon's cycle consumes it and notes the outcome."""

    id: int
    at: datetime
    actor: str
    what: str
    details: Mapping[str, Any]
    consumed_at: datetime | None = None
    outcome: str | None = None


class Journal:
    """The record of acts, which only grows until retention cuts its oldest part."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, at: datetime, actor: str, what: str, details: Mapping[str, Any]) -> None:
        """Note one act; `details` must be fit for JSON."""
        values = {"at": moment(at), "actor": actor, "what": what, "details": _json(details)}
        with self._database.writing() as connection:
            connection.execute(insert(journal).values(values))

    def list(self, since: datetime | None = None, limit: int = 1000) -> tuple[Entry, ...]:
        """The newest entries, newest first."""
        query = select(journal).order_by(journal.c.id.desc()).limit(limit)
        if since is not None:
            query = query.where(journal.c.at >= moment(since))
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return tuple(Entry(row.id, from_moment(row.at), row.actor, row.what, json.loads(row.details)) for row in rows)


class Commands:
    """What the command line, Slack buttons and others ask of the daemon."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, at: datetime, actor: str, what: str, details: Mapping[str, Any]) -> int:
        """Ask for something; returns the command's number."""
        values = {"at": moment(at), "actor": actor, "what": what, "details": _json(details)}
        with self._database.writing() as connection:
            created = connection.execute(insert(commands).values(values).returning(commands.c.id))
            return int(created.scalar_one())

    def pending(self) -> tuple[Command, ...]:
        """What was not consumed yet, in the order it was asked for."""
        query = select(commands).where(commands.c.consumed_at.is_(None)).order_by(commands.c.id)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return tuple(Command(row.id, from_moment(row.at), row.actor, row.what, json.loads(row.details)) for row in rows)

    def get(self, number: int) -> Command | None:
        """One command, with what became of it."""
        with self._database.reading() as connection:
            row = connection.execute(select(commands).where(commands.c.id == number)).one_or_none()
        if row is None:
            return None
        details = json.loads(row.details)
        consumed_at = from_moment(row.consumed_at)
        return Command(row.id, from_moment(row.at), row.actor, row.what, details, consumed_at, row.outcome)

    def consumed(self, number: int, at: datetime, outcome: str) -> None:
        """Note that a command was carried out or refused; the first outcome stands."""
        this = (commands.c.id == number) & commands.c.consumed_at.is_(None)
        with self._database.writing() as connection:
            connection.execute(update(commands).where(this).values(consumed_at=moment(at), outcome=outcome))


def _json(details: Mapping[str, Any]) -> str:
    return json.dumps(dict(details), ensure_ascii=False, allow_nan=False, sort_keys=True)
