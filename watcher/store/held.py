"""Buckets whose newest readings are not believed: since when, and when the stored ones were last believed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from sqlalchemy import Connection, bindparam, delete, insert, select

from watcher.store.tables import held_buckets as table
from watcher.store.times import from_moment, moment

Bucket = TypeVar("Bucket")

_MINE = (table.c.organization == bindparam("whose")) & (table.c.source == bindparam("of"))
_ALL = select(table).where(_MINE).order_by(table.c.bucket)
_REMOVE = delete(table).where(_MINE, table.c.bucket.in_(bindparam("these", expanding=True)))


@dataclass(frozen=True, slots=True)
class Held(Generic[Bucket]):
    """One bucket (a usage hour, or a cost day) that is held: what is stored of it stays as it was.

    `since` is when the first reading that was not believed was taken, `observed_at` the newest such reading.
    """

    bucket: Bucket
    since: datetime
    observed_at: datetime


def update(
    connection: Connection,
    organization: str,
    source: str,
    believed: Iterable[int],
    holds: Mapping[int, int],
    observed_at: datetime,
) -> None:
    """Let go of the buckets in `believed`, and hold those in `holds` (each with when it was last believed)."""
    before = {row.bucket: row for row in connection.execute(_ALL, {"whose": organization, "of": source})}
    gone = [bucket for bucket in (*believed, *holds) if bucket in before]
    if gone:
        connection.execute(_REMOVE, {"whose": organization, "of": source, "these": gone})
    at = moment(observed_at)
    rows = [
        {
            "organization": organization,
            "source": source,
            "bucket": bucket,
            "since_at": before[bucket].since_at if bucket in before else at,
            "observed_at": at,
            "accepted_at": before[bucket].accepted_at if bucket in before else accepted_at,
        }
        for bucket, accepted_at in sorted(holds.items())
    ]
    if rows:
        connection.execute(insert(table), rows)


def accepted(connection: Connection, organization: str, source: str) -> dict[int, int]:
    """When each held bucket was last believed, as the column has it."""
    return {row.bucket: row.accepted_at for row in connection.execute(_ALL, {"whose": organization, "of": source})}


def of(
    connection: Connection, organization: str, source: str, from_number: Callable[[int], Bucket]
) -> tuple[Held[Bucket], ...]:
    """The held buckets of a source, oldest first."""
    return tuple(
        Held(from_number(row.bucket), from_moment(row.since_at), from_moment(row.observed_at))
        for row in connection.execute(_ALL, {"whose": organization, "of": source})
    )
