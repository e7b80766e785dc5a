"""Which hours of an analytics report a poll is to read. Pure.

Two lanes. *Recent*: the last 48 hours that have ended, every hour, as most hours come some hours late and are corrected
within a day. *Older*: what was never read, newest first, as a person who waits wants last week before last month; once
a UTC day the 30 days in which amounts are restated; and hourly what is held back. An hour that was last read before its
30 days were over is read once more.

In each lane what was read longest ago comes first: an organization too large to be read every hour is read in turn,
and neither lane starves the other. How a lane is worked off, and where a poll leaves it, is in `analytics_lanes`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from watcher.admin_api.analytics import reaches_back_to
from watcher.ingest.analytics_lanes import COST, USAGE, Lanes, Told
from watcher.ingest.windows import DAY, HOUR, Hours, hour_of, hours, is_due, midnight
from watcher.store import Store

TRAILING = 48 * HOUR
"""How far back the hourly re-reading goes."""
READ_AGAIN = HOUR
RESTATED = 30 * DAY
"""For how long after its end an hour is restated."""
KINDS_A_ROW = 4
"""Rows of the wire for each that is stored, which holds the kinds of cost of one series together."""

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Reached:
    """What is known of one of the reports: when each hour was last asked for, what is held, how much hours tell."""

    asked: Mapping[datetime, datetime] = field(default_factory=dict)
    held: Collection[datetime] = ()
    told: Told = field(default_factory=Told)


def reached(store: Store, organization: str, now: datetime, first: datetime) -> Mapping[str, Reached]:
    """What the store holds of both reports, by source; `first` is where the history begins."""
    analytics = store.analytics
    held = {COST: analytics.held(organization), USAGE: store.usage.held(organization)}
    week = analytics.observed(organization, now - 7 * DAY, now).values()
    told = Told(len(week), KINDS_A_ROW * sum(state.row_count for state in week))
    found = {}
    for source, buckets in held.items():
        hours_held = frozenset(each.bucket for each in buckets)
        asked = analytics.asked(organization, min([first, *hours_held]), now + DAY, source)
        found[source] = Reached(asked, hours_held, told)
    return found


def lanes(reached: Reached, now: datetime, first: datetime, *, everything: bool = False) -> Lanes:
    """What is due of one report at `now`; `first` is where the history that the owner asked for begins.

    With `everything` the recent hours are due whatever was read when.
    """
    until = hour_of(now)
    trailing = until - TRAILING
    # An hour inside the limit: it moves while requests are under way.
    earliest = max(first, reaches_back_to(now) + HOUR)
    recent = [hour for hour in hours(trailing, until) if everything or is_due(reached.asked.get(hour), READ_AGAIN, now)]
    longest = reached.told.longest
    return Lanes(
        _pieces(recent, longest, reached),
        _pieces(_older(reached, now, earliest, trailing), longest, reached),
    )


def _older(reached: Reached, now: datetime, earliest: datetime, until: datetime) -> Iterator[datetime]:
    """The hours before `until` that are due, in order."""
    today = midnight(now.date())
    restated_from = today - RESTATED - DAY
    held = sorted(hour for hour in reached.held if hour < earliest)
    for hour in (*held, *hours(min(earliest, until), until)):
        asked = reached.asked.get(hour)
        if asked is None:
            yield hour
        elif hour in reached.held:
            if is_due(asked, READ_AGAIN, now):
                yield hour
        elif hour >= restated_from:
            if not today <= asked <= now:
                yield hour
        elif asked < hour + RESTATED:
            yield hour


def _pieces(due: Iterable[datetime], longest: int, reached: Reached) -> tuple[Hours, ...]:
    """Hours in a row as readings of at most `longest` hours, counted from the newest; what was read first in front."""
    pieces: list[Hours] = []
    for hour in sorted(due, reverse=True):
        if pieces and pieces[-1].start == hour + HOUR and len(pieces[-1]) < longest:
            pieces[-1] = Hours(hour, pieces[-1].end)
        else:
            pieces.append(Hours(hour, hour + HOUR))

    def read_first(piece: Hours) -> tuple[datetime, float]:
        asked = min(reached.asked.get(hour, _NEVER) for hour in hours(piece.start, piece.end))
        return asked, -piece.start.timestamp()

    return tuple(sorted(pieces, key=read_first))
