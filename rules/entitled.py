"""What part of a period's limit each hour is entitled to, by the rhythm of the scope's own week.

An office's Monday noon is entitled to more than its Sunday night. The rhythm (`rules.habits`) is learned from the hours
before a given one alone, so that nothing that is judged takes part in what it is judged by.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rules.habits import BLOCK, WEEK, Floats, Rhythm, cut, rhythm_of
from rules.members import Members

LEARNED = 6
"""Weeks that a rhythm is learned from."""
_AT_ONCE = 512
"""How many scopes' hours are held in memory at a time."""


def weights(members: Members, chosen: Sequence[int], anchor: int, begin: int, end: int) -> Floats:
    """How much each of the columns [begin, end) weighs for each of the chosen scopes (chosen × hours), by the known
    hours before the column `anchor`; all alike where nothing is known. Columns may lie outside the view."""
    view = members.view
    anchor = min(max(anchor, 0), view.hours)
    past = slice(max(anchor - LEARNED * WEEK * BLOCK, 0), anchor)
    known = view.known[past]
    whole = view.cost[:, past].sum(axis=0, keepdims=True).astype(np.float64)
    borrowed = rhythm_of(cut(whole, known))
    ahead = np.arange(begin - anchor, end - anchor)
    found = [np.zeros((0, len(ahead)))]
    for at in range(0, len(chosen), _AT_ONCE):
        spend = members.hours(past.start, past.stop, chosen[at : at + _AT_ONCE]).astype(np.float64)
        found.append(_over(rhythm_of(cut(spend, known, borrowed), borrowed), ahead))
    return np.concatenate(found)


def _over(rhythm: Rhythm, ahead: np.typing.NDArray[np.int64]) -> Floats:
    place = ahead // BLOCK % WEEK
    result: Floats = rhythm.weekday[:, place] * rhythm.hour[:, place, ahead % BLOCK]
    return result
