"""Keys, journal, protection and brake of one organization, as they stand between two cycles."""

from __future__ import annotations

from datetime import datetime

from rules import protection
from rules.policy import Policy, Protect
from rules.situation import Situation
from watcher.brake import in_force, remembered_brake
from watcher.guarding import keys_of
from watcher.settings import ShutoffSettings
from watcher.store import Store

NO_POLICY = Policy(protect=Protect(claude_code=False))
"""In the place of one: nothing is done, and so nothing is protected."""


def standing_situation(store: Store, shutoff: ShutoffSettings | None, organization: str, now: datetime) -> Situation:
    """What the next cycle would find of keys and journal; without figures and offences. Raises StoreError.

    A glob that no cycle has held against a key yet is held against it here, and nothing is kept of that.
    """
    policy = NO_POLICY if shutoff is None else shutoff.policy
    journal = store.actions.near(organization, now)
    keys = keys_of(store, organization, journal, now)
    known = protection.known(store.actions.protections(organization))
    fresh = protection.known(protection.examine(policy.protect, keys, known, now))
    file = None if shutoff is None else shutoff.brake_file
    return Situation(
        organization=organization,
        policy=policy,
        journal=journal,
        keys=keys,
        protections={**known, **fresh},
        brake=in_force(remembered_brake(store, organization), file, now),
    )
