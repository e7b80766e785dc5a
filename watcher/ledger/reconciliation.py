"""Tokens times price beside the bill: by day, workspace and model, and what of each is no drift. Pure.

The estimate is what the price book says by now, so a day is compared with what its tokens would be estimated at today.
Usage is added up before it is priced: a day is read once, and priced anew whenever the book learns something.

The cost report is the bill. Where it is not final and analytics settled all of a day, those are. Web searches are
billed without a model, so they are a cell of their own in each workspace; a workspace whose report names no models at
all is one cell.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import numpy as np

from rules.model import DEFAULT_WORKSPACE, UNATTRIBUTED, Nano
from rules.reconciled import ALL_MODELS, WEB_SEARCHES, Cell, DayStanding, PriceSource, ReconciledDay, Sort
from watcher.admin_api.answers import CostRow
from watcher.ledger.days import DAY, Day, DayAnalytics, DayUsage
from watcher.ledger.grids import HOURS
from watcher.ledger.held import held_by_either, held_by_report, report_rows, should_report
from watcher.ledger.reading import IntArray
from watcher.ledger.report_lines import amounts_by_cell, is_undescribed, is_unmetered, kind_of
from watcher.ledger.settlement import what_was_told
from watcher.ledger.standing import standing_of
from watcher.pricing import KINDS, Learned, PriceBook, Rates, Traffic
from watcher.pricing.rates import WEB_SEARCH

LOOK_BACK = 30
"""Days before the present one whose totals a running ledger keeps."""
KEPT = 14
"""Of them, so many of the latest settled days are compared."""

_PICO_PER_NANO = 1000
_LEAST_SURE_FIRST: tuple[PriceSource, ...] = ("unpriced", "list", "learned", "override")

Place = tuple[str, str]
"""A workspace and a model."""


@dataclass(frozen=True, slots=True)
class Used:
    """One workspace's traffic of one kind on a day: counts in the order of `KINDS`.

    `inside` says whether the cost report can hold it.
    """

    workspace: str
    traffic: Traffic
    counts: tuple[int, ...]
    inside: bool


@dataclass(frozen=True, slots=True)
class DayTotals:
    """One day over all keys and hours. `reported` and `analytics` are None where the day was not told."""

    day: date
    standing: DayStanding
    used: tuple[Used, ...]
    reported: Mapping[Place, Nano] | None
    unmetered: Mapping[Place, Nano]
    whole: frozenset[str]
    """The workspaces of whose report some amount names no model and no kind."""
    analytics: Mapping[Place, Nano] | None = None
    """Only of a day of which every hour was told; amounts without a model are under `UNATTRIBUTED`."""


def day_totals(day: Day, now: datetime) -> DayTotals:
    """Add up one day. Analytics that settled all of its hours are the bill where the report is not final."""
    usage, rows = day.usage, report_rows(day)
    told = what_was_told(day)
    inside = held_by_report(usage, rows)
    standing = standing_of(usage.day, day.cost, used=should_report(day), now=now)
    by_analytics = standing not in {"settled", "open"} and told is not None and told.whole
    if by_analytics:
        inside, standing, rows = held_by_either(day), "settled", ()
    held, beyond = np.flatnonzero(inside), np.flatnonzero(~inside)
    used = (*_used(usage, held, inside=True), *_used(usage, beyond, inside=False))
    reported: dict[Place, Nano] = {}
    unmetered: dict[Place, Nano] = {}
    amounts = amounts_by_cell(rows)
    for line, amount in amounts:
        into = unmetered if is_unmetered(line) else reported
        place = _place(line)
        into[place] = into.get(place, 0) + amount
    whole = frozenset(_workspace(line) for line, _ in amounts if is_undescribed(line))
    has_report = standing in {"settled", "provisional"} and not by_analytics
    known = day.analytics is not None and told is not None and len(told.hours) == HOURS
    hourly = _analytics(day.analytics) if known and day.analytics is not None else None
    return DayTotals(usage.day, standing, used, reported if has_report else None, unmetered, whole, hourly)


def reconcile_day(totals: DayTotals, book: PriceBook) -> ReconciledDay:
    """Price a day's usage, and lay the bill beside it. Cells come in the order of their workspaces and models."""
    priced: dict[tuple[Place, bool], _Priced] = {}
    for used in totals.used:
        for place, kinds in _places_of(used, totals.whole):
            into = priced.setdefault((place, used.inside), _Priced())
            into.add(used.counts, book.rates(used.traffic, totals.day), kinds)
            into.add_listed(used.counts, book.published(used.traffic, totals.day), kinds)
    reported = None if totals.reported is None else _merged(totals.reported, totals.whole)
    hourly = None if totals.analytics is None else dict(totals.analytics)
    metered = None if hourly is None else {place: hourly[place] for place in hourly if place[1] != UNATTRIBUTED}
    analytics = None if metered is None else _merged(metered, totals.whole)
    places = {place for place, inside in priced if inside} | set(reported or ()) | set(analytics or ())
    cells = [_cell(place, priced.get((place, True)), reported, analytics) for place in places]
    cells += [found.cell(*place, "outside") for (place, inside), found in priced.items() if not inside]
    cells += _unmetered(totals)
    return ReconciledDay(totals.day, totals.standing, tuple(sorted(cells, key=_in_order)))


