"""What the provider itself caps spend at, as rules read it: by whose limit it is, and by period."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from rules.scope import Nano

CapKind: TypeAlias = Literal["organization", "workspace", "user"]


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
    """The limits of the last listing. What no limit caps is not in it.

    `missing` says of kinds whose limits are not known why, as a clause: "spend_limits is not offered to this key".
    """

    caps: tuple[Cap, ...] = ()
    missing: Mapping[CapKind, str] = field(default_factory=dict)

    def of(self, kind: CapKind, period: str) -> Mapping[str, Nano]:
        """The amounts of a kind and a period by id; the lowest where several apply."""
        return _lowest((cap.id, cap.amount) for cap in self.caps if cap.kind == kind and cap.period == period)


def _lowest(pairs: Iterable[tuple[str, Nano]]) -> Mapping[str, Nano]:
    found: dict[str, Nano] = {}
    for ident, amount in pairs:
        found[ident] = min(amount, found.get(ident, amount))
    return found
