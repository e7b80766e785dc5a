"""The history that a replay needs, out of the store: spend as it is known now, and what it was estimated at before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

import numpy as np

from rules import judgement
from rules.judgement import Rules
from rules.measures import Measure
from rules.model import HOUR, Leaf, SpendView
from rules.sources import ANALYTICS_USAGE, usage_source
from watcher.backtest.frames import Settling
from watcher.ledger.counts import count_tokens
from watcher.ledger.days import DAY, VIEW_DAYS, days_of, earliest, midnight
from watcher.ledger.learning import learn_from
from watcher.ledger.reading import IntArray
from watcher.ledger.requests import requests_view
from watcher.ledger.settlement import settle_day
from watcher.ledger.spend import settled_days
from watcher.ledger.standing import FINAL_AFTER
from watcher.ledger.view import newest_reading
from watcher.pricing import PriceBook
from watcher.store import Store
from watcher.watermark import SETTLING

CLAUDE_CODE = "budgets of Claude Code are not replayed: its report tells of days, and not when they were known"
_HOURS = 24
_FIRST_ROOM = 256


@dataclass(frozen=True, slots=True)
class History:
    """Spend from a midnight on, up to the last complete hour, and what budgets count beside it."""

    view: SpendView
    settling: Settling
    counted: Mapping[Measure, SpendView | str]
    first: datetime | None
    """The first hour of which usage is stored; None where there is none."""
    lateness: timedelta = SETTLING
    """How long after its end an hour is taken to be known."""


def stored_history(
    store: Store,
    prices: PriceBook,
    organization: str,
    rules: Iterable[Rules],
    window: tuple[datetime, datetime],
    progress: Callable[[int, int], None] | None = None,
) -> History:
    """The history for replays by these rules over `window`, its end the present, as far back as they look from there.

    That is as far as the working view of the ledger goes, and further where a budget's period begins before. `progress`
    is called with days done and days to do. Raises StoreError.
    """
    asked, (start, now) = tuple(rules), window
    begins = [moment for each in asked for moment in judgement.beginnings(each, None, start)]
    first = midnight(min([start - VIEW_DAYS * DAY, *begins]).date())
    begin = max(first, earliest(store, organization, midnight(start.date())))
    hours = max((now - begin) // HOUR + 1, 0)
    gathered = _Gathered(begin, hours)
    days = list(days_of(begin, begin + hours * HOUR))
    book = prices.taught(learn_from(store, prices, organization, now))
    for done, (day, spend) in enumerate(settled_days(store, prices, organization, days, now), 1):
        gathered.add(spend.day, spend.leaves, spend.cost, spend.settled)
        gathered.unpriced |= spend.unpriced
        if spend.standing != "estimated" and midnight(spend.day) + DAY + FINAL_AFTER > start:
            guess = settle_day(replace(day, cost=None, analytics=None), book, now)
            gathered.estimate(guess.day, guess.leaves, guess.cost)
        if progress is not None:
            progress(done, len(days))
    view = _view(store, organization, gathered, begin, hours)
    span = store.usage.span(organization)
    measures = frozenset(measure for each in asked for measure in each.measures)
    return History(
        view=view,
        settling=Settling(gathered.estimates()),
        counted=_counted(store, organization, view, measures),
        first=None if span is None else span[0],
        lateness=_lateness(store, organization),
    )


def _lateness(store: Store, organization: str) -> timedelta:
    """How late hours come: analytics are as far behind as they are now, the usage report as much as it takes to settle.

    A whole number of hours later than that at most, so that one look an hour sees each hour once.
    """
    source = usage_source(store.sources.all(organization))
    if source is None or source.source != ANALYTICS_USAGE or not source.watermark or not source.last_success_at:
        return SETTLING
    return SETTLING + max((source.last_success_at - source.watermark) // HOUR - 1, 0) * HOUR


def _view(store: Store, organization: str, gathered: _Gathered, begin: datetime, hours: int) -> SpendView:
    observed = store.usage.observed(organization, begin, begin + hours * HOUR)
    known = np.zeros(hours, dtype=np.bool_)
    known[[(hour - begin) // HOUR for hour in observed]] = True
    source = usage_source(store.sources.all(organization))
    watermark = begin if source is None or source.watermark is None else max(source.watermark, begin)
    return SpendView(
        organization=organization,
        start=begin,
        leaves=tuple(gathered.index),
        cost=gathered.cost,
        settled=gathered.settled,
        known=known,
        complete_until=watermark,
        observed_until=max(newest_reading(observed) or watermark, watermark),
        unpriced=frozenset(gathered.unpriced),
    )


def _counted(
    store: Store, organization: str, view: SpendView, measures: Iterable[Measure]
) -> dict[Measure, SpendView | str]:
    asked = list(measures)
    tokens = count_tokens(store, organization, view, [each for each in asked if each.unit == "tokens"])
    requests = {each: requests_view(store, organization, view) for each in asked if each.unit == "requests"}
    return {**tokens, **requests, **{each: CLAUDE_CODE for each in asked if each.claude_code}}


@dataclass(slots=True)
class _Gathered:
    """Days as they come together, in any order."""

    begin: datetime
    hours: int
    index: dict[Leaf, int] = field(default_factory=dict)
    unpriced: set[str] = field(default_factory=set)
    _cost: IntArray = field(init=False)
    _settled: IntArray = field(init=False)
    _estimates: dict[date, tuple[list[int], IntArray]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._cost, self._settled = np.zeros((2, _FIRST_ROOM, self.hours), dtype=np.int64)

    @property
    def cost(self) -> IntArray:
        """Nano-dollars of leaf x hour."""
        return self._cost[: len(self.index)]

    @property
    def settled(self) -> IntArray:
        """The part of it that is settled."""
        return self._settled[: len(self.index)]

    def add(self, day: date, leaves: tuple[Leaf, ...], cost: IntArray, settled: IntArray) -> None:
        """Add what a day is known to have cost."""
        present = np.flatnonzero(cost.any(axis=1) | settled.any(axis=1))
        rows, hours = self._rows(leaves, present), self._columns(day)
        width = hours.stop - hours.start
        self._cost[rows, hours], self._settled[rows, hours] = cost[present, :width], settled[present, :width]

    def estimate(self, day: date, leaves: tuple[Leaf, ...], cost: IntArray) -> None:
        """Add what a day was estimated at."""
        present = np.flatnonzero(cost.any(axis=1))
        self._estimates[day] = self._rows(leaves, present), cost[present]

    def estimates(self) -> dict[datetime, IntArray]:
        """The days whose estimate is another figure than what they cost, by their first hour; leaf x 24 hours."""
        found: dict[datetime, IntArray] = {}
        for day, (rows, cost) in self._estimates.items():
            whole = np.zeros((len(self.index), _HOURS), dtype=np.int64)
            whole[rows] = cost
            hours = self._columns(day)
            width = hours.stop - hours.start
            if self.settled[:, hours].any() or not np.array_equal(whole[:, :width], self.cost[:, hours]):
                found[midnight(day)] = whole
        return found

    def _columns(self, day: date) -> slice:
        first = (midnight(day) - self.begin) // HOUR
        return slice(first, min(first + _HOURS, self.hours))

    def _rows(self, leaves: tuple[Leaf, ...], present: IntArray) -> list[int]:
        rows = [self.index.setdefault(leaves[place], len(self.index)) for place in present.tolist()]
        if len(self.index) > len(self._cost):
            room = max(len(self.index), 2 * len(self._cost))
            self._cost, self._settled = (_longer(each, room) for each in (self._cost, self._settled))
        return rows


def _longer(array: IntArray, rows: int) -> IntArray:
    longer = np.zeros((rows, array.shape[1]), dtype=np.int64)
    longer[: len(array)] = array
    return longer
