"""The provider's own cost by hour and series: what analytics/cost told of each UTC hour, and for how long it has.

An hour is here once it was told; one that nothing is known of is absent, and not free. Amounts are nano-dollars. Times
of observation are those of the data (when the provider had last refreshed them) where it tells, else of the reading:
two readings of one state of the data are one observation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, bindparam, delete, func, select, update

from rules.model import CONSOLE, DEFAULT_WORKSPACE
from watcher.store import blocks, held, readings, revisions
from watcher.store.bulk import insert_rows
from watcher.store.database import Database
from watcher.store.encoding import added
from watcher.store.packing import IntArray
from watcher.store.series import Dimensions, SeriesIds, SeriesKey
from watcher.store.tables import analytics_blocks, analytics_buckets, analytics_readings, series
from watcher.store.times import from_hour, from_moment, hour_after, hour_number, moment

SOURCE = "analytics_cost"
COLUMNS = 8
"""The series' id and seven amounts."""

_bucket = analytics_buckets.c
_MINE = _bucket.organization == bindparam("whose")
_THESE = _MINE & (_bucket.hour >= bindparam("low")) & (_bucket.hour < bindparam("high"))
_BETWEEN = select(analytics_buckets).where(_THESE)
_OBSERVED = (
    select(
        _bucket.hour,
        _bucket.observed_at,
        _bucket.unchanged_since_at,
        _bucket.readings,
        _bucket.row_count,
        _bucket.amount,
    )
    .where(_THESE)
    .order_by(_bucket.hour)
)
_SPAN = select(func.min(_bucket.hour), func.max(_bucket.hour)).where(_MINE)


class AnalyticsRow(NamedTuple):
    """What one series cost in one hour, in nano-dollars by kind; the dimensions as `SeriesKey` has them, named.

    `other` is what is neither tokens nor searches, or whose kind was not told. Amounts may be negative.
    """

    workspace: str
    api_key: str
    model: str
    service_tier: str
    context_window: str
    uncached_input: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0
    web_searches: int = 0
    other: int = 0


@dataclass(frozen=True, slots=True)
class AnalyticsHour:
    """One hour that was told: its rows, or that it cost nothing. Rows that share all dimensions are added."""

    starting_at: datetime
    rows: tuple[AnalyticsRow, ...]


class AnalyticsState(NamedTuple):
    """What is known of one told hour.

    `observed_at` is the newest observation, `unchanged_since` the first of the run of those that all said the same,
    `readings` how many there are in that run. `amount` is nano-dollars.
    """

    observed_at: datetime
    unchanged_since: datetime
    readings: int
    row_count: int
    amount: int


