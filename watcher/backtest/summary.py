"""A replay at a glance: by week, by rule, by scope, and how many messages each receiver would have got. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

from rules.model import Nano, Reason
from watcher.backtest.replay import Replay
from watcher.backtest.told import Told, first_of_each_story


@dataclass(frozen=True, slots=True)
class Line:
    """Some alerts together. Money counts each story once, and is None where none of them has any."""

    title: str
    alerts: int
    told: int
    """How many of them were told in a message of their own, after the replay had begun."""
    delay: timedelta | None
    """The median time from the beginning of the cause to the page."""
    before: Nano | None
    after: Nano | None


@dataclass(frozen=True, slots=True)
class Heard:
    """What one receiver would have got: messages about what began (`pages`), about what ended, and the initial one."""

    receiver: str
    pages: int
    resolved: int
    initial: int
    per_week: float
    """Pages a week."""


def by_rule(replay: Replay) -> list[Line]:
    """A line for each rule, the one that told most first."""
    return _lines(replay.alerts, lambda told: told.alert.subject.rule, lambda told: told.alert.subject.rule)


def by_scope(replay: Replay, label: Callable[[Told], str]) -> list[Line]:
    """A line for each scope, under what `label` calls it."""
    return _lines(replay.alerts, lambda told: told.alert.subject.scope, label)


def by_week(replay: Replay) -> list[tuple[date, tuple[Told, ...]]]:
    """The Mondays (UTC) of the weeks judged, the oldest first, with what was told in each; not what was true before."""
    if replay.start is None or replay.until is None:
        return []
    monday, last = monday_of(replay.start), monday_of(replay.until)
    weeks: dict[date, list[Told]] = {}
    while monday <= last:
        weeks[monday] = []
        monday += timedelta(days=7)
    for told in sorted(replay.alerts, key=lambda each: (each.paged_at, each.alert.id)):
        if not told.at_start:
            weeks[monday_of(told.paged_at)].append(told)
    return [(monday, tuple(some)) for monday, some in weeks.items()]


def monday_of(moment: datetime) -> date:
    """The Monday of its week, UTC."""
    return moment.date() - timedelta(days=moment.weekday())


def heard(replay: Replay) -> list[Heard]:
    """What each receiver would have got, by its name."""
    found = []
    for receiver in sorted({message.receiver for message in replay.messages}):
        reasons = [message.reason for message in replay.messages if message.receiver == receiver]
        pages = reasons.count(Reason.FIRST)
        resolved, initial = reasons.count(Reason.RESOLVED), reasons.count(Reason.INITIAL)
        found.append(Heard(receiver, pages, resolved, initial, pages / replay.weeks))
    return found


def total(alerts: Iterable[Told], title: str = "") -> Line:
    """All of these as one line; without those that were true when the replay began."""
    some = [told for told in alerts if not told.at_start]
    delays = [(told.paged_at - told.began).total_seconds() for told in some]
    stories = list(first_of_each_story(some))
    return Line(
        title=title,
        alerts=len(some),
        told=sum(told.inside is None and told.told_at is not None for told in some),
        delay=timedelta(seconds=median(delays)) if delays else None,
        before=sum(told.before or 0 for told in stories) if stories else None,
        after=sum(told.after or 0 for told in stories) if stories else None,
    )


def _lines(alerts: Iterable[Told], key: Callable[[Told], Hashable], label: Callable[[Told], str]) -> list[Line]:
    some: dict[Hashable, list[Told]] = {}
    for told in alerts:
        if not told.at_start:
            some.setdefault(key(told), []).append(told)
    lines = [total(group, label(group[0])) for group in some.values()]
    return sorted(lines, key=lambda line: (-line.told, -line.alerts, line.title))
