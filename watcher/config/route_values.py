"""The matchers of routes, as the configuration and the command line give them."""

from __future__ import annotations

from collections.abc import Sequence

from rules.matchers import Matcher, NoMatcher
from watcher.config.problems import Expanded, Wrong, shown, shown_path

MOST_MATCHERS = 20


def matcher(value: object) -> Matcher:
    """One matcher, such as `severity="critical"`."""
    if not isinstance(value, str):
        raise Wrong(f"must be a text such as 'severity=\"critical\"', not {shown(value)}")
    from rules import labels  # noqa: PLC0415 (most configurations, and so most commands, have no matchers)

    try:
        return labels.read(str(value))
    except NoMatcher as error:
        if isinstance(value, Expanded):
            raise Wrong(f"is no matcher once its variables are filled in: {shown(value)}") from None
        raise Wrong(shown_path(error)) from None


def not_too_many(matchers: Sequence[Matcher]) -> Sequence[Matcher]:
    """As many as one route may have."""
    if len(matchers) > MOST_MATCHERS:
        raise Wrong(f"must be a list of at most {MOST_MATCHERS} matchers, and has {len(matchers)}")
    return matchers
