"""The spend report: money and tokens by any dimensions, of all or a part of the spend, over any window.

The window holds the hours whose start lies in [start, end): with `end` = now the open hour is in it. Unattributed cost
is in the hours that `watcher.ledger.settlement` puts it in. Nothing is left out and nothing is merged: Console use, the
default workspace and unattributed cost have rows of their own wherever their dimension is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from rules.model import HOUR, Dimension, Names, Nano
from rules.selectors import Condition
from watcher.ledger.account import Account, Bucket, Question, SpendRow
from watcher.ledger.days import DAY, Day, days_of, earliest, read_days
from watcher.ledger.kept import KeptDays
from watcher.ledger.learning import learn_from, priced_day, teaches
from watcher.ledger.reading import LedgerStore
from watcher.ledger.settlement import DaySpend, rests_on_prices, settle_day
from watcher.ledger.trend import Trend, trend_of
from watcher.ledger.view import newest_reading
from watcher.pricing import PriceBook, PricedDay
from watcher.pricing.learned import MOST_DAYS

_LOOK_BACK = timedelta(days=3)
_LEARNED_FROM = (MOST_DAYS + 4) * DAY
_MANY = 100
"""Days whose kept sums are in memory at a time."""
_FEW = 8
"""Days that may wait in memory for the price book to learn."""


@dataclass(frozen=True, slots=True)
class Previous:
    """The window of as many hours just before: [start, end), and what it cost.

    `cost` is None, and so is `previous` of every row, where usage is not stored from its beginning on. `ended` is the
    part of the cost of those combinations that have no row in the report, since they used nothing in its window.
    """

    start: datetime
    end: datetime
    cost: Nano | None
    ended: Nano = 0


@dataclass(frozen=True, slots=True)
class SpendReport:
    """The rows, dearest first (within a bucket, buckets in order), and their sum."""

    start: datetime
    end: datetime
    by: tuple[Dimension, ...]
    bucket: Bucket
    data_as_of: datetime | None
    """When the newest usage was read; None if none ever was."""
    rows: tuple[SpendRow, ...]
    total: SpendRow
    names: Names
    unpriced: frozenset[str]
    """Models whose estimated or provisional figures rest on a stand-in price: too high rather than too low."""
    previous: Previous | None = None
    """None where it was not asked for, or the window holds no hour yet."""
    where: tuple[Condition, ...] = ()
    """What part of the spend it is of."""
    trend: Trend | None = None
    """The bars of each row's trend; None where they were not asked for, or the window is too short."""


def spend_report(  # noqa: PLR0913, PLR0917 - the question whole, in the order in which it is asked
    store: LedgerStore,
    prices: PriceBook,
    organization: str,
    by: Sequence[Dimension],
    start: datetime,
    end: datetime,
    bucket: Bucket,
    now: datetime,
    *,
    where: Sequence[Condition] = (),
    compare: bool = False,
) -> SpendReport:
    """Money and tokens of the hours whose start lies in [start, end), by the dimensions in `by`.

    `where` takes a part of the spend (`rules.selectors.among`): the total and the window before are then those of it.

    `now` decides what is open and what may be settled; hours after the present one are never in the report. `prices` is
    taught what the organization's settled days say at `now` before anything is estimated with it, and stays as it was.
    `compare` also reads the window before and the trend; a report by day or hour has neither.
    """
    first, until = _hour_at_or_after(start), min(_hour_at_or_after(end), _hour_of(now) + HOUR)
    question = Question(tuple(dict.fromkeys(by)), tuple(where))
    names = store.directory.names(organization)
    compare = compare and bucket == "total" and first < until
    trend = trend_of(first, until) if compare else None
    account = Account(question, names, bucket, first, until, trend)
    before = _before(store, organization, question, names, first, until) if compare else None
    accounts = [account] if before is None else [before, account]
    from_hour = first if before is None else before.first
    days = list(days_of(max(from_hour, earliest(store, organization, until)), until))
    kept = _kept(store, organization, days, now)
    waiting = _Waiting(store, prices, organization, now, kept.lessons)
    summed = _add_kept(accounts, kept, days, waiting)
    for day in read_days(store, organization, [day for day in days if day not in summed]):
        for settled, spend in waiting.put(day):
            _add(accounts, settled, spend)
    for settled, spend in waiting.release():
        _add(accounts, settled, spend)
    observed = store.usage.observed(organization, now - _LOOK_BACK, now + HOUR)
    if not observed:
        observed = store.usage.observed(organization, first, until)
    report = SpendReport(
        start=start,
        end=end,
        by=question.by,
        where=question.where,
        bucket=bucket,
        data_as_of=newest_reading(observed),
        rows=tuple(account.rows()),
        total=account.whole.total(),
        names=names,
        unpriced=frozenset(account.unpriced),
        trend=trend,
    )
    return _compared(report, before, first, until) if compare else report


