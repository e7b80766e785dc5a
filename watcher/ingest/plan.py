"""What a poll is to read. Decided purely from what the store holds, the settings, and now.

Usage: days that are missing, or were last read before they had settled, are back-filled whole, oldest first, each as
one reading. Then comes the trailing window: the open hour and the three before it on every usage poll, the trailing 24
hours at least once an hour, and at every poll while one of them reads as empty. Cost: the trailing 7 days, once a day
30 days, and whatever older is missing. What an answer leaves out is asked for again hourly, not at every poll. A source
that failed is asked again at the next poll; one that this organization or key was never offered is asked once a day.
The analytics reports have their own plan in `analytics_plan`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol, Self

from rules.model import SourceState
from watcher.ingest.analytics_lanes import Lanes
from watcher.ingest.analytics_plan import Reached, lanes, reached
from watcher.ingest.claude_code import days_asked, days_due
from watcher.ingest.windows import DAY, HOUR, Hours, hour_of, hours, is_due, midnight
from watcher.store import Store

OPEN_HOURS = 3 * HOUR
"""How far before the open hour every usage poll reads."""
TRAILING = 24 * HOUR
"""How far back the hourly re-reading goes: late usage and restatements are found within it."""
READ_AGAIN = HOUR
"""How often the trailing window, and what answers left out, is asked for again."""
SETTLED_READING = 20 * HOUR
"""A reading this long after an hour's end is the last that the hour needs."""
COST_TRAILING = 7
"""Days of the cost report that every cost poll reads again."""
COST_RESTATED = 30
"""Days of the cost report that are read again once a day."""
COST_CHUNK = 31
"""Days of the cost report that are back-filled in one reading."""
_NAMES_EVERY = timedelta(minutes=5)
LISTS: Mapping[str, timedelta] = {
    "organization": _NAMES_EVERY,
    "workspaces": _NAMES_EVERY,
    "api_keys": _NAMES_EVERY,
    "users": _NAMES_EVERY,
    "invites": _NAMES_EVERY,
    "spend_limits": timedelta(minutes=30),
    "effective_spend_limits": timedelta(minutes=30),
    "rate_limits": HOUR,
    # At each of these polls a few workspaces are asked (`by_workspace`).
    "workspace_rate_limits": _NAMES_EVERY,
    "workspace_members": _NAMES_EVERY,
}
"""The sources that are lists of who and what there is, and how often each is read."""
ABSENT_EVERY = DAY
"""How often a source that was never offered is asked again whether it is now."""


class PollSettings(Protocol):
    """How often each source is asked, and how far back the first start reads."""

    @property
    def usage_every(self) -> timedelta: ...
    @property
    def cost_every(self) -> timedelta: ...
    @property
    def backfill(self) -> timedelta: ...


