"""Presses that decide about keys: who may, what is asked of the next cycle, and what is answered.

Only those whom `approvers` in `[shutoff]` names by their Slack ids approve or deactivate. To say no is the careful
side: where nobody is named, whoever may press may do that. The rules judge it all once more when it is carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from notifiers.slack_action_blocks import APPROVE, DENY
from notifiers.slack_buttons import Press
from rules import action_requests
from rules.action_headlines import of_row, who_of
from rules.actions import WAITING, Action, ActionState
from rules.policy import Policy
from watcher.brake import in_force, remembered_brake
from watcher.clock import Clock
from watcher.settings import ShutoffSettings
from watcher.slack_offers import deactivatable, is_slack_user
from watcher.store import Store

PRESSED = "pressed in Slack"
_NO_SHUTOFF = "The configuration has no [shutoff], so no key can be changed."
_NOT_YOU = "You are not among those who decide about keys: `approvers` in [shutoff] names them by their Slack ids."
_NOBODY = "Nobody decides about keys in Slack: `approvers` in [shutoff] names no Slack user. The command line does."


class Refused(Exception):
    """Why a press comes to nothing: a sentence for who pressed."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a press asks for."""

    organization: str
    what: str
    details: Mapping[str, Any]
    done: str
    """What is said of it in the thread, behind who pressed."""


class SlackShutoff:
    """Reads what presses about keys ask for, under one configuration."""

    def __init__(
        self, store: Store, clock: Clock, shutoff: ShutoffSettings | None, organizations: Callable[[], Collection[str]]
    ) -> None:
        self._store, self._clock, self._organizations = store, clock, organizations
        self._policy = None if shutoff is None else shutoff.policy
        self._brake_file = None if shutoff is None else shutoff.brake_file

    def decides(self, user: str) -> bool:
        """Whether the configuration names this Slack user among the approvers."""
        return self._policy is not None and user in self._policy.approvers

    def alert_of(self, press: Press) -> str:
        """The id of the alert that a press is about; "" where that is not known."""
        if press.action not in {APPROVE, DENY}:
            return press.alert
        row = self._row(press.alert)
        return "" if row is None else row.alert

    def wanted(self, press: Press) -> Asked:
        """What to ask for. Raises `Refused`, and StoreError."""
        policy = self._policy
        if policy is None:
            raise Refused(_NO_SHUTOFF)
        if policy.mode == "off":
            raise Refused('Nothing is done to keys: [shutoff] has mode = "off".')
        self._may(press, policy)
        if press.action in {APPROVE, DENY}:
            return self._decision(press)
        return self._deactivation(press, policy)

    def _may(self, press: Press, policy: Policy) -> None:
        if press.user in policy.approvers:
            return
        if policy.approvers:
            raise Refused(_NOT_YOU if any(map(is_slack_user, policy.approvers)) else _NOBODY)
        if press.action != DENY:
            raise Refused(_NOBODY)

    def _decision(self, press: Press) -> Asked:
        row = self._row(press.alert)
        now = self._clock.now()
        if row is None:
            raise Refused("This plan is not known any more.")
        headline = of_row(row, who_of(row), now)
        if row.state not in WAITING:
            raise Refused(f"It is decided already. {headline}.")
        details = {"action": row.id, "approver": press.user, "digest": press.digest}
        if press.action == DENY:
            said = f"says no: {who_of(row).name} stays on, and is not asked about again for the same cause."
            return Asked(row.organization, action_requests.DENY, details, said)
        if row.state is ActionState.APPROVED:
            raise Refused(f"{row.by} has approved it already.")
        if row.expires_at is not None and now >= row.expires_at:
            raise Refused("The time for approving it is over: nothing is done.")
        if press.digest != row.digest:
            raise Refused("What it would do has changed since this message: look at the newest one in the thread.")
        said = f"approves it: {who_of(row).name} is deactivated in the next cycle, if it still holds."
        return Asked(row.organization, action_requests.APPROVE, details, said)

    def _deactivation(self, press: Press, policy: Policy) -> Asked:
        alert = self._store.alerts.get(press.alert)
        if alert is None or alert.subject.scope.organization not in self._organizations():
            raise Refused("This alert is not watched any more.")
        now = self._clock.now()
        brake = in_force(remembered_brake(self._store, alert.subject.scope.organization), self._brake_file, now)
        if brake.holds(now):
            raise Refused(f"{brake.words[:1].upper()}{brake.words[1:]}.")
        key = deactivatable(self._store, policy, alert, now)
        if isinstance(key, str):
            raise Refused(key)
        if key.digest != press.digest:
            raise Refused(f"The key is called “{key.name}” by now: look at it in the Console first.")
        details = {
            "key": key.id,
            "reason": f"{PRESSED}, for alert {alert.id}",
            "alert": alert.id,
            "approver": press.user,
            "digest": press.digest,
        }
        said = f"has key “{key.name}” deactivated: the next cycle does it."
        return Asked(alert.subject.scope.organization, action_requests.DEACTIVATE, details, said)

    def _row(self, ident: str) -> Action | None:
        found = (self._store.actions.get(each, ident) for each in self._organizations())
        return next((row for row in found if row is not None), None)


def same(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether two requests are about the same plan or key."""
    return all(before.get(name) == now.get(name) for name in ("action", "key"))
