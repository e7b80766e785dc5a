"""Which days need not be added up again: their sums are kept, with digests of all that these were made from.

What a UTC day that is over came to follows from its readings (usage, cost report, hourly analytics, and whether the
latter two are final), from the published prices, and, as far as it rests on them, from the owner's prices and what the
settled days taught. The first two make `made_from`, the rest `prices`; where one is not what it would be now, the day
is computed, so no kept figure is ever stale. The ledger of the daemon's cycle keeps; whoever reports only reads.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache

import numpy as np

from watcher import __version__
from watcher.kept_days import DayState, DaySum, Head, SumColumns
from watcher.ledger.days import DAY, Day, midnight
from watcher.ledger.figures import WHOLE_DAY, figures_of
from watcher.ledger.reading import LedgerStore
from watcher.ledger.settlement import DaySpend
from watcher.ledger.standing import is_final
from watcher.pricing import Cell, PricedDay

FORM = 1
"""To be raised whenever the same readings and prices come to something else than before."""
KEPT_AFTER = timedelta(hours=72)
"""How long after its end a day is kept that is not settled: until then its readings change with every poll."""

_HOUR = timedelta(hours=1)
_NOTHING = DayState()


class KeptDays:
    """The days from `first` to `last`, over at `now`, whose kept sums are made from what is stored now."""

    def __init__(self, store: LedgerStore, organization: str, first: date, last: date, now: datetime) -> None:
        self._store, self._organization = store, organization
        self._states, heads = store.day_sums.look(organization, first, last + DAY)
        self._heads = {
            day: head
            for day, head in heads.items()
            if midnight(day) + DAY <= now and head.made_from == made_from(day, self._states.get(day, _NOTHING))
        }

    @property
    def lessons(self) -> dict[date, PricedDay]:
        """What those of them teach that teach anything."""
        return {day: _lesson(day, head.lesson) for day, head in self._heads.items() if head.lesson is not None}

    def rest_on_prices(self, days: Collection[date]) -> bool:
        """Whether some of these are kept with figures that rest on prices."""
        return any(day in self._heads and self._heads[day].prices for day in days)

    def holds(self, day: date, prices: bytes) -> bool:
        """Whether a day is kept with figures that rest on no prices, or on those of the digest `prices`."""
        return day in self._heads and self._heads[day].prices in {b"", prices}

    def unpriced(self, day: date) -> frozenset[str]:
        """The models of the day whose price is a stand-in."""
        return frozenset(self._heads[day].unpriced.split("\n")) - {""}

    def hours_read(self, day: date) -> frozenset[int]:
        """The hours of the day (0–23) of which usage was ever read."""
        return self._states.get(day, _NOTHING).hours

    def read(self, days: Collection[date], prices: bytes) -> SumColumns:
        """The sums of those of these days that are kept and rest on no prices, or on those of the digest `prices`."""
        wanted = {day: self._heads[day] for day in days if self.holds(day, prices)}
        return self._store.day_sums.read(self._organization, wanted)


class Keeping:
    """Gathers what is to be kept of the days that a ledger computes."""

    def __init__(self, store: LedgerStore, organization: str) -> None:
        self._store, self._organization = store, organization
        self._now: Mapping[date, DayState] = {}
        self._until = datetime.min.replace(tzinfo=UTC)
        self._heads: dict[date, Head] = {}
        self._waiting: dict[date, DaySum] = {}

    def look(self, days: Collection[date], now: datetime) -> None:
        """Look at what is stored, and kept, of these days before they are computed at `now`."""
        self._until = now - KEPT_AFTER
        over = [day for day in days if midnight(day) + DAY <= now]
        self._now = {}
        if over:
            states, heads = self._store.day_sums.look(self._organization, min(over), max(over) + DAY)
            self._now = {day: states.get(day, _NOTHING) for day in over}
            self._heads |= {day: heads[day] for day in over if day in heads}

    def take(self, day: Day, spend: DaySpend, lesson: PricedDay | None, prices: bytes) -> None:
        """Keep one of the days that were looked at; `prices` is the digest of those that it rests on."""
        state = self._now.get(spend.day)
        self._waiting.pop(spend.day, None)
        if state is None or not (spend.standing == "settled" or midnight(spend.day) + DAY <= self._until):
            return
        text = None if lesson is None else _lesson_text(lesson)
        head = Head(made_from(spend.day, state), prices, text, "\n".join(sorted(spend.unpriced)))
        if self._heads.get(spend.day) == head:
            return
        figures = figures_of(day, spend, WHOLE_DAY)
        present = np.flatnonzero(figures.any(axis=1))
        leaves = [spend.leaves[number] for number in present.tolist()]
        self._waiting[spend.day] = DaySum(spend.day, head, leaves, figures[present])

    def write(self) -> None:
        """Write what waits; raises StoreError, and then it still waits."""
        self._store.day_sums.replace(self._organization, list(self._waiting.values()))
        self._heads |= {day: each.head for day, each in self._waiting.items()}
        self._waiting = {}


def made_from(day: date, state: DayState) -> bytes:
    """A digest of a day's readings, of how final they are, and of what weighs them."""
    digest = hashlib.blake2b(_weights(), digest_size=16)
    digest.update(len(state.usage).to_bytes(4, "little") + state.usage)
    begins = midnight(day)
    if state.cost is not None:
        digest.update(b"c%d" % is_final(begins + DAY, state.cost) + state.cost.digest)
    for hour, reading in (state.analytics or {}).items():
        digest.update(b"a%d" % is_final(begins + (hour + 1) * _HOUR, reading) + bytes((hour,)) + reading.digest)
    return digest.digest()


@cache
def _weights() -> bytes:
    """The way a day is computed, and the published prices that are part of it."""
    from importlib.metadata import version  # noqa: PLC0415 - many commands need none of this

    return f"{FORM} {__version__} {version('genai-prices')} ".encode()


def _lesson_text(lesson: PricedDay) -> str:
    cells = sorted(lesson.cells.items())
    return json.dumps([[*key, cell.listed, cell.reported, int(cell.stand_in)] for key, cell in cells])


def _lesson(day: date, text: str) -> PricedDay:
    return PricedDay(
        day,
        {
            (model, kind): Cell(listed, reported, bool(stand_in))
            for model, kind, listed, reported, stand_in in json.loads(text)
        },
    )
