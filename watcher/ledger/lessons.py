"""The price book of a running ledger: taught by each settled day once, and who relied on which teaching."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from watcher.ledger.days import Day
from watcher.ledger.learning import priced_day, teaches
from watcher.ledger.settlement import DaySpend, rests_on_prices, settle_day
from watcher.pricing import Learned, PriceBook, PricedDay, learn


class Lessons:
    """Settles days with what the settled ones among them teach."""

    def __init__(self, prices: PriceBook) -> None:
        self._book = prices
        self._known: dict[date, PricedDay] = {}
        self._relied_on: dict[date, Learned] = {}
        self._learned: Learned | None = None

    @property
    def learned(self) -> Learned:
        """What the days taken so far teach."""
        if self._learned is None:
            self._learned = learn(self._known.values())
            self._book = self._book.taught(self._learned)
        return self._learned

    @property
    def book(self) -> PriceBook:
        """The price book with what the days taken so far teach."""
        self._book = self._book.taught(self.learned)
        return self._book

    def take(self, day: Day, now: datetime) -> DaySpend:
        """Learn from a day what it teaches, and settle it."""
        which = day.usage.day
        before = self._known.pop(which, None)
        if teaches(day, now):
            self._known[which] = priced_day(day, self._book, now)
        if self._known.get(which) != before:
            self._learned = None
        self._relied_on.pop(which, None)
        if rests_on_prices(day, now):
            self._relied_on[which] = self.learned
        return settle_day(day, self._book, now)

    def settle(self, day: Day, now: datetime) -> DaySpend:
        """Settle a day by the same book, without taking it: nothing is learned from it."""
        return settle_day(day, self.book, now)

    def prices_for(self, day: Day, now: datetime) -> bytes:
        """The digest of the prices that such a day rests on; b"" where it rests on none."""
        return self.book.digest if rests_on_prices(day, now) else b""

    def of(self, day: date) -> PricedDay | None:
        """What a day that was taken teaches; None where it teaches nothing."""
        return self._known.get(day)

    def prices_of(self, day: date) -> bytes:
        """The digest of the prices that a day rests on that was taken last; b"" where it rests on none."""
        return self._book.digest if day in self._relied_on else b""

    def keep(self, days: Collection[date]) -> None:
        """Forget every other day."""
        if not self._known.keys() <= set(days):
            self._learned = None
        self._known = {day: known for day, known in self._known.items() if day in days}
        self._relied_on = {day: learned for day, learned in self._relied_on.items() if day in days}

    def outdated(self) -> frozenset[date]:
        """The days that were estimated with something else than what is known by now."""
        return frozenset(day for day, learned in self._relied_on.items() if learned != self.learned)
