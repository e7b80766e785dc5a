"""Selectors that can match nothing, whatever there is: each word alone is right, and together they are not."""

from __future__ import annotations

from collections.abc import Iterator

from rules.families import family, family_of
from rules.model import CONSOLE, DEFAULT_WORKSPACE, UNATTRIBUTED, Leaf, Names, Selector
from rules.selectors import select
from watcher.config.models import SelectTable
from watcher.config.problems import Problem, shown

_GLOB = frozenset("*?[")
_SPECIAL = (
    ("api_key", CONSOLE, Leaf(DEFAULT_WORKSPACE, CONSOLE, ""), ("user",), "use in the Console is nobody's"),
    (
        "api_key",
        UNATTRIBUTED,
        Leaf(DEFAULT_WORKSPACE, UNATTRIBUTED, ""),
        ("user", "service_tier"),
        "cost without usage has no user and no tier",
    ),
    (
        "workspace",
        DEFAULT_WORKSPACE,
        Leaf(DEFAULT_WORKSPACE, CONSOLE, ""),
        ("tag",),
        "the default workspace has no tags",
    ),
)
"""What a word names that is no id, and which other words can then say only one thing of it."""
_NOBODY = Names()


def contradictions(table: SelectTable, place: str) -> Iterator[Problem]:
    """What keeps a selector from ever matching anything."""
    told = table.model_family
    if told is not None and not _GLOB & set(told):
        meant = family(told)
        if meant is not None and meant != told.casefold():
            yield Problem(f"{place}.model_family", f'is the family of no model: write "{meant}", not {shown(told)}')
        elif table.model is not None and not _GLOB & set(table.model) and family_of(table.model) != told.casefold():
            what = f"{shown(table.model)} is of the family {shown(family_of(table.model))}"
            yield Problem(f"{place}.model_family", f"contradicts `model`, so that nothing can match: {what}")
    for word, ident, leaf, others, why in _SPECIAL:
        pattern = getattr(table, word)
        if pattern is None or _GLOB & set(pattern) or not _takes(word, pattern, leaf):
            continue
        for other in others:
            asked = getattr(table, other)
            if asked is not None and not _takes(other, asked, leaf):
                yield Problem(f"{place}.{other}", f"contradicts `{word}`, so that nothing can match: {why} ({ident})")


def _takes(word: str, pattern: str, leaf: Leaf) -> bool:
    return bool(select(Selector(**{word: pattern}), (leaf,), _NOBODY)[0])
