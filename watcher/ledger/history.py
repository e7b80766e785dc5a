"""Spend and tokens hour by hour, of what is settled: a history to which a later reading only adds.

A day is in it once its cost report is final, and, where the provider's hourly analytics reach that far, once these are
final for every hour of the day: the report's shares over keys and hours then change no more, unless the provider
restates the day. What no report can hold (Priority Tier) is estimated for ever, and has tokens and no spend here.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

import numpy as np

from rules.model import HOUR, Leaf
from watcher.ledger.days import Day, days_of, earliest, midnight, read_days
from watcher.ledger.grids import HOURS, grid
from watcher.ledger.month import TOKEN_KINDS
from watcher.ledger.reading import IntArray, LedgerStore
from watcher.ledger.settlement import DaySpend, settle_day
from watcher.pricing import PriceBook

_SECONDS = 3600


class Place(NamedTuple):
    """Whose hours a series has."""

    workspace: str
    api_key: str
    model: str


@dataclass(slots=True)
class Points:
    """One series, in order: the ends of hours as Unix times, and what each hour had (nano-dollars, or tokens)."""

    ends: array[int] = field(default_factory=lambda: array("q"))
    figures: array[int] = field(default_factory=lambda: array("q"))


@dataclass(frozen=True, slots=True)
class History:
    """Hours without anything are left out."""

    spend: Mapping[Place, Points]
    tokens: Mapping[Place, Points]
    days: int
    """How many days are in it."""
    waiting: tuple[date, ...]
    """The days asked for of which there is something and that are not settled."""


def history(
    store: LedgerStore,
    prices: PriceBook,
    organization: str,
    window: tuple[datetime, datetime],
    now: datetime,
    backfill: timedelta = timedelta(days=60),
) -> History:
    """The settled hours that lie in the window [from, to), of one organization.

    `backfill` is how far back the first start reads analytics too, the newest day first: a day that may still come
    from there is waited for.
    """
    spend: dict[Place, Points] = {}
    tokens: dict[Place, Points] = {}
    first, until = window[0], min(window[1], now)
    since = _analytics_since(store, organization, now - backfill)
    days, waiting = 0, []
    for day in read_days(store, organization, days_of(max(first, earliest(store, organization, until)), until)):
        spent = settle_day(day, prices, now)
        if not _is_settled(spent, since):
            waiting.append(spent.day)
            continue
        days += 1
        begins = midnight(spent.day)
        inside = [hour for hour in range(HOURS) if first <= begins + hour * HOUR <= until - HOUR]
        start = int(begins.timestamp())
        _add(spend, spent.leaves, spent.settled, start, inside)
        _add(tokens, day.usage.table.leaves, _used(day), start, inside)
    return History(_sorted(spend), _sorted(tokens), days, tuple(waiting))


def _analytics_since(store: LedgerStore, organization: str, earliest_read: datetime) -> date | None:
    """The first day that analytics tell of, or may yet; None where there are none."""
    told = store.analytics.span(organization)
    if told is None:
        return None
    return min(told[0].date(), earliest_read.date())


def _is_settled(spent: DaySpend, analytics_since: date | None) -> bool:
    if spent.standing != "settled":
        return False
    reached = analytics_since is not None and spent.day >= analytics_since
    return not reached or (spent.told is not None and spent.told.whole)


def _used(day: Day) -> IntArray:
    """Tokens by leaf and hour."""
    usage = day.usage
    counts = usage.counts[:, : len(TOKEN_KINDS)].sum(axis=1)
    return grid(usage.table.leaf_of[usage.series], usage.hour, counts, len(usage.table.leaves))


def _add(
    into: dict[Place, Points], leaves: Sequence[Leaf], figures: IntArray, start: int, hours: Sequence[int]
) -> None:
    """Add a day's grid of leaf x hour; leaves of one place are one series."""
    index: dict[Place, int] = {}
    places = (Place(leaf.workspace, leaf.api_key, leaf.model) for leaf in leaves)
    of = np.array([index.setdefault(place, len(index)) for place in places], dtype=np.int64)
    sums = np.zeros((len(index), HOURS), dtype=np.int64)
    np.add.at(sums, of, figures)
    for place, row in zip(index, sums.tolist(), strict=True):
        present = [hour for hour in hours if row[hour]]
        if present:
            points = into.setdefault(place, Points())
            points.ends.extend(start + (hour + 1) * _SECONDS for hour in present)
            points.figures.extend(row[hour] for hour in present)


def _sorted(series: dict[Place, Points]) -> dict[Place, Points]:
    return dict(sorted(series.items()))
