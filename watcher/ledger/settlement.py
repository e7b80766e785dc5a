"""What each key spent in each hour of one day, from its usage, its cost report and the price book. Pure.

Three standings of a figure. *Settled*: the reported amount, shared over keys and hours so that the shares and the
unattributed rest equal the report, workspace by workspace, to the nano-dollar. *Provisional*: the report is not final,
or the day still open: per workspace the larger of estimate and report. *Estimated*: tokens times price.

A day's report is final when the day has ended, the report is not empty while usage exists, and it was read more than
48 h after the day's end, or readings at least 12 h apart, all after its end, agree. The time of the reading decides and
not the present: a report that could not be read again since stays provisional, however long ago the day was.

Usage that the report cannot hold (Priority Tier, unless the report has rows of that tier) is estimated on every day
and is no part of the comparison. Cost that no usage explains belongs to its workspace alone; the report dates it only
to the day, so it lies evenly over the day's hours (those that have begun, on the open day).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from rules.model import HOUR, UNATTRIBUTED, Leaf, Nano
from watcher.admin_api.answers import CostRow
from watcher.ledger.days import DAY, Day, DayUsage, midnight
from watcher.ledger.estimate import estimate
from watcher.ledger.matching import match, workspace_totals
from watcher.ledger.reading import CostDay, IntArray
from watcher.ledger.shares import cascade, evenly
from watcher.pricing import PriceBook

Standing: TypeAlias = Literal["open", "settled", "provisional", "estimated"]

FINAL_AFTER = timedelta(hours=48)
AGREEING_FOR = timedelta(hours=12)

_OUTSIDE_THE_REPORT = "priority"


@dataclass(frozen=True, slots=True)
class DaySpend:
    """Nano-dollars of one UTC day: arrays of leaf x hour of the day (0–23), one for each standing of a figure.

    The first leaves are those of the day's `SeriesTable`, in its order; unattributed leaves follow.
    `unpriced` names the models of estimated or provisional figures whose price is a stand-in; `used` says whether the
    day has usage that its report should hold.
    """

    day: date
    standing: Standing
    leaves: tuple[Leaf, ...]
    settled: IntArray
    provisional: IntArray
    estimated: IntArray
    unpriced: frozenset[str]
    used: bool

    @property
    def cost(self) -> IntArray:
        """The best known cost: the sum of the three."""
        return self.settled + self.provisional + self.estimated


def standing_of(day: date, cost: CostDay | None, *, used: bool, now: datetime) -> Standing:
    """How final a day's figures are; `used` says whether it has usage that the report should hold."""
    end = midnight(day) + DAY
    if now < end:
        return "open"
    if cost is None or (used and not cost.rows):
        return "estimated"
    agreed = cost.observed_at - max(cost.unchanged_since, end)
    final = cost.observed_at - end > FINAL_AFTER or agreed >= AGREEING_FOR
    return "settled" if final else "provisional"


def settle_day(day: Day, prices: PriceBook, now: datetime) -> DaySpend:
    """The day's spend by leaf and hour, at the moment `now`.

    A settled day's shares never depend on what the book was taught: they are weighed by published prices.
    """
    usage = day.usage
    rows = report_rows(day)
    inside = held_by_report(usage, rows)
    used = bool(inside.any())
    standing = standing_of(usage.day, day.cost, used=used, now=now)
    settled, provisional, estimated = (np.zeros(len(usage), dtype=np.int64) for _ in range(3))
    stand_in = np.zeros(len(usage), dtype=bool)
    rest: Mapping[tuple[str, str], Nano] = {}
    if standing == "settled":
        matched = match(usage, estimate(usage, prices.published).nano, inside, rows)
        settled, rest = matched.shares, matched.rest
    if standing != "settled" or not inside.all():
        priced = estimate(usage, prices.rates)
        estimated, stand_in = np.where(inside, 0, priced.nano), priced.stand_in
        if standing != "settled":
            larger = _larger(usage, priced.nano, inside, rows, whole_day=standing == "provisional")
            provisional, rest = larger.shares, larger.rest
            estimated = np.where(inside & larger.provisional, 0, priced.nano)
    leaves = (*usage.table.leaves, *(Leaf(workspace, UNATTRIBUTED, model) for workspace, model in rest))
    by_hour = [_by_leaf_and_hour(usage, values, len(leaves)) for values in (settled, provisional, estimated)]
    _spread(
        by_hour[0] if standing == "settled" else by_hour[1], rest, len(usage.table.leaves), _hours_begun(usage, now)
    )
    guessed = stand_in & ((provisional != 0) | (estimated != 0))
    models = {usage.table.traffics[index].model for index in np.unique(usage.table.traffic_of[usage.series[guessed]])}
    return DaySpend(usage.day, standing, leaves, by_hour[0], by_hour[1], by_hour[2], frozenset(models), used)


