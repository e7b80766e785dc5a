"""What the provider itself caps spend at, as rules read it: by whose limit it is, and by period."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from rules.scope import Nano

CapKind: TypeAlias = Literal["organization", "workspace", "user"]

CAPPED: Mapping[CapKind, str] = {
    "organization": "the spend limits of the Console",
    "workspace": "the spend limits of the Console",
    "user": "the spend limits of members",
}
"""What the limits of each kind are called in a sentence."""


@dataclass(frozen=True, slots=True)
class Cap:
    """One limit that applies: `id` of a workspace or a user, "" for the organization; `period` "day", "week", "month".

    Periods are calendar ones in UTC, weeks from Monday.
    """

    kind: CapKind
    id: str
    period: str
    amount: Nano


@dataclass(frozen=True, slots=True)
class Caps:
    """The limits of the last listing. What no limit caps is not in it; `known` are the kinds that could be read."""

    caps: tuple[Cap, ...] = ()
    known: frozenset[CapKind] = frozenset()

    def is_known(self, kind: CapKind) -> bool:
        """Whether the limits of this kind could be read."""
        return kind in self.known

    def of(self, kind: CapKind, period: str) -> Mapping[str, Nano]:
        """The amounts of a kind and a period by id; the lowest where several apply."""
        return _lowest((cap.id, cap.amount) for cap in self.caps if cap.kind == kind and cap.period == period)


def _lowest(pairs: Iterable[tuple[str, Nano]]) -> Mapping[str, Nano]:
    found: dict[str, Nano] = {}
    for ident, amount in pairs:
        found[ident] = min(amount, found.get(ident, amount))
    return found
