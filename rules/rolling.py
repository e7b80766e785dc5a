"""Rolling windows: the hours up to now, whatever the calendar says, and when a threshold may be told of again.

A window of n hours is the open hour and the n - 1 before it, so its sum is never that of more than n hours. A threshold
that was told is armed anew once spend has been 10 % below it for a full window, or for a day where that is shorter.
Only complete data say so: every window that ended in that time was 10 % below, none of their hours is missing, and all
of that time came after the threshold was last seen crossed. What is known of the open hours may not contradict it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from rules.crossings import crossing_of
from rules.limits import limit_of
from rules.model import HOUR, Alert, Budget, Clear, Scope, SpendView
from rules.periods import Period

ARMED_AFTER = timedelta(days=1)
"""The longest that spend has to stay below a threshold before it may be told of again."""
_BELOW = 9, 10
"""The part of a threshold that spend must have come down to."""


def window_at(budget: Budget, window: timedelta, now: datetime) -> Period:
    """The window that ends with the hour that is open at `now`."""
    end = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + HOUR
    return Period("rolling", end - window, end, budget.timezone, f"the last {window_words(window)}")


def window_id(window: timedelta) -> str:
    """The window as it stands in identifiers: "rolling 24h"."""
    return f"rolling {window // HOUR}h"


def window_words(window: timedelta) -> str:
    """The length for people: "24 hours", "7 days"."""
    hours = window // HOUR
    if hours % 24 or hours == 24:
        return f"{hours} hours" if hours != 1 else "hour"
    return f"{hours // 24} days"


def rearmed(
    budget: Budget,
    window: timedelta,
    view: SpendView,
    rows_of: Mapping[Scope, npt.NDArray[np.intp]],
    held: Iterable[Alert],
    now: datetime,
) -> Iterator[Clear]:
    """`Clear` for each of the budget's open crossings (`held`) that has been 10 % below for long enough.

    `rows_of` are the leaves of each scope; a scope that is not in it spends nothing.
    """
    calm, length = min(window, ARMED_AFTER) // HOUR, window // HOUR
    end = min(view.index(view.complete_until), view.hours)
    first = end - calm + 1 - length
    if first < 0 or not view.known[first:end].all():
        return
    current = window_at(budget, window, now).columns(view.start, view.hours)
    since = view.start + (end - calm) * HOUR
    for alert in held:
        crossing = crossing_of(alert)
        if crossing is None or max(alert.fired_at or since, crossing.evidence.data_as_of) > since:
            continue
        rows = rows_of.get(alert.subject.scope, np.empty(0, dtype=np.intp))
        cost = view.cost[rows].sum(axis=0)
        running = np.concatenate(([0], cost[first:end].cumsum()))
        highest = max(int((running[length:] - running[:-length]).max()), int(cost[current].sum()))
        below, whole = _BELOW
        limit = limit_of(budget, alert.subject.scope, crossing.evidence.period_start)
        if limit is not None and highest * whole <= crossing.amount(limit) * below:
            yield Clear(alert.subject, highest)
