"""Which parts of a finished reading are believed. Pure.

Three things an answer can say are suspect, as they are how a stalled or half-answering API looks:

- Hours in which the organization had used something come back empty for the whole organization, from some hour on to
  the end of the reading. They are held back: what is stored stays, and the source counts as stalled since the first
  such reading, until a reading is sane again or the emptiness has been said for 72 hours. An empty hour with usage in
  a later one is no stall but a revision, and is believed once the hour is complete. A day of cost that comes back empty
  is held back wherever it stands.
  So is an hour of the analytics reports, where hours come out in any order.
- An hour that is not complete yet comes back with less than before. That an open hour only grows is an assumption, so a
  fall is counted; until the hour is complete each series keeps the larger of what was stored and what was read. So
  nothing is lowered and no growth beside the fall is hidden; the first reading after the settling time replaces it all.
- An hour that is not complete yet and falls while it is also grouped otherwise cannot be compared by series: what is
  stored stays, unless the whole has grown.

Everything else replaces what was stored, whole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from watcher.admin_api.answers import CostBucket, UsageBucket, UsageRow

BELIEVED_AFTER = timedelta(hours=72)
"""For how long an emptiness has to be said before it is believed."""


@dataclass(frozen=True, slots=True)
class Belief:
    """A reading sorted out: what to store, what to hold back, and in how many open hours something fell."""

    buckets: tuple[UsageBucket, ...]
    held_back: tuple[datetime, ...] = ()
    fell: int = 0


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored of the hours of a reading: tokens, whole buckets of those not complete, and since when held."""

    tokens: Mapping[datetime, int]
    open_buckets: Mapping[datetime, UsageBucket] = field(default_factory=dict)
    held_since: Mapping[datetime, datetime] = field(default_factory=dict)


def believe(buckets: Iterable[UsageBucket], stored: Stored, now: datetime) -> Belief:
    """Sort a reading out; see the module for the rules."""
    taken: list[UsageBucket] = []
    held: list[datetime] = []
    fell = 0
    reading = tuple(buckets)
    last_used = max((bucket.starting_at for bucket in reading if tokens_of(bucket.rows)), default=None)
    for bucket in reading:
        hour = bucket.starting_at
        revised = last_used is not None and hour < last_used
        is_open = hour in stored.open_buckets
        if stored.tokens.get(hour, 0) > 0 and tokens_of(bucket.rows) == 0:
            fell += is_open
            if _confirmed(stored.held_since.get(hour), now) or (revised and not is_open):
                taken.append(bucket)
            else:
                held.append(hour)
        elif is_open:
            merged, shrunk = _larger(stored.open_buckets[hour], bucket)
            fell += shrunk
            taken.append(merged)
        else:
            taken.append(bucket)
    return Belief(tuple(taken), tuple(held), fell)


def believe_costs(
    buckets: Iterable[CostBucket], rows: Mapping[date, int], held_since: Mapping[date, datetime], now: datetime
) -> tuple[tuple[CostBucket, ...], tuple[date, ...]]:
    """The days to store, and those to hold back: days with rows stored that come back without any."""
    taken: list[CostBucket] = []
    held: list[date] = []
    for bucket in buckets:
        day = bucket.starting_at.date()
        suspect = rows.get(day, 0) > 0 and not bucket.rows
        if suspect and not _confirmed(held_since.get(day), now):
            held.append(day)
        else:
            taken.append(bucket)
    return tuple(taken), tuple(held)


def believe_told(
    told: Mapping[datetime, bool],
    asked: Iterable[datetime],
    filled: Collection[datetime],
    held_since: Mapping[datetime, datetime],
    now: datetime,
) -> tuple[frozenset[datetime], tuple[datetime, ...]]:
    """The hours of an analytics report to store, and those to hold back: those stored as `filled` that come empty.

    `told` has, for each hour that a reading told something of, whether it has rows. An hour that came back empty before
    emptiness means anything is not in it, and is held back too where it had rows.
    """
    emptied = {hour for hour in asked if hour in filled and not told.get(hour, False)}
    held = tuple(sorted(hour for hour in emptied if hour not in told or not _confirmed(held_since.get(hour), now)))
    return frozenset(told) - frozenset(held), held


def tokens_of(rows: Sequence[UsageRow]) -> int:
    """All kinds of tokens of some rows."""
    return sum(sum(row[7:12]) for row in rows)


def _confirmed(since: datetime | None, now: datetime) -> bool:
    return since is not None and now - since >= BELIEVED_AFTER


def _larger(old: UsageBucket, new: UsageBucket) -> tuple[UsageBucket, bool]:
    """Each series' larger counts of two readings of one hour, and whether anything fell."""
    if set(old.grouped_by) != set(new.grouped_by):
        shrunk = tokens_of(new.rows) < tokens_of(old.rows)
        return (old if shrunk else new), shrunk
    rows = {row[:7]: row for row in new.rows}
    shrunk = False
    for row in old.rows:
        other = rows.get(row[:7], UsageRow(*row[:7], 0, 0, 0, 0, 0, 0))
        larger = UsageRow(*row[:7], *map(max, row[7:], other[7:]))
        if larger != other:
            shrunk = True
            rows[row[:7]] = larger
    return (replace(new, rows=tuple(rows.values())) if shrunk else new), shrunk
