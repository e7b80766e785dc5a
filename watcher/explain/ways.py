"""Which routes take an alert, which do not, and why. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rules.matchers import Labels
from rules.model import Route


@dataclass(frozen=True, slots=True)
class Way:
    """One route, as it meets an alert."""

    route: Route
    takes: bool
    """Whether the alert ends there: the route takes it, and none inside it does."""
    why: str
    """As a clause: what holds, what does not, or which route came before."""


def ways(routes: Sequence[Route], labels: Labels) -> tuple[Way, ...]:
    """Every route that was looked at, in order; one behind a route that let the alert go no further is told as such."""
    return tuple(_ways(routes, labels))


def _ways(routes: Sequence[Route], labels: Labels) -> Iterator[Way]:
    ended = ""
    for route in routes:
        if ended:
            yield Way(route, takes=False, why=f"{ended} took it, and does not continue")
            continue
        failed = next((matcher for matcher in route.match if not matcher.holds(labels)), None)
        if failed is not None:
            yield Way(route, takes=False, why=f"it asks that {failed.words}{_is(labels.get(failed.label))}")
            continue
        inside = tuple(_ways(route.routes, labels))
        deeper = any(way.takes for way in inside)
        held = " and ".join(matcher.words for matcher in route.match) or "it takes every alert"
        yield Way(route, takes=not deeper, why=f"{held}, and a route inside it takes it" if deeper else held)
        yield from inside
        ended = "" if route.continues else route.written


def _is(texts: Sequence[str] | None) -> str:
    if not texts:
        return "; it has no such label"
    return f"; it is {' or '.join(dict.fromkeys(texts))}"
