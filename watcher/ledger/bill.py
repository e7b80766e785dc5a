"""A day whose report is final: the report is the bill, shared over keys and hours. Pure.

It is shared by priced tokens, or by the provider's hourly amounts where these have settled every hour of the day. Of
the latter, cost that is no use of tokens has rows of its own, which take the report's cost of that sort on their
workspace; what the report has beyond, no usage explains.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np

from rules.model import UNATTRIBUTED, Leaf, Nano
from watcher.admin_api.answers import CostRow
from watcher.ledger.days import Day, DayAnalytics, DayUsage
from watcher.ledger.estimate import estimate
from watcher.ledger.grids import Spent, grid, share
from watcher.ledger.held import held_by_report, report_rows
from watcher.ledger.matching import match
from watcher.ledger.reading import IntArray
from watcher.ledger.standing import Told
from watcher.pricing import KINDS, PriceBook


def by_bill(day: Day, leaves: Sequence[Leaf], told: Told | None, prices: PriceBook) -> Spent:
    """The day's spend over its leaves; usage that the report cannot hold is estimated beside it."""
    usage, rows = day.usage, report_rows(day)
    inside = held_by_report(usage, rows)
    leaf = usage.table.leaf_of[usage.series]
    if day.analytics is not None and told is not None and told.whole:
        settled, rest = _by_analytics(day.analytics, usage.day, leaves, rows)
    else:
        matched = match(usage, estimate(usage, prices.published).nano, inside, rows)
        settled, rest = grid(leaf, usage.hour, matched.shares, len(leaves)), matched.rest
    nothing = np.zeros_like(settled)
    if inside.all():
        return Spent(settled, nothing, nothing, rest, ~inside)
    outside = np.flatnonzero(~inside)
    priced = estimate(usage.rows(outside), prices.rates)
    estimated = grid(leaf[outside], usage.hour[outside], priced.nano, len(leaves))
    guessed = np.zeros(len(usage), dtype=bool)
    guessed[outside] = priced.stand_in & (priced.nano != 0)
    return Spent(settled, nothing, estimated, rest, guessed)


def _by_analytics(
    analytics: DayAnalytics, day: date, leaves: Sequence[Leaf], rows: Sequence[CostRow]
) -> tuple[IntArray, Mapping[tuple[str, str], Nano]]:
    """The report's shares by the provider's hourly amounts, and what these do not explain."""
    amounts = np.maximum(analytics.amounts, 0)
    spent = DayUsage(day, analytics.table, analytics.series, analytics.hour, amounts[:, : len(KINDS)])
    matched = match(spent, amounts.sum(axis=1), held_by_report(spent, rows), rows)
    settled = grid(analytics.leaf, analytics.hour, matched.shares, len(leaves))
    beside_tokens = grid(analytics.leaf, analytics.hour, amounts[:, len(KINDS)], len(leaves))
    takers = _takers(beside_tokens, leaves)
    left: dict[tuple[str, str], Nano] = {}
    for (workspace, model), amount in matched.rest.items():
        mine = np.array(takers.get((workspace, model), []), dtype=np.int64)
        if not share(amount, settled, beside_tokens, mine, leaves):
            left[workspace, model] = amount
    return settled, left


def _takers(beside_tokens: IntArray, leaves: Sequence[Leaf]) -> dict[tuple[str, str], list[int]]:
    """The leaves with cost that is plainly not of tokens: without a model, or without a key."""
    found: dict[tuple[str, str], list[int]] = {}
    for number in np.flatnonzero(beside_tokens.any(axis=1)).tolist():
        leaf = leaves[number]
        if UNATTRIBUTED in {leaf.api_key, leaf.model}:
            found.setdefault((leaf.workspace, leaf.model), []).append(number)
    return found
