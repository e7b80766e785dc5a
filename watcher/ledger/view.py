"""The working view: spend by leaf and hour over the last weeks, kept up to date by what a poll changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np

from rules.measures import Measure
from rules.model import HOUR, SpendView
from rules.reconciled import ReconciledDay
from rules.sources import usage_source
from watcher.ledger.counts import Counts
from watcher.ledger.cube import Cube
from watcher.ledger.days import DAY, VIEW_DAYS, midnight, read_costs, read_days, read_states
from watcher.ledger.earlier import Earlier
from watcher.ledger.kept import Keeping
from watcher.ledger.lessons import Lessons
from watcher.ledger.month import MonthTokens, UsedTokens
from watcher.ledger.reading import BucketState, LedgerStore
from watcher.ledger.reconciliation import Reconciliation
from watcher.ledger.standing import standing_of, told_of
from watcher.ledger.used import UsedDays, UsedItems
from watcher.pricing import BookState, PriceBook, plain
from watcher.pricing.learned import MOST_DAYS

_LEARNED_FROM = (MOST_DAYS + 4) * DAY


class Ledger:
    """One organization's spend as a `SpendView`, recomputed only where something changed.

    Not thread-safe: it belongs to the cycle.
    """

    def __init__(self, store: LedgerStore, prices: PriceBook, organization: str) -> None:
        self._store = store
        self._prices = prices
        self._organization = organization
        self._cube: Cube | None = None
        self._lessons = Lessons(prices)
        self._reconciliation = Reconciliation()
        self._counts = Counts(store, organization)
        self._keeping = Keeping(store, organization)
        self._earlier = Earlier(store, organization)
        self._used = UsedDays(store, organization)
        self._month = MonthTokens()

    @property
    def reconciled(self) -> tuple[ReconciledDay, ...]:
        """The latest settled days as of the last refresh: what the book says of them beside what was billed."""
        return self._reconciliation.days(self._lessons.book)

    @property
    def book(self) -> BookState:
        """The price book as of the last refresh: what it was taught, the models in the view, those without a price."""
        models = frozenset() if self._cube is None else frozenset(leaf.model for leaf in self._cube.leaves)
        unpriced = frozenset() if self._cube is None else self._cube.without_price
        listed = frozenset() if self._cube is None else self._listed(models, self._cube.days[-1])
        return BookState(self._lessons.learned, models, unpriced, listed)

    def refresh(
        self,
        now: datetime,
        changed_hours: Collection[datetime] | None = None,
        changed_days: Collection[date] | None = None,
        watermark: datetime | None = None,
        *,
        begins: Collection[datetime] = (),
    ) -> SpendView:
        """The view at `now`: `VIEW_DAYS` whole days and the present one, up to and with the open hour.

        `changed_hours` and `changed_days` are what the store's usage, analytics and cost changed since the last call;
        None for both means that it is not known, and everything is computed again. Days that a further reading or the
        passing of time may have settled are looked at in any case. `watermark` is up to where usage is complete; None
        takes it from the state of the source that usage comes from. `begins` are moments that some period begins at:
        the earlier part of the view reaches back to the first of them. An earlier view stays as it was. After a call
        that raised (StoreError), the next one computes everything again, since what had changed may be known to nobody
        any more.
        """
        today = now.astimezone(UTC).date()
        earlier, self._cube = self._cube, None
        cube = Cube(today, VIEW_DAYS + 1, earlier)
        unknown = changed_hours is None and changed_days is None
        if earlier is None or unknown:
            touched = set(cube.days)
            self._earlier = Earlier(self._store, self._organization)
        else:
            touched = {hour.astimezone(UTC).date() for hour in changed_hours or ()} | set(changed_days or ())
            touched |= self._restless(cube, now)
        if earlier is None:
            self._lessons, self._reconciliation = Lessons(self._prices), Reconciliation()
            self._keeping = Keeping(self._store, self._organization)
        self._lessons.keep(cube.standing.keys())
        self._reconciliation.keep(cube.standing.keys())
        # The latest days first, as a rule those that are learned from: older ones are then settled but once.
        for days in _latest_first(touched & set(cube.days), today - _LEARNED_FROM):
            self._take(cube, days, now)
        self._take(cube, self._lessons.outdated(), now)
        start = midnight(cube.days[0])
        before = self._earlier.spend(start, begins, touched, self._lessons, self._keeping, now)
        self._cube = cube
        self._counts.touch(touched)
        self._used.touch(touched)
        return replace(self._view(cube, now, watermark), earlier=before, used=UsedItems(self._used, self._lessons.book))

    def count(self, view: SpendView, measures: Collection[Measure]) -> Mapping[Measure, SpendView]:
        """Tokens in the form of the view that was refreshed last; nothing costs anything that is not asked for."""
        return self._counts.views(view, measures)

    def tokens(self, today: date) -> UsedTokens:
        """The tokens of the month of `today`, the day of the last refresh."""
        return self._month.sums(today)

    def _listed(self, models: Collection[str], day: date) -> frozenset[str]:
        """The models that a list price is known for on that day."""
        return frozenset(model for model in models if self._prices.published(plain(model), day).source == "list")

    def keep(self) -> None:
        """Keep what the last refreshes came to of days long over, so that a report need not add them up again.

        For the one process that writes. Raises StoreError.
        """
        self._keeping.write()

    def _take(self, cube: Cube, days: Collection[date], now: datetime) -> None:
        self._keeping.look(days, now)
        month = now.astimezone(UTC).date().replace(day=1)
        for day in read_days(self._store, self._organization, days):
            if day.usage.day >= month:
                self._month.put(day.usage)
            spend = self._lessons.take(day, now)
            cube.put(spend)
            which = spend.day
            self._keeping.take(day, spend, self._lessons.of(which), self._lessons.prices_of(which))
            self._reconciliation.take(day, now)

    def _restless(self, cube: Cube, now: datetime) -> set[date]:
        """The days that stand otherwise than they were computed with, the open day, and days not computed yet.

        A reading that says the same changes nothing in the store, and may settle what it is about.
        """
        waiting = [day for day, standing in cube.standing.items() if standing in {"estimated", "provisional"}]
        costs = read_costs(self._store, self._organization, waiting)
        return (
            {day for day in cube.days if cube.standing.get(day, "open") == "open"}
            | {
                day
                for day in waiting
                if standing_of(day, costs.get(day), used=day in cube.used, now=now) != cube.standing[day]
            }
            | self._told_more(cube)
        )

    def _told_more(self, cube: Cube) -> set[date]:
        """The days of which analytics has told or settled more hours by now; one settled throughout stays so."""
        partly = {day: told for day, told in cube.told.items() if not told.whole}
        states = read_states(self._store, self._organization, partly)
        return {day for day, told in partly.items() if told_of(day, states.get(day, {}), told.used) != told}

    def _view(self, cube: Cube, now: datetime, watermark: datetime | None) -> SpendView:
        start = midnight(cube.days[0])
        hours = (now - start) // HOUR + 1
        if watermark is None:
            usage = usage_source(self._store.sources.all(self._organization))
            watermark = None if usage is None else usage.watermark
        observed = self._store.usage.observed(self._organization, start, start + hours * HOUR)
        complete_until = start if watermark is None else max(watermark, start)
        known = np.zeros(hours, dtype=bool)
        known[[(hour - start) // HOUR for hour in observed]] = True
        cost, settled = cube.arrays(hours)
        known.flags.writeable = False
        return SpendView(
            organization=self._organization,
            start=start,
            leaves=cube.leaves,
            cost=cost,
            settled=settled,
            known=known,
            complete_until=complete_until,
            observed_until=max(newest_reading(observed) or complete_until, complete_until),
            unpriced=cube.without_price,
        )


def _latest_first(days: Collection[date], since: date) -> tuple[set[date], set[date]]:
    latest = {day for day in days if day >= since}
    return latest, set(days) - latest


def newest_reading(observed: Mapping[datetime, BucketState]) -> datetime | None:
    """When the newest of these hours was read; None where none was."""
    return max((state.observed_at for state in observed.values()), default=None)
