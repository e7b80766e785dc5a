"""Which routes take an alert, for many alerts: each set of routes whose matchers hold is followed once. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rules.holding import Holding
from rules.matchers import Labels
from rules.routes import Route, every


class Taking:
    """The routes, and who is heard by those that take an alert. A set of routes is a number, with a bit for each; a
    route comes before those inside it."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = routes
        all_routes = tuple(every(routes))
        self._bits = {id(route): 1 << number for number, route in enumerate(all_routes)}
        self._holding = Holding([route.match for route in all_routes])
        self._ways: dict[int, Mapping[str, Route]] = {}

    @property
    def asks(self) -> bool:
        """Whether any route has a matcher: without one every alert takes the same way."""
        return self._holding.asks

    def ways(self, labels: Labels) -> Mapping[str, Route]:
        """By receiver the route by which it hears of an alert with these labels, in the order of the routes; of several
        the first."""
        holding = self._holding.of(labels)
        known = self._ways.get(holding)
        if known is None:
            known = self._ways[holding] = self._followed(holding)
        return known

    def _followed(self, holding: int) -> Mapping[str, Route]:
        ways: dict[str, Route] = {}
        for route in self._along(self._routes, holding):
            ways.setdefault(route.receiver, route)
        return ways

    def _along(self, routes: Sequence[Route], holding: int) -> Iterator[Route]:
        """The routes at which an alert ends by these, up to and with the first that does not continue."""
        for route in routes:
            if holding & self._bits[id(route)]:
                inside = tuple(self._along(route.routes, holding)) if route.routes else ()
                yield from inside or (route,)
                if not route.continues:
                    return
