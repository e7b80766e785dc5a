"""Random histories of polls of a small organization, read through the real ingest by a reader that answers from a
world.

A world is what the API would tell in the end. What it tells on the way is a variant of it: rows that come late, rows
that vanish, amounts that are restated; in any order, grouped more coarsely, up to some hour, or not at all.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TypeVar

from hypothesis import Phase
from hypothesis import strategies as st

from watcher.admin_api.answers import CostBucket, CostRow, UsageBucket, UsageRow
from watcher.admin_api.answers_analytics import AnalyticsCostRow, AnalyticsCosts, AnalyticsUsages
from watcher.admin_api.errors import NotOffered, Unavailable
from watcher.ingest import Ingested, Plan, ingest
from watcher.ingest.analytics_lanes import COST, Lanes
from watcher.ingest.plan import Days
from watcher.ingest.windows import Hours
from watcher.ledger import Ledger
from watcher.pricing import PriceBook
from watcher.store import Store

ORG = "org_1"
PHASES = [Phase.explicit, Phase.reuse, Phase.generate]
"""How histories are searched: one that fails is told as it was found, and is not made smaller."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
T0 = datetime(2026, 11, 2, tzinfo=UTC)
DAYS = 3
"""Days of which the world has something, and after them the end, when nothing of theirs changes any more."""
END = T0 + (DAYS + 3) * DAY
LAST_POLLS = (END, END + 74 * HOUR)
"""Enough for what was held back to be believed, and for every reading to be final."""
NOW = LAST_POLLS[-1]
OPUS, HAIKU = "claude-opus-5-5", "claude-haiku-4-5"
PRIORITY_KEY = "key_p"
KINDS = ("uncached_input_tokens", "output_tokens")
GROUPED = ("api_key_id", "workspace_id", "model", "service_tier", "context_window", "inference_geo")

_TIERS = ("standard", "batch")
_WHO = (("key_a", "w1", OPUS), ("key_b", "w1", OPUS), ("key_b", "w1", HAIKU), (None, None, HAIKU), (None, "w1", OPUS))
_DOLLAR = 10**9

Row = TypeVar("Row")


class CutOff(Exception):
    """The process dies while it reads."""


