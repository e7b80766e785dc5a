"""What the keys of an event's table mean together: when it is, and what it expects."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from watcher.config.models import EventTable
from watcher.config.problems import Problem

LONGEST = timedelta(days=31)
_WEEK = timedelta(days=7)
LAUNCH, HOLIDAY = 3.0, 1.0
"""How many times the usual may come, where nothing was said."""


def dates(table: EventTable) -> tuple[datetime, datetime] | None:
    """When it begins and ends, by the clock of its zone; None for one of holidays."""
    if table.since is None or table.until is None:
        return None
    return _local(table.since, table.timezone), _local(table.until, table.timezone)


def expected(table: EventTable) -> float:
    """How many times the usual may come."""
    usual = LAUNCH if table.holidays is None else HOLIDAY
    return usual if table.expect is None else table.expect


def event_problems(table: EventTable, place: str) -> Iterator[Problem]:
    """What does not go together."""
    since, until = table.since, table.until
    if table.holidays is not None:
        for key, given in (("from", since), ("to", until)):
            if given is not None:
                yield Problem(f"{place}.{key}", "does not go with `holidays`: write one event for each")
        if table.repeat is not None:
            yield Problem(f"{place}.repeat", "does not go with `holidays`, which come every year anyway")
    elif since is None and until is None:
        right = 'from = "2026-12-01" and to = "2026-12-03", or holidays = "DE"'
        yield Problem(place, f"says no time: write {right}")
    elif until is None:
        yield Problem(f"{place}.to", 'is missing: with `from`, write it too, as in to = "2026-12-03"')
    elif since is None:
        yield Problem(f"{place}.from", 'is missing: with `to`, write it too, as in from = "2026-12-01"')
    else:
        yield from _stretch_problems(since, until, table, place)


def event_warnings(table: EventTable, place: str) -> Iterator[str]:
    """What is said of a time that the clocks of the zone skip, or that comes twice and does not say which is meant."""
    for key, moment in (("from", table.since), ("to", table.until)):
        if moment is None or moment.tzinfo is not None or moment.time() == time():
            continue  # a day begins with its first instant, whatever the clocks do
        skipped_to = _skipped_to(moment, table.timezone)
        if skipped_to is not None:
            yield (
                f"{place}.{key}: the clocks of {table.timezone} skip {shown_moment(moment)}; "
                f"what is meant is taken to be {skipped_to:%H:%M}"
            )
        elif _instant(moment, table.timezone) != _instant(moment.replace(fold=1), table.timezone):
            second = moment.replace(tzinfo=ZoneInfo(table.timezone), fold=1).isoformat(timespec="minutes")
            yield (
                f"{place}.{key}: {shown_moment(moment)} comes twice by the clocks of {table.timezone}, "
                f'and the first is taken; the second is "{second}"'
            )


def _stretch_problems(since: datetime, until: datetime, table: EventTable, place: str) -> Iterator[Problem]:
    begins, ends = _local(since, table.timezone), _local(until, table.timezone)
    repeat = table.repeat
    if _instant(ends, table.timezone) <= _instant(begins, table.timezone):
        why = ": the day it names is not in it" if ends == begins else ""
        skipped_to = _skipped_to(begins, table.timezone)
        if skipped_to is not None:
            why = f": the clocks skip that, and it is taken for {skipped_to:%H:%M}"
        yield Problem(f"{place}.to", f"must be after `from`, which is {shown_moment(begins)}{why}")
    elif ends - begins > LONGEST:
        long = (ends - begins) // timedelta(days=1)
        why = "what lasts longer is a new normal, and is learnt within days"
        yield Problem(f"{place}.to", f"makes it {long} days, and it must be at most {LONGEST.days}: {why}")
    elif repeat == "weekly" and ends - begins >= _WEEK:
        yield Problem(f"{place}.repeat", 'cannot be "weekly" for a whole week: what is always there is learnt')


def shown_moment(moment: datetime) -> str:
    """A local time as the file would write it: "2026-12-01", or "2026-12-01 09:00"."""
    return f"{moment:%Y-%m-%d}" if not (moment.hour or moment.minute or moment.second) else f"{moment:%Y-%m-%d %H:%M}"


def _local(moment: datetime, zone: str) -> datetime:
    """The clock of the zone at a moment that names its own; else the moment is of that clock."""
    return moment if moment.tzinfo is None else moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _instant(local: datetime, zone: str) -> datetime:
    """The moment at which the clock of the zone shows that: an hour later where it skips it, the first of two."""
    return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _skipped_to(local: datetime, zone: str) -> datetime | None:
    """What the clock of the zone shows at a moment that it skips; None for all others."""
    shown = _instant(local, zone).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return None if shown == local else shown
