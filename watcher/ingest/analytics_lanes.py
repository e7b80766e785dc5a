"""The readings of an analytics report that are due, and how they are taken one after the other.

A request gives a thousand combinations at most, and sixty a minute are allowed for both reports together. So hours are
read in pieces that a few dozen requests can answer, as many of them as `REQUESTS_A_LANE` allows in one poll; the rest
stays due.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from watcher.admin_api.errors import BadRequest, BrokenPaging, Malformed
from watcher.ingest.halving import Splits, placed
from watcher.ingest.windows import DAY, HOUR, Hours

COST, USAGE = "analytics_cost", "analytics_usage"
"""The two sources."""
ROWS_A_READING = 20_000
"""Rows of the wire that one reading is cut to hold."""
UNKNOWN_PIECE = 6 * HOUR
"""What one reading holds where nothing tells yet how many rows an hour has."""
LONGEST_PIECE = 31 * DAY
"""What one request may span."""
REQUESTS_A_LANE = {COST: 20, USAGE: 50}
"""Requests after which a poll leaves the rest of a lane to the next one.

Both lanes of cost together stay below what a minute allows, so that no judgement waits for it. Where usage is read
there is nothing to judge without it.
"""
REQUESTS_BESIDE = 10
"""The same for analytics/usage where it is read for its requests alone: what is left of a minute beside cost."""
ROWS_A_REQUEST = 1000


@dataclass(frozen=True, slots=True)
class Lanes:
    """The readings that are due, the most pressing first; each counts whole or not at all."""

    recent: tuple[Hours, ...] = ()
    older: tuple[Hours, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.recent or self.older)


@dataclass(slots=True)
class Told:
    """How much some readings told: for how many hours, and how many rows."""

    hours: int = 0
    rows: float = 0

    def add(self, window: Hours, rows: int) -> None:
        """Count a reading."""
        self.hours += len(window)
        self.rows += rows

    @property
    def longest(self) -> int:
        """How many hours one reading should hold, going by these."""
        if not self.hours:
            return UNKNOWN_PIECE // HOUR
        most = LONGEST_PIECE // HOUR
        return min(max(int(ROWS_A_READING * self.hours / max(self.rows, 1)), 1), most)


def in_turn(lane: Sequence[Hours], requests: int, take: Callable[[Hours], int], told: Told) -> None:
    """Take the readings in order until they came to so many requests, as `take` gives them.

    Neighbours are taken together as far as `told` allows. A reading that is refused as asked (400) or cannot be read
    does not stop the others; the latter is tried in halves.
    """
    waiting = deque(lane)
    apart: set[Hours] = set()
    splits = Splits()
    refused: BadRequest | Malformed | None = None
    spent = 0
    while waiting and spent < requests:
        window = waiting.popleft()
        while waiting and apart.isdisjoint((window, waiting[0])) and _may_join(window, waiting[0], told.longest):
            window = Hours(waiting.popleft().start, window.end)
        try:
            spent += take(window)
        except BrokenPaging:
            raise
        except BadRequest as error:
            refused = refused or error
            spent += 1
        except Malformed as error:
            halves = splits.halves(window, error, lambda whole: whole.halves)
            apart.update(halves)
            waiting.extendleft(halves)
            if not halves:
                refused = refused or placed(window, error)
            spent += 1
    if refused is not None:
        raise refused


def _may_join(one: Hours, other: Hours, longest: int) -> bool:
    return other.end == one.start and len(one) + len(other) <= longest


def requests_for(rows: int) -> int:
    """How many requests an answer of so many rows took."""
    return max(1, -(-rows // ROWS_A_REQUEST))
