"""From days of usage and their cost reports to what they teach the price book."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from rules.model import Nano
from watcher.admin_api.answers import CostRow
from watcher.ledger.days import DAY, VIEW_DAYS, Day, DayAnalytics, DayUsage, read_costs, read_days, read_states
from watcher.ledger.grids import totals
from watcher.ledger.held import held_by_either, held_by_report, report_rows
from watcher.ledger.occurring import occurring
from watcher.ledger.reading import AnalyticsState, CostDay, LedgerStore
from watcher.ledger.report_lines import amounts_by_model
from watcher.ledger.settlement import what_was_told
from watcher.ledger.standing import standing_of, told_of
from watcher.pricing import KINDS, Cell, Learned, PriceBook, PricedDay, learn
from watcher.pricing.learned import ANY_MODEL, MOST_DAYS
from watcher.pricing.rates import TOKENS, WEB_SEARCH

BoolArray = npt.NDArray[np.bool_]
Costs: TypeAlias = Mapping[date, CostDay]
States: TypeAlias = Mapping[date, Mapping[int, AnalyticsState]]

_PICO_PER_NANO = 1000
_AT_ONCE = MOST_DAYS + 4
"""Days of cost reports looked through at a time: as a rule the first of them hold enough settled ones."""


def teaches(day: Day, now: datetime) -> bool:
    """Whether the book learns from a day: all of it is settled, by its report or hour by hour, and holds something."""
    if _by_report(day, now):
        return True
    told = what_was_told(day)
    return told is not None and told.whole and day.analytics is not None and bool(day.analytics.amounts.any())


def priced_day(day: Day, prices: PriceBook, now: datetime) -> PricedDay:
    """What a settled day reported, beside what its tokens list at; only what both hold.

    The listed amount has every modifier that the usage shows (batch, region, fast mode, long prompts), so what is left
    between the two is what the organization pays less or more than everybody.
    """
    if day.analytics is None or _by_report(day, now):
        listed = _listed(day.usage, held_by_report(day.usage, report_rows(day)), prices)
        reported = _reported(report_rows(day))
    else:
        listed, reported = _listed(day.usage, held_by_either(day), prices), _told(day.analytics)
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
    days: dict[date, PricedDay] = {}
    known = known or {}
    for candidates in _candidates(store, organization, now):
        waiting = candidates
        while waiting and len(days) < MOST_DAYS:
            room = MOST_DAYS - len(days)
            few, waiting = waiting[:room], waiting[room:]
            days |= {day: known[day] for day in few if day in known}
            for day in read_days(store, organization, [day for day in few if day not in known]):
                if teaches(day, now):
                    days[day.usage.day] = priced_day(day, prices, now)
        if len(days) >= MOST_DAYS:
            break
    return learn(days.values())


def models_used(store: LedgerStore, organization: str, days: Collection[date]) -> frozenset[str]:
    """The models of the usage on these days."""
    models: set[str] = set()
    for day in read_days(store, organization, days):
        traffics = day.usage.table.traffics
        models |= {traffics[index].model for index in occurring(day.usage.table.traffic_of[day.usage.series])}
    return frozenset(models)


def _by_report(day: Day, now: datetime) -> bool:
    """Whether the day's report is settled and holds something."""
    return bool(report_rows(day)) and standing_of(day.usage.day, day.cost, used=True, now=now) == "settled"


def _candidates(store: LedgerStore, organization: str, now: datetime) -> Iterator[list[date]]:
    """The days that teach by what is known without reading their usage, newest first, a few at a time."""
    for days in _backwards(now.astimezone(UTC).date()):
        costs, states = read_costs(store, organization, days), read_states(store, organization, days)

        def may_teach(day: date, costs: Costs = costs, states: States = states) -> bool:
            report = costs.get(day)
            if report is not None and report.rows and standing_of(day, report, used=True, now=now) == "settled":
                return True
            return day in states and told_of(day, states[day], ()).whole

        yield [day for day in days if may_teach(day)]


def _backwards(today: date) -> Iterator[list[date]]:
    """The days before today, newest first, a few at a time."""
    days = [today - back * DAY for back in range(1, VIEW_DAYS + 1)]
    return (days[begin : begin + _AT_ONCE] for begin in range(0, len(days), _AT_ONCE))


def _listed(usage: DayUsage, inside: BoolArray, prices: PriceBook) -> dict[tuple[str, int], tuple[Nano, bool]]:
    """Nano-dollars at list price by model and kind, of the usage `inside`, and whether stood in for."""
    traffics = usage.table.traffics
    counts = totals(usage.table.traffic_of[usage.series[inside]], usage.counts[inside], len(traffics))
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
    for (named, kind), amount in amounts_by_model(rows).items():
        model = ANY_MODEL if kind == WEB_SEARCH else named
        if model is not None and (kind < TOKENS or kind == WEB_SEARCH):
            reported[model, kind] = reported.get((model, kind), 0) + amount
    return reported


def _told(analytics: DayAnalytics) -> dict[tuple[str, int], Nano]:
    """The same of the provider's hourly amounts."""
    models = [traffic.model for traffic in analytics.table.traffics]
    kinds = analytics.amounts[:, : len(KINDS)]
    sums = totals(analytics.table.traffic_of[analytics.series], kinds, len(models))
    told: dict[tuple[str, int], Nano] = {}
    for index, kind in np.argwhere(sums).tolist():
        key = (ANY_MODEL if kind == WEB_SEARCH else models[index], kind)
        told[key] = told.get(key, 0) + int(sums[index, kind])
    return told
