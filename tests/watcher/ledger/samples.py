"""One UTC day made by hand: its usage, its cost report, and what the provider's analytics told of it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import numpy as np

from rules.model import Leaf
from watcher.admin_api.answers import CostRow
from watcher.ledger import DaySpend, settle_day
from watcher.ledger.days import Day, DayAnalytics, DayUsage, JoinedLeaves
from watcher.ledger.reading import IntArray
from watcher.ledger.series import SeriesTable
from watcher.pricing import PriceBook

DAY = date(2026, 11, 10)
BEGIN = datetime(2026, 11, 10, tzinfo=UTC)
END = BEGIN + timedelta(days=1)
LATER = END + timedelta(days=5)
BOOK = PriceBook()
OPUS, HAIKU = "claude-opus-5-5", "claude-haiku-4-5"
USD = 1_000_000_000


class Key(NamedTuple):
    workspace: str
    api_key: str
    model: str
    service_tier: str = "standard"
    context_window: str = "0-200k"
    inference_geo: str = "global"
    speed: str = ""


class Usage(NamedTuple):
    key: Key
    hour: int
    uncached_input: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0
    web_searches: int = 0


@dataclass(frozen=True)
class Cost:
    rows: tuple[CostRow, ...]
    observed_at: datetime = LATER
    unchanged_since: datetime = LATER
    day: date = DAY


def cost_row(
    workspace: str | None,
    amount: int,
    model: str | None = OPUS,
    token_type: str | None = "uncached_input_tokens",
    cost_type: str | None = "tokens",
    tier: str | None = "standard",
    window: str | None = "0-200k",
    geo: str | None = "global",
    speed: str | None = None,
    description: str | None = "a line",
) -> CostRow:
    return CostRow(workspace, description, cost_type, model, tier, token_type, window, geo, speed, amount)


class Amount(NamedTuple):
    """What one series cost in one hour by the provider's analytics, in nano-dollars."""

    key: Key
    hour: int
    uncached_input: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0
    web_searches: int = 0
    other: int = 0


class Told(NamedTuple):
    """When an hour of analytics was read."""

    observed_at: datetime
    unchanged_since: datetime
    row_count: int


def day_of(usage: Sequence[Usage], cost: Cost | None, analytics: DayAnalytics | None = None) -> Day:
    """The day made by hand."""
    table, series, hours = _numbered(usage)
    counts = np.array([row[2:] for row in usage], dtype=np.int64).reshape(len(usage), 6)
    if analytics is not None:
        analytics = replace(analytics, joined=JoinedLeaves.of(table, analytics.table))
    return Day(DayUsage(DAY, table, series, hours, counts), cost, analytics)


def analytics_of(
    amounts: Sequence[Amount],
    settled: Iterable[int] = range(24),
    provisional: Iterable[int] = (),
) -> DayAnalytics:
    """Hours told by analytics: those settled, and those that were read only once, an hour after their end."""
    table, series, hours = _numbered(amounts)
    rows = Counter(row.hour for row in amounts)
    states = {}
    for number in provisional:
        read = BEGIN + timedelta(hours=number + 2)
        states[number] = Told(read, read, rows[number])
    for number in settled:
        read = BEGIN + timedelta(hours=number + 1)
        states[number] = Told(read + timedelta(hours=13), read + timedelta(hours=1), rows[number])
    figures = np.array([row[2:] for row in amounts], dtype=np.int64).reshape(len(amounts), 7)
    return DayAnalytics(table, JoinedLeaves.of(table, table), series, hours, figures, states)


def settle(
    usage: Sequence[Usage], cost: Cost | None, now: datetime = LATER, analytics: DayAnalytics | None = None
) -> DaySpend:
    """What the day comes to with the published prices."""
    return settle_day(day_of(usage, cost, analytics), BOOK, now)


def _numbered(rows: Sequence[Usage] | Sequence[Amount]) -> tuple[SeriesTable, IntArray, IntArray]:
    keys = list(dict.fromkeys(row.key for row in rows))
    series = np.array([keys.index(row.key) for row in rows], dtype=np.int64)
    return SeriesTable(keys), series, np.array([row.hour for row in rows], dtype=np.int64)


def by_leaf(spend: DaySpend, part: str = "cost") -> dict[Leaf, int]:
    """By workspace, key and model, whatever the service tier."""
    found: Counter[Leaf] = Counter()
    for leaf, amount in zip(spend.leaves, getattr(spend, part).sum(axis=1).tolist(), strict=True):
        found[Leaf(leaf.workspace, leaf.api_key, leaf.model)] += amount
    return {leaf: amount for leaf, amount in found.items() if amount}


def by_workspace(spend: DaySpend, part: str) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for leaf, amount in by_leaf(spend, part).items():
        sums[leaf.workspace] += amount
    return {name: amount for name, amount in sums.items() if amount}
