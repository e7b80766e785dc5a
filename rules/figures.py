"""The figures that rules read: spend by leaf and time. All of it is imported from `rules.model`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rules.effects import Basket
from rules.scope import HOUR, UNKNOWN

Amounts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Leaf:
    """The finest series the ledger keeps: one key on one model in one workspace and service tier."""

    workspace: str
    api_key: str
    model: str
    service_tier: str = UNKNOWN


@dataclass(frozen=True, slots=True, eq=False)
class EarlierSpend:
    """Nano-dollars by leaf and stretch of time before the view begins.

    Column j begins at `begins[j]`, ascending, and lasts until the next one begins, the last until the view does: a UTC
    day, or an hour. `cost` and `settled` are as in the view; of `unread[j]` hours of it nothing was ever read. Arrays
    are read-only.
    """

    leaves: tuple[Leaf, ...]
    begins: tuple[datetime, ...]
    cost: Amounts
    settled: Amounts
    unread: Amounts
    unpriced: frozenset[str] = frozenset()


class Used(Protocol):
    """What was used, read only when it is asked for: counts by item, at what tokens times price say that they cost."""

    def __call__(self, leaves: Collection[Leaf], hours: Collection[datetime]) -> Basket:
        """The use of these leaves in these hours, open ones as far as they are known."""
        ...


@dataclass(frozen=True, slots=True)
class SpendView:
    """Spend by leaf and hour, the working view that rules read.

    `cost[i, j]` is the best known nano-dollars of `leaves[i]` in the hour that begins at `start + j hours`;
    `settled[i, j]` is the part of it that the provider has settled. Hours before `complete_until` are complete:
    a zero there is a real zero. From there to `observed_until` the figures are lower bounds (the open hour and
    those not settled down yet); nothing is known later. `known[j]` is False for an hour before `complete_until`
    that was never read (a hole): it is missing, not zero. Arrays are read-only.
    """

    organization: str
    start: datetime
    leaves: tuple[Leaf, ...]
    cost: Amounts
    settled: Amounts
    known: npt.NDArray[np.bool_]
    complete_until: datetime
    observed_until: datetime
    unpriced: frozenset[str] = frozenset()
    """Models whose price is a stand-in: their figures are over-estimates."""
    earlier: EarlierSpend | None = None
    """What was spent before `start`, as far back as some budget's period reaches; None where none does."""
    used: Used | None = None
    """What the spend was for; None where that cannot be asked."""

    @property
    def hours(self) -> int:
        """How many hours the view spans."""
        return int(self.cost.shape[1])

    def index(self, moment: datetime) -> int:
        """The column of the hour that `moment` falls in; may lie outside `0 … hours - 1`."""
        return (moment - self.start) // HOUR
