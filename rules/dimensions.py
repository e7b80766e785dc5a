"""Which value spend has in a dimension: the one place that knows. Everything that breaks spend down asks here.

A workspace, a key, a model and a service tier are the leaf's own. The family follows from the model, the user from the
key (its principal, or else its creator), the tags from the workspace: all as the directory has them now, for the whole
history, so that a key that changes hands takes its past with it. Console use is nobody's, cost that no usage explains
has neither user nor tier, and both keep their own word, as does what is not known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import count
from operator import attrgetter
from typing import TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from rules.families import family_of
from rules.model import CONSOLE, TAG, UNATTRIBUTED, UNKNOWN, UNTAGGED, Dimension, Leaf, Names, Scope

_OWN: dict[Dimension, Callable[[Leaf], str]] = {
    "workspace": attrgetter("workspace"),
    "api_key": attrgetter("api_key"),
    "model": attrgetter("model"),
    "model_family": attrgetter("model"),
    "service_tier": attrgetter("service_tier"),
    "user": attrgetter("api_key"),
}
"""What of a leaf decides its value in a dimension; a tag hangs on the workspace."""

_Value = TypeVar("_Value", str, tuple[str, ...])

Grouped: TypeAlias = tuple[npt.NDArray[np.intp], tuple[tuple[str, ...], ...]]
"""For each leaf the number of its group, and the values of every group."""


def values_of(dimension: Dimension, leaves: Sequence[Leaf], names: Names) -> list[str]:
    """The value of each leaf; every distinct id is looked at once."""
    own = list(map(_OWN.get(dimension, _OWN["workspace"]), leaves))
    if dimension == "service_tier" and UNATTRIBUTED in map(attrgetter("api_key"), leaves):
        own = [UNATTRIBUTED if leaf.api_key == UNATTRIBUTED else leaf.service_tier for leaf in leaves]
    if dimension in {"workspace", "api_key", "model", "service_tier"}:
        return own
    value = {ident: derived(dimension, ident, names) for ident in set(own)}
    return [value[ident] for ident in own]


def derived(dimension: Dimension, ident: str, names: Names) -> str:
    """The family of a model, the user of a key, or a tag's value in a workspace, by the id of what it follows from."""
    if dimension == "model_family":
        return family_of(ident) if ident else UNKNOWN
    if dimension == "user":
        return ident if ident in {CONSOLE, UNATTRIBUTED} else names.user_of_key.get(ident, UNKNOWN)
    return names.tags_of_workspace.get(ident, {}).get(dimension.removeprefix(TAG), UNTAGGED)


def groups(by: Sequence[Dimension], leaves: Sequence[Leaf], names: Names) -> Grouped:
    """For each leaf the number of its group, and the values of every group in the order of `by`.

    Groups are numbered in the order of their first leaf. Without dimensions there is one group, also of no leaves.
    """
    if not by:
        return np.zeros(len(leaves), dtype=np.intp), ((),)
    if len(by) == 1:
        of, place = _numbered(values_of(by[0], leaves, names))
        return of, tuple([(value,) for value in place])
    of, number = _numbered(zip(*(values_of(dimension, leaves, names) for dimension in by), strict=True))
    return of, tuple(number)


def _numbered(values: Iterable[_Value]) -> tuple[npt.NDArray[np.intp], Iterable[_Value]]:
    """For each value its number, and the distinct ones in the order in which they first come."""
    number: defaultdict[_Value, int] = defaultdict(count().__next__)
    return np.fromiter(map(number.__getitem__, values), dtype=np.intp), number


def known_of(
    scope: Scope, names: Names, tags: Collection[Dimension] = (), workspace: str | None = None
) -> dict[Dimension, str]:
    """What is certain of a scope: its own parts, and what follows from them. What is left out is open.

    A key settles its workspace and its user, a workspace its tags (those in `tags`), a model its family. `workspace` is
    where the scope's key lives, if the caller knows it and the names do not.
    """
    parts = scope.parts()
    key, model = scope.api_key, scope.model
    if key is not None:
        home = names.workspace_of_key.get(key, workspace)
        if home is not None:
            parts.setdefault("workspace", home)
        parts.setdefault("user", derived("user", key, names))
        if key == UNATTRIBUTED:
            parts.setdefault("service_tier", UNATTRIBUTED)
    if model is not None:
        parts.setdefault("model_family", derived("model_family", model, names))
    if "workspace" in parts:
        for tag in tags:
            parts.setdefault(tag, derived(tag, parts["workspace"], names))
    return parts
