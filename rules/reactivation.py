"""Keys that are turned on again: after a drill, and, where the owner asks for it, when a budget's period has ended.

Only those that this program deactivated are, and only if nobody has changed them since. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from rules.actions import POLICY, Action, ActionState, Cause, action_id
from rules.keys import Key, Keys
from rules.situation import Situation
from rules.touched import changed_by_hand

_WHY = {
    "drill": "It was deactivated as a drill, which ends with turning it on again.",
    "reset": "The period for which it was deactivated has ended, and nobody has changed it since.",
}


def reactivations(situation: Situation, rows: Mapping[str, Action], now: datetime) -> Iterator[Action]:
    """The rows of the journal that turn keys on again, as intents; none while a brake holds."""
    policy = situation.policy
    if policy.mode == "off" or situation.brake.holds(now):
        return
    at_reset = policy.reactivate_at_reset and policy.mode != "dry_run"
    for row in rows.values():
        if row.cause.kind != "drill" and not at_reset:
            continue
        key = situation.key(row.key)
        if key is None or key.status != "inactive" or not _is_due(row, now):
            continue
        cause = Cause("reset", row.cause.rule, row.cause.scope, row.id)
        ident = action_id(cause, row.key, "reactivate")
        if ident not in rows and _untouched(row, key, situation.keys, rows.values()):
            yield _again(row, cause, ident, now)


def _is_due(row: Action, now: datetime) -> bool:
    if row.cause.kind == "drill":
        return row.state is ActionState.CONFIRMED and row.what == "deactivate"
    end = row.evidence.period_end if row.evidence is not None else None
    done = row.state is ActionState.CONFIRMED and row.what == "deactivate" and row.cause.kind == "budget"
    return done and end is not None and end <= now


def _untouched(row: Action, key: Key, keys: Keys, journal: Collection[Action]) -> bool:
    """Whether the key is as this program left it, and no later decision of its own changed it or is about to."""
    later = any(
        each.key == row.key
        and each.id != row.id
        and each.created_at > row.created_at
        and (each.open or each.sent_at is not None)
        for each in journal
    )
    seen = row.confirmed_at is not None and key.listed_at > row.confirmed_at
    return seen and not later and not changed_by_hand(row, journal, keys)


def _again(row: Action, cause: Cause, ident: str, now: datetime) -> Action:
    return Action(
        id=ident,
        organization=row.organization,
        cause=cause,
        what="reactivate",
        key=row.key,
        key_name=row.key_name,
        workspace=row.workspace,
        workspace_name=row.workspace_name,
        state=ActionState.INTENT,
        reason=_WHY["drill" if row.cause.kind == "drill" else "reset"],
        mode="auto",
        amount=0,
        created_at=now,
        updated_at=now,
        by=POLICY,
        alert=row.alert,
        intent_at=now,
    )
