"""The matchers of routes, as the configuration and the command line give them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rules.matchers import Matcher, NoMatcher
from rules.routes import EACH_ALERT
from watcher.config.problems import Expanded, Wrong, did_you_mean, enumerated, shown, shown_path

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


def group_label(value: object) -> str:
    """A label that alerts are grouped by, or "alert": every alert by itself."""
    if not isinstance(value, str):
        raise Wrong(f'must be a label such as "workspace", not {shown(value)}')
    if value in EACH_ALERT:
        return value
    from rules import labels  # noqa: PLC0415 (few configurations group)

    try:
        labels.check_label(value)
    except NoMatcher:
        guess = "" if isinstance(value, Expanded) else did_you_mean(value, labels.LABELS)
        known = f"{enumerated(labels.LABELS)}, or tag_… for a workspace tag"
        raise Wrong(f"must be a label that alerts have ({known}), not {shown(value)}{guess}") from None
    return value


def whole_group(values: Sequence[str]) -> Sequence[str]:
    """Labels, each once; "alert" stands alone."""
    if len(set(values)) < len(values):
        raise Wrong("must name each label once")
    if set(EACH_ALERT) & set(values) and len(values) > 1:
        raise Wrong('must have no other label beside "alert", which puts every alert into a group of its own')
    return values


def inner(value: object) -> list[dict[str, Any]]:
    """The tables of the routes inside one."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise Wrong(f"must be tables, written [[route.routes]] below their [[route]], not {shown(value)}")
    return value
