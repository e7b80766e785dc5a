"""Routes as the owner writes them: a tree, each node with matchers, a receiver, and when it may send. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from rules.intervals import TimeInterval
from rules.matchers import Labels, Matcher, all_hold

NO_TIME = timedelta(0)
EACH_ALERT = ("alert",)
"""`group_by` that puts every alert into a group of its own."""


@dataclass(frozen=True, slots=True)
class Timing:
    """When what a route takes is sent, and together with what."""

    group_by: tuple[str, ...] = EACH_ALERT
    """Labels; alerts that have the same values share messages. () puts all that the route takes into one group."""
    group_wait: timedelta = NO_TIME
    """How long a new group waits for more."""
    group_interval: timedelta = NO_TIME
    """The least time between two messages of one group."""
    repeat_interval: timedelta | None = None
    """How long after its last message a group that still fires is told again; None: never."""
    active: tuple[TimeInterval, ...] = ()
    mute: tuple[TimeInterval, ...] = ()
    """Outside of the one and within the other nothing is sent, and what is still true is sent afterwards."""
    escalate_after: timedelta | None = None
    escalate_to: str = ""
    """The receiver that is told of an alert which so long after its message fires and nobody has acknowledged."""


AT_ONCE = Timing()
"""Every alert by itself, in the judgement that decides it, and once."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where alerts go: to this receiver, if all matchers hold. The first route that takes an alert ends its way, unless
    it goes on. Of the routes inside it those that take the alert have it in its place."""

    receiver: str
    match: tuple[Matcher, ...] = ()
    goes_on: bool | None = None
    """Whether what it takes is offered to the routes below it; None where nothing was said."""
    timing: Timing = AT_ONCE
    routes: tuple[Route, ...] = ()
    place: str = field(default="", compare=False)
    """What it is known by from one configuration to the next: the matchers of the routes around it and its own."""
    written: str = field(default="", compare=False)
    """Where it stands in the configuration: "route[0].routes[1]"."""

    @property
    def continues(self) -> bool:
        """Whether it goes on: as said, or else if it has no matchers. So routes without any all hear of everything."""
        return not self.match if self.goes_on is None else self.goes_on

    @property
    def receivers(self) -> tuple[str, ...]:
        """Everybody that it or a route inside it names, to escalate to as well; in order, each once."""
        own = [self.receiver, *([self.timing.escalate_to] if self.timing.escalate_to else [])]
        return tuple(dict.fromkeys([*own, *(each for route in self.routes for each in route.receivers)]))


def place_of(outer: Route | None, match: Iterable[Matcher]) -> str:
    """The place of a route with these matchers, wherever it stands among its neighbours."""
    return f"{outer.place if outer is not None else ''}/{','.join(sorted(map(str, match)))}"


def taken(routes: Sequence[Route], labels: Labels) -> Iterator[Route]:
    """The routes that an alert with these labels ends at, in order."""
    for route in routes:
        if all_hold(route.match, labels):
            inside = tuple(taken(route.routes, labels)) if route.routes else ()
            yield from inside or (route,)
            if not route.continues:
                return


def every(routes: Sequence[Route]) -> Iterator[Route]:
    """All routes, each before those inside it."""
    for route in routes:
        yield route
        yield from every(route.routes)
