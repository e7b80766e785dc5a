"""What a model's id says about its version; `rules.families` says what of its family."""

from __future__ import annotations

import re

_VERSION_PART = re.compile(r"(?<![0-9])[0-9]{1,2}(?![0-9])")
_SUFFIX = re.compile(r"[-@](?:latest|default|[0-9]{8})$")


def version(model: str) -> tuple[int, int] | None:
    """The version in a model's id ("claude-opus-4-8-20260101" → (4, 8), "claude-opus-5" → (5, 0)); None without one."""
    parts = [int(part) for part in _VERSION_PART.findall(model)][:2]
    return (parts[0], parts[1] if len(parts) > 1 else 0) if parts else None


def without_suffix(model: str) -> str:
    """The id without a trailing date or alias ("claude-opus-5-latest" → "claude-opus-5")."""
    return _SUFFIX.sub("", model)
