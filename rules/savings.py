"""What a key's being off saves, as an estimate. Pure.

It is what the key spent too much in an hour, on average over the stretch that it was stopped for, times the hours until
somebody would have noticed otherwise: the next working day, Monday to Friday, at 09:00, and never more than 72 hours.
Of a budget it is nothing beyond the end of the period. That it would have gone on just so is an assumption, and so is
the hour at which somebody looks: nobody knows either.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from rules.actions import Action, ActionState
from rules.clock_words import when
from rules.model import HOUR, Alert, AnomalyEvidence, BudgetEvidence, Nano
from rules.money import display_usd

LOOKED_AT = time(9)
"""When somebody looks at spend without being told, on a working day."""
LONGEST = timedelta(hours=72)
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Savings:
    """An estimate of what was not spent. Amounts are nano-dollars."""

    per_hour: Nano
    """What the key spent too much in an hour before it was off."""
    since: datetime
    """Since when it is off."""
    until: datetime
    """When somebody would have noticed, or the period ended, or the key was on again."""
    so_far: Nano
    """Of `amount`, what has been saved by now."""
    amount: Nano

    def words(self, now: datetime) -> str:
        """The estimate in a clause: "about $412.00 until Mon 23 Nov 09:00 UTC ($8.40 an hour)"."""
        pace = f"{display_usd(self.per_hour)} an hour"
        return f"about {display_usd(self.amount)} until {when(self.until, now)} ({pace})"


def saved(action: Action, alert: Alert | None, now: datetime, back_at: datetime | None = None) -> Savings | None:
    """What a confirmed deactivation saves; None of everything else, and where the key spent nothing too much.

    `alert` is the one that it was about, as far as it is known; `back_at` is when somebody turned the key on again.
    """
    if action.what != "deactivate" or action.state is not ActionState.CONFIRMED or action.confirmed_at is None:
        return None
    if action.cause.kind == "drill":
        return None
    per_hour = _too_much_an_hour(action, alert)
    if per_hour <= 0:
        return None
    since = action.confirmed_at
    until = min(_noticed(since, _zone(alert)), since + LONGEST)
    if action.evidence is not None and action.evidence.period_end is not None:
        until = min(until, action.evidence.period_end)
    until = max(until if back_at is None else min(until, back_at), since)
    return Savings(per_hour, since, until, _over(per_hour, min(now, until) - since), _over(per_hour, until - since))


def _too_much_an_hour(action: Action, alert: Alert | None) -> Nano:
    """The excess of the stretch by its hours. Beyond a budget of its own, whatever a key spends is too much."""
    if (found := action.evidence) is not None:
        own = action.cause.kind == "budget" and action.cause.scope.api_key == action.key
        return _by_hours(found.key_observed if own else found.key_excess, found.data_as_of - found.since)
    if alert is None or alert.subject.scope.api_key != action.key or not isinstance(alert.evidence, AnomalyEvidence):
        return 0
    seen = alert.evidence
    return _by_hours(seen.observed - seen.expected, seen.data_as_of - seen.since)


def _by_hours(amount: Nano, length: timedelta) -> Nano:
    return round(amount / max(length / HOUR, 1.0))


def _over(per_hour: Nano, length: timedelta) -> Nano:
    return round(per_hour * max(length / HOUR, 0.0))


def _zone(alert: Alert | None) -> tzinfo:
    """The zone in which people work: that of the budget, or UTC."""
    if alert is not None and isinstance(alert.evidence, BudgetEvidence):
        return ZoneInfo(alert.evidence.timezone)
    return UTC


def _noticed(since: datetime, zone: tzinfo) -> datetime:
    """The next time that somebody begins a working day."""
    day = since.astimezone(zone).date()
    while True:
        looks = datetime.combine(day, LOOKED_AT, zone).astimezone(UTC)
        if day.weekday() < _SATURDAY and looks > since:
            return looks
        day += timedelta(days=1)
