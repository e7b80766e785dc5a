"""Which routes take an alert, for many alerts: what the texts of a label rule out is found once. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rules.matchers import ABSENT, Labels, Matcher
from rules.routes import Route, every

_MANY_TEXTS = {"api_key", "user"}
"""The labels that few alerts share: looked at last, when hardly any route is left to ask."""


class Taking:
    """The routes, and who is heard by those that take an alert. A set of routes is a number, with a bit for each; a
    route comes before those inside it."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = routes
        self._every = tuple(every(routes))
        self._bits = {id(route): 1 << number for number, route in enumerate(self._every)}
        labels = dict.fromkeys(matcher.label for route in self._every for matcher in route.match)
        self._asking = {
            label: [(1 << number, matchers) for number, matchers in _about(label, self._every) if matchers]
            for label in sorted(labels, key=lambda label: label in _MANY_TEXTS)
        }
        self._left: dict[tuple[str, tuple[str, ...], int], int] = {}
        self._ways: dict[int, Mapping[str, Route]] = {}

    def ways(self, labels: Labels) -> Mapping[str, Route]:
        """By receiver the route by which it hears of an alert with these labels, in the order of the routes; of several
        the first."""
        left = (1 << len(self._every)) - 1
        for label in self._asking:
            asked = label, tuple(labels.get(label) or ABSENT), left
            known = self._left.get(asked)
            left = self._left.setdefault(asked, self._hold(*asked)) if known is None else known
        if left not in self._ways:
            ways: dict[str, Route] = {}
            for route in self._along(self._routes, left):
                ways.setdefault(route.receiver, route)
            self._ways[left] = ways
        return self._ways[left]

    def _hold(self, label: str, texts: tuple[str, ...], left: int) -> int:
        """Those of some routes of which every matcher on this label holds."""
        for bit, matchers in self._asking[label]:
            if left & bit and not all(matcher.takes(texts) for matcher in matchers):
                left &= ~bit
        return left

    def _along(self, routes: Sequence[Route], holding: int) -> Iterator[Route]:
        """The routes at which an alert ends by these, up to and with the first that does not continue."""
        for route in routes:
            if holding & self._bits[id(route)]:
                inside = tuple(self._along(route.routes, holding)) if route.routes else ()
                yield from inside or (route,)
                if not route.continues:
                    return


def _about(label: str, routes: Sequence[Route]) -> list[tuple[int, list[Matcher]]]:
    """For each route, by its number, the matchers on this label."""
    return [(number, [each for each in route.match if each.label == label]) for number, route in enumerate(routes)]
