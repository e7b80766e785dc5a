"""What `watcher spend --reconcile` answers: settled days' estimates beside their bills, and what is left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, TypeAlias

from rules.model import Names, Nano
from rules.money import NANO_PER_CENT
from rules.reconciled import Cell, DayStanding, PriceSource, ReconciledDay, Sort
from watcher.ledger.days import days_of, earliest, midnight, read_days
from watcher.ledger.learning import learn_from
from watcher.ledger.reading import LedgerStore
from watcher.ledger.reconciliation import day_totals, reconcile_day
from watcher.pricing import PriceBook

Slices: TypeAlias = Literal["total", "day"]

_LEAST_SURE_FIRST: tuple[PriceSource, ...] = ("unpriced", "list", "learned", "override")


@dataclass(frozen=True, slots=True)
class Reconciled:
    """One workspace and model: over all settled days of the window, or on one day with its `standing`.

    Amounts are nano-dollars, as in `Cell`. `billed` adds up the bills of the days, whoever told them; `listed`,
    `reported` and `analytics` are None where they are not known of every day.
    """

    start: date | None
    standing: DayStanding | None
    workspace: str | None
    model: str | None
    sort: Sort
    estimated: Nano
    billed: Nano
    listed: Nano | None
    reported: Nano | None
    analytics: Nano | None
    source: PriceSource | None
    days: int

    @property
    def drift(self) -> Nano:
        """The bill minus the estimate."""
        return self.billed - self.estimated

    @property
    def drift_percent(self) -> float | None:
        """The drift in percent of the estimate, to a hundredth; None where nothing was estimated."""
        return round(100 * self.drift / self.estimated, 2) + 0.0 if self.estimated else None


@dataclass(frozen=True, slots=True)
class ReconciliationReport:
    """The rows, the largest drift first (days in order); `left_out` are those that cannot drift, the dearest first.

    `total` is the sum of the rows of settled days; None where there are none. `days` are the days of the window since
    something is known at all, with their standing.
    """

    start: datetime
    end: datetime
    bucket: Slices
    days: tuple[tuple[date, DayStanding], ...]
    rows: tuple[Reconciled, ...]
    left_out: tuple[Reconciled, ...]
    total: Reconciled | None
    names: Names


def reconciliation_report(  # noqa: PLR0917 - the question whole, in the order in which it is asked
    store: LedgerStore,
    prices: PriceBook,
    organization: str,
    start: datetime,
    end: datetime,
    bucket: Slices,
    now: datetime,
) -> ReconciliationReport:
    """Reconcile the UTC days that begin in [start, end), up to the present one.

    `prices` is taught what the settled days say at `now`, and stays as it was. Over the whole window only settled days
    count; by day, days whose bill is not final are rows too, and no part of the total.
    """
    until = min(end, now)
    first = max(start, earliest(store, organization, until))
    wanted = [day for day in days_of(first, until) if midnight(day) >= start]
    totals = [day_totals(day, now) for day in read_days(store, organization, wanted)]
    book = prices.taught(learn_from(store, prices, organization, now)) if totals else prices
    days = [reconcile_day(each, book) for each in totals]
    shown = [day for day in days if day.standing == "settled" or (bucket == "day" and day.standing == "provisional")]
    rows = _rows(shown, bucket)
    compared = [row for row in rows if row.sort == "compared"]
    settled = [cell for day in days if day.standing == "settled" for cell in day.cells if cell.sort == "compared"]
    return ReconciliationReport(
        start,
        end,
        bucket,
        tuple((day.day, day.standing) for day in days),
        tuple(sorted(compared, key=_by_drift)),
        tuple(sorted((row for row in rows if row.sort != "compared"), key=_by_amount)),
        _sum(settled).row(None, None, None, None, "compared") if settled else None,
        store.directory.names(organization),
    )


@dataclass(slots=True)
class _Sum:
    """The amounts of some cells."""

    cells: int = 0
    estimated: Nano = 0
    billed: Nano = 0
    listed: Nano | None = 0
    reported: Nano | None = 0
    analytics: Nano | None = 0
    sources: set[PriceSource] = field(default_factory=set)

    def add(self, cell: Cell) -> None:
        self.cells += 1
        self.estimated += cell.estimated
        self.billed += cell.billed
        self.listed = _plus(self.listed, cell.listed)
        self.reported = _plus(self.reported, cell.reported)
        self.analytics = _plus(self.analytics, cell.analytics)
        self.sources |= set() if cell.source is None else {cell.source}

    def row(
        self, start: date | None, standing: DayStanding | None, workspace: str | None, model: str | None, sort: Sort
    ) -> Reconciled:
        source = next((each for each in _LEAST_SURE_FIRST if each in self.sources), None)
        amounts = (self.estimated, self.billed, self.listed, self.reported, self.analytics)
        return Reconciled(start, standing, workspace, model, sort, *amounts, source, self.cells)


def _sum(cells: Iterable[Cell]) -> _Sum:
    total = _Sum()
    for cell in cells:
        total.add(cell)
    return total


def _rows(days: Sequence[ReconciledDay], bucket: Slices) -> list[Reconciled]:
    sums: dict[tuple[date | None, DayStanding | None, str, str, Sort], _Sum] = {}
    for day in days:
        slot = (day.day, day.standing) if bucket == "day" else (None, None)
        for cell in day.cells:
            sums.setdefault((*slot, cell.workspace, cell.model, cell.sort), _Sum()).add(cell)
    return [found.row(*key) for key, found in sums.items()]


def _plus(total: Nano | None, amount: Nano | None) -> Nano | None:
    return None if total is None or amount is None else total + amount


def _by_drift(row: Reconciled) -> tuple[object, ...]:
    cents = round(abs(row.drift) / NANO_PER_CENT)
    return row.start or date.min, -cents, -row.billed, row.workspace or "", row.model or ""


def _by_amount(row: Reconciled) -> tuple[object, ...]:
    return row.start or date.min, row.sort, -max(row.estimated, row.billed), row.workspace or "", row.model or ""
