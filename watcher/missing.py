"""What this organization or key does not have, and what that costs in precision: for `check --online` and `status`.

Most organizations lack something, and the rest is served without it: that is worth a note, and no problem. The one
exception is that no source tells of usage at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from rules.model import SourceState
from rules.sources import ANALYTICS_COST, ANALYTICS_USAGE, USAGE

MINOR = ("spend_limits", "effective_spend_limits", "rate_limits", "workspace_rate_limits", "workspace_members")
"""Sources that many organizations lack and that no figure depends on: what is absent of them is told in one line."""

_WITHOUT: Mapping[str, str] = {
    "organization": "the organization's name stays unknown",
    USAGE: "nothing can be estimated from tokens and no anomaly is seen",
    "cost": "no figure is ever settled: all spend stays an estimate from list prices",
    ANALYTICS_COST: "spend is settled by the day from the cost report, and not hour by hour and key by key",
    ANALYTICS_USAGE: "nothing is lost where the usage report answers, which is fresher",
    "workspaces": "workspaces are shown by their ids, and none has a tag",
    "api_keys": "keys are shown by their ids, and whose they are stays unknown",
    "users": "people are shown by their ids, and cannot be selected by name or e-mail address",
    "invites": "open invitations are not seen",
    "claude_code": "Claude Code use is not told apart by user",
    "spend_limits": "the limits that the provider enforces are not shown",
    "effective_spend_limits": "what members have spent against their limits is not shown",
    "rate_limits": "rate limits are not shown",
    "workspace_rate_limits": "rate limits that workspaces override are not shown",
    "workspace_members": "who works in a workspace stays unknown",
}
_INSTEAD: Mapping[str, tuple[str, str]] = {
    USAGE: (
        ANALYTICS_USAGE,
        "usage comes from analytics: usually up to 4 hours late, at times a day, and without geography and speed",
    ),
    "cost": (ANALYTICS_COST, "there is no bill to settle days by: hours are settled by the hourly cost of analytics"),
}
"""What stands in for a source, and what is then lost."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Sentences about what is not offered: what is only good to know, and what leaves the watcher blind."""

    notes: tuple[str, ...]
    problems: tuple[str, ...]


def lost_without(source: str, there: Collection[str]) -> str:
    """What is lost without a source, where the sources named by `there` answer; no full stop."""
    stand_in, loss = _INSTEAD.get(source, ("", ""))
    return loss if stand_in in there else _WITHOUT[source]


def missing(sources: Iterable[SourceState]) -> Missing:
    """What the sources' states say is not offered and never was; what is gone fails, and is told as that."""
    known = tuple(sources)
    there = {state.source for state in known if state.offered}
    absent = [state.source for state in known if state.offered is False and state.failing_since is None]
    blind = USAGE in absent and ANALYTICS_USAGE not in there
    sentences = {
        source: f"Source {source} is not offered to this key: {lost_without(source, there)}."
        for source in absent
        if source not in MINOR and not (source == ANALYTICS_USAGE and not blind)
    }
    notes = [sentence for source, sentence in sentences.items() if not (blind and source == USAGE)]
    if minor := [source for source in absent if source in MINOR]:
        notes.append(f"Not offered to this key, and therefore not shown: {', '.join(minor)}.")
    return Missing(tuple(notes), (sentences[USAGE],) if blind else ())
