"""Which keys are never deactivated.

A glob of `protect` is held against a key or a workspace once, when both are first seen together, and what it took then
is protected from there on, whatever it is called later. What comes to match by a new name, or a new tag, is protected
only once somebody confirms it: else whoever can rename a key could make it untouchable. Ids cannot be changed; a glob
on an id needs no such care.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Literal, TypeAlias

from rules.keys import Key, Keys
from rules.policy import Protect

What: TypeAlias = Literal["api_key", "workspace", "tag"]
BY_HAND = "(by hand)"
"""In the place of a pattern: what somebody protected."""
CLAUDE_CODE = "claude code"
"""The name, in any case, of the workspace that holds the keys of Claude Code."""


@dataclass(frozen=True, slots=True)
class Examined:
    """That a glob was held against a key or a workspace, and whether it took it."""

    what: What
    id: str
    """Of the key; of the workspace, of "workspace" and "tag"."""
    pattern: str
    taken: bool
    at: datetime
    by: str = ""
    """Who confirmed it; "" where the glob took it when it was first seen."""


Known: TypeAlias = Mapping[tuple[What, str, str], Examined]
"""By what, id and pattern."""


def known(examined: Iterable[Examined]) -> Known:
    """The same, to be looked up."""
    return {(each.what, each.id, each.pattern): each for each in examined}


def examine(protect: Protect, keys: Keys, so_far: Known, now: datetime) -> tuple[Examined, ...]:
    """What each glob says of whatever it has not been held against yet."""
    return tuple(
        Examined(what, ident, pattern, taken, now)
        for what, ident, pattern, taken in _every(protect, keys)
        if (what, ident, pattern) not in so_far
    )


def protected(key: Key, protect: Protect, keys: Keys, so_far: Known) -> str:
    """Why a key is protected, as a clause; "" where it is not."""
    if _by_hand(("api_key", key.id), so_far):
        return f"{so_far['api_key', key.id, BY_HAND].by} has protected it"
    if _by_hand(("workspace", key.workspace), so_far):
        return f"{so_far['workspace', key.workspace, BY_HAND].by} has protected its workspace"
    for pattern in protect.api_key:
        if pattern == key.id or fnmatchcase(key.id, pattern) or _taken(("api_key", key.id, pattern), so_far):
            return f'protect.api_key names it ("{pattern}")'
    for pattern in protect.workspace:
        if fnmatchcase(key.workspace, pattern) or _taken(("workspace", key.workspace, pattern), so_far):
            return f'protect.workspace names its workspace ("{pattern}")'
    for pattern in protect.tag:
        if _taken(("tag", key.workspace, pattern), so_far):
            return f'protect.tag names a tag of its workspace ("{pattern}")'
    if protect.claude_code and keys.workspaces.get(key.workspace, "").strip().casefold() == CLAUDE_CODE:
        return "it is of the Claude Code workspace, whose keys belong to people"
    return ""


def unconfirmed(protect: Protect, keys: Keys, so_far: Known) -> Iterator[Examined]:
    """What matches by its present name or tags, did not when it was first seen, and nobody has confirmed."""
    for what, ident, pattern, taken in _every(protect, keys):
        before = so_far.get((what, ident, pattern))
        confirmed = _by_hand(("workspace" if what == "tag" else what, ident), so_far)
        if taken and before is not None and not before.taken and not confirmed:
            yield before


def idle(protect: Protect, keys: Keys, so_far: Known) -> tuple[str, ...]:
    """The globs that protect nothing, as they stand in the configuration: "protect.api_key \\"prod-*\\""."""
    at_work = {(what, pattern) for what, _, pattern, taken in _every(protect, keys) if taken}
    at_work |= {(each.what, each.pattern) for each in so_far.values() if each.taken}
    groups: tuple[tuple[What, tuple[str, ...]], ...] = (
        ("api_key", protect.api_key),
        ("workspace", protect.workspace),
        ("tag", protect.tag),
    )
    return tuple(f'protect.{what} "{each}"' for what, globs in groups for each in globs if (what, each) not in at_work)


def _every(protect: Protect, keys: Keys) -> Iterator[tuple[What, str, str, bool]]:
    """Every glob beside everything that it could take, and whether it does at present."""
    for key in keys.by_id.values():
        for pattern in protect.api_key:
            yield "api_key", key.id, pattern, _takes(pattern, key.id, key.name)
    for ident, name in keys.workspaces.items():
        for pattern in protect.workspace:
            yield "workspace", ident, pattern, _takes(pattern, ident, name)
        tags = [f"{word}={value}".casefold() for word, value in keys.tags.get(ident, {}).items()]
        for pattern in protect.tag:
            yield "tag", ident, pattern, any(fnmatchcase(tag, pattern.casefold()) for tag in tags)


def _takes(pattern: str, ident: str, name: str) -> bool:
    """As in a selector: an id exactly, a name without regard to case; letter for letter what holds glob characters."""
    folded, called = pattern.casefold(), name.casefold()
    return pattern == ident or fnmatchcase(ident, pattern) or folded == called or fnmatchcase(called, folded)


def _taken(place: tuple[What, str, str], so_far: Known) -> bool:
    found = so_far.get(place)
    return found is not None and found.taken


def _by_hand(place: tuple[What, str], so_far: Known) -> bool:
    return _taken((*place, BY_HAND), so_far)