class Reconciliation:
    """The latest settled days of a running ledger, each compared once, and again when it or the book changed."""

    def __init__(self) -> None:
        self._totals: dict[date, DayTotals] = {}
        self._compared: dict[date, ReconciledDay] = {}
        self._learned: Learned | None = None

    def take(self, day: Day, now: datetime) -> None:
        """Note what is known of a day, in place of what was."""
        which = day.usage.day
        self._totals.pop(which, None)
        self._compared.pop(which, None)
        if now.astimezone(UTC).date() - which <= LOOK_BACK * DAY:
            totals = day_totals(day, now)
            if totals.standing == "settled":
                self._totals[which] = totals

    def keep(self, days: Collection[date]) -> None:
        """Forget every other day."""
        if not self._totals.keys() <= set(days):
            self._totals = {day: totals for day, totals in self._totals.items() if day in days}
            self._compared = {day: found for day, found in self._compared.items() if day in days}

    def days(self, book: PriceBook) -> tuple[ReconciledDay, ...]:
        """The latest `KEPT` settled days in order, compared with what this book says."""
        if book.learned != self._learned:
            self._learned, self._compared = book.learned, {}
        latest = sorted(self._totals)[-KEPT:]
        for day in latest:
            if day not in self._compared:
                self._compared[day] = reconcile_day(self._totals[day], book)
        return tuple(self._compared[day] for day in latest)


@dataclass(slots=True)
class _Priced:
    """Pico-dollars of one cell as its usage comes together."""

    pico: int = 0
    listed: int | None = 0
    sources: set[PriceSource] = field(default_factory=set)

    def add(self, counts: Sequence[int], rates: Rates, kinds: Iterable[int]) -> None:
        for kind in kinds:
            if counts[kind]:
                quote = rates.quotes[kind]
                self.pico += counts[kind] * quote.pico
                self.sources.add(quote.source)

    def add_listed(self, counts: Sequence[int], published: Rates, kinds: Iterable[int]) -> None:
        for kind in kinds:
            if counts[kind]:
                known = self.listed is not None and published.quotes[kind].source == "list"
                self.listed = (self.listed or 0) + counts[kind] * published.quotes[kind].pico if known else None

    def cell(
        self, workspace: str, model: str, sort: Sort, reported: Nano | None = None, analytics: Nano | None = None
    ) -> Cell:
        source = next((each for each in _LEAST_SURE_FIRST if each in self.sources), None)
        listed = None if self.listed is None else _nano(self.listed)
        return Cell(workspace, model, sort, _nano(self.pico), listed, reported, analytics, source)


