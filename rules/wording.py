"""Words for what a figure is about, and names from outside made harmless enough to stand in a line.

Names may hold anything. Here they lose what could break a line or turn it round (control characters, line breaks, bidi
controls, invisible format characters) and whatever is too long; escaping for a medium is the renderer's part.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from rules.model import TAG, UNATTRIBUTED, UNKNOWN, UNTAGGED, Dimension, Names, Scope

LONGEST_NAME = 60
IN_ORDER: tuple[Dimension, ...] = ("api_key", "user", "workspace", TAG, "model", "model_family", "service_tier")
"""The order in which people are told of the parts of a scope; `TAG` stands for every tag."""

_REPLACED = frozenset({"Cc", "Cf", "Cs", "Cn", "Co"})
_JOINERS = "\u200c\u200d"  # the two format characters that words and emoji are spelled with


def clean(text: str, longest: int = LONGEST_NAME) -> str:
    """`text` on one line, without what could break or turn the line around it, cut with "…" to `longest` characters."""
    shown = text[: longest + 1]
    if not shown.isprintable():  # which no text is that holds a character to be replaced
        shown = "".join(map(_harmless, shown))
    return shown if len(text) <= longest else shown[: longest - 1] + "…"


def in_order(scope: Scope) -> Iterator[tuple[Dimension, str]]:
    """The parts of a scope in the order in which people are told of them."""
    parts = scope.parts()
    for dimension in IN_ORDER:
        if dimension == TAG:
            yield from ((tag, value) for tag, value in parts.items() if tag.startswith(TAG))
        elif dimension in parts:
            yield dimension, parts[dimension]


def word_of(dimension: Dimension, value: str, names: Names) -> str:
    """What people call one part of a scope: a name, "Opus family", "batch tier", "team=platform"; not made harmless."""
    if value == UNATTRIBUTED:
        return names.of(value)
    if dimension == "model_family":
        return f"{_family(value)} family"
    if dimension == "service_tier":
        return f"{names.of(value)} tier"
    if dimension == "user" and value == UNKNOWN:
        return "unknown owner"
    if dimension.startswith(TAG):
        key = dimension.removeprefix(TAG)
        return f"no tag {key}" if value == UNTAGGED else f"{key}={value}"
    return names.of(value)


def label_of(scope: Scope, names: Names) -> str:
    """What people call a scope: its parts joined by " · "; empty for the organization; not made harmless."""
    return " · ".join(word_of(dimension, value, names) for dimension, value in scope.parts().items())


def phrase(dimension: Dimension, value: str, *, first: bool) -> str:
    """A family, a tier, a tag or an unknown owner as the beginning of a phrase, or as its continuation; harmless.

    "the Opus family" and "on the Opus family", "the batch tier" and "in the batch tier", "tag team=platform" and "with
    tag team=platform".
    """
    if value == UNATTRIBUTED:
        return "unattributed cost" if first else "without usage"
    if dimension == "model_family":
        if value == UNKNOWN:
            return "usage that names no model" if first else "naming no model"
        return f"{'' if first else 'on '}the {clean(_family(value))} family"
    if dimension == "service_tier":
        if value == UNKNOWN:
            return "usage of an unknown tier" if first else "in an unknown tier"
        return f"{'' if first else 'in '}the {clean(value)} tier"
    if dimension.startswith(TAG):
        key = clean(dimension.removeprefix(TAG))
        if value == UNTAGGED:
            return f"{'workspaces ' if first else ''}without tag {key}"
        return f"{'' if first else 'with '}tag {key}={clean(value)}"
    return "keys of unknown owners" if first else "of an unknown owner"


def _family(value: str) -> str:
    return "unknown" if value == UNKNOWN else value.capitalize() if value.isalpha() else value


def _harmless(character: str) -> str:
    category = unicodedata.category(character)
    if character in "\n\r\t\v\f\x85" or category in {"Zl", "Zp"}:
        return " "
    return "\ufffd" if category in _REPLACED and character not in _JOINERS else character
