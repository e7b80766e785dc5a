"""What changed in buckets after they had been read as ended, and what fell: the record of restatements and lateness."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from sqlalchemy import Connection, bindparam, insert, select

from watcher.store.packing import IntArray
from watcher.store.tables import revisions as table
from watcher.store.times import from_moment, moment

Bucket = TypeVar("Bucket")

_SINCE = (
    select(table)
    .where(
        table.c.organization == bindparam("whose"),
        table.c.source == bindparam("of"),
        table.c.observed_at >= bindparam("since"),
    )
    .order_by(table.c.id)
)


@dataclass(frozen=True, slots=True)
class Revision(Generic[Bucket]):
    """One change of one bucket, between the readings of `previous_at` and `observed_at`.

    `before` and `after` are tokens (usage) or nano-dollars (cost), and `moved` is the sum of the changes of single rows
    without their signs, in the same unit.
    """

    bucket: Bucket
    previous_at: datetime
    observed_at: datetime
    before: int
    after: int
    moved: int


class Logged(NamedTuple):
    """A change as the table has it."""

    bucket: int
    previous_at: int
    before: int
    after: int
    moved: int


def compare(bucket: int, previous_at: int, old: IntArray, new: IntArray, figures: slice) -> Logged:
    """The change from the old to the new columns of one hour, in what its `figures` add up to, series by series."""
    before = dict(zip(old[0].tolist(), old[figures].sum(axis=0).tolist(), strict=True))
    after = dict(zip(new[0].tolist(), new[figures].sum(axis=0).tolist(), strict=True))
    moved = sum(abs(after.get(which, 0) - before.get(which, 0)) for which in before.keys() | after.keys())
    return Logged(bucket, previous_at, sum(before.values()), sum(after.values()), moved)


def log(
    connection: Connection, organization: str, source: str, changes: Sequence[Logged], observed_at: datetime
) -> None:
    """Keep the changes, with when they were observed."""
    if changes:
        common = {"organization": organization, "source": source, "observed_at": moment(observed_at)}
        connection.execute(insert(table), [{**common, **change._asdict()} for change in changes])


def since(
    connection: Connection,
    organization: str,
    source: str,
    moment_from: datetime,
    from_number: Callable[[int], Bucket],
) -> tuple[Revision[Bucket], ...]:
    """The changes of a source that were observed from `moment_from` on, in the order they were seen."""
    asked = {"whose": organization, "of": source, "since": moment(moment_from)}
    return tuple(
        Revision(
            from_number(row.bucket),
            from_moment(row.previous_at),
            from_moment(row.observed_at),
            row.before,
            row.after,
            row.moved,
        )
        for row in connection.execute(_SINCE, asked)
    )
