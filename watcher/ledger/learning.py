"""From days of usage and their cost reports to what they teach the price book."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime

import numpy as np

from rules.model import Nano
from watcher.admin_api.answers import CostRow
from watcher.ledger.days import DAY, VIEW_DAYS, Day, read_costs, read_days
from watcher.ledger.matching import kind_of
from watcher.ledger.reading import CostDay, LedgerStore
from watcher.ledger.settlement import held_by_report, report_rows, standing_of
from watcher.pricing import KINDS, Cell, Learned, PriceBook, PricedDay, learn
from watcher.pricing.learned import ANY_MODEL, MOST_DAYS
from watcher.pricing.rates import TOKENS, WEB_SEARCH

_PICO_PER_NANO = 1000
_AT_ONCE = MOST_DAYS + 4
"""Days of cost reports looked through at a time: as a rule the first of them hold enough settled ones."""


def teaches(day: date, cost: CostDay | None, now: datetime) -> bool:
    """Whether the book learns from a day: its report is settled and holds something."""
    return cost is not None and bool(cost.rows) and standing_of(day, cost, used=True, now=now) == "settled"


def priced_day(day: Day, prices: PriceBook) -> PricedDay:
    """What a settled day reported, beside what its tokens list at; only what both reports hold.

    The listed amount has every modifier that the usage shows (batch, region, fast mode, long prompts), so what is left
    between the two is what the organization pays less or more than everybody.
    """
    listed = _listed(day, prices)
    reported = _reported(report_rows(day))
    cells = {
        key: Cell(nano, reported[key], stand_in) for key, (nano, stand_in) in listed.items() if nano and key in reported
    }
    return PricedDay(day.usage.day, cells)


def learn_from(
    store: LedgerStore,
    prices: PriceBook,
    organization: str,
    now: datetime,
    known: Mapping[date, PricedDay] | None = None,
) -> Learned:
    """What the latest settled days in the store teach; those that are `known` already are not read again."""
    wanted = _latest(store, organization, now)
    days = {} if known is None else {day: known[day] for day in wanted if day in known}
    for day in read_days(store, organization, [day for day in wanted if day not in days]):
        days[day.usage.day] = priced_day(day, prices)
    return learn(days.values())


def models_used(store: LedgerStore, organization: str, days: Collection[date]) -> frozenset[str]:
    """The models of the usage on these days."""
    models: set[str] = set()
    for day in read_days(store, organization, days):
        traffics = day.usage.table.traffics
        models |= {traffics[index].model for index in np.unique(day.usage.table.traffic_of[day.usage.series])}
    return frozenset(models)


def _latest(store: LedgerStore, organization: str, now: datetime) -> list[date]:
    found: list[date] = []
    for days in _backwards(now.astimezone(UTC).date()):
        costs = read_costs(store, organization, days)
        found += [day for day in days if teaches(day, costs.get(day), now)]
        if len(found) >= MOST_DAYS:
            break
    return found[:MOST_DAYS]


def _backwards(today: date) -> Iterator[list[date]]:
    """The days before today, newest first, a few at a time."""
    days = [today - back * DAY for back in range(1, VIEW_DAYS + 1)]
    return (days[begin : begin + _AT_ONCE] for begin in range(0, len(days), _AT_ONCE))


def _listed(day: Day, prices: PriceBook) -> dict[tuple[str, int], tuple[Nano, bool]]:
    """Nano-dollars at list price by model and kind, of the usage that the report can hold, and whether stood in for."""
    usage = day.usage
    inside = held_by_report(usage, report_rows(day))
    traffics = usage.table.traffics
    counts = np.zeros((len(traffics), len(KINDS)), dtype=np.int64)
    np.add.at(counts, usage.table.traffic_of[usage.series[inside]], usage.counts[inside])
    pico: dict[tuple[str, int], int] = {}
    stand_ins: set[str] = set()
    for index in np.flatnonzero(counts.any(axis=1)).tolist():
        traffic = traffics[index]
        basis = prices.basis(traffic, usage.day)
        if basis.source != "list":
            stand_ins.add(traffic.model)
        for kind, (count, price) in enumerate(zip(counts[index].tolist(), basis.pico, strict=True)):
            key = (ANY_MODEL if kind == WEB_SEARCH else traffic.model, kind)
            pico[key] = pico.get(key, 0) + count * price
    return {key: (amount // _PICO_PER_NANO, key[0] in stand_ins) for key, amount in pico.items()}


def _reported(rows: Sequence[CostRow]) -> dict[tuple[str, int], Nano]:
    """The report's nano-dollars by model and kind; rows that name no model or no kind are left out."""
    reported: dict[tuple[str, int], Nano] = {}
    for row in rows:
        kind = kind_of(row)
        model = ANY_MODEL if kind == WEB_SEARCH else row.model
        if model is not None and (kind < TOKENS or kind == WEB_SEARCH):
            reported[model, kind] = reported.get((model, kind), 0) + row.amount
    return reported
