"""Cost by day: what the cost report said of each UTC day when it was last believed, and how long it has said so."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Connection, bindparam, delete, func, select, update

from watcher.admin_api.answers import CostBucket, CostRow
from watcher.report_rows import CostRows, texts_of
from watcher.store import blocks, held, revisions
from watcher.store.bulk import insert_rows
from watcher.store.cost_lines import LineIds, ids_of
from watcher.store.database import Database
from watcher.store.encoding import added
from watcher.store.tables import cost_blocks, cost_days
from watcher.store.times import day_number, from_day, from_moment, moment

SOURCE = "cost"
COLUMNS = 2
"""The line's id and the amount."""

_MINE = cost_days.c.organization == bindparam("whose")
_THESE = _MINE & (cost_days.c.day >= bindparam("low")) & (cost_days.c.day < bindparam("high"))
_BETWEEN = select(cost_days).where(_THESE).order_by(cost_days.c.day)
_OBSERVED = (
    select(cost_days.c.day, cost_days.c.observed_at, cost_days.c.row_count).where(_THESE).order_by(cost_days.c.day)
)
_SPAN = select(func.min(cost_days.c.day), func.max(cost_days.c.day)).where(_MINE)
_SEEN_AGAIN = (
    update(cost_days)
    .where(_MINE, cost_days.c.day.in_(bindparam("these", expanding=True)))
    .values(observed_at=bindparam("at"), readings=cost_days.c.readings + 1)
)


@dataclass(frozen=True, slots=True)
class CostDay:
    """The report of one UTC day, as last believed.

    `observed_at` is the newest reading, `unchanged_since` the first of the run of readings that all said the same,
    `readings` how many there are in that run. Both may lie before the day ended: a rule that asks for two readings that
    agree has to look at when they were taken.
    """

    day: date
    rows: Sequence[CostRow]
    observed_at: datetime
    unchanged_since: datetime
    readings: int
    revision: int = 0

    @property
    def amount(self) -> int:
        """The day's report in nano-dollars."""
        return int(CostRows.of(self.rows).amounts.sum())


class DayState(NamedTuple):
    """When a stored day was last read and believed, and how many rows it has."""

    observed_at: datetime
    row_count: int


