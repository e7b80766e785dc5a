"""What part of a period's limit each hour is entitled to, by the rhythm of the scope's own week.

An office's Monday noon is entitled to more than its Sunday night. The rhythm (`rules.habits`) is learned from the hours
before a given one alone, so that nothing that is judged takes part in what it is judged by.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from rules.habits import BLOCK, WEEK, Floats, cut, rhythm_of
from rules.members import Members

LEARNED = 6
"""Weeks that a rhythm is learned from."""
AT_ONCE = 512
"""How many scopes' hours are held in memory at a time."""


def batches(chosen: Sequence[int]) -> Iterator[Sequence[int]]:
    """The chosen scopes, some at a time."""
    for at in range(0, len(chosen), AT_ONCE):
        yield chosen[at : at + AT_ONCE]


class Weeks:
    """The rhythm of each scope's week, by the known hours before the column `anchor` of the view."""

    __slots__ = ("_anchor", "_borrowed", "_known", "_members", "_past")

    def __init__(self, members: Members, anchor: int) -> None:
        self._members, view = members, members.view
        self._anchor = min(max(anchor, 0), view.hours)
        self._past = slice(max(self._anchor - LEARNED * WEEK * BLOCK, 0), self._anchor)
        self._known = view.known[self._past]
        whole = view.cost[:, self._past].sum(axis=0, keepdims=True).astype(np.float64)
        self._borrowed = rhythm_of(cut(whole, self._known))

    def weights(self, chosen: Sequence[int], begin: int, end: int) -> Floats:
        """How much each of the columns [begin, end) weighs for each of the chosen scopes (chosen × hours).

        All alike where nothing is known. Columns may lie outside the view.
        """
        spend = self._members.hours(self._past.start, self._past.stop, chosen).astype(np.float64)
        rhythm = rhythm_of(cut(spend, self._known, self._borrowed), self._borrowed)
        ahead = np.arange(begin - self._anchor, end - self._anchor)
        place = ahead // BLOCK % WEEK
        result: Floats = rhythm.weekday[:, place] * rhythm.hour[:, place, ahead % BLOCK]
        return result