def _cell(
    place: Place, used: _Priced | None, reported: Mapping[Place, Nano] | None, analytics: Mapping[Place, Nano] | None
) -> Cell:
    amount = None if reported is None else reported.get(place, 0)
    hourly = None if analytics is None else analytics.get(place, 0)
    if used is None:
        return Cell(*place, "no_usage", reported=amount, analytics=hourly)
    billed = amount if amount is not None else hourly
    sort: Sort = "compared"
    if billed is None:
        sort = "not_yet"
    elif billed <= 0:
        sort = "not_billed"
    elif "unpriced" in used.sources:
        sort = "stand_in"
    return used.cell(*place, sort, amount, hourly)


def _unmetered(totals: DayTotals) -> Iterator[Cell]:
    """What no usage report shows: in the cost report, and in the analytics what names no model."""
    hourly = totals.analytics or {}
    reported = totals.unmetered
    for place in {*reported, *(place for place in hourly if place[1] == UNATTRIBUTED)}:
        analytics = None if totals.analytics is None else hourly.get(place, 0) if place[1] == UNATTRIBUTED else 0
        amount = None if totals.reported is None else reported.get(place, 0)
        yield Cell(*place, "not_metered", reported=amount, analytics=analytics)


def _analytics(analytics: DayAnalytics) -> dict[Place, Nano]:
    """The provider's hourly amounts, added up by workspace and model, web searches apart."""
    sums = np.zeros((len(analytics.table.keys), analytics.amounts.shape[1]), dtype=np.int64)
    np.add.at(sums, analytics.series, analytics.amounts)
    found: dict[Place, Nano] = {}
    for index in np.flatnonzero(sums.any(axis=1)).tolist():
        key, amounts = analytics.table.keys[index], sums[index].tolist()
        searches = amounts.pop(WEB_SEARCH)
        for model, amount in ((key.model, sum(amounts)), (WEB_SEARCHES, searches)):
            if amount:
                place = (key.workspace, model)
                found[place] = found.get(place, 0) + amount
    return found


def _used(usage: DayUsage, members: IntArray, *, inside: bool) -> Iterator[Used]:
    """The counts of those rows, added up by workspace and traffic."""
    table = usage.table
    series = usage.series[members]
    names = table.values("workspace")
    code = table.codes["workspace"][series] * len(table.traffics) + table.traffic_of[series]
    codes, place = np.unique(code, return_inverse=True)
    counts = np.zeros((len(codes), len(KINDS)), dtype=np.int64)
    np.add.at(counts, place, usage.counts[members])
    for number, row in zip(codes.tolist(), counts.tolist(), strict=True):
        if any(row):
            workspace, traffic = divmod(number, len(table.traffics))
            yield Used(names[workspace], table.traffics[traffic], tuple(row), inside)


def _places_of(used: Used, whole: Collection[str]) -> Iterator[tuple[Place, Sequence[int]]]:
    """The cells that the counts belong to, with the kinds that each takes."""
    if used.workspace in whole:
        yield (used.workspace, ALL_MODELS), range(len(KINDS))
        return
    if any(used.counts[:WEB_SEARCH]):
        yield (used.workspace, used.traffic.model), range(WEB_SEARCH)
    if used.counts[WEB_SEARCH]:
        yield (used.workspace, WEB_SEARCHES), (WEB_SEARCH,)


def _merged(amounts: Mapping[Place, Nano], whole: Collection[str]) -> dict[Place, Nano]:
    """The amounts, with those of a workspace whose report is not broken down as one."""
    merged: dict[Place, Nano] = {}
    for (workspace, model), amount in amounts.items():
        place = (workspace, ALL_MODELS if workspace in whole else model)
        merged[place] = merged.get(place, 0) + amount
    return merged


def _place(row: CostRow) -> Place:
    if kind_of(row) == WEB_SEARCH:
        return _workspace(row), WEB_SEARCHES
    return _workspace(row), row.model or UNATTRIBUTED


def _workspace(row: CostRow) -> str:
    return DEFAULT_WORKSPACE if row.workspace_id is None else row.workspace_id


def _nano(pico: int) -> Nano:
    return (2 * pico + _PICO_PER_NANO) // (2 * _PICO_PER_NANO)


def _in_order(cell: Cell) -> tuple[str, str, str]:
    return cell.workspace, cell.model, cell.sort
