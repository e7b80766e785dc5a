"""What a model's id says about it: its family and its version."""

from __future__ import annotations

import re

_VERSION_PART = re.compile(r"(?<![0-9])[0-9]{1,2}(?![0-9])")
_WORD = re.compile(r"[a-z]+")
_SUFFIX = re.compile(r"[-@](?:latest|default|[0-9]{8})$")
_NOT_A_FAMILY = frozenset(
    {"claude", "anthropic", "us", "eu", "apac", "global", "latest", "default", "fast", "preview", "v"}
)


def family(model: str) -> str | None:
    """The family in a model's id ("claude-opus-5-5" → "opus", "claude-3-5-haiku" → "haiku"); None without one."""
    return next((word for word in _WORD.findall(model.lower()) if word not in _NOT_A_FAMILY), None)


def version(model: str) -> tuple[int, int] | None:
    """The version in a model's id ("claude-opus-4-8-20260101" → (4, 8), "claude-opus-5" → (5, 0)); None without one."""
    parts = [int(part) for part in _VERSION_PART.findall(model)][:2]
    return (parts[0], parts[1] if len(parts) > 1 else 0) if parts else None


def without_suffix(model: str) -> str:
    """The id without a trailing date or alias ("claude-opus-5-latest" → "claude-opus-5")."""
    return _SUFFIX.sub("", model)
