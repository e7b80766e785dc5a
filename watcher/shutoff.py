"""Shutoff: what the journal intends is looked at, done once, and read back.

    intent ── look ──▶ looked ── (committed) ──▶ sent ── write once, read back ──▶ confirmed

A write is never repeated because an answer was lost: what `sent` left open, only reading the key can tell. After a
crash a row is taken up where its last commit left it; one that may have been sent is looked at and never sent again. An
intent that is 15 minutes old is abandoned, and one whose approval is 30 minutes old expires, also where that comes
about while the key is looked at. Only an answer that says the request was not taken (a rate limit) lets the same intent
be tried once more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, Protocol

from rules.actions import Action, ActionState, Look
from rules.model import Notification
from rules.policy import APPROVAL, OPEN_INTENT
from watcher.admin_api import AdminApiError
from watcher.admin_api.answers import ApiKey
from watcher.admin_api.errors import BadRequest, NotAuthenticated, NotOffered, RateLimited, Refused
from watcher.logs import logger
from watcher.store import Store

log = logger(__name__)

Status = Literal["active", "inactive"]
_UNDONE = (BadRequest, NotAuthenticated, NotOffered, Refused)
"""Answers that say that nothing was changed, and never will be by asking again."""


class KeyReader(Protocol):
    """Reads one key."""

    def api_key(self, key_id: str) -> ApiKey:
        """The key as it is now. Raises AdminApiError."""


class KeyAdministrator(Protocol):
    """Changes one key."""

    def set_status(self, key_id: str, status: Status) -> ApiKey:
        """Ask once for a status. Raises AdminApiError."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What carrying out depends on beside the journal; asked anew before every write."""

    clock: Callable[[], datetime]
    brake: Callable[[], str]
    """Why nothing may be done at this moment, as a clause; "" where it may."""
    stands: Callable[[Action], str]
    """Why what is read again just before does not bear an action out, as a clause; "" where it does. Raises
    AdminApiError."""
    tell: Callable[[Action], Sequence[Notification]]
    """Whom to tell of what became of an action."""
    halted: Callable[[], bool] = lambda: False
    """Whether others are to carry on: then nothing more is begun, and everything is left as it is."""