def rests_on_prices(day: Day, now: datetime) -> bool:
    """Whether some of the day's figures at `now` are tokens times price."""
    inside = held_by_report(day.usage, report_rows(day))
    return not inside.all() or standing_of(day.usage.day, day.cost, used=bool(inside.any()), now=now) != "settled"


def report_rows(day: Day) -> Sequence[CostRow]:
    """The rows of the day's cost report; none if it was never read."""
    return () if day.cost is None else day.cost.rows


def held_by_report(usage: DayUsage, rows: Sequence[CostRow]) -> npt.NDArray[np.bool_]:
    """Which usage rows the cost report can hold: all but Priority Tier, unless the report does name the tier."""
    reported = {row.service_tier for row in rows}
    traffics = usage.table.traffics
    held = [not item.service_tier.startswith(_OUTSIDE_THE_REPORT) or item.service_tier in reported for item in traffics]
    return np.array(held, dtype=bool)[usage.table.traffic_of[usage.series]]


@dataclass(frozen=True, slots=True)
class _Larger:
    """Provisional shares by row, which rows they cover, and the report's excess where there is no usage."""

    shares: IntArray
    provisional: npt.NDArray[np.bool_]
    rest: Mapping[tuple[str, str], Nano]


def _larger(
    usage: DayUsage, estimate: IntArray, inside: npt.NDArray[np.bool_], rows: Sequence[CostRow], *, whole_day: bool
) -> _Larger:
    """Per workspace the larger of estimate and report; the excess of a larger report in proportion to the estimate.

    With `whole_day` the estimate of a workspace whose report is smaller counts as provisional too.
    """
    table = usage.table
    workspace = table.codes["workspace"][usage.series]
    totals = np.zeros(table.size("workspace"), dtype=np.int64)
    np.add.at(totals, workspace[inside], estimate[inside])
    excess = np.zeros_like(totals)
    covered = np.full(len(totals), whole_day)
    rest: dict[tuple[str, str], Nano] = {}
    for name, amount in workspace_totals(rows).items():
        code = table.code("workspace", name)
        estimated = 0 if code < 0 else int(totals[code])
        if amount <= estimated:
            continue
        if estimated:
            excess[code], covered[code] = amount - estimated, True
        else:
            rest[name, UNATTRIBUTED] = amount
    provisional = inside & covered[workspace]
    shares = np.where(provisional, estimate, 0)
    members = np.flatnonzero(provisional & (excess[workspace] > 0))
    if len(members):
        order = members[np.argsort(workspace[members], kind="stable")]
        codes = workspace[order]
        starts = np.flatnonzero(np.diff(codes, prepend=-1))
        shares[order] += cascade(excess[codes[starts]], estimate[order], starts)
    return _Larger(shares, provisional, rest)


def _by_leaf_and_hour(usage: DayUsage, values: IntArray, leaves: int) -> IntArray:
    flat = np.zeros(leaves * 24, dtype=np.int64)
    np.add.at(flat, usage.table.leaf_of[usage.series] * 24 + usage.hour, values)
    return flat.reshape(leaves, 24)


def _spread(into: IntArray, rest: Mapping[tuple[str, str], Nano], first: int, hours: int) -> None:
    for leaf, amount in enumerate(rest.values(), start=first):
        into[leaf, :hours] = evenly(amount, hours)


def _hours_begun(usage: DayUsage, now: datetime) -> int:
    return min(max((now - midnight(usage.day)) // HOUR + 1, 1), 24)