class Costs:
    """The cost report of every organization, by UTC day."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lines = LineIds()

    def replace(
        self,
        organization: str,
        buckets: Sequence[CostBucket],
        observed_at: datetime,
        *,
        held_back: Collection[date] = (),
    ) -> frozenset[date]:
        """Take a finished reading over, in one transaction; returns the days that say something new now.

        `held_back` names days that were read too and are not believed: what is stored of them stays.
        """
        by_day = {day_number(bucket.starting_at.date()): tuple(sorted(bucket.rows, key=_order)) for bucket in buckets}
        held_days = [day_number(day) for day in held_back]
        if not by_day and not held_days:
            return frozenset()
        with self._database.writing() as connection:
            stored = _states(connection, organization, [*by_day, *held_days])
            digests = {day: _digest(rows) for day, rows in by_day.items()}
            changed = {day for day in by_day if day not in stored or bytes(stored[day].digest) != digests[day]}
            _agree(connection, organization, sorted(by_day.keys() - changed), observed_at)
            _replace(connection, organization, {day: by_day[day] for day in sorted(changed)}, stored, observed_at)
            holds = {day: stored[day].observed_at for day in held_days if day in stored}
            held.update(connection, organization, SOURCE, by_day, holds, observed_at)
        return frozenset(from_day(day) for day in changed)

    def read(self, organization: str, start: date, end: date) -> tuple[CostDay, ...]:
        """The days in `[start, end)` that were ever read, in order."""
        low, high = day_number(start), day_number(end)
        with self._database.reading() as connection:
            lines, place = self._lines.index(connection, organization)
            day_of, packed = blocks.read(connection, cost_blocks, organization, low, high, COLUMNS)
            days = connection.execute(_BETWEEN, {"whose": organization, "low": low, "high": high}).all()
        which = place[packed[0]]
        bounds = np.searchsorted(day_of, [(state.day, state.day + 1) for state in days]).tolist()
        return tuple(
            CostDay(
                day=from_day(state.day),
                rows=CostRows(lines, which[begin:end], packed[1, begin:end]),
                observed_at=from_moment(state.observed_at),
                unchanged_since=from_moment(state.unchanged_since_at),
                readings=state.readings,
                revision=state.revision,
            )
            for state, (begin, end) in zip(days, bounds, strict=True)
        )

    def observed(self, organization: str, start: date, end: date) -> Mapping[date, DayState]:
        """What is known about each stored day in `[start, end)`, in order; a day never read is not in it."""
        asked = {"whose": organization, "low": day_number(start), "high": day_number(end)}
        with self._database.reading() as connection:
            return {
                from_day(day): DayState(from_moment(at), count)
                for day, at, count in connection.execute(_OBSERVED, asked)
            }

    def span(self, organization: str) -> tuple[date, date] | None:
        """From the first stored day to the day after the last one, or None where nothing is stored."""
        with self._database.reading() as connection:
            low, high = connection.execute(_SPAN, {"whose": organization}).one()
        return None if low is None else (from_day(low), from_day(high + 1))

    def held(self, organization: str) -> tuple[held.Held[date], ...]:
        """The days whose newest readings are not believed, oldest first."""
        with self._database.reading() as connection:
            return held.of(connection, organization, SOURCE, from_day)

    def revisions(self, organization: str, since: datetime) -> tuple[revisions.Revision[date], ...]:
        """The restatements that were observed from `since` on, in nano-dollars."""
        with self._database.reading() as connection:
            return revisions.since(connection, organization, SOURCE, since, from_day)

    def forget_lines(self) -> None:
        """Drop what is remembered of the lines, after some were removed."""
        self._lines.forget()


def _order(row: CostRow) -> tuple[Any, ...]:
    """An order of rows that does not depend on how the API happened to list them; null before any text."""
    return (*((value is not None, value or "") for value in texts_of(row)), row.amount)


def _digest(rows: Sequence[CostRow]) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for row in rows:
        digest.update(repr((*texts_of(row), row.amount)).encode())
    return digest.digest()


def _states(connection: Connection, organization: str, days: Collection[int]) -> dict[int, Any]:
    asked = {"whose": organization, "low": min(days), "high": max(days) + 1}
    return {row.day: row for row in connection.execute(_BETWEEN, asked)}


def _agree(connection: Connection, organization: str, days: Sequence[int], observed_at: datetime) -> None:
    """Count one more reading that said the same."""
    if days:
        connection.execute(_SEEN_AGAIN, {"whose": organization, "these": days, "at": moment(observed_at)})


def _replace(
    connection: Connection,
    organization: str,
    changed: Mapping[int, Sequence[CostRow]],
    stored: Mapping[int, Any],
    observed_at: datetime,
) -> None:
    again = sorted(changed.keys() & stored.keys())
    if again:
        mine = (cost_days.c.organization == organization) & cost_days.c.day.in_(again)
        connection.execute(delete(cost_days).where(mine))
    ids = ids_of(connection, organization, {texts_of(line) for lines in changed.values() for line in lines})
    at = moment(observed_at)
    days, packed, log = [], {}, []
    for day, lines in changed.items():
        kept = stored.get(day)
        amount = sum(line.amount for line in lines)
        first, revision = (kept.first_observed_at, kept.revision + 1) if kept else (at, 0)
        days.append((organization, day, _digest(lines), amount, len(lines), first, at, at, 1, revision))
        numbers = [(ids[texts_of(line)], line.amount) for line in lines]
        packed[day] = np.array(numbers, dtype=np.int64).reshape(-1, COLUMNS).T
        if kept is not None:
            _, old = blocks.read(connection, cost_blocks, organization, day, day + 1, COLUMNS)
            log.append(revisions.compare(day, kept.observed_at, added(old), added(packed[day]), slice(1, None)))
    insert_rows(connection, cost_days, days)
    blocks.write(connection, cost_blocks, organization, packed, again)
    revisions.log(connection, organization, SOURCE, log, observed_at)