@dataclass(frozen=True, slots=True, eq=False)
class AnalyticsColumns:
    """Hourly cost as columns of equal length, ordered by hour; int64 nano-dollars by kind.

    `series[i]` is an index into `keys`, which are all series of the organization in the order that
    `Usage.read` gives them too; geography and speed are "". `hour` is hours since 1970 (int32).
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
    other: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return int(self.hour.shape[0])


class Asked(NamedTuple):
    """The hours `[start, end)` that a reading asked for, told or not, and when by the clock."""

    start: datetime
    end: datetime
    at: datetime


class Analytics:
    """The hourly cost of every organization that its provider tells."""

    def __init__(self, database: Database, ids: SeriesIds) -> None:
        self._database = database
        self._ids = ids

    def replace(
        self,
        organization: str,
        hours: Sequence[AnalyticsHour],
        observed_at: datetime,
        *,
        held_back: Collection[datetime] = (),
        asked: Asked | None = None,
    ) -> frozenset[datetime]:
        """Take a finished reading over, in one transaction; returns the hours that say something new now.

        An hour that says the same counts one more agreeing reading, if the observation is newer. `held_back` names
        hours that came too and are not believed: what is stored of them stays.
        """
        by_hour = {hour_number(hour.starting_at): hour.rows for hour in hours}
        held_hours = [hour_number(hour) for hour in held_back]
        if not by_hour and not held_hours and asked is None:
            return frozenset()
        with self._database.writing() as connection:
            wanted = {_dimensions(row) for rows in by_hour.values() for row in rows}
            ids = self._ids.of(connection, organization, wanted)
            stored = _states(connection, organization, [*by_hour, *held_hours])
            coded = {number: _encode(rows, ids) for number, rows in by_hour.items()}
            changed = {
                number: each
                for number, each in coded.items()
                if number not in stored or bytes(stored[number].digest) != each.digest
            }
            _agree(connection, organization, sorted(by_hour.keys() - changed), observed_at)
            _write(connection, organization, changed, stored, observed_at)
            holds = {number: stored[number].observed_at for number in held_hours if number in stored}
            held.update(connection, organization, SOURCE, by_hour, holds, observed_at)
            if asked is not None:
                span = (hour_number(asked.start), hour_after(asked.end))
                readings.record(connection, organization, *span, asked.at, SOURCE)
        self._ids.keep(organization, ids)
        return frozenset(from_hour(number) for number in changed)

    def read(self, organization: str, start: datetime, end: datetime) -> AnalyticsColumns:
        """The rows of the hours in `[start, end)` as columns."""
        low, high = hour_number(start), hour_after(end)
        with self._database.reading() as connection:
            keys, place = self._ids.index(connection, organization)
            hour, columns = blocks.read(connection, analytics_blocks, organization, low, high, COLUMNS)
        return AnalyticsColumns(keys, place[columns[0]], hour.astype(np.int32), *columns[1:])

    def observed(self, organization: str, start: datetime, end: datetime) -> Mapping[datetime, AnalyticsState]:
        """What is known of each hour in `[start, end)` that was told, in order."""
        asked = {"whose": organization, "low": hour_number(start), "high": hour_after(end)}
        with self._database.reading() as connection:
            return {
                from_hour(hour): AnalyticsState(from_moment(at), from_moment(since), *figures)
                for hour, at, since, *figures in connection.execute(_OBSERVED, asked)
            }

    def asked(
        self, organization: str, start: datetime, end: datetime, source: str = SOURCE
    ) -> Mapping[datetime, datetime]:
        """When by the clock one of the reports was last asked for each hour in `[start, end)`, whatever it told."""
        low, high = hour_number(start), hour_after(end)
        with self._database.reading() as connection:
            found = readings.between(connection, organization, low, high, source)
        return {from_hour(hour): from_moment(at) for hour, at in found.items()}

    def note_asked(self, organization: str, asked: Asked, source: str) -> None:
        """Note that a report was asked for these hours, where what it told is kept elsewhere."""
        with self._database.writing() as connection:
            span = (hour_number(asked.start), hour_after(asked.end))
            readings.record(connection, organization, *span, asked.at, source)

    def ask_again(self, organization: str) -> None:
        """Forget that any hour was asked for, so that both reports are read anew; what they told stays until then."""
        with self._database.writing() as connection:
            connection.execute(delete(analytics_readings).where(analytics_readings.c.organization == organization))

    def span(self, organization: str) -> tuple[datetime, datetime] | None:
        """From the first told hour to the end of the last one, or None where nothing was told."""
        with self._database.reading() as connection:
            low, high = connection.execute(_SPAN, {"whose": organization}).one()
        return None if low is None else (from_hour(low), from_hour(high + 1))

    def names_workspace(self, organization: str, workspace: str) -> bool:
        """Whether any series of the organization is of that workspace."""
        found = select(series.c.id).where(series.c.organization == organization, series.c.workspace == workspace)
        with self._database.reading() as connection:
            return connection.execute(found.limit(1)).first() is not None

    def held(self, organization: str) -> tuple[held.Held[datetime], ...]:
        """The hours whose newest readings are not believed, oldest first."""
        with self._database.reading() as connection:
            return held.of(connection, organization, SOURCE, from_hour)

    def revisions(self, organization: str, since: datetime) -> tuple[revisions.Revision[datetime], ...]:
        """The restatements that were observed from `since` on, in nano-dollars."""
        with self._database.reading() as connection:
            return revisions.since(connection, organization, SOURCE, since, from_hour)


def _dimensions(row: AnalyticsRow) -> Dimensions:
    """The dimensions in the order that the series' ids are kept by, null where a name stands for it."""
    return (
        None if row.api_key == CONSOLE else row.api_key,
        None if row.workspace == DEFAULT_WORKSPACE else row.workspace,
        row.model or None,
        row.service_tier or None,
        row.context_window or None,
        None,
        None,
    )


