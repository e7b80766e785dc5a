"""What a request asks for: its query, read strictly. Whatever is not understood is refused with a sentence."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from urllib.parse import urlencode

from rules.model import DIMENSIONS, TAG, Dimension

LONGEST = 300
"""Characters of a value; ids and names are shorter."""
WINDOWS = (2, 7, 14, 30, 60)
"""Days that a series can be shown over."""
ORGANIZATION = "organization"


class Refusal(Exception):
    """A request that cannot be answered, and why, as a sentence for whoever sent it."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


def read_query(items: Iterable[tuple[str, str]], known: Collection[str], *, tags: bool = False) -> dict[str, str]:
    """The parameters, each at most once. Raises Refusal (400) for others than are `known`; empty ones count as none."""
    found: dict[str, str] = {}
    for name, value in items:
        if name not in known and not (tags and name.startswith(TAG) and len(name) > len(TAG)):
            words = ", ".join([*sorted(known), *(["tag:…"] if tags else [])]) or "none"
            raise Refusal(400, f"There is no parameter {_shown(name)} here; there are: {words}.")
        if name in found:
            raise Refusal(400, f"The parameter {_shown(name)} is there twice; it can be there once.")
        if len(name) > LONGEST or len(value) > LONGEST:
            raise Refusal(400, f"The parameter {_shown(name)} is longer than {LONGEST} characters.")
        found[name] = value
    return {name: value for name, value in found.items() if value}


def label_of(query: Mapping[str, str], labels: Sequence[str]) -> str:
    """Which organization is asked for, by its label; the first one where none is named. Raises Refusal (404)."""
    wanted = query.get(ORGANIZATION)
    if wanted is None:
        return labels[0]
    if wanted not in labels:
        named = ", ".join(filter(None, labels)) or "only one, without a name"
        raise Refusal(404, f"No organization is called {_shown(wanted)}; there are: {named}.")
    return wanted


def one_of(query: Mapping[str, str], name: str, words: Sequence[str], default: str) -> str:
    """A parameter that takes one of some words. Raises Refusal (400)."""
    value = query.get(name, default)
    if value not in words:
        raise Refusal(400, f"The parameter {name} must be one of {', '.join(words)}, not {_shown(value)}.")
    return value


def number_of(query: Mapping[str, str], name: str, most: int = 100_000) -> int:
    """A parameter that is a whole number from 1 on; 1 by default. Raises Refusal (400)."""
    value = query.get(name, "1")
    if not (value.isascii() and value.isdecimal() and len(value) <= 6 and 1 <= int(value) <= most):
        raise Refusal(400, f"The parameter {name} must be a whole number from 1 on, not {_shown(value)}.")
    return int(value)


def parts_of(query: Mapping[str, str]) -> dict[Dimension, str]:
    """The scope that is asked for, by dimension."""
    return {name: value for name, value in query.items() if name in DIMENSIONS or name.startswith(TAG)}


def link(path: str, label: str, **more: str | int) -> str:
    """An address of ours: the organization is named where it has a label."""
    asked = {**({ORGANIZATION: label} if label else {}), **more}
    return f"{path}?{urlencode(asked)}" if asked else path


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 60 else text[:60] + "…")
