"""What the analytics reports know: usage and cost by the hour, some hours late, and restated once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from watcher.simulator.billing import Billing
from watcher.simulator.moments import DAY, HOUR, seconds
from watcher.simulator.series import WEB_SEARCH, Series, catalogue
from watcher.simulator.tariff import TOKEN_KINDS
from watcher.simulator.traffic import Amounts
from watcher.simulator.world import World

REFRESH = HOUR // 2
"""Seconds between two refreshments of the data: in between, nothing changes."""

RESTATED_AFTER = 20 * HOUR
FIRST_WORKING_HOUR, WORKING_HOURS = 9, 8

Kind = tuple[str | None, str | None]
"""Cost type and token type."""


@dataclass(frozen=True, slots=True)
class HourOfSeries:
    """What one series used in one hour, and what each kind of it cost in femto-dollars: after discount, and before."""

    series: Series
    amounts: tuple[int, ...]
    requests: int
    costs: dict[Kind, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class UnmeteredHour:
    """What no usage stands behind, in one hour: the same costs, of a workspace alone."""

    workspace_id: str
    costs: dict[Kind, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour that is out, from `start` in seconds."""

    start: int
    series: list[HourOfSeries]
    unmetered: list[UnmeteredHour]


class Analytics:
    """Works out what is known of each hour. An hour is out 1 to 4 hours after its end, at first some of it too low by
    up to 6 %, and final 20 hours later; hours do not come out in order. The sums of a day's final hours are its final
    bill. Priority tier costs nothing, as it is on no bill."""

    def __init__(self, world: World, billing: Billing) -> None:
        self._world = world
        self._billing = billing
        self._list_prices = catalogue(list(world.catalogue.series), Fraction(0)).femto
        self._paid = 1 - Fraction(str(world.discount))

    def refreshed_at(self, now: float) -> int:
        """The last refreshment before `now`, in seconds."""
        return int(now // REFRESH) * REFRESH

    def published_at(self, hour: int) -> float:
        """When the hour that starts at `hour` (seconds) is known for the first time."""
        return hour + 2 * HOUR + float(self._rng(hour, 0).integers(0, 5 * REFRESH))

    def hours(self, start: int, end: int, refreshed: int) -> Iterator[Hour]:
        """The hours in [start, end) that are out at a refreshment, oldest first."""
        for day, amounts in self._world.amounts(start, min(end, refreshed)):
            first = max(start, day * DAY)
            for index, of_hour in enumerate(amounts):
                hour = first + index * HOUR
                published = self.published_at(hour)
                if published > refreshed:
                    continue
                final = refreshed >= published + RESTATED_AFTER
                known = of_hour if final else self._too_low(hour, of_hour)
                yield Hour(hour, list(self._of_series(known, day)), self._unmetered(hour))

    def _too_low(self, hour: int, amounts: Amounts) -> Amounts:
        cut = np.maximum(0, self._rng(hour, 1).integers(-180, 60, size=len(amounts)))
        lowered: Amounts = amounts * (1000 - cut[:, None]) // 1000
        return lowered

    def _of_series(self, amounts: Amounts, day: int) -> Iterator[HourOfSeries]:
        world = self._world
        used: NDArray[np.intp] = np.flatnonzero(amounts.any(axis=1))
        for row, counts in zip(used.tolist(), amounts[used].tolist(), strict=True):
            series = world.catalogue.series[row]
            costs: dict[Kind, tuple[int, int]] = {}
            if series.terms.service_tier != "priority":
                paid, listed = world.tariff.femto(row, day), self._list_prices[row]
                costs = {
                    _kind(measure): (count * paid[measure], count * listed[measure])
                    for measure, count in enumerate(counts)
                    if count
                }
            requests = max(1, round(counts[4] / max(1.0, float(world.catalogue.sizes[row, 1]))))
            yield HourOfSeries(series, tuple(counts), requests, costs)

    def _unmetered(self, hour: int) -> list[UnmeteredHour]:
        """The day's code execution and session time, spread evenly over its working hours."""
        day, turn = hour // DAY, hour % DAY // HOUR - FIRST_WORKING_HOUR
        if not 0 <= turn < WORKING_HOURS or (day + 1) * DAY <= seconds(self._world.history_from):
            return []
        return [
            UnmeteredHour(line.workspace_id, {(line.cost_type, None): (part, round(part / self._paid))})
            for line, amount in self._billing.unmetered(day).items()
            if line.workspace_id is not None and (part := _part(amount, turn))
        ]

    def _rng(self, hour: int, purpose: int) -> np.random.Generator:
        return np.random.Generator(np.random.Philox(key=[self._world.seed, (0xA11A + purpose << 32) + hour // HOUR]))


def _kind(measure: int) -> Kind:
    return ("web_search", None) if measure == WEB_SEARCH else ("tokens", TOKEN_KINDS[measure])


def _part(amount: int, turn: int) -> int:
    """An even part of the amount; the last one takes what is left."""
    part = amount // WORKING_HOURS
    return amount - part * (WORKING_HOURS - 1) if turn == WORKING_HOURS - 1 else part
