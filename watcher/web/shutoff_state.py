"""How shutoff stands, for the overview and the journal: the mode, what holds it, what waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rules.actions import UNDER_WAY, WAITING, Action
from watcher.guarding import in_force, remembered_brake
from watcher.settings import ShutoffSettings
from watcher.store import Store

MODES = {
    "off": "off",
    "dry_run": "dry run",
    "approve": "by approval",
    "auto": "automatic",
}


@dataclass(frozen=True, slots=True)
class ShutoffState:
    """How it stands."""

    mode: str
    """In a word or two; "not configured" without `[shutoff]`."""
    held: str
    """What holds every action, as a clause; "" where nothing does."""
    waiting: int
    """How many decisions wait for somebody's approval, or for something else."""
    under_way: int
    switched_off: int
    """How many were carried out in the last 30 days."""


def shutoff_state(store: Store, shutoff: ShutoffSettings | None, organization: str, now: datetime) -> ShutoffState:
    """Read it. Raises StoreError."""
    if shutoff is None:
        return ShutoffState("not configured", "", 0, 0, 0)
    brake = in_force(remembered_brake(store, organization), shutoff.brake_file, now)
    rows = store.actions.near(organization, now)
    return ShutoffState(
        MODES[shutoff.policy.mode],
        brake.words if brake.holds(now) else "",
        sum(row.state in WAITING for row in rows),
        sum(row.state in UNDER_WAY for row in rows),
        sum(_done(row, now) for row in rows),
    )


def _done(row: Action, now: datetime) -> bool:
    return row.what == "deactivate" and row.confirmed_at is not None and (now - row.confirmed_at).days < 30
