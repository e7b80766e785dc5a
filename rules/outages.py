"""When several sources cannot be read, one of them tells it: an API that is down is one story, not eight.

The most important source that fails is told of, and the others travel inside its message. One that still fails when
that one has recovered is told of then. Sources that are gone (no longer offered) go together in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable

from rules.model import Alert
from rules.sources import ANALYTICS_COST, ANALYTICS_USAGE, FAILING, GONE, USAGE

IMPORTANCE = (
    *(USAGE, ANALYTICS_USAGE, "cost", ANALYTICS_COST, "claude_code"),
    *("organization", "workspaces", "api_keys", "users", "invites"),
    *("spend_limits", "effective_spend_limits", "rate_limits", "workspace_rate_limits", "workspace_members"),
)
"""The sources, the one whose failure matters most first."""


def is_outage(alert: Alert) -> bool:
    """Whether the alert says of a source that it cannot be read."""
    return alert.subject.kind == "source" and alert.subject.rule in {FAILING, GONE}


def importance(alert: Alert) -> tuple[int, str]:
    """Sorting key: the most important source first, unknown ones last by name."""
    source = alert.subject.instance
    return (IMPORTANCE.index(source) if source in IMPORTANCE else len(IMPORTANCE)), source


def teller(alert: Alert, told: Iterable[Alert]) -> Alert | None:
    """Which of the alerts that are told, if any, tells of this outage too: the most important of a higher rank."""
    higher = [
        other
        for other in told
        if is_outage(other)
        and other.subject.rule == alert.subject.rule
        and other.subject.scope == alert.subject.scope
        and importance(other) < importance(alert)
    ]
    return min(higher, key=importance, default=None)
