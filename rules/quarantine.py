"""Days that are over and do not train yet: some days later it is known which of their hours were no ordinary ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rules.horizons import HORIZONS
from rules.profile import Flags, Floats


class Day(NamedTuple):
    """What a day was held to be, hours × rows; `present` is 1 for the hours that may train."""

    hours: slice
    """Of the week."""
    seen: Floats
    fair: Floats
    """What was seen, limited to what is no outlier."""
    expected: Floats
    level: Floats
    present: npt.NDArray[np.float32]
    untaught: Flags | None
    """Hours of which nothing is to be learnt, whatever becomes of them."""

    def taught(self, rows: Flags) -> Floats:
        """1 for the hours, of these rows, from which something may be learnt."""
        all_of_it = np.broadcast_to(rows, self.seen.shape)
        return (all_of_it if self.untaught is None else all_of_it & ~self.untaught).astype(np.float64)

    def but(self, flags: Flags) -> Flags:
        """These flags without the hours of which nothing is to be learnt."""
        return flags if self.untaught is None else flags & ~self.untaught

    def taken(self, places: npt.NDArray[np.intp]) -> Day:
        """The rows at these places."""
        return Day(
            self.hours,
            seen=self.seen.take(places, axis=-1),
            fair=self.fair.take(places, axis=-1),
            expected=self.expected.take(places, axis=-1),
            level=self.level.take(places, axis=-1),
            present=self.present.take(places, axis=-1),
            untaught=None if self.untaught is None else self.untaught.take(places, axis=-1),
        )


class Quarantine:
    """The newest days, oldest first."""

    def __init__(self) -> None:
        self._days: deque[Day] = deque()

    def __iter__(self) -> Iterator[Day]:
        return iter(self._days)

    def __len__(self) -> int:
        return len(self._days)

    def add(self, day: Day) -> None:
        """Take one more day."""
        self._days.append(day)

    def oldest(self) -> Day:
        """Let the oldest day go."""
        return self._days.popleft()

    def taint(self, flagged: Flags, hit: Flags) -> None:
        """Keep the hours of a flagged sum from training, as far back as quarantine reaches.

        `flagged` are hours of the newest day, hours × rows; `hit`, hours × horizons × rows, says which of its sums are.
        """
        rows = np.flatnonzero(flagged.any(axis=0))
        if not rows.size:
            return
        present = np.concatenate([day.present[:, rows] for day in self._days])
        past = len(present) - len(flagged)
        for place, hours in enumerate(HORIZONS):
            hits = flagged[:, rows] if place == 0 else hit[:, place][:, rows]
            ends = np.concatenate([np.zeros((past, rows.size)), hits, np.zeros((hours, rows.size))]).cumsum(axis=0)
            ahead = ends[hours - 1 : hours - 1 + len(present)]
            before = np.concatenate([np.zeros((1, rows.size)), ends[: len(present) - 1]])
            present = np.where(ahead > before, np.float32(0.0), present)
        at = 0
        for day in self._days:
            day.present[:, rows] = present[at : at + len(day.present)]
            at += len(day.present)

    def taken(self, places: npt.NDArray[np.intp]) -> Quarantine:
        """The rows at these places."""
        after = Quarantine()
        after._days = deque(day.taken(places) for day in self._days)
        return after
