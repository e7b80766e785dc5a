"""What people ask about actions: to approve or deny one, to brake, to change a key by hand, to protect one. Pure.

An approval names the digest of what it approves, so that what has changed meanwhile is not approved with it; it is good
once. A denial ends the decision, and the journal keeps it: the same cause is never asked about again. By hand nothing
is done that is protected, while the brake holds, or that was asked hours ago. What was pressed in Slack says in its
details who pressed, by the id that Slack gave (`approver`), and what was shown (`digest`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, cast

from rules.actions import OPEN, WAITING, Action, ActionState, Cause, What, action_id
from rules.asked import Act, Answer, Request, act_of
from rules.model import Scope
from rules.owned import is_slack_id
from rules.policy import NO_BRAKE, Brake
from rules.protection import BY_HAND, Examined
from rules.situation import Situation

APPROVE, DENY = "action approve", "action deny"
PAUSE, RESUME = "actions pause", "actions resume"
DEACTIVATE, REACTIVATE, DRILL = "key deactivate", "key reactivate", "key drill"
PROTECT, UNPROTECT = "key protect", "key unprotect"
LAPSES = timedelta(hours=2)
"""How old a request to change a key may be, as after the daemon was down: nobody expects it to be done days later."""
WHAT = frozenset({APPROVE, DENY, PAUSE, RESUME, DEACTIVATE, REACTIVATE, DRILL, PROTECT, UNPROTECT})


@dataclass(frozen=True, slots=True)
class Heard:
    """What requests came to: rows of the journal that are new or changed, the brake, what is protected by hand."""

    rows: tuple[Action, ...]
    brake: Brake
    protections: tuple[Examined, ...] = ()
    answers: tuple[Answer, ...] = ()
    acts: tuple[Act, ...] = ()


def hear(requests: Iterable[Request], situation: Situation, now: datetime) -> Heard:
    """Carry out what was asked, in its order; every request in `WHAT` is answered, the others are left alone.

    `situation` has every row that is open, and those of the last weeks.
    """
    hearing = _Hearing(situation, now)
    answers: list[Answer] = []
    acts: list[Act] = []
    for request in requests:
        if request.what not in WHAT:
            continue
        try:
            answer = Answer(request.number, hearing.take(request))
        except _Refused as why:
            answer = Answer(request.number, f"refused: {why}", done=False)
        except (ValueError, TypeError, KeyError, AttributeError):
            answer = Answer(request.number, "refused: it cannot be read", done=False)
        answers.append(answer)
        acts.append(act_of(request, answer))
    return Heard(
        tuple(hearing.changed.values()), hearing.brake, tuple(hearing.protections), tuple(answers), tuple(acts)
    )


class _Refused(Exception):
    """Why a request is not carried out."""


class _Hearing:
    """Requests being carried out one after the other."""

    def __init__(self, situation: Situation, now: datetime) -> None:
        self._at, self._now = situation, now
        self._rows = {row.id: row for row in situation.journal}
        self.brake = situation.brake
        self.changed: dict[str, Action] = {}
        self.protections: list[Examined] = []

    def take(self, request: Request) -> str:
        """Carry one out; what became of it, in a sentence. Raises `_Refused`."""
        if request.what in {APPROVE, DENY}:
            return self._decide(request)
        if request.what in {PAUSE, RESUME}:
            return self._brake(request)
        if request.what in {PROTECT, UNPROTECT}:
            return self._protect(request)
        return self._by_hand(request)

    def _put(self, row: Action) -> None:
        self._rows[row.id] = self.changed[row.id] = replace(row, updated_at=self._now)

    def _decide(self, request: Request) -> str:
        row = self._rows.get(request.details["action"])
        if row is None or row.state not in OPEN:
            ended = "" if row is None else f": it is {row.state.value} ({row.reason})"
            raise _Refused(f"there is no such action that waits{ended}")
        if row.state not in WAITING:
            raise _Refused("it has been begun already")
        who = str(request.details.get("approver", request.actor))
        approvers = self._at.policy.approvers
        if approvers and who not in approvers:
            raise _Refused(f"{request.actor} is not among the approvers in [shutoff]")
        if request.what != DENY:
            self._may(request)
        if request.what == DENY:
            why = str(request.details.get("comment", "")).strip()
            reason = f"{request.actor} said no{f': {why}' if why else ''}."
            self._put(replace(row, state=ActionState.REFUSED, reason=reason, by=request.actor, waits=""))
            return f"denied: {row.key_name} stays active, and is not asked about again for the same cause"
        return self._approved(row, request)

    def _may(self, request: Request) -> None:
        """Nobody in Slack decides about keys whom the configuration does not name."""
        who = str(request.details.get("approver", ""))
        if is_slack_id(who) and who not in self._at.policy.approvers:
            raise _Refused(f"{request.actor} is not among the approvers in [shutoff]")

    def _approved(self, row: Action, request: Request) -> str:
        if row.state is ActionState.APPROVED:
            raise _Refused(f"{row.by} has approved it already")
        if request.details["digest"] != row.digest:
            raise _Refused("what it would do has changed since it was shown: look at it again")
        if row.expires_at is not None and self._now >= row.expires_at:
            raise _Refused("the time for approving it is over")
        if row.mode == "dry_run":
            raise _Refused('the mode is "dry_run": nothing would be done')
        self._put(replace(row, state=ActionState.APPROVED, by=request.actor, approved_at=self._now))
        return f"approved: {row.key_name}"

    def _brake(self, request: Request) -> str:
        if request.what == RESUME:
            if not self.brake.holds(self._now):
                raise _Refused("actions are not paused")
            self.brake = NO_BRAKE
            return "actions are allowed again"
        until = request.details.get("until")
        ends = None if until is None else datetime.fromisoformat(until)
        if ends is not None and ends <= self._now:
            raise _Refused("its time was over before it was carried out")
        why = str(request.details.get("comment", ""))
        self.brake = Brake(ends, request.actor, self._now, why)
        return self.brake.words

    def _protect(self, request: Request) -> str:
        what, ident = request.details["what"], str(request.details["id"])
        if what not in {"api_key", "workspace"}:
            raise ValueError(what)
        known = self._at.keys.by_id if what == "api_key" else self._at.keys.workspaces
        if ident not in known:
            raise _Refused(f"there is no {'key' if what == 'api_key' else 'workspace'} {ident!a}")
        taken = request.what == PROTECT
        place = cast("Literal['api_key', 'workspace']", what)
        self.protections.append(Examined(place, ident, BY_HAND, taken, self._now, request.actor))
        return f"{'protected' if taken else 'no longer protected by hand'}: {ident}"

    def _by_hand(self, request: Request) -> str:
        details: Mapping[str, object] = request.details
        ident, reason = str(details["key"]), str(details["reason"])
        key = self._at.key(ident)
        if key is None:
            raise _Refused(f"there is no key {ident!a}")
        self._may(request)
        if self._now - request.at > LAPSES:
            raise _Refused(
                f"it was asked at {request.at:%d %B %H:%M} UTC, too long ago: ask again if it is still wanted"
            )
        if details.get("digest", key.digest) != key.digest:
            raise _Refused("the key has another name than when it was shown: look at it again")
        if self._at.policy.mode == "off":
            raise _Refused('[shutoff] has mode = "off", so nothing is done, not even by hand')
        if self.brake.holds(self._now):
            raise _Refused(self.brake.words)
        what: What = "reactivate" if request.what == REACTIVATE else "deactivate"
        if what == "deactivate" and (why := self._at.protection(key)):
            raise _Refused(f"the key is protected: {why}")
        if any(row.key == ident and row.state in OPEN - WAITING for row in self._rows.values()):
            raise _Refused("something is being done to this key at this moment")
        kind: Literal["hand", "drill"] = "drill" if request.what == DRILL else "hand"
        cause = Cause(kind, "", Scope(self._at.organization, api_key=ident), str(request.number))
        self._put(
            Action(
                id=action_id(cause, ident, what),
                organization=self._at.organization,
                cause=cause,
                what=what,
                key=ident,
                key_name=key.name,
                workspace=key.workspace,
                workspace_name=self._at.keys.workspaces.get(key.workspace, key.workspace),
                state=ActionState.INTENT,
                reason=reason,
                mode="auto",
                amount=0,
                created_at=self._now,
                updated_at=self._now,
                by=request.actor,
                alert=str(details.get("alert", "")),
                intent_at=self._now,
            )
        )
        return f"to be {what}d: {key.name}"
