"""What the provider told of a day or hour that was over, and later told otherwise: before, after, and when."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any, Literal, TypeAlias

from rules.model import HOUR, Nano
from rules.money import usd_string
from watcher.ledger.days import DAY, midnight
from watcher.ledger.reading import RevisedStore, Revision
from watcher.ledger.spend_json import utc_text

Source: TypeAlias = Literal["cost", "analytics"]

FIELDS = ("source", "start", "hours", "before_usd", "after_usd", "moved_usd", "previous_at", "observed_at")


@dataclass(frozen=True, slots=True)
class Restatement:
    """One change of what was told of `hours` hours from `start` on, in nano-dollars.

    It came between the readings of `previous_at`, which was taken after their end, and `observed_at`. `moved` is the
    sum of the changes of single amounts without their signs: a key may have lost what another one gained.
    """

    source: Source
    start: datetime
    hours: int
    previous_at: datetime
    observed_at: datetime
    before: Nano
    after: Nano
    moved: Nano

    @property
    def late(self) -> timedelta:
        """How long after the end of its day (of its hour, where it is of one) the change was seen."""
        end = self.start + HOUR if self.hours == 1 else self.start.replace(hour=0) + DAY
        return self.observed_at - end


def restatements(
    store: RevisedStore, organization: str, start: datetime, end: datetime, *, by_hour: bool = False
) -> tuple[Restatement, ...]:
    """The changes of the days and hours that begin in [start, end), in their order, then as they were seen.

    Changes of what was not over yet when it was read before are no restatements, nor is the first amount of a day whose
    report was empty until then. The hours of one day that were seen to change at once, in the hourly amounts, are one
    restatement from the first of them on, unless `by_hour`.
    """
    found = [
        _restatement("cost", midnight(each.bucket), DAY, each)
        for each in store.costs.revisions(organization, start)
        if each.before
    ]
    hours = [
        _restatement("analytics", each.bucket.astimezone(UTC), HOUR, each)
        for each in store.analytics.revisions(organization, start)
    ]
    inside = [
        each
        for each in [*found, *hours]
        if start <= each.start < end and each.previous_at >= each.start + each.hours * HOUR
    ]
    return tuple(sorted(inside if by_hour else _joined(inside), key=lambda each: (each.start.date(), _order(each))))


def restatements_json(found: Collection[Restatement], start: datetime, end: datetime) -> dict[str, Any]:
    """`from`, `to`, `currency` and `restatements`, each with the `FIELDS`; money is exact decimal dollars."""
    rows = [dict(zip(FIELDS, _values(each), strict=True)) for each in found]
    return {"from": utc_text(start), "to": utc_text(end), "currency": "USD", "restatements": rows}


def restatements_csv(found: Collection[Restatement]) -> str:
    """The same as CSV: one header, one line each. Lines end in a line feed."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(FIELDS)
    writer.writerows(_values(each) for each in found)
    return out.getvalue()


def _restatement(source: Source, start: datetime, length: timedelta, change: Revision[object]) -> Restatement:
    return Restatement(
        source,
        start,
        length // HOUR,
        change.previous_at,
        change.observed_at,
        change.before,
        change.after,
        change.moved,
    )


def _joined(changes: Collection[Restatement]) -> Iterator[Restatement]:
    together: dict[object, list[Restatement]] = {}
    for each in changes:
        together.setdefault((each.source, each.start.date(), each.observed_at), []).append(each)
    for parts in together.values():
        yield Restatement(
            parts[0].source,
            min(each.start for each in parts),
            sum(each.hours for each in parts),
            min(each.previous_at for each in parts),
            parts[0].observed_at,
            sum(each.before for each in parts),
            sum(each.after for each in parts),
            sum(each.moved for each in parts),
        )


def _order(each: Restatement) -> tuple[bool, datetime, datetime]:
    return each.source == "analytics", each.observed_at, each.start


def _values(each: Restatement) -> tuple[Any, ...]:
    money = map(usd_string, (each.before, each.after, each.moved))
    return each.source, utc_text(each.start), each.hours, *money, utc_text(each.previous_at), utc_text(each.observed_at)
