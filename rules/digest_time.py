"""When a digest comes, and of which period: by the local wall clock, each period once. Pure.

A digest is known by the local day on which it comes. What is remembered of it is the newest such day that is done: a
clock that is turned back, a restart and a day of 23 or 25 hours change nothing of that, and after days of downtime the
newest digest comes, once. A time of day that the clocks skip is the instant an hour later; of one that comes twice it
is the first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from rules.digest import DigestRule
from rules.periods import Period, period_between

PATIENCE = timedelta(hours=2)
"""How long a digest waits for the last hours of its period to be complete."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Due:
    """A digest that comes now: the local day on which it was to come, and when that was."""

    rule: DigestRule
    day: date
    at: datetime
    period: Period


def instant_of(rule: DigestRule, day: date) -> datetime:
    """When the digest of that local day comes, UTC."""
    return datetime.combine(day, rule.at, tzinfo=ZoneInfo(rule.timezone)).astimezone(UTC)


def latest_day(rule: DigestRule, now: datetime) -> date:
    """The newest local day on which it came, or should have."""
    day = now.astimezone(ZoneInfo(rule.timezone)).date() + _DAY
    while instant_of(rule, day) > now or (rule.every == "weekly" and day.weekday() != rule.weekday):
        day -= _DAY
    return day


def period_of_day(rule: DigestRule, day: date) -> Period:
    """The day, or the seven days, before the local midnight of `day`."""
    return period_between(day - _length(rule), day, rule.timezone)


def before(rule: DigestRule, day: date) -> Period:
    """As many days before these."""
    return period_between(day - 2 * _length(rule), day - _length(rule), rule.timezone)


def week_before(rule: DigestRule, day: date) -> Period:
    """The same weekday of the week before, of a daily one."""
    return period_between(day - 8 * _DAY, day - 7 * _DAY, rule.timezone)


def whole_period(rule: DigestRule, now: datetime) -> date:
    """The newest local day before whose midnight such a period ended, whether or not it has been told."""
    day = now.astimezone(ZoneInfo(rule.timezone)).date()
    while rule.every == "weekly" and day.weekday() != rule.weekday:
        day -= _DAY
    return day


def due(
    rules: Sequence[DigestRule], done: Mapping[str, date], complete_until: datetime, now: datetime, *, first: bool
) -> tuple[tuple[Due, ...], Mapping[str, date]]:
    """The digests that come now, and what is done after them, by name.

    One that is seen for the first time is done for everything that was due before. In a database that was never judged
    before (`first`) it is also done for today: what it would tell of ended before anybody watched.
    """
    coming: list[Due] = []
    after: dict[str, date] = {}
    for rule in rules:
        day = latest_day(rule, now)
        known = done.get(rule.name)
        if known is None:
            after[rule.name] = now.astimezone(ZoneInfo(rule.timezone)).date() if first else day
            continue
        at, period = instant_of(rule, day), period_of_day(rule, day)
        if day > known and (complete_until >= period.end or now >= at + PATIENCE):
            coming.append(Due(rule, day, at, period))
            known = day
        after[rule.name] = known
    return tuple(coming), after


def recall(text: str | None) -> Mapping[str, date]:
    """What `remember` wrote; nothing where that cannot be read."""
    try:
        found = json.loads(text or "{}")
        return {str(name): date.fromisoformat(day) for name, day in found.items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def remember(done: Mapping[str, date]) -> str:
    """The newest day that is done of each digest, as text."""
    return json.dumps({name: day.isoformat() for name, day in sorted(done.items())})


def _length(rule: DigestRule) -> timedelta:
    return 7 * _DAY if rule.every == "weekly" else _DAY
