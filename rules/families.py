"""The family that a model belongs to, read from its id: the one place that knows how ids are made."""

from __future__ import annotations

import re
from functools import lru_cache

_WORD = re.compile(r"[a-z]+")
_MAKER = "claude"
_NOT_A_FAMILY = frozenset(
    {"anthropic", "us", "eu", "apac", "global", "latest", "default", "fast", "preview", "thinking", "v"}
)
_KNOWN = frozenset({"opus", "sonnet", "haiku", "fable", "mythos", "instant"})


def family(model: str) -> str | None:
    """The family in a model's id, in lower case; None for an id that names none.

    It is the first word behind "claude" that is neither a place nor an alias: "claude-opus-5-5" and
    "us.anthropic.claude-opus-4-5-20251101-v1:0" are of "opus", "claude-3-5-haiku" of "haiku", and a name not known yet
    is a family too. An id without "claude" has a family only if it holds the word of a known one ("opus-5").
    """
    before, made_here, behind = model.lower().partition(_MAKER)
    words = _WORD.findall(behind if made_here else before)
    if made_here:
        return next((word for word in words if word not in _NOT_A_FAMILY), None)
    return next((word for word in words if word in _KNOWN), None)


@lru_cache(maxsize=10_000)
def family_of(model: str) -> str:
    """The family of a model; one whose id names none is a family of its own."""
    return family(model) or model
