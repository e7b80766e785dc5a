"""Routes in words, and what of them is probably not meant."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from rules.hearing import taken_by
from rules.labels import CLOSED
from rules.model import Route


def describe_routes(routes: Sequence[Route]) -> list[str]:
    """A sentence for each route, in order; none where every receiver hears of everything anyway."""
    if not is_selective(routes):
        return []
    return [_sentence(number, route, last=number == len(routes)) for number, route in enumerate(routes, start=1)]


def is_selective(routes: Sequence[Route]) -> bool:
    """Whether some route lets an alert not come to each receiver that routes name."""
    return any(route.match or not route.continues for route in routes)


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
        if next(taken_by(certain, labels), None) is None:
            told = " and ".join(f"{label} {value}" for label, value in zip(CLOSED, values, strict=True))
            return f"one of {told}" + (", say," if len(certain) == len(routes) else " that they do not match")
    return None


def _sentence(number: int, route: Route, *, last: bool) -> str:
    which = f"alerts whose {_and([matcher.words for matcher in route.match])}" if route.match else "every alert"
    go = "go" if route.match else "goes"
    end = ", and on to the next route" if route.continues and not last else ""
    if not route.continues and not last:
        end = ", and no further"
    return f'Route {number}: {which} {go} to "{route.receiver}"{end}.'


def _and(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)