def settled_days(
    store: LedgerStore, prices: PriceBook, organization: str, days: Iterable[date], now: datetime
) -> Iterator[tuple[Day, DaySpend]]:
    """The days with what each was settled or estimated at, read a few at a time; not always in order.

    `prices` is taught what the settled days say at `now` before anything is estimated with it, and stays as it was.
    """
    waiting = _Waiting(store, prices, organization, now, {})
    for day in read_days(store, organization, days):
        yield from waiting.put(day)
    yield from waiting.release()


def _before(
    store: LedgerStore, organization: str, question: Question, names: Names, first: datetime, until: datetime
) -> Account | None:
    """An account of as many hours before; None where usage is not stored from their beginning on."""
    span = store.usage.span(organization)
    # Year 1 has nothing before it.
    reaches = span is not None and first - span[0] >= until - first
    return Account(question, names, "total", first - (until - first), first) if reaches else None


def _kept(store: LedgerStore, organization: str, days: Sequence[date], now: datetime) -> KeptDays:
    """What is kept of these days, and of the latest ones that the price book may learn from."""
    yesterday = now.astimezone(UTC).date() - DAY
    return KeptDays(store, organization, min([*days, yesterday - _LEARNED_FROM]), yesterday, now)


def _add_kept(accounts: Sequence[Account], kept: KeptDays, days: Sequence[date], waiting: _Waiting) -> set[date]:
    """Add the days of which nothing but the kept sums is needed; returns them."""
    whole = [day for day in days if all(account.takes_whole(day) for account in accounts)]
    prices = waiting.book().digest if kept.rest_on_prices(whole) else b""
    added: set[date] = set()
    for begin in range(0, len(whole), _MANY):
        sums = kept.read(whole[begin : begin + _MANY], prices)
        for account in accounts:
            account.add_sums(kept, sums)
        added |= sums.days.keys()
    return added


def _add(accounts: Sequence[Account], day: Day, spend: DaySpend) -> None:
    for account in accounts:
        account.add(day, spend)


def _compared(report: SpendReport, before: Account | None, first: datetime, until: datetime) -> SpendReport:
    """The report with what each row, and the whole, cost before."""
    if before is None:
        length = min(until - first, first - datetime.min.replace(tzinfo=UTC))
        return replace(report, previous=Previous(first - length, first, None))
    costs = {row.parts: row.cost for row in before.rows()}
    rows = tuple(replace(row, previous=costs.pop(row.parts, 0)) for row in report.rows)
    cost = before.whole.total().cost
    return replace(
        report,
        rows=rows,
        total=replace(report.total, previous=cost),
        previous=Previous(before.first, first, cost, sum(costs.values())),
    )


class _Waiting:
    """Settles the days of a report, those that rest on prices once it is known what the settled ones taught.

    The settled days of the window are learned from as they come by, so that few have to be read for that alone; when
    more than a few days wait, all that is missing is read at once.
    """

    def __init__(
        self,
        store: LedgerStore,
        prices: PriceBook,
        organization: str,
        now: datetime,
        known: Mapping[date, PricedDay],
    ) -> None:
        """`known` is what some days are known to teach."""
        self._store, self._prices, self._organization, self._now = store, prices, organization, now
        self._known = dict(known)
        self._days: list[Day] = []
        self._book: PriceBook | None = None

    def book(self) -> PriceBook:
        """The price book with what the settled days teach."""
        if self._book is None:
            learned = learn_from(self._store, self._prices, self._organization, self._now, self._known)
            self._book = self._prices.taught(learned)
        return self._book

    def put(self, day: Day) -> Iterator[tuple[Day, DaySpend]]:
        """Take a day, and give back those that can be settled by now."""
        now = self._now
        if self._book is None and teaches(day, now):
            self._known[day.usage.day] = priced_day(day, self._prices, now)
        if self._book is None and rests_on_prices(day, now):
            self._days.append(day)
            if len(self._days) > _FEW:
                yield from self.release()
        else:
            yield day, settle_day(day, self._book or self._prices, now)

    def release(self) -> Iterator[tuple[Day, DaySpend]]:
        """The days that waited, settled."""
        while self._days:
            day = self._days.pop(0)
            yield day, settle_day(day, self.book(), self._now)


def _hour_of(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _hour_at_or_after(moment: datetime) -> datetime:
    whole = _hour_of(moment)
    return whole if whole == moment else whole + HOUR