@dataclass(frozen=True)
class World:
    """What there is to tell: rows of usage and of hourly cost by hour, rows of the bill by day."""

    usage: Mapping[datetime, tuple[UsageRow, ...]] = field(default_factory=dict)
    analytics: Mapping[datetime, tuple[AnalyticsCostRow, ...]] = field(default_factory=dict)
    costs: Mapping[date, tuple[CostRow, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One poll: so long after the one before, of these hours and days, of some variant of the world."""

    after: timedelta
    seed: int
    hours: Hours | None = None
    told: Hours | None = None
    days: Days | None = None
    lag: timedelta | None = None
    """How old the data of analytics are; None where it does not say."""
    coarse: bool = False
    failing: str = ""
    cut_off: str = ""
    restarted: bool = False


@dataclass
class FakeReader:
    """Answers from a world as it is known at `now`."""

    world: World
    now: datetime
    random: Random
    step: Step

    def usage(self, starting_at: datetime, ending_at: datetime, *, now: datetime | None = None) -> list[UsageBucket]:
        """Hours up to the open one."""
        self._called("usage")
        grouped_by = GROUPED[:3] if self.step.coarse else GROUPED
        return [
            UsageBucket(hour, hour + HOUR, grouped_by, self._usage_of(hour))
            for hour in _hours(starting_at, min(ending_at, self.now))
        ]

    def costs(self, starting_at: datetime, ending_at: datetime | None) -> list[CostBucket]:
        """Days up to the present one."""
        self._called("cost")
        until = min(ending_at or END + 9 * DAY, self.now)
        days = [starting_at + number * DAY for number in range((until - starting_at) // DAY + 1)]
        return [
            CostBucket(day, day + DAY, self._shuffled(self.world.costs.get(day.date(), ())))
            for day in days
            if day < until
        ]

    def analytics_cost(
        self, starting_at: datetime, ending_at: datetime, *, now: datetime | None = None
    ) -> AnalyticsCosts:
        """Rows of the hours that had ended when the data were made."""
        self._called("analytics")
        lag = self.step.lag
        made = self.now - (lag or timedelta(0))
        rows = [
            row
            for hour in _hours(starting_at, min(ending_at, made))
            if hour + HOUR <= made
            for row in self._shuffled(self.world.analytics.get(hour, ()))
        ]
        return AnalyticsCosts(starting_at, ending_at, None if lag is None else made, tuple(rows))

    def analytics_usage(
        self, starting_at: datetime, ending_at: datetime, *, now: datetime | None = None
    ) -> AnalyticsUsages:
        """Not there, as the usage report is."""
        raise NotOffered("/v1/x", 404, "req_1", "no access")

    def _usage_of(self, hour: datetime) -> tuple[UsageRow, ...]:
        rows = self.world.usage.get(hour, ())
        if self.step.coarse:
            sums: dict[tuple[str | None, ...], UsageRow] = {}
            for row in rows:
                known = sums.get(row[:3])
                counts = row[7:] if known is None else map(sum, zip(known[7:], row[7:], strict=True))
                sums[row[:3]] = UsageRow(*row[:3], None, None, None, None, *counts)
            rows = tuple(sums.values())
        return self._shuffled(rows)

    def _called(self, name: str) -> None:
        if self.step.cut_off == name:
            raise CutOff
        if self.step.failing == name:
            raise Unavailable("/v1/x", 529, "req_1", "overloaded")

    def _shuffled(self, rows: Sequence[Row]) -> tuple[Row, ...]:
        return tuple(self.random.sample(rows, len(rows)))

    def __getattr__(self, name: str) -> Callable[..., object]:
        raise AssertionError(f"no poll of these asks for {name}")


class Watching:
    """A store, and a ledger that is kept up to date by what each poll changed, until the process dies."""

    def __init__(self, path: Path, template: Path) -> None:
        shutil.copy(template, path)
        self._path = path
        self.now = T0
        self.restart()

    def restart(self) -> None:
        """Open everything anew."""
        self.close()
        self.store = Store.open(f"sqlite:///{self._path}")
        self.ledger = Ledger(self.store, PriceBook(), ORG)

    def close(self) -> None:
        """Leave the database as it is."""
        if hasattr(self, "store"):
            self.store.close()

    def take(self, step: Step, world: World, at: datetime | None = None) -> None:
        """Poll once, and bring the ledger up to date, unless the process dies before."""
        self.now = at or self.now + step.after
        if step.restarted:
            self.restart()
        random = Random(step.seed)
        told = variant(world, random) if step.seed else world
        plan = Plan(
            usage=step.hours,
            costs=() if step.days is None else (step.days,),
            analytics={} if step.told is None else {COST: Lanes(recent=(step.told,))},
        )
        try:
            done = ingest(FakeReader(told, self.now, random, step), self.store, ORG, self.now, plan)
        except CutOff:
            self.restart()
            done = Ingested()
        self.view = self.ledger.refresh(self.now, done.changed_hours, done.changed_days)


def variant(world: World, random: Random) -> World:
    """The world with rows missing, rows that will vanish, and amounts that will be restated."""

    def some(rows: Sequence[Row], change: Callable[[Row], Row]) -> tuple[Row, ...]:
        kept = [row for row in rows if random.random() > 0.2]
        return tuple(change(row) if random.random() < 0.3 else row for row in kept)

    def other_tokens(row: UsageRow) -> UsageRow:
        return row._replace(output=random.randrange(10**6))

    def other_amount(row: AnalyticsCostRow) -> AnalyticsCostRow:
        return row._replace(amount=random.randrange(5 * _DOLLAR))

    def other_line(row: CostRow) -> CostRow:
        return replace(row, amount=random.randrange(9 * _DOLLAR))

    usage = {hour: some(rows, other_tokens) for hour, rows in world.usage.items() if random.random() > 0.1}
    analytics = {hour: some(rows, other_amount) for hour, rows in world.analytics.items() if random.random() > 0.1}
    costs = {day: some(rows, other_line) for day, rows in world.costs.items() if random.random() > 0.1}
    for _ in range(random.randrange(3)):
        hour = T0 + random.randrange(24 * DAYS) * HOUR
        usage[hour] = (*usage.get(hour, ()), _usage(("key_gone", "w1", OPUS), "standard", 5, 7))
        if world.analytics:
            gone = _cost(hour, ("key_gone", "w1", OPUS), "standard", "tokens", KINDS[0], random.randrange(_DOLLAR))
            analytics[hour] = (*analytics.get(hour, ()), gone)
    return World(usage, analytics, costs)


def _hours(start: datetime, end: datetime) -> list[datetime]:
    return [start + number * HOUR for number in range(max(-((start - end) // HOUR), 0))]


def _usage(who: tuple[str | None, str | None, str], tier: str, uncached: int, output: int) -> UsageRow:
    return UsageRow(*who, tier, "0-200k", "global", None, uncached, 0, 0, 0, output, 0)


def _cost(
    hour: datetime,
    who: tuple[str | None, str | None, str | None],
    tier: str | None,
    cost_type: str,
    token_type: str | None,
    amount: int,
) -> AnalyticsCostRow:
    window = None if tier is None else "0-200k"
    return AnalyticsCostRow(hour, hour + HOUR, *who, tier, window, cost_type, token_type, amount, None, None)


def a_world(seed: int, *, analytics: float) -> World:
    """A world of a few keys over three days, and some use on the last days, of which no bill tells.

    `analytics` is for how much of it there are hourly amounts: 0 for none, 1 for all.
    """
    random = Random(seed)
    usage: dict[datetime, tuple[UsageRow, ...]] = {}
    told: dict[datetime, tuple[AnalyticsCostRow, ...]] = {}
    for number in (*range(24 * DAYS), *range(24 * (DAYS + 3) + 70, 24 * (DAYS + 3) + 74)):
        hour = T0 + number * HOUR
        using = random.sample(_WHO, random.randrange(4)) if random.random() < 0.6 else []
        rows = [_usage(who, random.choice(_TIERS), random.randrange(10**6), random.randrange(10**6)) for who in using]
        if random.random() < 0.1:
            rows.append(_usage((PRIORITY_KEY, "w2", OPUS), "priority", random.randrange(10**6), 0))
        usage[hour] = tuple(rows)
        if random.random() < analytics and number < 24 * DAYS:
            told[hour] = tuple(_amounts_of(hour, rows, random))
    days = [(T0 + number * DAY).date() for number in range(DAYS)]
    return World(usage, told, {day: tuple(_bill(random)) for day in days if random.random() < 0.7})


def _amounts_of(hour: datetime, rows: Sequence[UsageRow], random: Random) -> Iterator[AnalyticsCostRow]:
    for row in rows:
        who, tier = (row.api_key_id, row.workspace_id, row.model), row.service_tier
        if tier != "priority":
            for kind in KINDS:
                yield _cost(hour, who, tier, "tokens", kind, random.randrange(6 * _DOLLAR))
    if random.random() < 0.1:
        yield _cost(hour, ("key_late", "w1", OPUS), "standard", "tokens", None, random.randrange(_DOLLAR))
    if random.random() < 0.1:
        yield _cost(hour, (None, "w1", None), None, "code_execution", None, random.randrange(_DOLLAR))


def _bill(random: Random) -> Iterator[CostRow]:
    cells = {(workspace, model) for _, workspace, model in _WHO}
    for workspace, model in sorted(cells, key=str):
        for kind in KINDS if random.random() < 0.8 else ():
            tier, amount = random.choice([*_TIERS, None]), random.randrange(60 * _DOLLAR)
            yield CostRow(workspace, "a line", "tokens", model, tier, kind, "0-200k", "global", None, amount)
    for kind in ("code_execution", "session_usage", "web_search"):
        if random.random() < 0.3:
            amount = random.randrange(-_DOLLAR, 9 * _DOLLAR)
            yield CostRow(random.choice(["w1", "w3"]), None, kind, None, None, None, None, None, None, amount)


# ------------------------------------------------------------------------------------------- what hypothesis draws

SHARES = st.sampled_from([0.0, 0.7, 0.9, 1.0])
"""How much of a world there are hourly amounts of."""
_EVERYTHING = Hours(T0, T0 + DAYS * DAY)
_WINDOWS = st.just(_EVERYTHING) | st.builds(
    lambda start, length: Hours(T0 + start * HOUR, T0 + (start + length) * HOUR),
    st.integers(0, 24 * DAYS - 1),
    st.integers(1, 40),
)
_DAYS = st.builds(
    lambda first, length: Days((T0 + first * DAY).date(), (T0 + (first + length) * DAY).date() if length else None),
    st.integers(0, DAYS - 1),
    st.integers(0, 2),
)
_STEPS = st.builds(
    Step,
    after=st.sampled_from([0, 3, 7, 13, 13, 20, 30]).map(lambda hours: hours * HOUR + timedelta(minutes=20)),
    seed=st.sampled_from([0, 0, 0, 1, 2, 3]),
    hours=st.none() | _WINDOWS,
    told=st.none() | _WINDOWS | _WINDOWS,
    days=st.none() | _DAYS,
    lag=st.none() | st.integers(0, 30).map(lambda hours: hours * HOUR),
    coarse=st.booleans(),
    failing=st.sampled_from([*[""] * 8, "usage", "cost", "analytics"]),
    cut_off=st.sampled_from([*[""] * 8, "usage", "cost", "analytics"]),
    restarted=st.booleans(),
)
HISTORIES = st.lists(_STEPS, min_size=3, max_size=8).filter(
    lambda steps: sum((step.after for step in steps), timedelta(0)) < END - T0
)
"""Some polls within the days of the world and the three after them."""


LAST_STEP = Step(timedelta(0), 0, hours=Hours(T0, NOW), told=Hours(T0, NOW), days=Days(T0.date(), None))
"""A whole reading of everything as it is in the end."""
