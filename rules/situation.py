"""Everything that a plan about keys is made from. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rules.actions import UNDER_WAY, Action
from rules.keys import Key, Keys
from rules.offences import Offence
from rules.policy import NO_BRAKE, Brake, Policy
from rules.protection import Known, protected


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that a plan is made from."""

    organization: str
    policy: Policy
    offences: Sequence[Offence] = ()
    journal: Sequence[Action] = ()
    """The rows that are open, those of the offences' causes, and those of the last weeks."""
    keys: Keys = field(default_factory=Keys)
    protections: Known = field(default_factory=dict)
    brake: Brake = NO_BRAKE
    watermark: datetime | None = None
    """Until when usage is complete; None where none was read."""
    firing: Collection[str] = ()
    """The ids of the alerts that fire."""
    no_data: str = ""
    """Why nothing can be said of usage at present, as a clause."""

    def key(self, ident: str) -> Key | None:
        """The key of this id, as it was last listed."""
        return self.keys.by_id.get(ident)

    def protection(self, key: Key) -> str:
        """Why a key is protected, as a clause; "" where it is not."""
        return protected(key, self.policy.protect, self.keys, self.protections)


def left_in(workspace: str, keys: Keys, rows: Mapping[str, Action], beside: str = "") -> int:
    """How many keys of a workspace work and are not about to be deactivated; `beside` is left out of the count."""
    going = {row.key for row in rows.values() if row.what == "deactivate" and row.state in UNDER_WAY} | {beside}
    every = keys.by_id.values()
    return sum(key.status == "active" and key.workspace == workspace and key.id not in going for key in every)
