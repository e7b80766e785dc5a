"""Which routes take an alert, for many alerts: what the texts of a label rule out is found once. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rules.matchers import ABSENT, Labels, Matcher
from rules.model import Route

_MANY_TEXTS = {"api_key", "user"}
"""The labels that few alerts share: looked at last, when hardly any route is left to ask."""


class Taking:
    """The routes, and who is heard by those that take an alert. A set of routes is a number, with a bit for each."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = routes
        labels = dict.fromkeys(matcher.label for route in routes for matcher in route.match)
        self._asking = {
            label: [(1 << number, matchers) for number, matchers in _about(label, routes) if matchers]
            for label in sorted(labels, key=lambda label: label in _MANY_TEXTS)
        }
        self._left: dict[tuple[str, tuple[str, ...], int], int] = {}
        self._receivers: dict[int, tuple[str, ...]] = {}

    def receivers(self, labels: Labels) -> tuple[str, ...]:
        """The receivers of the routes that take an alert with these labels, in order, each once."""
        left = (1 << len(self._routes)) - 1
        for label in self._asking:
            asked = label, tuple(labels.get(label) or ABSENT), left
            known = self._left.get(asked)
            left = self._left.setdefault(asked, self._hold(*asked)) if known is None else known
        if left not in self._receivers:
            self._receivers[left] = tuple(dict.fromkeys(self._along(left)))
        return self._receivers[left]

    def _hold(self, label: str, texts: tuple[str, ...], left: int) -> int:
        """Those of some routes of which every matcher on this label holds."""
        for bit, matchers in self._asking[label]:
            if left & bit and not all(matcher.takes(texts) for matcher in matchers):
                left &= ~bit
        return left

    def _along(self, holding: int) -> list[str]:
        """The receivers that an alert comes to by these routes, up to and with the first that does not continue."""
        found = []
        for number, route in enumerate(self._routes):
            if holding >> number & 1:
                found.append(route.receiver)
                if not route.continues:
                    break
        return found


def _about(label: str, routes: Sequence[Route]) -> list[tuple[int, list[Matcher]]]:
    """For each route, by its number, the matchers on this label."""
    return [(number, [each for each in route.match if each.label == label]) for number, route in enumerate(routes)]
