"""How shutoff stands in one organization: its mode, whether it is held, what waits, and what was done last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, cast

from notifiers.alert_json import utc_json
from notifiers.text import clean, plural, when
from rules.action_requests import PAUSE
from rules.actions import NO_KEY, UNDER_WAY, WAITING, Action, ActionState
from rules.policy import Mode
from watcher.actions.words import DONE, LONGEST_REASON, key_of, who
from watcher.brake import in_force, remembered_brake
from watcher.settings import ShutoffSettings

if TYPE_CHECKING:
    from watcher.store import Store

NEWEST = 50
"""Decisions kept for those who show the newest ones."""
_LATELY = timedelta(days=30)


class ActionsStore(Protocol):
    """The part of the store that this is read from."""

    @property
    def actions(self) -> Any:
        """`near(organization, now)` gives the journal."""

    @property
    def commands(self) -> Any:
        """`pending(organization)` gives what waits for a cycle."""

    @property
    def cursor(self) -> Any:
        """`get(name, organization)` gives a remembered text."""


@dataclass(frozen=True, slots=True)
class ShutoffStanding:
    """How it stands at one moment."""

    mode: Mode
    held: str = ""
    """What holds every action, as a clause; "" where nothing does."""
    held_until: datetime | None = None
    held_by: str = ""
    waiting: tuple[Action, ...] = ()
    """What waits for somebody or something, and what is under way; the oldest first."""
    last: Action | None = None
    """What was carried out last."""
    counts: Mapping[ActionState, int] = field(default_factory=dict)
    """Decisions about keys by their state."""
    newest: tuple[Action, ...] = ()
    """The decisions about keys, those that came into their state last before the others."""
    stopped: int = 0
    """How many keys were deactivated in the last 30 days."""

    @property
    def under_way(self) -> int:
        """How many of those that wait have been begun."""
        return sum(row.state in UNDER_WAY for row in self.waiting)


def read_shutoff(store: ActionsStore, shutoff: ShutoffSettings, organization: str, now: datetime) -> ShutoffStanding:
    """Read how it stands; a daemon may be writing beside it. Raises StoreError."""
    rows = [row for row in store.actions.near(organization, now) if row.key != NO_KEY]
    brake = in_force(remembered_brake(cast("Store", store), organization), shutoff.brake_file, now)
    done = [row for row in rows if row.confirmed_at is not None]
    return ShutoffStanding(
        mode=shutoff.policy.mode,
        held=brake.words if brake.holds(now) else _asked(store.commands.pending(organization)),
        held_until=brake.until,
        held_by=brake.by,
        waiting=tuple(row for row in rows if row.state in WAITING | UNDER_WAY),
        last=max(done, key=lambda row: (row.confirmed_at or now, row.id), default=None),
        newest=tuple(sorted(rows, key=lambda row: (row.reached_at, row.id), reverse=True)[:NEWEST]),
        counts=Counter(row.state for row in rows),
        stopped=sum(row.what == "deactivate" and now - (row.confirmed_at or now) < _LATELY for row in done),
    )


def _asked(pending: Collection[Any]) -> str:
    """A pause that no cycle has taken up holds already."""
    asked = next((command for command in pending if command.what == PAUSE), None)
    return "" if asked is None else f"{asked.actor} has asked to pause actions"


def shutoff_words(standing: ShutoffStanding, now: datetime) -> Iterator[str]:
    """Sentences for people: the mode, what waits, and what was done last. What holds is told apart."""
    waits = plural(len(standing.waiting), "action waits", "actions wait") if standing.waiting else "nothing waits"
    yield f"Shutoff: {standing.mode}; {waits}."
    for row in standing.waiting:
        until = row.expires_at if row.mode == "approve" else row.due_at
        by = f" (until {when(until, now)})" if until is not None and until > now else ""
        why = clean(row.waits or "it is being done", LONGEST_REASON)
        yield f"{row.what} {key_of(row)}: {why}{by}; `watcher actions show {row.id}`"
    last = standing.last
    if last is not None and last.confirmed_at is not None:
        yield f"Last: {key_of(last)} {DONE[last.what]} {when(last.confirmed_at, now)}, by {who(last)}."


def held_words(standing: ShutoffStanding | None) -> Iterator[str]:
    """That actions are held, in a sentence; nothing where they are not."""
    if standing is not None and standing.held:
        held = clean(standing.held, LONGEST_REASON)
        yield f"{held[:1].upper()}{held[1:]}: no key is changed, by policy or by hand."


def shutoff_json(standing: ShutoffStanding | None) -> Mapping[str, Any]:
    """The form of `watcher status --json`; the mode is "off" where the configuration has no [shutoff]."""
    found = standing or ShutoffStanding("off")
    return {
        "mode": found.mode,
        "configured": standing is not None,
        "paused": bool(found.held),
        "paused_why": found.held or None,
        "paused_until": None if found.held_until is None else utc_json(found.held_until),
        "paused_by": found.held_by or None,
        "waiting": [_brief(row) for row in found.waiting],
        "last": None if found.last is None else _brief(found.last),
    }


def _brief(row: Action) -> Mapping[str, Any]:
    until = row.expires_at if row.mode == "approve" else row.due_at
    return {
        "id": row.id,
        "action": f"{row.what}_key",
        "key": row.key,
        "key_name": row.key_name,
        "state": row.state.value,
        "waits_for": row.waits or None,
        "until": None if until is None or not row.open else utc_json(until),
        "by": row.by,
        "updated_at": utc_json(row.updated_at),
    }
