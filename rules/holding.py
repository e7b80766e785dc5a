"""Which of many conditions hold for an alert, for many alerts: what the texts of a label rule out is found once. Pure.

A condition is a list of matchers, all of which have to hold: those of a route, a silence or an owner.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from rules.expressions import NoExpression, fits
from rules.matchers import ABSENT, Labels, Matcher

_MANY_TEXTS = {"api_key", "user", "owner"}
"""The labels that few alerts share: looked at last, when hardly any condition is left to ask."""

_Test = Callable[[Sequence[str]], bool]


class Holding:
    """The conditions, each known by a bit: that of the first is 1, of the next one 2, and so on."""

    def __init__(self, conditions: Sequence[Sequence[Matcher]]) -> None:
        self._all = (1 << len(conditions)) - 1
        labels = dict.fromkeys(matcher.label for condition in conditions for matcher in condition)
        self._about = [_About(label, conditions) for label in sorted(labels, key=lambda label: label in _MANY_TEXTS)]

    @property
    def asks(self) -> bool:
        """Whether it matters at all what an alert's labels are."""
        return bool(self._about)

    def of(self, labels: Labels) -> int:
        """The bits of those that hold for an alert with these labels."""
        left = self._all
        for about in self._about:
            if left & about.asking:
                left = about.left(labels.get(about.label) or ABSENT, left)
        return left


class _About:
    """What the conditions ask of one label."""

    __slots__ = ("_known", "_tests", "asking", "label")

    def __init__(self, label: str, conditions: Sequence[Sequence[Matcher]]) -> None:
        self.label = label
        asked = [
            (1 << number, tuple(_test(matcher) for matcher in condition if matcher.label == label))
            for number, condition in enumerate(conditions)
        ]
        self._tests = [(bit, tests) for bit, tests in asked if tests]
        self.asking = sum(bit for bit, _ in self._tests)
        self._known: dict[tuple[Sequence[str], int], int] = {}

    def left(self, texts: Sequence[str], left: int) -> int:
        """Those that are left of some conditions when the label has these texts."""
        asked = (texts if isinstance(texts, tuple) else tuple(texts)), left & self.asking
        gone = self._known.get(asked)
        if gone is None:
            gone = self._known[asked] = self._gone(*asked)
        return left & ~gone

    def _gone(self, texts: Sequence[str], asked: int) -> int:
        gone = 0
        for bit, tests in self._tests:
            if asked & bit:
                for test in tests:
                    if not test(texts):
                        gone |= bit
                        break
        return gone


def _test(matcher: Matcher) -> _Test:
    """What tells of the texts of a label whether the matcher takes them, as `Matcher.takes` does."""
    if matcher.operator[-1] != "~":
        return partial(_has if matcher.operator == "=" else _has_not, matcher.value)
    try:
        found = fits(matcher.value)
    except NoExpression:
        return matcher.takes
    return partial(_fits if matcher.operator == "=~" else _fits_not, found)


def _has(value: str, texts: Sequence[str]) -> bool:
    return value in texts


def _has_not(value: str, texts: Sequence[str]) -> bool:
    return value not in texts


def _fits(found: Callable[[str], object], texts: Sequence[str]) -> bool:
    for text in texts:  # noqa: SIM110, several times as fast as `any` of two texts
        if found(text):
            return True
    return False


def _fits_not(found: Callable[[str], object], texts: Sequence[str]) -> bool:
    return not _fits(found, texts)