class _Encoded(NamedTuple):
    """An hour as columns, ordered by series; the digest is equal where they are."""

    columns: IntArray
    digest: bytes


def _encode(rows: Sequence[AnalyticsRow], ids: Mapping[Dimensions, int]) -> _Encoded:
    """The columns of one hour; rows that share a series are added."""
    table = np.array([(ids[_dimensions(row)], *row[5:]) for row in rows], dtype=np.int64).reshape(-1, COLUMNS)
    columns = added(table.T)
    return _Encoded(columns, hashlib.blake2b(columns.T.tobytes(), digest_size=16).digest())


def _states(connection: Connection, organization: str, numbers: Collection[int]) -> dict[int, Any]:
    if not numbers:
        return {}
    asked = {"whose": organization, "low": min(numbers), "high": max(numbers) + 1}
    return {row.hour: row for row in connection.execute(_BETWEEN, asked)}


def _agree(connection: Connection, organization: str, numbers: Sequence[int], observed_at: datetime) -> None:
    """Count one more observation that said the same, hours in a row at once."""
    bucket, at = analytics_buckets.c, moment(observed_at)
    again = {"observed_at": at, "readings": bucket.readings + 1}
    for low, high in _stretches(numbers):
        mine = (bucket.organization == organization) & (bucket.hour >= low) & (bucket.hour < high)
        connection.execute(update(analytics_buckets).where(mine, bucket.observed_at < at).values(**again))


def _stretches(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Ascending numbers as stretches [low, high) without a gap."""
    stretches: list[tuple[int, int]] = []
    for number in numbers:
        if stretches and stretches[-1][1] == number:
            stretches[-1] = (stretches[-1][0], number + 1)
        else:
            stretches.append((number, number + 1))
    return stretches


def _write(
    connection: Connection,
    organization: str,
    changed: Mapping[int, _Encoded],
    stored: Mapping[int, Any],
    observed_at: datetime,
) -> None:
    """Replace the hours that say something new, and log what was restated."""
    log: list[revisions.Logged] = []
    for number in sorted(changed.keys() & stored.keys()):
        _, old = blocks.read(connection, analytics_blocks, organization, number, number + 1, COLUMNS)
        log.append(revisions.compare(number, stored[number].observed_at, old, changed[number].columns, slice(1, None)))
        this = (analytics_buckets.c.organization == organization) & (analytics_buckets.c.hour == number)
        connection.execute(delete(analytics_buckets).where(this))
    fresh = {hour: new.columns for hour, new in changed.items()}
    blocks.write(connection, analytics_blocks, organization, fresh, stored)
    at = moment(observed_at)
    buckets = []
    for number, (columns, digest) in sorted(changed.items()):
        kept = stored.get(number)
        first, revision = (kept.first_observed_at, kept.revision + 1) if kept else (at, 0)
        amount = int(columns[1:].sum())
        buckets.append((organization, number, digest, amount, columns.shape[1], first, at, at, 1, revision))
    insert_rows(connection, analytics_buckets, buckets)
    revisions.log(connection, organization, SOURCE, log, observed_at)
