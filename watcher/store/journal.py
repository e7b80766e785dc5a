"""What people and the program did, and what people have asked for beside a running daemon."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from rules.asked import Act, Answer
from watcher.store.database import Database
from watcher.store.tables import commands, journal
from watcher.store.times import from_moment, moment

_FOR = "organization"
"""Under this name the details say which organization it is about."""

_PENDING = select(commands).where(commands.c.consumed_at.is_(None)).order_by(commands.c.id)


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
    """One thing that was asked for; the cycle of the organization that it is for consumes it and notes the outcome."""

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

    def list(
        self, since: datetime | None = None, limit: int = 1000, whats: Collection[str] | None = None
    ) -> tuple[Entry, ...]:
        """The newest entries, newest first; of all acts, or of those in `whats`."""
        query = select(journal).order_by(journal.c.id.desc()).limit(limit)
        if whats is not None:
            query = query.where(journal.c.what.in_(list(whats)))
        if since is not None:
            query = query.where(journal.c.at >= moment(since))
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return tuple(Entry(row.id, from_moment(row.at), row.actor, row.what, json.loads(row.details)) for row in rows)


class Commands:
    """What the command line, Slack buttons and others ask of the daemon."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, at: datetime, actor: str, what: str, details: Mapping[str, Any], organization: str = "") -> int:
        """Ask for something of one organization; returns the command's number.

        What is asked of several is one command for each, so that each is consumed with that organization's judgement.
        """
        values = {"at": moment(at), "actor": actor, "what": what}
        values["details"] = _json({**details, _FOR: organization} if organization else details)
        with self._database.writing() as connection:
            created = connection.execute(insert(commands).values(values).returning(commands.c.id))
            return int(created.scalar_one())

    def pending(self, organization: str | None = None) -> tuple[Command, ...]:
        """What was not consumed yet, in the order it was asked for: of one organization, or of all."""
        with self._database.reading() as connection:
            rows = connection.execute(_PENDING).all()
        found = (Command(row.id, from_moment(row.at), row.actor, row.what, json.loads(row.details)) for row in rows)
        return tuple(each for each in found if organization is None or each.details.get(_FOR, "") == organization)

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
        with self._database.writing() as connection:
            write_answers(connection, at, [Answer(number, outcome)])


def write_answers(connection: Connection, at: datetime, answers: Iterable[Answer]) -> None:
    """Note what became of commands, inside a transaction; the first outcome of each stands."""
    for answer in answers:
        this = (commands.c.id == answer.number) & commands.c.consumed_at.is_(None)
        connection.execute(update(commands).where(this).values(consumed_at=moment(at), outcome=answer.outcome))


def write_acts(connection: Connection, at: datetime, organization: str, acts: Iterable[Act]) -> None:
    """Note what was done of one organization, inside a transaction."""
    rows = [
        {"at": moment(at), "actor": act.actor, "what": act.what, "details": _json({**act.details, _FOR: organization})}
        for act in acts
    ]
    if rows:
        connection.execute(insert(journal), rows)


def _json(details: Mapping[str, Any]) -> str:
    return json.dumps(dict(details), ensure_ascii=False, allow_nan=False, sort_keys=True)
