"""The Claude Code report, a UTC day at a time.

A day appears within the hour and may come, or grow, days late. Today and yesterday are read every hour, the week before
daily; older days that are missing, or were not read again a week later, are back-filled a few at a poll, newest first.
A day that comes back empty after it held something is not believed, and what was read stays, until that has been said
for 72 hours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from rules.model import SourceState
from watcher.admin_api.errors import BadRequest
from watcher.ingest.belief import BELIEVED_AFTER
from watcher.ingest.halving import each
from watcher.ingest.poll import Poll
from watcher.store import Store
from watcher.watermark import cost_watermark

SOURCE = "claude_code"

DAYS_A_POLL = 5
"""How many days before the trailing week are back-filled at one poll."""
TRAILING = 7
"""Days before today that are read again, as they may come late."""
RECENT_EVERY = timedelta(hours=1)
TRAILING_EVERY = timedelta(days=1)
REFUSED_EVERY = timedelta(days=7)
"""How often a day of the back-fill that the API refuses to tell (400) is asked for again."""

_DAY = timedelta(days=1)
_EARLY = timedelta(seconds=30)


def days_asked(store: Store, organization: str, now: datetime) -> Mapping[date, datetime]:
    """When each day was asked for last, whatever came; a day refused long ago counts as never asked for."""
    refused = {
        date.fromisoformat(ident): known.asked_at
        for ident, known in store.lookups.all(organization, SOURCE).items()
        if timedelta(0) <= now - known.asked_at < REFUSED_EVERY
    }
    held = {day.bucket: day.observed_at for day in store.claude_code.held(organization)}
    return {**refused, **store.claude_code.observed(organization), **held}


def days_due(asked: Mapping[date, datetime], first: date, now: datetime, *, everything: bool = False) -> list[date]:
    """The days to read now, newest first, none before `first`; with `everything` all that are missing. Pure."""
    today = now.date()

    def again(day: date, every: timedelta) -> bool:
        return day not in asked or not timedelta(0) <= now - asked[day] < every - _EARLY

    def is_old(day: date) -> bool:
        return day not in asked or asked[day] < _midnight(day) + TRAILING * _DAY

    recent = [day for day in (today, today - _DAY) if everything or again(day, RECENT_EVERY)]
    trailing = [day for day in _back(today - 2 * _DAY, today - TRAILING * _DAY) if again(day, TRAILING_EVERY)]
    older = [day for day in _back(today - (TRAILING + 1) * _DAY, first) if is_old(day)]
    return [day for day in recent + trailing if day >= first] + (older if everything else older[:DAYS_A_POLL])


def read_claude_code(poll: Poll, days: Sequence[date]) -> None:
    """Read these days, each whole or not at all."""
    if days:
        poll.ask(SOURCE, lambda: each(days, lambda day: _read(poll, day)), lambda state: _settle(poll, state))


def _read(poll: Poll, day: date) -> None:
    store, organization, now = poll.store, poll.organization, poll.now
    try:
        rows = poll.reader.claude_code(day)
    except BadRequest:
        if day >= now.date() - TRAILING * _DAY:
            raise
        store.lookups.note(organization, SOURCE, day.isoformat(), now, found=False)
        return
    since = {held.bucket: held.since for held in store.claude_code.held(organization)}.get(day, now)
    if rows or not store.claude_code.holds_rows(organization, day) or now - since >= BELIEVED_AFTER:
        store.claude_code.replace(organization, day, rows, now)
    else:
        store.claude_code.hold_back(organization, day, now)


def _settle(poll: Poll, state: SourceState) -> SourceState:
    """The watermark, and since when readings are held back."""
    report = poll.store.claude_code
    watermark = cost_watermark(report.observed(poll.organization), poll.now, previous=state.watermark)
    since = min((held.since for held in report.held(poll.organization)), default=None)
    return replace(state, watermark=watermark.complete_until, stalled_since=since)


def _back(newest: date, oldest: date) -> Iterator[date]:
    while newest >= oldest:
        yield newest
        newest -= _DAY


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
