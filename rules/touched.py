"""Whether somebody changed a key beside this program, as far as two listings of the keys show it. Pure.

The API tells neither when a key was changed nor by whom: only that its status differs from what it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from rules.actions import Action, ActionState
from rules.keys import Key, Keys


def turned_on(key: Key, keys: Keys, journal: Iterable[Action]) -> datetime | None:
    """When somebody, and not this program by itself, was last seen to have turned a key on; None where nobody was.

    A key that this program deactivated and that is listed as active afterwards was turned on, though no listing saw it
    off in between. So was, for all that can be known, one that it asked to deactivate without ever seeing it off.
    """
    rows = [row for row in journal if row.key == key.id]
    back = [(row.cause.kind, row.sent_at) for row in rows if row.what == "reactivate" and row.sent_at is not None]
    ours = [at for _, at in back]
    seen = [at for kind, at in back if kind == "hand"]
    seen += [
        flip.observed_at
        for flip in keys.flips.get(key.id, ())
        if flip.after == "active" and not any(flip.last_seen_before <= at <= flip.observed_at for at in ours)
    ]
    offs = [row.confirmed_at for row in rows if row.what == "deactivate" and row.confirmed_at is not None]
    if offs and key.status == "active" and key.listed_at > max(offs) and not any(at > max(offs) for at in ours):
        seen.append(key.listed_at if not seen or max(seen) <= max(offs) else max(seen))
    seen += [row.updated_at for row in rows if row.stopped and row.state is ActionState.ABANDONED]
    return max(seen, default=None)


def changed_by_hand(row: Action, journal: Iterable[Action], keys: Keys) -> bool:
    """Whether anybody changed the key's status after this program did."""
    if row.confirmed_at is None:
        return True
    ours = [each.sent_at for each in journal if each.key == row.key and each.sent_at is not None]
    return any(
        flip.observed_at > row.confirmed_at and not any(flip.last_seen_before <= at <= flip.observed_at for at in ours)
        for flip in keys.flips.get(row.key, ())
    )
