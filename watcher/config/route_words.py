"""Routes in words, and what of them is probably not meant."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from rules.intervals import TimeInterval
from rules.labels import CLOSED
from rules.model import Route
from rules.routes import AT_ONCE, EACH_ALERT, NO_TIME, Timing, taken
from watcher.config.durations import spell_duration


def describe_routes(routes: Sequence[Route]) -> list[str]:
    """A sentence for each route, in order; none where every receiver hears of everything at once anyway."""
    return list(_sentences(routes, "")) if is_selective(routes) else []


def is_selective(routes: Sequence[Route]) -> bool:
    """Whether some route lets an alert not come at once to each receiver that routes name."""
    return any(each.match or not each.continues or each.timing != AT_ONCE or each.routes for each in routes)


def warn_of_routes(routes: Sequence[Route]) -> list[str]:
    """Sentences about alerts that no route takes, and routes that none comes to."""
    if not routes:
        return []
    warnings = [
        f"route[{number}]: no alert comes this far, as route[{end}] takes every one and does not continue"
        for end in [next((at for at, route in enumerate(routes) if not route.match and not route.continues), None)]
        if end is not None
        for number in range(end + 1, len(routes))
    ]
    example = _taken_by_none(routes)
    if example is not None:
        warnings.append(
            f"no [[route]] takes every alert: {example} is told to nobody; end with a [[route]] that has a receiver "
            "and no `match`"
        )
    return warnings


def _taken_by_none(routes: Sequence[Route]) -> str | None:
    """An alert that no route takes for certain, in words; None if there is none.

    Routes that ask only for what every alert has, of values that are all known, are tried with each of them. Of what
    others ask for there may always be an alert that does not have it.
    """
    certain = [route for route in routes if all(matcher.label in CLOSED for matcher in route.match)]
    for values in itertools.product(*CLOSED.values()):
        labels = {label: [value] for label, value in zip(CLOSED, values, strict=True)}
        if next(taken(certain, labels), None) is None:
            told = " and ".join(f"{label} {value}" for label, value in zip(CLOSED, values, strict=True))
            return f"one of {told}" + (", say," if len(certain) == len(routes) else " that they do not match")
    return None


def _sentences(routes: Sequence[Route], outer: str) -> Iterator[str]:
    for number, route in enumerate(routes, start=1):
        yield _sentence(f"{outer}{number}", route, last=number == len(routes), inside=bool(outer))
        yield from _sentences(route.routes, f"{outer}{number}.")


def _sentence(number: str, route: Route, *, last: bool, inside: bool) -> str:
    of = " of these" if inside else ""
    which = (
        f"alerts{of} whose {_and([matcher.words for matcher in route.match])}" if route.match else f"every alert{of}"
    )
    go = "go" if route.match else "goes"
    end = ", and on to the next route" if route.continues and not last else ""
    if not route.continues and not last:
        end = ", and no further"
    unless = " unless a route below takes it" if route.routes and not route.match else ""
    unless = " unless routes below take them" if route.routes and route.match else unless
    return f'Route {number}: {which} {go} to "{route.receiver}"{unless}{end}.{timing_words(route.timing)}'


def timing_words(timing: Timing) -> str:
    """When it sends: " In groups by workspace, …." """
    if timing == AT_ONCE:
        return ""
    told = []
    if timing.group_by != EACH_ALERT:
        told.append(f"in groups by {_and(timing.group_by)}" if timing.group_by else "all in one group")
    if timing.group_wait > NO_TIME:
        told.append(f"{spell_duration(timing.group_wait)} after the first")
    if timing.group_interval > NO_TIME:
        told.append(f"at most every {spell_duration(timing.group_interval)}")
    if timing.repeat_interval is not None:
        told.append(f"again after {spell_duration(timing.repeat_interval)}")
    if timing.active:
        told.append(f"only within {_and(_quoted(timing.active))}")
    if timing.mute:
        told.append(f"not within {_and(_quoted(timing.mute))}")
    if timing.escalate_after is not None:
        after = spell_duration(timing.escalate_after)
        told.append(f'to "{timing.escalate_to}" too if nobody acknowledges within {after}')
    return f" Told {'; '.join(told)}." if told else ""


def _quoted(intervals: Sequence[TimeInterval]) -> list[str]:
    return [f'"{each.name}"' for each in intervals]


def _and(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)
