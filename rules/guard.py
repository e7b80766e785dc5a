"""What the shutoff policy allows: from breaches, policy, journal and directory to a decision about every key. Pure.

A cause gets one plan, made when it first stands and names its keys: one row of the journal for each of them, and never
another one, however long the total stays over. Each row is then held against everything that speaks against it, at
every judgement until it is begun. What speaks against it for good ends it; what may pass makes it wait:

    ends it                                          makes it wait
    the alert ended                                  no complete data say that it still holds, or they are old
    the key is protected, off, or not listed         the brake is on, or a silence holds the alert
    a person turned it back on lately                an anomaly was seen in one version of the data only
    the limits of the day are reached                that of the cycle is; nobody approved; the grace runs

Nothing here writes to the API: a row that comes out as an intent is carried out by `watcher.shutoff`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from rules.actions import NO_KEY, UNSENT, WAITING, Action, ActionState, action_id
from rules.money import display_usd
from rules.objections import Ends, Objections, Waits, few_times
from rules.offences import Offence, Offender, by_cause
from rules.policy import APPROVAL, LEAST_MULTIPLE, Mode, lowest
from rules.reactivation import reactivations
from rules.situation import Situation, left_in


def plan(situation: Situation, now: datetime) -> tuple[Action, ...]:
    """The rows of the journal that are new or changed, in the order in which they were decided.

    Same arguments, same rows. Where the policy is off nothing is proposed, and what waits expires.
    """
    return _Guard(situation, now).run()


class _Guard:
    """One judgement of the whole journal."""

    def __init__(self, situation: Situation, now: datetime) -> None:
        self._at, self._now, self._policy = situation, now, situation.policy
        self._rows = {row.id: row for row in situation.journal}
        self._changed: dict[str, Action] = {}
        self._offences = by_cause(situation.offences)
        self._objections = Objections(situation, self._rows, now)
        self._begun = 0

    def run(self) -> tuple[Action, ...]:
        """Hold every row that waits against what is known now, then plan for what is new."""
        for row in sorted(self._rows.values(), key=lambda each: (each.created_at, each.id)):
            offence = self._offences.get(row.cause.id)
            if row.state in WAITING and row.cause.by_policy:
                self._put(self._further(row, offence))
            elif row.state in UNSENT and row.cause.by_policy:
                self._put(self._vetted(row, offence))
        if self._policy.mode != "off":
            for offence in self._at.offences:
                self._propose(offence)
        for row in tuple(reactivations(self._at, self._rows, self._now)):
            self._put(row)
        return tuple(self._changed.values())

    def _put(self, row: Action) -> None:
        """Keep a row, if it differs from what is known."""
        if row != self._rows.get(row.id):
            self._rows[row.id] = self._changed[row.id] = replace(row, updated_at=self._now)

    # ---------------------------------------------------------------------------------------- a plan for a cause

    def _propose(self, offence: Offence) -> None:
        mode = self._policy.mode_of(offence.action)
        planned = [row for row in self._rows.values() if row.cause == offence.cause]
        over = offence.period_end is not None and offence.period_end <= self._now
        if mode == "off" or over or offence.amount < self._policy.min_amount or self._at.no_data:
            return
        offenders, nobody = offence.offenders, offence.unknown
        if offence.cause.kind == "anomaly" and mode != "approve" and not nobody:
            offenders = tuple(each for each in offenders if each.multiple >= LEAST_MULTIPLE)
            nobody = "" if offenders else f"it is {few_times(offence.offenders)}"
        if any(row.key != NO_KEY for row in planned) or (planned and nobody):
            return
        if nobody:
            offender = Offender(NO_KEY, "", offence.observed, offence.bound)
            self._put(self._row(offence, offender, mode, ActionState.REFUSED, f"No key is touched: {nobody}."))
            return
        busy = {row.key for row in self._rows.values() if row.open and row.cause != offence.cause}
        for offender in offenders:
            if offender.key in busy:  # another decision about the key is being made
                continue
            row = self._row(offence, offender, self._allowed(mode, offence, offender), ActionState.PROPOSED, "")
            self._put(self._further(replace(row, reason=_why(offence)), offence))

    def _row(self, offence: Offence, offender: Offender, mode: Mode, state: ActionState, reason: str) -> Action:
        cause, now = offence.cause, self._now
        key = self._at.key(offender.key)
        workspace = offender.workspace if key is None else key.workspace
        return Action(
            id=action_id(cause, offender.key, "deactivate"),
            organization=self._at.organization,
            cause=cause,
            what="deactivate",
            key=offender.key,
            key_name=offender.key if key is None else key.name,
            workspace=workspace,
            workspace_name=self._at.keys.workspaces.get(workspace, workspace),
            state=state,
            reason=reason,
            mode=mode,
            amount=offence.amount,
            created_at=now,
            updated_at=now,
            alert=offence.alert.id,
            evidence=offence.evidence(offender),
            due_at=now + self._policy.grace,
            expires_at=now + APPROVAL if mode == "approve" else None,
        )

    def _allowed(self, mode: Mode, offence: Offence, offender: Offender) -> Mode:
        """The mode of one key: what rests on a stand-in price or stops a workspace, a person decides; and of a key with
        no usual spend yet, of one that has spent as much before, or that a wider breach is put down to and that may be
        a launch.

        A budget of the key's own says what is too much of it, however young it is.
        """
        own = offence.cause.kind == "budget" and offence.cause.scope.api_key is not None
        unsure = not own and (not offender.known or offender.precedent or offender.lately < LEAST_MULTIPLE)
        key = self._at.key(offender.key)
        last = key is not None and left_in(key.workspace, self._at.keys, self._rows, beside=key.id) == 0
        return lowest(mode, "approve") if offence.unpriced or last or unsure else mode

    # ---------------------------------------------------------------------------------------- what becomes of a row

    def _further(self, row: Action, offence: Offence | None) -> Action:
        """The row after everything that speaks against it has been asked."""
        row = self._narrowed(row, offence)
        found = self._objections.against(row, offence, self._begun)
        if isinstance(found, Ends):
            return replace(row, state=found.state, reason=found.why, waits="")
        if isinstance(found, Waits):
            paused = self._at.brake.holds(self._now) and row.state is ActionState.PROPOSED
            due = self._now + self._policy.grace if paused else row.due_at
            return replace(row, waits=found.why, due_at=due)
        if row.mode == "dry_run":
            reason = f"Dry run: the key would have been deactivated now. {row.reason}"
            return replace(row, state=ActionState.REFUSED, reason=reason, waits="")
        self._begun += 1
        return replace(row, state=ActionState.INTENT, intent_at=self._now, waits="")

    def _vetted(self, row: Action, offence: Offence | None) -> Action:
        """An intent that an earlier judgement left, under what is allowed now."""
        row = self._narrowed(row, offence)
        found = self._objections.for_good(row, offence)
        if found is not None:
            return replace(row, state=found.state, reason=found.why)
        if row.mode == "dry_run":
            return replace(row, state=ActionState.REFUSED, reason=f"The mode is a dry run by now. {row.reason}")
        if row.mode == "approve" and row.approved_at is None:
            return replace(row, state=ActionState.PROPOSED, intent_at=None, waits="somebody must approve it")
        return row

    def _narrowed(self, row: Action, offence: Offence | None) -> Action:
        """The row under the policy as it is now, which may allow less than when it was proposed, and never more."""
        if offence is None:
            return row
        mode = self._policy.mode_of(offence.action)
        offender = next((each for each in offence.offenders if each.key == row.key), None)
        mode = lowest(row.mode, mode if offender is None else self._allowed(mode, offence, offender))
        if mode == row.mode:
            return row
        return replace(row, mode=mode, expires_at=self._now + APPROVAL if mode == "approve" else row.expires_at)


def _why(offence: Offence) -> str:
    amount = f"{display_usd(offence.amount)} of it are surely too much."
    story = offence.alert.summary
    return f"{story}{'' if not story or story.endswith('.') else '.'} {amount}".strip()
