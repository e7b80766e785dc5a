"""Two configurations over the same history: what both tell, what only one does, and which is earlier. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from watcher.backtest.stops import Stop
from watcher.backtest.told import Told


@dataclass(frozen=True, slots=True)
class Pair:
    """The same cause, told by both."""

    first: Told
    second: Told

    @property
    def later(self) -> timedelta:
        """How much later the second one tells it; negative where it is earlier."""
        return self.second.paged_at - self.first.paged_at


@dataclass(frozen=True, slots=True)
class Comparison:
    """Alerts of two replays, those of the first in its order."""

    both: tuple[Pair, ...]
    only_first: tuple[Told, ...]
    only_second: tuple[Told, ...]


def compare(first: Sequence[Told], second: Sequence[Told]) -> Comparison:
    """Pair alerts of one kind, scope and instance whose times overlap: those of rules of one name before others.

    The times are those from the beginning of the cause to the end of the alert.
    """
    free = list(second)
    pairs: dict[int, Told] = {}
    for same_rule in (True, False):
        for place, told in enumerate(first):
            if place in pairs:
                continue
            fits = [other for other in free if _alike(told, other) and (not same_rule or _rule(told) == _rule(other))]
            if fits:
                nearest = min(fits, key=lambda other: (abs(other.paged_at - told.paged_at), other.alert.id))
                pairs[place] = nearest
                free.remove(nearest)
    return Comparison(
        both=tuple(Pair(first[place], pairs[place]) for place in sorted(pairs)),
        only_first=tuple(told for place, told in enumerate(first) if place not in pairs),
        only_second=tuple(free),
    )


@dataclass(frozen=True, slots=True)
class ComparedStops:
    """Keys that two replays would have stopped."""

    both: tuple[tuple[Stop, Stop], ...]
    only_first: tuple[Stop, ...]
    only_second: tuple[Stop, ...]


def compare_stops(first: Sequence[Stop], second: Sequence[Stop]) -> ComparedStops:
    """Pair stops of the same key at times that overlap, the nearest first."""
    free, both, alone = list(second), [], []
    for stop in first:
        fits = [other for other in free if other.row.key == stop.row.key and _overlap(stop, other)]
        if not fits:
            alone.append(stop)
            continue
        nearest = min(fits, key=lambda other: abs(other.at - stop.at))
        both.append((stop, nearest))
        free.remove(nearest)
    return ComparedStops(tuple(both), tuple(alone), tuple(free))


def _overlap(one: Stop, other: Stop) -> bool:
    return one.at <= other.until and other.at <= one.until


def _rule(told: Told) -> str:
    return told.alert.subject.rule


def _alike(first: Told, second: Told) -> bool:
    one, other = first.alert.subject, second.alert.subject
    if (one.kind, one.scope, one.instance) != (other.kind, other.scope, other.instance):
        return False
    return first.began <= _end(second) and second.began <= _end(first)


def _end(told: Told) -> datetime:
    return told.resolved_at or datetime.max.replace(tzinfo=told.began.tzinfo)
