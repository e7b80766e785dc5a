"""Which leaves of the ledger a selector takes: globs on an id or a name, one a word of the selector.

`*`, `?` and `[…]` mean what they mean in a shell. Against an **id** a glob is exact in case; against a **name** case
does not count, because people write names as they remember them. A selector that equals an id or a name letter for
letter matches it even if it holds glob characters, so a key called "[red]" can be named. All words that are set must
match.

Families and tiers are words of the provider, and count as names. A user answers to the id, the name and the e-mail
address. Console use answers to "console" and "(console)", as a key and as a user, the default workspace to "default",
"(default)" and "default workspace", cost that no usage explains to "unattributed" and "(unattributed)", what is not
known to "unknown" and "(unknown)". A `tag` is compared with "key=value" of every tag of the workspace, without regard
to case; "team=(none)" takes the workspaces that have no tag "team".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from rules.dimensions import values_of
from rules.model import (
    CONSOLE,
    DEFAULT_WORKSPACE,
    DIMENSIONS,
    TAG,
    UNATTRIBUTED,
    UNKNOWN,
    UNTAGGED,
    Dimension,
    Leaf,
    Names,
    Selector,
)

TAG_WORD = "tag"
"""The word of a selector that stands for the workspace's tags."""
WORDS: tuple[str, ...] = (*DIMENSIONS, TAG_WORD)
"""What a selector may name."""

_SPECIAL_NAMES = {
    CONSOLE: ("console",),
    DEFAULT_WORKSPACE: ("default", "default workspace"),
    UNATTRIBUTED: ("unattributed",),
    UNKNOWN: ("unknown",),
}
_CALLED_AS_THEY_ARE = frozenset({"model_family", "service_tier"})
_GLOB = frozenset("*?[")


def matches(selector: Selector, leaf: Leaf, names: Names) -> bool:
    """Whether every word that the selector sets takes the leaf."""
    return bool(select(selector, (leaf,), names)[0])


def select(selector: Selector, leaves: Sequence[Leaf], names: Names) -> npt.NDArray[np.bool_]:
    """`matches` for every leaf at once, shape (len(leaves),); each distinct id is looked at once."""
    chosen = np.ones(len(leaves), dtype=np.bool_)
    for word in WORDS:
        pattern: str | None = getattr(selector, word)
        if pattern is not None:
            chosen &= takes(word, pattern, leaves, names)
    return chosen


def takes_organization(selector: Selector, organization: str, called: Sequence[str]) -> bool:
    """Whether a rule with this selector is for an organization of this id, which people call by these names."""
    pattern = selector.organization
    if pattern is None or pattern == organization or fnmatchcase(organization, pattern):
        return True
    folded = pattern.casefold()
    return any(folded == name or fnmatchcase(name, folded) for name in map(str.casefold, called))


def takes(word: str, pattern: str, leaves: Sequence[Leaf], names: Names) -> npt.NDArray[np.bool_]:
    """Which leaves one word with its pattern takes, shape (len(leaves),). KeyError on a word that is not in `WORDS`."""
    if word not in WORDS:
        raise KeyError(word)
    if pattern == "*" and word != TAG_WORD:
        return np.ones(len(leaves), dtype=np.bool_)
    idents = values_of("workspace" if word == TAG_WORD else word, leaves, names)
    taken = {ident: any(_answers(pattern, word, ident, names)) for ident in set(idents)}
    return np.fromiter((taken[ident] for ident in idents), dtype=np.bool_, count=len(idents))


def _answers(pattern: str, word: str, ident: str, names: Names) -> Iterator[bool]:
    """Whether one pattern takes one id: by the id exactly, or by one of its names without regard to case."""
    folded = pattern.casefold()
    if word == TAG_WORD:
        tags = names.tags_of_workspace.get(ident, {})
        key = folded.removesuffix(f"={UNTAGGED}")
        if key != folded and not _GLOB & set(key):
            yield key not in map(str.casefold, tags)
        known: Sequence[str] = [f"{key}={value}" for key, value in tags.items()]
    else:
        yield pattern == ident or fnmatchcase(ident, pattern)
        known = list(called(word, ident, names))
    for name in map(str.casefold, known):
        yield folded == name or fnmatchcase(name, folded)


def called(word: Dimension, ident: str, names: Names) -> Iterator[str]:
    """What an id is called in a dimension: its names, and the e-mail address of a user."""
    yield from _SPECIAL_NAMES.get(ident, ())
    if word in _CALLED_AS_THEY_ARE:
        yield ident
        return
    for known in (names.by_id, names.emails):
        if ident in known:
            yield known[ident]


Condition: TypeAlias = tuple[str, str]
"""A word of a selector, or the dimension of a tag ("tag:team", with a pattern for its value), and a pattern."""


def among(conditions: Sequence[Condition], leaves: Sequence[Leaf], names: Names) -> npt.NDArray[np.bool_]:
    """Which leaves meet conditions of which several may be on one word: any of those, and all of the words.

    Conditions on tags are together where they name the same key.
    """
    chosen = np.ones(len(leaves), dtype=np.bool_)
    by_word: dict[str, list[Condition]] = {}
    for condition in map(_of_selector, conditions):
        word, pattern = condition
        about = f"{TAG}{pattern.partition('=')[0]}" if word == TAG_WORD else word
        by_word.setdefault(about, []).append(condition)
    for some in by_word.values():
        chosen &= np.logical_or.reduce([takes(word, pattern, leaves, names) for word, pattern in some])
    return chosen


def _of_selector(condition: Condition) -> Condition:
    word, pattern = condition
    return (TAG_WORD, f"{word.removeprefix(TAG)}={pattern}") if word.startswith(TAG) else condition


def tag_problem(pattern: str) -> str | None:
    """What keeps a pattern from ever matching a tag, as a clause ("must be …"); None if nothing does."""
    if "=" in pattern:
        return None
    if not _GLOB & set(pattern):
        return f'must be a key and a value, such as "{pattern}=*"'
    return None if pattern.endswith("*") else 'must be a key and a value, such as "team=platform"'
