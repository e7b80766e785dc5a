"""The newest readings and the dollars that were read, kept so that a story can be followed back.

Hours are counted from a Monday 00:00 UTC. What is handed out are slices of the arrays that are kept: they are good
until further hours are put.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rules.profile import DAY
from rules.seasonal import Reading
from rules.subjects import Floats, Places

Array = npt.NDArray[Any]


class Window:
    """Arrays of hours × rows. The last row is one of which nothing is known, and not told of."""

    def __init__(self, rows: int) -> None:
        self._begin: int | None = None
        self._dollars: Floats = np.empty((0, rows))
        self._parts: tuple[Array, ...] = ()

    @property
    def begin(self) -> int:
        """The first hour: that of what was put first."""
        return self._begin or 0

    def put_dollars(self, hour: int, dollars: Floats) -> None:
        """Keep what was spent from this hour on; `dollars` is without the last row."""
        at = self._place(hour)
        self._dollars = _with_room(self._dollars, at + len(dollars))
        self._dollars[at : at + len(dollars), :-1] = dollars
        self._dollars[at : at + len(dollars), -1] = np.nan

    def put(self, hour: int, reading: Reading) -> None:
        """Keep what was read from this hour on."""
        if not self._parts:
            self._parts = tuple(np.empty((0, part.shape[1]), dtype=part.dtype) for part in reading)
        at = self._place(hour)
        end = at + len(reading.expected)
        self._parts = tuple(_with_room(part, end) for part in self._parts)
        for part, news in zip(self._parts, reading, strict=True):
            part[at:end] = news

    def dollars(self, hours: int) -> Floats:
        """What was spent in the first so many hours."""
        return self._dollars[:hours, :-1]

    def reading(self, begin: int, end: int) -> Reading:
        """What was read of these hours."""
        some = slice(self._place(begin), self._place(end))
        return Reading(*(part[some, :-1] for part in self._parts))

    def forget(self, hour: int) -> None:
        """Let go of what lies before this hour. What was handed out before stays as it was."""
        gone = hour - self.begin
        if gone > 0:
            self._begin = hour
            self._dollars = self._dollars[gone:].copy()
            self._parts = tuple(part[gone:].copy() for part in self._parts)

    def take(self, places: Places) -> None:
        """Let the rows be those at these places."""
        self._dollars = self._dollars.take(places, axis=-1)
        self._parts = tuple(part.take(places, axis=-1) for part in self._parts)

    def _place(self, hour: int) -> int:
        if self._begin is None:
            self._begin = hour
        return hour - self._begin


def _with_room(array: Array, hours: int) -> Array:
    if hours <= len(array):
        return array
    more = np.empty((hours + DAY - len(array), array.shape[1]), dtype=array.dtype)
    return np.concatenate([array, more])
