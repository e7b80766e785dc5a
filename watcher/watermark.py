"""Up to where the data are complete. Pure: what was read when, and now, go in.

Usage. An hour is complete once it ended a settling time ago *and* was read (and believed) at least that long after its
end; until then the figure is a lower bound. The settling time is 20 minutes, and longer while data are seen to come
later than that (`settling_time`). The watermark is the end of the unbroken run of complete hours that begins with the
earliest hour ever read.

The watermark does not move back when the settling time grows or the clock is set back: what was complete stays so. It
moves back only when a hole appears before it, an hour that was never read. An hour that the API leaves out of its
answers though it was asked for three days after the hour's end is given up: the watermark passes over it, and it stays
listed as a hole (missing, not zero).

Cost. A day is complete for this purpose once it was read after it had ended, which says nothing about settlement.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

SETTLING = timedelta(minutes=20)
"""How long after its end an hour is awaited when nothing is known of lateness; reports lag about five minutes."""
LONGEST_SETTLING = timedelta(hours=6)
"""What the settling time never exceeds, however late the data."""
REMEMBERED = timedelta(days=7)
"""How long a late change keeps the settling time up, fading evenly."""
MATERIAL_SHARE = 0.01
"""A late change that moved a smaller share of its hour's tokens is a correction, and does not count as lateness."""
GIVEN_UP_AFTER = timedelta(hours=72)
"""How long after its end an hour that answers leave out is still awaited."""

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class LateChange:
    """A change of one usage hour: not there at `previous_at`, there at `observed_at`; `share` of its tokens moved.

    `from_nothing` says that until then the hour had been empty for the whole organization.
    """

    hour: datetime
    previous_at: datetime
    observed_at: datetime
    share: float
    from_nothing: bool = False


@dataclass(frozen=True, slots=True)
class Watermark:
    """Everything before `complete_until` is complete but for the `holes`, windows `[from, to)` that were never read."""

    complete_until: datetime | None
    holes: tuple[tuple[datetime, datetime], ...] = ()


def settling_time(changes: Iterable[LateChange], now: datetime) -> timedelta:
    """How long after its end an hour is awaited, from `SETTLING` to `LONGEST_SETTLING`.

    Only a material change of an hour that had already counted as complete is lateness. It is as late as the reading
    that showed it, or an hour after the one before where nobody looked for longer than that. Each such change pulls
    the settling time up to its lateness, and its pull fades to nothing over `REMEMBERED`.

    A reading that fills an hour from nothing ended a stall, which is another thing than lateness: of the hours that it
    changed only the latest one says how far behind the reports are now.
    """
    material = [change for change in changes if change.share >= MATERIAL_SHARE]
    stalls = {change.observed_at for change in material if change.from_nothing}
    latest: dict[datetime, datetime] = {}
    for change in material:
        latest[change.observed_at] = max(latest.get(change.observed_at, change.hour), change.hour)
    longest = SETTLING
    for change in material:
        end = change.hour + _HOUR
        ended_a_stall = change.observed_at in stalls and change.hour < latest[change.observed_at]
        if ended_a_stall or change.previous_at < end + SETTLING:
            continue
        lateness = min(change.observed_at, change.previous_at + _HOUR) - end
        age = max(now - change.observed_at, timedelta(0))
        fading = max(1 - age / REMEMBERED, 0.0)
        longest = max(longest, SETTLING + (min(lateness, LONGEST_SETTLING) - SETTLING) * fading)
    return longest


def usage_watermark(
    believed: Mapping[datetime, datetime],
    now: datetime,
    settling: timedelta = SETTLING,
    *,
    asked: Mapping[datetime, datetime] | None = None,
    previous: datetime | None = None,
) -> Watermark:
    """The watermark of usage. See the module for the rules.

    `believed` has, for each stored hour, when the last reading of it that was believed was taken; `asked` when each
    hour was last asked for, whatever came; `previous` is the watermark so far.
    """
    if not believed:
        return Watermark(previous)
    asked = asked or {}

    def given_up(hour: datetime) -> bool:
        return hour in asked and asked[hour] >= hour + _HOUR + GIVEN_UP_AFTER

    until = first = min(believed)
    last = max(believed)
    while until <= last and until + _HOUR + settling <= now:
        read_at = believed.get(until)
        if not given_up(until) if read_at is None else read_at < until + _HOUR + settling:
            break
        until += _HOUR
    holes = tuple(_holes(believed, first))
    if previous is not None and previous > until:
        lost = any(not given_up(hour) for start, end in holes for hour in _hours(start, min(end, previous)))
        until = until if lost else previous
    return Watermark(until, holes)


def cost_watermark(believed: Mapping[date, datetime], now: datetime, *, previous: datetime | None = None) -> Watermark:
    """The watermark of the cost report: the midnight that ends the unbroken run of days read after their end.

    `believed` has, for each stored day, when it was last read. A day that answers have left out for three days is
    passed over. The watermark moves back only when a day before it is missing.
    """
    if not believed:
        return Watermark(previous)
    read = {datetime.combine(day, time(), UTC): at for day, at in believed.items()}
    until = min(read)
    last = max(read)
    while until <= last and until + _DAY <= now:
        at = read.get(until)
        if until + _DAY + GIVEN_UP_AFTER > now if at is None else at < until + _DAY:
            break
        until += _DAY
    missing = until not in read and until + _DAY <= now
    if previous is not None and previous > until and not missing:
        until = previous
    return Watermark(until)


def _holes(believed: Mapping[datetime, datetime], first: datetime) -> Iterator[tuple[datetime, datetime]]:
    expected = first
    for hour in sorted(believed):
        if hour > expected:
            yield expected, hour
        expected = hour + _HOUR


def _hours(start: datetime, end: datetime) -> Iterator[datetime]:
    while start < end:
        yield start
        start += _HOUR