class Shutoff:
    """Carries out the intents of one organization, one after the other."""

    def __init__(
        self,
        store: Store,
        organization: str,
        reader: KeyReader,
        administrator: KeyAdministrator,
        surroundings: Surroundings,
    ) -> None:
        self._store, self._organization = store, organization
        self._reader, self._administrator, self._around = reader, administrator, surroundings

    def carry_out(self) -> tuple[Action, ...]:
        """Everything that is under way, as far as it comes now; the rows as they are then. Raises StoreError."""
        rows = self._store.actions.under_way(self._organization)
        return tuple(row if self._around.halted() else self._carry(row) for row in rows)

    def _carry(self, row: Action) -> Action:
        try:
            if row.state is ActionState.SENT:
                return self._look_back(row)
            if over := self._over(row):
                return over
            looked = self._look(row)
            return self._send(looked) if looked.state is ActionState.LOOKED else looked
        except AdminApiError as error:
            _about(row).warning("an action on a key waits: the API does not answer", why=str(error))
            return row

    def _is_late(self, row: Action) -> bool:
        return row.intent_at is None or self._around.clock() >= row.intent_at + OPEN_INTENT

    def _over(self, row: Action) -> Action | None:
        """The row at its end, where what has not been sent by now never is; None where there is time."""
        if self._is_late(row):
            return self._end(row, ActionState.ABANDONED, "It was not carried out within 15 minutes, so it is not.")
        if row.approved_at is not None and self._around.clock() >= row.approved_at + APPROVAL:
            return self._end(row, ActionState.EXPIRED, "It was approved, and not sent within 30 minutes of that.")
        return None

    # ---------------------------------------------------------------------------------------- before

    def _look(self, row: Action) -> Action:
        """The key, and everything that may have changed since the intent."""
        if why := self._around.brake():
            return self._end(row, ActionState.REFUSED, f"It was held back just before: {why}.")
        try:
            key = self._reader.api_key(row.key)
        except (NotOffered, BadRequest) as error:
            return self._end(row, ActionState.REFUSED, f"The key cannot be read: {error}.")
        seen = self._seen(key)
        if key.status != _from(row):
            return self._end(replace(row, before=seen), ActionState.REFUSED, f"The key is {key.status} already.")
        if row.cause.by_policy and self._turned_back_on(row):
            reason = "Somebody turned the key back on after this program had deactivated it: it is left alone."
            return self._end(replace(row, before=seen), ActionState.REFUSED, reason)
        if row.cause.by_policy and (why := self._around.stands(row)):
            return self._back(row, why)
        return self._advance(row, replace(row, state=ActionState.LOOKED, before=seen))

    def _turned_back_on(self, row: Action) -> bool:
        """Whether the key, which works now, was off by this program's doing since the intent."""
        begun = row.intent_at or row.created_at
        journal = self._store.actions.of_key(self._organization, row.key)
        sent = [each.sent_at for each in journal if each.id != row.id and each.stopped and each.sent_at is not None]
        return row.what == "deactivate" and any(at >= begun for at in sent)

    def _back(self, row: Action, why: str) -> Action:
        """What is not borne out goes back to be judged again."""
        state = ActionState.PROPOSED if row.approved_at is None else ActionState.APPROVED
        _about(row).info("an action on a key is judged again", why=why)
        return self._advance(row, replace(row, state=state, waits=why, intent_at=None))

    # ---------------------------------------------------------------------------------------- doing

    def _send(self, row: Action) -> Action:
        """Commit that it is being sent, send it once, and read it back."""
        if self._around.halted():
            return row
        if over := self._over(row):
            return over
        if why := self._around.brake():
            return self._end(row, ActionState.REFUSED, f"It was held back just before: {why}.")
        sent = self._advance(row, replace(row, state=ActionState.SENT, sent_at=self._around.clock()))
        if sent.state is not ActionState.SENT:
            return sent
        _about(row).info("a key is being changed", to=_to(row))
        undone: AdminApiError | None = None
        try:
            self._administrator.set_status(row.key, _to(row))
        except (RateLimited, *_UNDONE) as error:
            _about(row).warning("the API did not change a key", why=str(error))
            undone = error
        except AdminApiError as error:
            _about(row).warning("whether a key was changed is not known; it is read instead", why=str(error))
        found = self._look_back(sent)
        if undone is None or found.state is not ActionState.SENT:
            return found
        if isinstance(undone, RateLimited):
            return self._advance(sent, replace(sent, state=ActionState.INTENT, sent_at=None))
        return self._end(sent, ActionState.REFUSED, f"The API refused it: {undone}.")

    # ---------------------------------------------------------------------------------------- after

    def _look_back(self, row: Action) -> Action:
        """Whether it was done: only the key tells."""
        try:
            key = self._reader.api_key(row.key)
        except AdminApiError as error:
            if not self._is_late(row):
                raise
            reason = f"It was sent, and for 15 minutes the key could not be read: {error}. Look at it in the Console."
            return self._end(row, ActionState.ABANDONED, reason)
        seen = self._seen(key)
        if key.status == _to(row):
            done = replace(row, state=ActionState.CONFIRMED, after=seen, confirmed_at=self._around.clock())
            return self._finish(row, done)
        if self._is_late(row):
            reason = f"It was sent, and 15 minutes later the key is {key.status}. It is not sent again."
            return self._end(replace(row, after=seen), ActionState.ABANDONED, reason)
        return row

    def _seen(self, key: ApiKey) -> Look:
        """Keep what was read: the directory then knows of the change."""
        now = self._around.clock()
        self._store.directory.record_api_key(self._organization, key, now)
        return Look(now, key.status, key.name)

    # ---------------------------------------------------------------------------------------- remembering

    def _end(self, row: Action, state: ActionState, reason: str) -> Action:
        return self._finish(row, replace(row, state=state, reason=reason))

    def _finish(self, before: Action, row: Action) -> Action:
        _about(row).info("an action on a key has ended", state=row.state.value, why=row.reason)
        return self._advance(before, row, tell=True)

    def _advance(self, before: Action, row: Action, *, tell: bool = False) -> Action:
        """Keep the row; what somebody else made of it meanwhile stands, and is returned."""
        row = replace(row, updated_at=self._around.clock(), waits=row.waits if row.open else "")
        told = self._around.tell(row) if tell else ()
        if self._store.actions.advance(row, before.state, told):
            return row
        return self._store.actions.get(row.organization, row.id) or row


def _about(row: Action) -> Any:
    """The log; each of its lines says which action and which key it is about."""
    return log.bind(action=row.id, key=row.key)


def _to(row: Action) -> Status:
    return "inactive" if row.what == "deactivate" else "active"


def _from(row: Action) -> Status:
    return "active" if row.what == "deactivate" else "inactive"
