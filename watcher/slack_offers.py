"""What Slack messages show of actions on keys: the journal as it is when they are sent or edited, and which key of an
alert may be deactivated by a press."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from notifiers.slack_keys import Offer, Shown, Words
from rules import protection
from rules.actions import OPEN, Action
from rules.keys import Key
from rules.model import Alert, State
from rules.owned import is_slack_id
from rules.policy import Policy
from rules.situation import Situation
from watcher.guarding import keys_of
from watcher.store import Store
from watcher.store.slack_plans import SlackPlans


class SlackOffers:
    """The `Keys` of Slack bots under one configuration. Raises StoreError."""

    def __init__(self, store: Store, policy: Policy) -> None:
        self._store, self._policy = store, policy
        self._plans = SlackPlans(store.database, store.actions)

    def rows(self, alerts: Sequence[Alert]) -> Sequence[Action]:
        """The rows of the journal about these alerts, as they are now."""
        wanted = {alert.id for alert in alerts}
        organizations = {alert.subject.scope.organization for alert in alerts}
        every = (self._store.actions.all(each) for each in sorted(organizations))
        return tuple(row for rows in every for row in rows if row.alert in wanted)

    def words(self) -> Words:
        """Approvers alone approve; who may say no says `watcher.slack_shutoff`."""
        approves = may_decide(self._policy)
        return Words(yes=approves, no=approves or (self._policy.mode != "off" and not self._policy.approvers))

    def offer(self, alert: Alert, now: datetime) -> Offer | None:
        """The key of an alert that fires, where nothing that is known now speaks against deactivating it."""
        if alert.state is not State.FIRING or not may_decide(self._policy) or alert.subject.scope.api_key is None:
            return None
        key = deactivatable(self._store, self._policy, alert, now)
        if isinstance(key, str):
            return None
        workspace = alert.names.get(key.workspace, "")
        return Offer(alert.id, key.id, key.name, workspace, key.digest, dry_run=self._policy.mode == "dry_run")

    def plans(self, receiver: str, alerts: Collection[str]) -> Sequence[Shown]:
        """The answers in threads that told a receiver of plans about these alerts."""
        return self._plans.of(receiver, alerts)


def may_decide(policy: Policy) -> bool:
    """Whether anybody in Slack may have a key deactivated."""
    return policy.mode != "off" and any(map(is_slack_user, policy.approvers))


def is_slack_user(text: str) -> bool:
    """Whether a text has the form of the id of a Slack user, who can press."""
    return is_slack_id(text) and not text.startswith("S")


def deactivatable(store: Store, policy: Policy, alert: Alert, now: datetime) -> Key | str:
    """The key of an alert, or why it cannot be deactivated now, in a sentence."""
    organization, ident = alert.subject.scope.organization, alert.subject.scope.api_key or ""
    journal = store.actions.near(organization, now)
    keys = keys_of(store, organization, journal, now)
    known = protection.known(store.actions.protections(organization))
    situation = Situation(organization, policy, journal=journal, keys=keys, protections=known)
    key = situation.key(ident)
    if key is None:
        return "The key is not listed by the API, so it cannot be deactivated."
    if key.status != "active":
        return f"The key is {key.status} already."
    if why := situation.protection(key):
        return f"The key is protected: {why}."
    if any(row.key == ident and row.state in OPEN for row in journal):
        return "There is a plan about this key already: `watcher actions` shows it."
    return key
