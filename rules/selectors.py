"""Which leaves of the ledger a selector takes: globs on an id or a name, one a dimension.

`*`, `?` and `[…]` mean what they mean in a shell. Against an **id** a glob is exact in case; against a **name** case
does not count, because people write names as they remember them. A selector that equals an id or a name letter for
letter matches it even if it holds glob characters, so a key called "[red]" can be named. Console use answers to
"console" and "(console)", the default workspace to "default", "(default)" and "default workspace", cost that no usage
explains to "unattributed" and "(unattributed)". All dimensions that are set must match.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

import numpy as np
import numpy.typing as npt

from rules.model import CONSOLE, DEFAULT_WORKSPACE, DIMENSIONS, UNATTRIBUTED, Dimension, Leaf, Names, Selector

_SPECIAL_NAMES = {
    CONSOLE: ("console",),
    DEFAULT_WORKSPACE: ("default", "default workspace"),
    UNATTRIBUTED: ("unattributed",),
}


def matches(selector: Selector, leaf: Leaf, names: Names) -> bool:
    """Whether every dimension that the selector sets takes the leaf's id or its name."""
    patterns = _patterns(selector)
    return all(_takes(pattern, getattr(leaf, dimension), names) for dimension, pattern in patterns.items())


def select(selector: Selector, leaves: Sequence[Leaf], names: Names) -> npt.NDArray[np.bool_]:
    """`matches` for every leaf at once, shape (len(leaves),); each distinct id is looked at once."""
    chosen = np.ones(len(leaves), dtype=np.bool_)
    for dimension, pattern in _patterns(selector).items():
        if pattern == "*":
            continue
        idents = [getattr(leaf, dimension) for leaf in leaves]
        taken = {ident: _takes(pattern, ident, names) for ident in set(idents)}
        chosen &= np.fromiter((taken[ident] for ident in idents), dtype=np.bool_, count=len(idents))
    return chosen


def _patterns(selector: Selector) -> dict[Dimension, str]:
    patterns: dict[Dimension, str | None] = {dimension: getattr(selector, dimension) for dimension in DIMENSIONS}
    return {dimension: pattern for dimension, pattern in patterns.items() if pattern is not None}


def _takes(pattern: str, ident: str, names: Names) -> bool:
    """Whether one pattern takes one id: by the id exactly, or by one of its names without regard to case."""
    if pattern == ident or fnmatchcase(ident, pattern):
        return True
    folded = pattern.casefold()
    known = names.by_id.get(ident)
    called = (*_SPECIAL_NAMES.get(ident, ()), *(() if known is None else (known,)))
    return any(folded == name.casefold() or fnmatchcase(name.casefold(), folded) for name in called)
