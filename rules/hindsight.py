"""How far back budgets are judged: what happened before somebody asked is history, what was learnt late is news.

A period's last hours arrive after its end, its last days settle later still, and the program may have been away. So a
period is judged until `LATE` after its end, or for longer if nobody judged it in that time. A period that had ended
before its budget was first judged, be it new or edited since, is never judged.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta

from rules.measures import SPEND
from rules.model import HOUR, Budget
from rules.periods import AS_THE_CALENDAR
from rules.selectors import WORDS
from rules.thresholds import mark_amount, mark_id, percent_of

LATE = timedelta(hours=72)
"""How long after its end a period is still judged: its last UTC day settles within 48 h of that day's own end, which
in the westernmost zones lies up to twelve hours after the period's."""

_LATER_WORDS = ("organization", *(word for word in WORDS if word not in {"workspace", "api_key", "model"}))


@dataclass(frozen=True, slots=True)
class Watch:
    """How far back each budget is judged, and what to remember of it.

    Periods of a budget that ended at or before `since[name]` are not judged. `remember` is the text to hand to `watch`
    at the next judgement; it belongs into the transaction that keeps this judgement's alerts.
    """

    since: Mapping[str, datetime]
    remember: str

    @property
    def earliest(self) -> datetime | None:
        """Resolved events whose `closes_at` lies after this must be known to the life cycle, or it tells them again.

        None where there are no budgets.
        """
        return min(self.since.values(), default=None)


def watch(budgets: Iterable[Budget], remembered: str | None, now: datetime) -> Watch:
    """Account for when each budget was first and last judged.

    `remembered` is the `remember` of the last judgement that was kept, None before the first. A budget that is new or
    was edited begins now. Text that cannot be read counts as none.
    """
    judged_at, first_judged = _recall(remembered)
    horizon = now if judged_at is None else min(judged_at, now) - LATE
    since: dict[str, datetime] = {}
    first: dict[str, datetime] = {}
    for budget in budgets:
        key = _signature(budget)
        first[key] = min(first_judged.get(key, now), now)
        since[budget.name] = max(first[key], horizon)
    account = {"at": now.isoformat(), "first": {key: moment.isoformat() for key, moment in first.items()}}
    return Watch(since, json.dumps(account, sort_keys=True))


def _recall(remembered: str | None) -> tuple[datetime | None, dict[str, datetime]]:
    if remembered is None:
        return None, {}
    try:
        account = json.loads(remembered)
        first = {str(key): datetime.fromisoformat(moment) for key, moment in account["first"].items()}
        return datetime.fromisoformat(account["at"]), first
    except (ValueError, KeyError, TypeError, AttributeError):
        return None, {}


def _signature(budget: Budget) -> str:
    selection = budget.select
    parts = (
        budget.name,
        budget.period,
        budget.timezone,
        budget.limit,
        # How much a threshold matters is no part of what is judged.
        tuple(percent_of(0, mark) if mark_amount(mark) is None else mark_id(mark) for mark in budget.thresholds),
        budget.per,
        (selection.workspace, selection.api_key, selection.model),
        # What came later is only there where it is set, so that a budget of an older version is the same one.
        *((word, pattern) for word in _LATER_WORDS if (pattern := getattr(selection, word)) is not None),
        *(("starts", astuple(budget.starts)) if budget.starts != AS_THE_CALENDAR else ()),
        *(("dates", *(day.isoformat() for day in budget.dates)) if budget.dates is not None else ()),
        *(("window", budget.window // HOUR) if budget.window is not None else ()),
        *(("measure", budget.measure.id) if budget.measure != SPEND else ()),
        *(("plan", *sorted(budget.plan.items())) if budget.plan else ()),
        *(("console", *sorted((budget.caps or {}).items())) if budget.console else ()),
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
