"""What whole UTC days came to by leaf, kept with the digests of what they were made from.

Only the process that holds the instance lock writes here. Whoever reads compares `made_from` and `prices` with what is
stored now (`watcher.ledger.kept`): what does not match is as if it were not there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, delete, select

from rules.model import Leaf
from watcher.kept_days import FIGURES, DayState, DaySum, Head, Reading, SumColumns
from watcher.store.bulk import insert_rows
from watcher.store.database import Database
from watcher.store.packing import IntArray, pack, unpack
from watcher.store.tables import analytics_buckets, cost_days, day_sums, leaves, usage_buckets
from watcher.store.times import day_number, from_day, from_moment

COLUMNS = 1 + FIGURES
"""The leaf's id before them."""
_HOURS = 24
_AT_ONCE = 256


class DaySums:
    """The sums of whole days of every organization."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def look(self, organization: str, start: date, end: date) -> tuple[dict[date, DayState], dict[date, Head]]:
        """What is stored of the days in `[start, end)` and what is kept of them, both at one moment."""
        low, high = day_number(start), day_number(end)
        table = day_sums.c
        heads = (
            select(table.day, table.made_from, table.prices, table.lesson, table.unpriced)
            .where(table.organization == organization, table.day >= low, table.day < high)
            .order_by(table.day)
        )
        with self._database.reading() as connection:
            states = _states(connection, organization, low, high)
            kept = {
                from_day(day): Head(bytes(made_from), bytes(prices), lesson, unpriced)
                for day, made_from, prices, lesson, unpriced in connection.execute(heads)
            }
        return states, kept

    def read(self, organization: str, wanted: Mapping[date, Head]) -> SumColumns:
        """The figures of the wanted days, of those that are still kept under the same heads."""
        if not wanted:
            return SumColumns((), {})
        low, high = day_number(min(wanted)), day_number(max(wanted)) + 1
        table = day_sums.c
        query = select(table.day, table.made_from, table.prices, table.packed).where(
            table.organization == organization, table.day >= low, table.day < high
        )
        with self._database.reading() as connection:
            mine = select(leaves).where(leaves.c.organization == organization).order_by(leaves.c.id)
            known = connection.execute(mine).all()
            found = {
                from_day(day): bytes(packed)
                for day, made_from, prices, packed in connection.execute(query)
                if _same(wanted.get(from_day(day)), made_from, prices)
            }
        place = np.zeros(known[-1][0] + 1 if known else 1, dtype=np.intp)
        place[[row[0] for row in known]] = np.arange(len(known))
        return SumColumns(tuple(Leaf(*row[2:]) for row in known), dict(_unpacked(found, place)))

    def replace(self, organization: str, sums: Sequence[DaySum]) -> None:
        """Keep these days, in one transaction, instead of what was kept of them."""
        if not sums:
            return
        with self._database.writing() as connection:
            ids = _ids(connection, organization, {leaf for each in sums for leaf in each.leaves})
            numbers = [day_number(each.day) for each in sums]
            for begin in range(0, len(numbers), _AT_ONCE):
                mine = day_sums.c.day.in_(numbers[begin : begin + _AT_ONCE])
                connection.execute(delete(day_sums).where(day_sums.c.organization == organization, mine))
            insert_rows(
                connection,
                day_sums,
                [
                    (
                        organization,
                        number,
                        *each.head,
                        pack(_columns([ids[leaf] for leaf in each.leaves], each.figures)),
                    )
                    for number, each in zip(numbers, sums, strict=True)
                ],
            )


def _same(head: Head | None, made_from: bytes, prices: bytes) -> bool:
    return head is not None and head.made_from == bytes(made_from) and head.prices == bytes(prices)


def _columns(ids: Collection[int], figures: IntArray) -> IntArray:
    return np.vstack((np.array(ids, dtype=np.int64)[None, :], figures.T))


def _unpacked(
    found: Mapping[date, bytes], place: npt.NDArray[np.intp]
) -> Iterator[tuple[date, tuple[npt.NDArray[np.intp], IntArray]]]:
    for day, packed in found.items():
        columns, _ = unpack([packed], COLUMNS)
        yield day, (place[columns[0]], columns[1:].T)


def _states(connection: Connection, organization: str, low: int, high: int) -> dict[date, DayState]:
    usage: dict[int, list[bytes]] = {}
    hour = usage_buckets.c.hour
    query = select(hour, usage_buckets.c.digest).where(
        usage_buckets.c.organization == organization, hour >= _HOURS * low, hour < _HOURS * high
    )
    for number, digest in connection.execute(query.order_by(hour)):
        usage.setdefault(number // _HOURS, []).append(bytes((number % _HOURS,)) + bytes(digest))
    days, hours = cost_days.c, analytics_buckets.c
    report = select(days.day, days.digest, days.observed_at, days.unchanged_since_at).where(
        days.organization == organization, days.day >= low, days.day < high
    )
    costs = {day: _reading(*rest) for day, *rest in connection.execute(report)}
    amounts = (
        select(hours.hour, hours.digest, hours.observed_at, hours.unchanged_since_at)
        .where(hours.organization == organization, hours.hour >= _HOURS * low, hours.hour < _HOURS * high)
        .order_by(hours.hour)
    )
    told: dict[int, dict[int, Reading]] = {}
    for number, *rest in connection.execute(amounts):
        told.setdefault(number // _HOURS, {})[number % _HOURS] = _reading(*rest)
    return {
        from_day(day): DayState(b"".join(usage.get(day, ())), costs.get(day), told.get(day))
        for day in sorted(usage.keys() | costs.keys() | told.keys())
    }


def _reading(digest: bytes, observed_at: int, unchanged_since: int) -> Reading:
    return Reading(bytes(digest), from_moment(observed_at), from_moment(unchanged_since))


def _ids(connection: Connection, organization: str, wanted: Collection[Leaf]) -> dict[Leaf, int]:
    """The ids of the wanted leaves, making those that are new."""
    mine = select(leaves).where(leaves.c.organization == organization)
    known = {Leaf(*row[2:]): row[0] for row in connection.execute(mine)}
    fresh = sorted(
        (leaf.workspace, leaf.api_key, leaf.model, leaf.service_tier) for leaf in wanted if leaf not in known
    )
    if fresh:
        insert_rows(connection, leaves, [(organization, *each) for each in fresh], [*leaves.columns][1:])
        known = {Leaf(*row[2:]): row[0] for row in connection.execute(mine)}
    return known
