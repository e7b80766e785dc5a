"""A day whose report is not final, hour by hour, from estimates, the provider's hourly analytics and that report. Pure.

An hour that analytics has settled counts with its amounts and no estimate; one that it told and that is not settled,
per key and model, with the larger of estimate and amount (*provisional*); one that it did not tell with its estimate.
What the report of the day has beyond all that goes, workspace by workspace, to the hours that are not settled, in
proportion to what they have; a workspace that has nothing there keeps it unattributed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rules.model import UNATTRIBUTED, Leaf, Nano
from watcher.admin_api.answers import CostRow
from watcher.ledger.days import Day
from watcher.ledger.estimate import estimate
from watcher.ledger.grids import HOURS, Spent, grid, share
from watcher.ledger.held import held_by_either, report_rows
from watcher.ledger.reading import IntArray
from watcher.ledger.report_lines import workspace_totals
from watcher.ledger.standing import Told
from watcher.pricing import PriceBook

BoolArray = npt.NDArray[np.bool_]


def by_hours(day: Day, leaves: Sequence[Leaf], told: Told | None, prices: PriceBook, *, whole_day: bool) -> Spent:
    """The day's spend over its leaves.

    With `whole_day` every hour is provisional that is not settled: the day has a report, and it may still change.
    """
    usage, inside = day.usage, held_by_either(day)
    priced = estimate(usage, prices.rates)
    leaf = usage.table.leaf_of[usage.series]
    estimates = grid(leaf[inside], usage.hour[inside], priced.nano[inside], len(leaves))
    outside = grid(leaf[~inside], usage.hour[~inside], priced.nano[~inside], len(leaves))
    settled, waiting = np.zeros_like(estimates), estimates
    provisional = np.full(estimates.shape, whole_day)
    guessed = priced.stand_in & (priced.nano != 0)
    if day.analytics is not None and told is not None and told.hours:
        amounts = grid(day.analytics.leaf, day.analytics.hour, day.analytics.amounts.sum(axis=1), len(leaves))
        final, said = _columns(told.settled), _columns(told.hours)
        settled = np.where(final, amounts, 0)
        larger = said & ~final & _is_larger(amounts, estimates, leaves)
        waiting = np.where(final, 0, np.where(larger, amounts, estimates))
        provisional |= said & ~final
        guessed &= ~inside | ~(larger | final)[leaf, usage.hour]
    excess, rest, covered = _excess(settled, waiting, leaves, report_rows(day))
    provisional |= covered[:, None]
    estimated = np.where(provisional, 0, waiting) + outside
    return Spent(settled, np.where(provisional, waiting, 0) + excess, estimated, rest, guessed)


def _is_larger(amounts: IntArray, estimates: IntArray, leaves: Sequence[Leaf]) -> BoolArray:
    """Where the amounts of a key and model are larger than its estimates, of all its service tiers together.

    An hour of usage may have been read without its tiers: tier by tier it would count beside the amounts.
    """
    places: dict[tuple[str, str, str], int] = {}
    group = [places.setdefault((leaf.workspace, leaf.api_key, leaf.model), len(places)) for leaf in leaves]
    more = np.zeros((len(places), HOURS), dtype=np.int64)
    np.add.at(more, group, amounts - estimates)
    return np.asarray((more > 0)[group])


def _columns(hours: frozenset[int]) -> BoolArray:
    return np.array([hour in hours for hour in range(HOURS)], dtype=bool)


def _excess(
    settled: IntArray, waiting: IntArray, leaves: Sequence[Leaf], rows: Sequence[CostRow]
) -> tuple[IntArray, dict[tuple[str, str], Nano], BoolArray]:
    """What the report has beyond the hours, shared over those not settled; what finds none; the leaves it covers."""
    excess = np.zeros_like(waiting)
    covered = np.zeros(len(leaves), dtype=bool)
    rest: dict[tuple[str, str], Nano] = {}
    totals = workspace_totals(rows)
    known = (settled + waiting).sum(axis=1)
    members: dict[str, list[int]] = {}
    for number in np.flatnonzero(settled.any(axis=1) | waiting.any(axis=1)).tolist() if totals else ():
        members.setdefault(leaves[number].workspace, []).append(number)
    for workspace, amount in totals.items():
        mine = np.array(members.get(workspace, []), dtype=np.int64)
        more = amount - int(known[mine].sum())
        if more <= 0:
            continue
        if share(more, excess, np.maximum(waiting, 0), mine, leaves):
            covered[mine] = True
        else:
            rest[workspace, UNATTRIBUTED] = more
    return excess, rest, covered
