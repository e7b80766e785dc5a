"""One hour of usage put together from single keys, with the proof that nothing is lost or counted twice.

A filter can name keys, but not the null key (Console use). So the hour is asked for in three ways:

    totals     grouped by key alone: which keys were used at all, and the sums of each, the null key among
    them named      the keys of `totals`, some at a time by filter, grouped as finely as wanted rest
    grouped as finely as wanted but for the key; less all that is `named`, it is the null key's

It holds only if the rows of every key add up to that key's total, the rest to the null key's, and no count
is negative. In an hour that changes between the requests it does not hold, and then the hour is not taken.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from watcher.admin_api.answers import UsageBucket, UsageRow
from watcher.admin_api.errors import BadRequest

# About five thousand characters of query, which every proxy lets pass.
KEYS_A_REQUEST = 100

Counts = tuple[int, ...]
_NOTHING: Counts = (0,) * 6


class DoesNotAddUp(Exception):
    """The parts of the hour differ from its totals."""


class HourlyReport(Protocol):
    """Where an hour of usage can be asked for."""

    def hour(
        self, starting_at: datetime, grouped_by: tuple[str, ...], *, api_key_ids: Sequence[str] = ()
    ) -> UsageBucket | None:
        """That hour, or None when it does not exist yet; BadRequest when it is too fine."""


def read_hour_by_keys(report: HourlyReport, starting_at: datetime, grouped_by: tuple[str, ...]) -> UsageBucket | None:
    """The hour grouped as `grouped_by` says, or None when the API does not have it yet.

    Raises DoesNotAddUp, and BadRequest where even one key, or the hour without keys, is too fine.
    """
    by_key = report.hour(starting_at, ("api_key_id",))
    without_keys = tuple(dimension for dimension in grouped_by if dimension != "api_key_id")
    everything = report.hour(starting_at, without_keys)
    if by_key is None or everything is None:
        return None
    totals = {row.api_key_id: _counts(row) for row in by_key.rows}
    key_ids = sorted(key_id for key_id in totals if key_id is not None)
    named = [row for rows in _rows_of(report, starting_at, grouped_by, key_ids) for row in rows]
    rest = _rest(everything.rows, named)
    _require_sums([*named, *rest], totals)
    return UsageBucket(by_key.starting_at, by_key.ending_at, grouped_by, (*named, *rest))


def _rows_of(
    report: HourlyReport, starting_at: datetime, grouped_by: tuple[str, ...], key_ids: Sequence[str]
) -> Iterator[tuple[UsageRow, ...]]:
    """The rows of these keys, fewer keys a request where the API refuses more."""
    open_batches = [key_ids[index : index + KEYS_A_REQUEST] for index in range(0, len(key_ids), KEYS_A_REQUEST)]
    while open_batches:
        batch = open_batches.pop()
        try:
            bucket = report.hour(starting_at, grouped_by, api_key_ids=batch)
        except BadRequest:
            if len(batch) == 1:
                raise
            middle = len(batch) // 2
            open_batches += [batch[middle:], batch[:middle]]
            continue
        if bucket is None or not {row.api_key_id for row in bucket.rows} <= set(batch):
            raise DoesNotAddUp("a filter by keys let other keys through, or the hour vanished")
        yield bucket.rows


def _rest(everything: Iterable[UsageRow], named: Iterable[UsageRow]) -> list[UsageRow]:
    """What is left of each combination of the other dimensions once the named keys are taken out."""
    taken: defaultdict[tuple[str | None, ...], Counts] = defaultdict(lambda: _NOTHING)
    for row in named:
        taken[row[1:7]] = _plus(taken[row[1:7]], _counts(row))
    rest = []
    for row in everything:
        left = tuple(all_ - mine for all_, mine in zip(_counts(row), taken.pop(row[1:7], _NOTHING), strict=True))
        if min(left) < 0:
            raise DoesNotAddUp("the keys of the hour used more than the hour as a whole")
        if any(left):
            rest.append(UsageRow(None, *row[1:7], *left))
    if any(map(any, taken.values())):
        raise DoesNotAddUp("the keys of the hour used what the hour as a whole does not have")
    return rest


def _require_sums(rows: Iterable[UsageRow], totals: dict[str | None, Counts]) -> None:
    sums: defaultdict[str | None, Counts] = defaultdict(lambda: _NOTHING)
    for row in rows:
        sums[row.api_key_id] = _plus(sums[row.api_key_id], _counts(row))
    for key_id in sums.keys() | totals.keys():
        if sums[key_id] != totals.get(key_id, _NOTHING):
            raise DoesNotAddUp("the rows of a key do not add up to its total; the hour changed while it was read")


def _counts(row: UsageRow) -> Counts:
    return row[7:]


def _plus(one: Counts, other: Counts) -> Counts:
    return tuple(mine + theirs for mine, theirs in zip(one, other, strict=True))