@dataclass(frozen=True, slots=True)
class Days:
    """The UTC days in `[start, end)`; with `end` None until today, which is how the cost report wants to be asked."""

    start: date
    end: date | None

    def __str__(self) -> str:
        return f"{self.start} to {'today' if self.end is None else self.end - DAY}"

    def halves(self, today: date) -> tuple[Days, ...]:
        """The two halves; nothing for a single day."""
        end = self.end or today + DAY
        middle = self.start + (end - self.start) // DAY // 2 * DAY
        return () if middle <= self.start else (Days(self.start, middle), Days(middle, self.end))


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the store holds, as far as a plan depends on it.

    For hours: when each was last read and believed, and when it was last asked for. For days of cost: when each was
    last read. What is held back is asked for until it is believed again, however old it is by then.
    """

    sources: Mapping[str, SourceState]
    believed: Mapping[datetime, datetime]
    asked: Mapping[datetime, datetime]
    costs: Mapping[date, datetime]
    held_hours: frozenset[datetime] = frozenset()
    held_days: frozenset[date] = frozenset()
    empty: frozenset[datetime] = frozenset()
    """Hours that read as empty for the whole organization."""
    claude_code: Mapping[date, datetime] = field(default_factory=dict)
    """When each day of the Claude Code report was asked for last."""
    analytics: Mapping[str, Reached] = field(default_factory=dict)
    """What is known of the analytics reports, by source."""

    @classmethod
    def of(cls, store: Store, organization: str, now: datetime, settings: PollSettings) -> Self:
        """Read them from a store."""
        held_hours = frozenset(held.bucket for held in store.usage.held(organization))
        start, end = min([_first_day(now, settings), *held_hours]), now + DAY
        observed = store.usage.observed(organization, start, end)
        days = store.costs.observed(organization, start.date(), end.date() + DAY)
        return cls(
            sources={state.source: state for state in store.sources.all(organization)},
            believed={hour: state.observed_at for hour, state in observed.items()},
            asked=store.usage.read_at(organization, start, end),
            costs={day: state.observed_at for day, state in days.items()},
            held_hours=held_hours,
            held_days=frozenset(held.bucket for held in store.costs.held(organization)),
            empty=frozenset(hour for hour, state in observed.items() if not state.tokens),
            claude_code=days_asked(store, organization, now),
            analytics=reached(store, organization, now, _first_day(now, settings)),
        )

    def claude_code_days(self) -> Mapping[date, datetime]:
        """When each day of the Claude Code report was asked for, as far as the source's state has heard of it.

        What was asked after that state was last kept is of a poll that was cut off.
        """
        state = self.sources.get("claude_code")
        until = None if state is None else state.last_attempt_at
        return {day: at for day, at in self.claude_code.items() if until is not None and at <= until}

    def is_open(self, source: str) -> bool:
        """Whether a source has answered, and has not said since that it is not offered."""
        state = self.sources.get(source)
        return state is not None and bool(state.offered)


@dataclass(frozen=True, slots=True)
class Plan:
    """What one poll reads: each of `backfill`, `usage` and `costs` is a reading that counts whole or not at all."""

    backfill: tuple[Hours, ...] = ()
    usage: Hours | None = None
    costs: tuple[Days, ...] = ()
    claude_code: tuple[date, ...] = ()
    lists: tuple[str, ...] = ()
    analytics: Mapping[str, Lanes] = field(default_factory=dict)
    """By source; `analytics_usage` counts where the usage report turns out not to be offered."""

    @classmethod
    def due(
        cls, store: Store, organization: str, now: datetime, settings: PollSettings, *, absent_too: bool = False
    ) -> Self:
        """What is due now; with `absent_too` also what was never offered, whenever that was asked last."""
        return cls.of(Holdings.of(store, organization, now, settings), now, settings, absent_too=absent_too)

    @classmethod
    def everything(cls, store: Store, organization: str, now: datetime, settings: PollSettings) -> Self:
        """Every source, whatever is due: the back-fill, usage of the trailing 24 hours, cost of the trailing 7 days.

        What was never offered is asked for once a day here too: `watcher poll` may be called every few minutes.
        """
        return cls.of(Holdings.of(store, organization, now, settings), now, settings, everything=True)

    @classmethod
    def of(
        cls,
        held: Holdings,
        now: datetime,
        settings: PollSettings,
        *,
        everything: bool = False,
        absent_too: bool = False,
    ) -> Self:
        """The pure decision behind `due` and `everything`."""

        def asks(source: str, every: timedelta) -> bool:
            state = held.sources.get(source)
            if state is None:
                return True
            if state.offered is False and state.last_success_at is None:
                return absent_too or is_due(state.last_attempt_at, ABSENT_EVERY, now)
            if everything:
                return True
            failing = state.failing_since is not None and state.offered is not False
            return is_due(state.last_attempt_at, min(every, settings.usage_every) if failing else every, now)

        claude_code = days_due(held.claude_code_days(), _first_day(now, settings).date(), now, everything=everything)
        # Its days are due one by one; a report that is gone has none that was asked for, and a pace instead.
        pace = HOUR if _is_gone(held.sources.get("claude_code")) else timedelta(0)
        usage = asks("usage", settings.usage_every)
        return cls(
            backfill=tuple(_missing_days(held, now, settings, at_once=everything)) if usage else (),
            usage=_window(held, now, whole=everything) if usage else None,
            costs=tuple(_cost_days(held, now, settings)) if asks("cost", settings.cost_every) else (),
            claude_code=tuple(claude_code) if asks("claude_code", pace) else (),
            lists=tuple(source for source, every in LISTS.items() if asks(source, every)),
            analytics={
                source: lanes(known, now, _first_day(now, settings), everything=everything)
                for source, known in held.analytics.items()
                if held.is_open(source) or asks(source, READ_AGAIN)
            },
        )


def _is_gone(state: SourceState | None) -> bool:
    return state is not None and state.offered is False


def _first_day(now: datetime, settings: PollSettings) -> datetime:
    return midnight((now - settings.backfill).date())


def _missing_days(held: Holdings, now: datetime, settings: PollSettings, *, at_once: bool) -> Iterator[Hours]:
    """The UTC days before the trailing window that hold an hour still to be read, oldest first."""
    trailing = hour_of(now) - TRAILING

    def is_missing(hour: datetime) -> bool:
        believed, asked = held.believed.get(hour), held.asked.get(hour)
        if hour not in held.held_hours and believed is not None and believed >= hour + HOUR + SETTLED_READING:
            return False
        return at_once or asked is None or asked < hour + HOUR or is_due(asked, READ_AGAIN, now)

    first = _first_day(now, settings)
    older = {midnight(hour.date()) for hour in held.held_hours if hour < first}
    within = (first + number * DAY for number in range(max((trailing - first) // DAY + 1, 0)))
    for start in (*sorted(older), *within):
        end = min(start + DAY, trailing)
        if any(map(is_missing, hours(start, end))):
            yield Hours(start, end)


def _window(held: Holdings, now: datetime, *, whole: bool) -> Hours:
    """The trailing window: all of it where some hour was not believed within the last hour, or reads as empty.

    What a stall left empty must be filled in one reading when it ends: a part of it would count as complete zeros.
    """
    hour = hour_of(now)
    start = hour - TRAILING
    trailing = list(hours(start, hour))
    old = any(is_due(held.believed.get(each), READ_AGAIN, now) for each in trailing)
    whole = whole or old or not held.empty.isdisjoint(trailing)
    return Hours(start if whole else hour - OPEN_HOURS, hour + HOUR)


def _cost_days(held: Holdings, now: datetime, settings: PollSettings) -> Iterator[Days]:
    today, first = now.date(), _first_day(now, settings).date()

    def span(start: date, end: date) -> Iterator[date]:
        while start < end:
            yield start
            start += DAY

    week = today - COST_TRAILING * DAY
    recent = min([max(today - COST_RESTATED * DAY, min(first, week)), *held.held_days])
    start = first
    while start < recent:
        end = min(start + COST_CHUNK * DAY, recent)
        if any(day not in held.costs for day in span(start, end)):
            yield Days(start, end)
        start = end
    daily = any(day not in held.costs or is_due(held.costs[day], DAY, now) for day in span(recent, week))
    yield Days(recent if daily or recent in held.held_days else week, None)
