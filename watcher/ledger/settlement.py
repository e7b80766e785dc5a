"""What each key spent in each hour of one day, from its usage, what was reported of it, and the price book. Pure.

Three standings of a figure. *Settled*: the provider's own amount that is final. *Provisional*: the larger of estimate
and a report that is not final, or of a day still open. *Estimated*: tokens times price. How final a report is, is said
in `watcher.ledger.standing`.

A day whose cost report is final is settled by it: the report is the bill, and its shares over keys and hours, with the
unattributed rest, equal it workspace by workspace to the nano-dollar (`watcher.ledger.bill`). Any other day is settled
hour by hour, as far as the provider's hourly analytics is final (`watcher.ledger.hourly`).

Usage that no report can hold (Priority Tier, unless one names that tier) is estimated on every day and is no part of
the comparison. Cost that no usage explains belongs to its workspace alone; a report that dates it only to the day puts
it evenly over the day's hours (those that have begun, on the open day; those not settled, where others are).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from rules.model import HOUR, UNATTRIBUTED, Leaf, Nano
from watcher.ledger.bill import by_bill
from watcher.ledger.days import Day, midnight
from watcher.ledger.grids import HOURS
from watcher.ledger.held import held_by_either, held_by_report, report_rows, should_report
from watcher.ledger.hourly import by_hours
from watcher.ledger.occurring import occurring
from watcher.ledger.reading import IntArray
from watcher.ledger.shares import evenly
from watcher.ledger.standing import Standing, Told, standing_of, told_of
from watcher.pricing import PriceBook


@dataclass(frozen=True, slots=True)
class DaySpend:
    """Nano-dollars of one UTC day: arrays of leaf x hour of the day (0–23), one for each standing of a figure.

    The first leaves are those of the day's `SeriesTable`, in its order; those that only analytics has and unattributed
    ones follow, no leaf twice. `standing` is the cost report's, `told` what analytics settled (None: it told nothing).
    `unpriced` names the models of estimated or provisional figures whose price is a stand-in; `used` says whether the
    day has usage or amounts that its report should hold.
    """

    day: date
    standing: Standing
    leaves: tuple[Leaf, ...]
    settled: IntArray
    provisional: IntArray
    estimated: IntArray
    unpriced: frozenset[str]
    used: bool
    told: Told | None = None

    @property
    def cost(self) -> IntArray:
        """The best known cost: the sum of the three."""
        return self.settled + self.provisional + self.estimated


def settle_day(day: Day, prices: PriceBook, now: datetime) -> DaySpend:
    """The day's spend by leaf and hour, at the moment `now`.

    A settled day's shares never depend on what the book was taught: they are weighed by the provider's amounts or by
    published prices.
    """
    usage, leaves = day.usage, leaves_of(day)
    used = should_report(day)
    standing = standing_of(usage.day, day.cost, used=used, now=now)
    told = what_was_told(day)
    begun = _hours_begun(usage.day, now)
    if standing == "settled":
        spent = by_bill(day, leaves, told, prices)
    else:
        spent = by_hours(day, leaves, told, prices, whole_day=standing == "provisional")
        if told is not None:
            begun = [hour for hour in begun if hour not in told.settled] or begun
    leaves, where = _with_rest(leaves, spent.rest)
    settled, provisional, estimated = (
        _longer(each, len(leaves)) for each in (spent.settled, spent.provisional, spent.estimated)
    )
    into = settled if standing == "settled" else provisional
    for number, amount in zip(where, spent.rest.values(), strict=True):
        into[number, begun] += evenly(amount, len(begun))
    models = {usage.table.traffics[i].model for i in occurring(usage.table.traffic_of[usage.series[spent.guessed]])}
    return DaySpend(usage.day, standing, leaves, settled, provisional, estimated, frozenset(models), used, told)


def leaves_of(day: Day) -> tuple[Leaf, ...]:
    """The leaves of the day's usage, and after them those that only its analytics has."""
    return day.usage.table.leaves if day.analytics is None else day.analytics.joined.leaves


def what_was_told(day: Day) -> Told | None:
    """How much of the day analytics has told and settled; None where it told nothing."""
    if day.analytics is None:
        return None
    used = np.flatnonzero(np.bincount(day.usage.hour[held_by_either(day)], minlength=HOURS))
    return told_of(day.usage.day, day.analytics.states, used.tolist())


def rests_on_prices(day: Day, now: datetime) -> bool:
    """Whether some of the day's figures at `now` are tokens times price."""
    inside = held_by_report(day.usage, report_rows(day))
    if standing_of(day.usage.day, day.cost, used=should_report(day), now=now) == "settled":
        return not inside.all()
    told = what_was_told(day)
    if told is None:
        return True
    return not told.used <= told.settled or not held_by_either(day).all()


def _with_rest(leaves: tuple[Leaf, ...], rest: Mapping[tuple[str, str], Nano]) -> tuple[tuple[Leaf, ...], list[int]]:
    """The leaves with the unattributed ones of the rest among them, each once, and where those are."""
    if not rest:
        return leaves, []
    known = {leaf: number for number, leaf in enumerate(leaves) if leaf.api_key == UNATTRIBUTED}
    new: dict[Leaf, int] = {}
    where = []
    for workspace, model in rest:
        leaf = Leaf(workspace, UNATTRIBUTED, model)
        where.append(known[leaf] if leaf in known else new.setdefault(leaf, len(leaves) + len(new)))
    return (*leaves, *new), where


def _longer(array: IntArray, leaves: int) -> IntArray:
    more = leaves - len(array)
    return np.concatenate((array, np.zeros((more, HOURS), dtype=np.int64))) if more else array


def _hours_begun(day: date, now: datetime) -> list[int]:
    return list(range(min(max((now - midnight(day)) // HOUR + 1, 1), HOURS)))
