"""Usage by hour: what each UTC hour's bucket said when it was last believed.

A bucket is stored whole. A reading that says the same writes nothing but the stretch of hours it covered; one that says
something else replaces the bucket, so that a row which vanished is gone. Null dimensions are kept under the names of
`rules.model` (Console use, the default workspace) or as "" (the rest).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.engine import Connection

from rules.model import CONSOLE, DEFAULT_WORKSPACE
from watcher.admin_api.answers import UsageBucket, UsageRow
from watcher.store import blocks, held, readings, revisions
from watcher.store.bulk import insert_rows
from watcher.store.database import Database
from watcher.store.encoding import COLUMNS, TOKENS, Encoded, encode
from watcher.store.series import SeriesIds, SeriesKey
from watcher.store.tables import usage_blocks, usage_buckets
from watcher.store.times import from_hour, from_moment, hour_after, hour_number, moment

SOURCE = "usage"
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, eq=False)
class UsageColumns:
    """Usage rows as columns of equal length, ordered by hour.

    `series[i]` is an index into `keys`; `hour` is hours since 1970 (int32); the rest are tokens and searches (int64).
    """

    keys: tuple[SeriesKey, ...]
    series: npt.NDArray[np.int32]
    hour: npt.NDArray[np.int32]
    uncached_input: npt.NDArray[np.int64]
    cache_read: npt.NDArray[np.int64]
    cache_write_5m: npt.NDArray[np.int64]
    cache_write_1h: npt.NDArray[np.int64]
    output: npt.NDArray[np.int64]
    web_searches: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return int(self.hour.shape[0])


class BucketState(NamedTuple):
    """What is known about one stored hour.

    `observed_at` is when the last reading that was believed was taken, `changed_at` when one last said something new,
    `revision` how often that happened after the first time, `tokens` all kinds of tokens together.
    """

    first_observed_at: datetime
    observed_at: datetime
    changed_at: datetime
    revision: int
    grouped_by: tuple[str, ...]
    tokens: int


class Usage:
    """The usage of every organization, by hour."""

    def __init__(self, database: Database, ids: SeriesIds) -> None:
        self._database = database
        self._ids = ids

    def replace(
        self,
        organization: str,
        buckets: Sequence[UsageBucket],
        observed_at: datetime,
        *,
        held_back: Collection[datetime] = (),
    ) -> frozenset[datetime]:
        """Take a finished reading over, in one transaction; returns the hours that say something new now.

        `held_back` names hours that were read too and are not believed: what is stored of them stays, and that they
        are held is remembered until a reading is believed again.
        """
        numbers = [hour_number(bucket.starting_at) for bucket in buckets]
        held_numbers = [hour_number(hour) for hour in held_back]
        if not numbers and not held_numbers:
            return frozenset()
        low, high = min(numbers + held_numbers), max(numbers + held_numbers) + 1
        with self._database.writing() as connection:
            ids = self._ids.known(connection, organization, buckets)
            stored = _stored(connection, organization, low, high)
            changed: dict[int, Encoded] = {}
            for number, bucket in zip(numbers, buckets, strict=True):
                encoded = encode(bucket, ids)
                if number not in stored or stored[number].digest != encoded.digest:
                    changed[number] = encoded
            _write(connection, organization, changed, stored, observed_at)
            held.update(connection, organization, SOURCE, numbers, _holds(held_numbers, stored), observed_at)
            readings.record(connection, organization, low, high, observed_at)
        self._ids.keep(organization, ids)
        return frozenset(from_hour(number) for number in changed)

    def read(self, organization: str, start: datetime, end: datetime) -> UsageColumns:
        """The rows of the hours in `[start, end)`."""
        low, high = hour_number(start), hour_after(end)
        with self._database.reading() as connection:
            keys, place = self._ids.index(connection, organization)
            hour, columns = blocks.read(connection, usage_blocks, organization, low, high, COLUMNS)
        return UsageColumns(keys, place[columns[0]], hour.astype(np.int32), *columns[1:])

    def buckets(self, organization: str, start: datetime, end: datetime) -> tuple[UsageBucket, ...]:
        """The stored buckets of the hours in `[start, end)`, as they were read; for few hours."""
        states = self.observed(organization, start, end)
        columns = self.read(organization, start, end)
        rows: dict[int, list[UsageRow]] = {}
        names = [_as_read(key) for key in columns.keys]
        counts = zip(
            columns.uncached_input.tolist(),
            columns.cache_read.tolist(),
            columns.cache_write_5m.tolist(),
            columns.cache_write_1h.tolist(),
            columns.output.tolist(),
            columns.web_searches.tolist(),
            strict=True,
        )
        for hour, which, values in zip(columns.hour.tolist(), columns.series.tolist(), counts, strict=True):
            rows.setdefault(hour, []).append(UsageRow(*names[which], *values))
        return tuple(
            UsageBucket(hour, hour + _HOUR, state.grouped_by, tuple(rows.get(hour_number(hour), ())))
            for hour, state in states.items()
        )

    def observed(self, organization: str, start: datetime, end: datetime) -> Mapping[datetime, BucketState]:
        """What is known about each stored hour in `[start, end)`, in order; an hour never read is not in it."""
        low, high = hour_number(start), hour_after(end)
        with self._database.reading() as connection:
            stored = _stored(connection, organization, low, high)
        when, dimensions = cache(from_moment), cache(_dimensions)  # a reading is of many hours
        return {
            from_hour(number): BucketState(
                first_observed_at=when(state.first_observed_at),
                observed_at=when(state.observed_at),
                changed_at=when(state.changed_at),
                revision=state.revision,
                grouped_by=dimensions(state.grouped_by),
                tokens=state.tokens,
            )
            for number, state in stored.items()
        }

    def span(self, organization: str) -> tuple[datetime, datetime] | None:
        """From the first stored hour to the end of the last one, or None where nothing is stored."""
        with self._database.reading() as connection:
            low, high = connection.execute(_SPAN, {"whose": organization}).one()
        return None if low is None else (from_hour(low), from_hour(high + 1))

    def read_at(self, organization: str, start: datetime, end: datetime) -> Mapping[datetime, datetime]:
        """When each hour in `[start, end)` was last read, believed or not."""
        with self._database.reading() as connection:
            stretches = readings.between(connection, organization, hour_number(start), hour_after(end))
        return {from_hour(hour): from_moment(at) for hour, at in stretches.items()}

    def held(self, organization: str) -> tuple[held.Held[datetime], ...]:
        """The hours whose newest readings are not believed, oldest first."""
        with self._database.reading() as connection:
            return held.of(connection, organization, SOURCE, from_hour)

    def revisions(self, organization: str, since: datetime) -> tuple[revisions.Revision[datetime], ...]:
        """The changes of what had been read after it ended, and every fall, that were observed from `since` on."""
        with self._database.reading() as connection:
            return revisions.since(connection, organization, SOURCE, since, from_hour)


class _Stored(NamedTuple):
    digest: bytes
    grouped_by: str
    tokens: int
    first_observed_at: int
    changed_at: int
    revision: int
    observed_at: int


_BETWEEN = (
    select(
        usage_buckets.c.hour,
        usage_buckets.c.digest,
        usage_buckets.c.grouped_by,
        usage_buckets.c.tokens,
        usage_buckets.c.first_observed_at,
        usage_buckets.c.changed_at,
        usage_buckets.c.revision,
    )
    .where(
        usage_buckets.c.organization == bindparam("whose"),
        usage_buckets.c.hour >= bindparam("low"),
        usage_buckets.c.hour < bindparam("high"),
    )
    .order_by(usage_buckets.c.hour)
)


_MINE = usage_buckets.c.organization == bindparam("whose")
_SPAN = select(func.min(usage_buckets.c.hour), func.max(usage_buckets.c.hour)).where(_MINE)
_REMOVE = delete(usage_buckets).where(_MINE, usage_buckets.c.hour == bindparam("when"))


def _stored(connection: Connection, organization: str, low: int, high: int) -> dict[int, _Stored]:
    read = readings.between(connection, organization, low, high)
    accepted = held.accepted(connection, organization, SOURCE)
    asked = {"whose": organization, "low": low, "high": high}
    stored: dict[int, _Stored] = {}
    for hour, digest, grouped_by, tokens, first, changed, revision in connection.execute(_BETWEEN, asked).all():
        observed_at = accepted.get(hour, read.get(hour, changed))
        stored[hour] = _Stored(bytes(digest), grouped_by, tokens, first, changed, revision, observed_at)
    return stored


def _dimensions(grouped_by: str) -> tuple[str, ...]:
    return tuple(filter(None, grouped_by.split(",")))


def _holds(numbers: Sequence[int], stored: Mapping[int, _Stored]) -> dict[int, int]:
    """When the stored buckets of the held hours were last believed; an hour that is not stored has nothing to hold."""
    return {number: stored[number].observed_at for number in numbers if number in stored}


def _write(
    connection: Connection,
    organization: str,
    changed: Mapping[int, Encoded],
    stored: Mapping[int, _Stored],
    observed_at: datetime,
) -> None:
    again = sorted(number for number in changed if number in stored)
    log: list[revisions.Logged] = []
    for number in again:
        before = stored[number]
        _, old = blocks.read(connection, usage_blocks, organization, number, number + 1, COLUMNS)
        change = revisions.compare(number, before.observed_at, old, changed[number].columns, TOKENS)
        if before.observed_at >= moment(from_hour(number + 1)) or change.after < change.before:
            log.append(change)
        connection.execute(_REMOVE, {"whose": organization, "when": number})
    blocks.write(connection, usage_blocks, organization, {hour: new.columns for hour, new in changed.items()}, stored)
    at = moment(observed_at)
    rows = []
    for number, encoded in sorted(changed.items()):
        kept = stored.get(number)
        first, revision = (kept.first_observed_at, kept.revision + 1) if kept else (at, 0)
        about = (encoded.digest, encoded.grouped_by, encoded.columns.shape[1], encoded.tokens)
        rows.append((organization, number, *about, first, at, revision))
    insert_rows(connection, usage_buckets, rows)
    revisions.log(connection, organization, SOURCE, log, observed_at)


def _as_read(key: SeriesKey) -> tuple[str | None, ...]:
    """The dimensions in the order of `UsageRow`, null again where the API had said null."""
    return (
        None if key.api_key == CONSOLE else key.api_key,
        None if key.workspace == DEFAULT_WORKSPACE else key.workspace,
        *(value or None for value in key[2:]),
    )
