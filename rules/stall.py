"""The whole organization falls silent against overwhelming expectation: the source is suspect, not the spend.

Reports can stall without an error: they answer, and answer nothing. Taken at its word that would resolve every alert.
A stall is said when the newest complete hours are all zero, at hours that history has never seen at zero, in an
organization where several keys are at work in such hours, so that no one key's end can explain it. How many such hours
it takes depends on the organization: 2 where no hour was ever silent, and one more for every hour of the longest
silence it has had, up to 6. It ends when spend appears again, or after 72 hours, when the silence is taken as real.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from rules.model import HOUR, UNATTRIBUTED, Nano, SpendView

WEEK = 168
LEAST_HISTORY = 14 * 24
"""Known hours without which nothing is said."""
LEAST_SAMPLES = 6
"""Known hours at the same hour of the week, and an hour either side, that it takes to call an hour never silent."""
LEAST_KEYS = 3.0
"""Keys at work in an hour, on average over the hours with spend of the week before."""
FEWEST_HOURS, MOST_HOURS = 2, 6
GIVE_UP = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class Stall:
    """Since when nothing has come that should have, how much it should have been, and for how many hours."""

    since: datetime
    """The first silent hour of those that are never silent: nothing is known from here on."""
    expected: Nano
    """The median spend of these hours of the week, summed over the silence."""
    hours: int


def judge(view: SpendView, now: datetime) -> Stall | None:
    """The stall that the newest complete hours of `view` show at `now`, if they show one."""
    complete = min(max(view.index(view.complete_until), 0), view.hours)
    rows = [at for at, leaf in enumerate(view.leaves) if leaf.api_key != UNATTRIBUTED]
    # As a rule the newest complete hour says that there is no silence, and the rest need not be added up.
    if complete == 0 or view.cost[rows, complete - 1 :].any():
        return None
    total = view.cost[rows, :complete].sum(axis=0, dtype=np.int64)
    known = view.known[:complete]
    spending = np.flatnonzero(total)
    begin = int(spending[-1]) + 1 if spending.size else complete
    first = int(spending[0]) if spending.size else complete
    # The past begins with the first spend: an organization that did not exist yet was not silent.
    past, past_known = total[first:begin], known[first:begin]
    if begin == complete or np.count_nonzero(past_known) < LEAST_HISTORY:
        return None
    silence = np.arange(begin, complete)
    never = np.array([known[hour] and _never_silent(past, past_known, int(hour) - first) for hour in silence])
    needed = min(FEWEST_HOURS + _longest_silence(past, past_known), MOST_HOURS)
    if np.count_nonzero(never) < needed or _keys_at_work(view, rows, begin) < LEAST_KEYS:
        return None
    since = int(silence[never][0])
    moment = view.start + since * HOUR
    if now - moment >= GIVE_UP:
        return None
    expected = sum(_usual(past, past_known, hour - first) for hour in range(since, complete))
    return Stall(moment, expected, complete - since)


def _same_hours(past: npt.NDArray[np.int64], hour: int, spread: int) -> npt.NDArray[np.intp]:
    """Places in `past` at the hour of the week of `hour`, and up to `spread` hours beside it."""
    places = np.arange(hour % WEEK - WEEK, hour + 1, WEEK)[:, None] + np.arange(-spread, spread + 1)
    flat = places.ravel()
    return flat[(flat >= 0) & (flat < len(past))].astype(np.intp)


def _never_silent(past: npt.NDArray[np.int64], known: npt.NDArray[np.bool_], hour: int) -> bool:
    """Whether the hour of the week of `hour`, and those beside it, have always had spend."""
    places = _same_hours(past, hour, 1)
    places = places[known[places]]
    return len(places) >= LEAST_SAMPLES and bool((past[places] > 0).all())


def _usual(past: npt.NDArray[np.int64], known: npt.NDArray[np.bool_], hour: int) -> Nano:
    places = _same_hours(past, hour, 0)
    places = places[known[places]]
    return int(np.median(past[places])) if len(places) else 0


def _longest_silence(past: npt.NDArray[np.int64], known: npt.NDArray[np.bool_]) -> int:
    """The most hours in a row without spend; hours that were never read count as spend."""
    spent = np.flatnonzero((past > 0) | ~known)
    return int(np.diff(spent).max()) - 1 if len(spent) > 1 else 0


def _keys_at_work(view: SpendView, rows: list[int], begin: int) -> float:
    """Keys with spend in an hour, on average over the hours with any, of the week before `begin`."""
    keys = [view.leaves[at].api_key for at in rows]
    places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    week = view.cost[rows, max(begin - WEEK, 0) : begin] > 0
    active = np.zeros((len(places), week.shape[1]), dtype=np.bool_)
    np.logical_or.at(active, np.array([places[key] for key in keys], dtype=np.intp), week)
    counts = active.sum(axis=0)
    return float(counts[counts > 0].mean()) if counts.any() else 0.0
