"""Between judgement and shutoff: what the guard reads is put together, and what it decided is carried out.

Without `[shutoff]` in the configuration there are no `Hands`: nothing is planned, and nothing can be written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from rules import action_requests, guard, protection
from rules.action_news import Listeners, brake_news, folded, messages, news_of, standing
from rules.actions import Action, ActionNews
from rules.asked import Act, Answer, Request, act_of
from rules.judgement import Decision, Rules
from rules.keys import Flip, Key, Keys
from rules.lifecycle import applied
from rules.model import DEFAULT_WORKSPACE, Alert, Notification, Snapshot, State
from rules.offences import Field, estimate_error
from rules.policy import COOLING, NO_BRAKE, Brake, Policy
from rules.protection import Examined
from rules.routes import every
from rules.situation import Situation
from watcher.admin_api.answers import ApiKey
from watcher.brake import BRAKE, BRAKE_FILE, as_remembered, of_file, remembered_brake
from watcher.key_listing import KeyLister
from watcher.shutoff import KeyAdministrator, KeyReader
from watcher.store import Store

NO_SHUTOFF = "the configuration has no [shutoff], so no key can be changed"


@dataclass(frozen=True, slots=True)
class Hands:
    """What it takes to change keys of one organization."""

    policy: Policy
    reader: KeyReader
    administrator: KeyAdministrator
    brake_file: Path | None = None
    """While there is such a file, nothing is done."""
    halted: Callable[[], bool] = field(default=lambda: False)
    """Whether the configuration is in force no longer."""
    lister: KeyLister | None = None
    """Lists keys where the key that is read with may not; None where it is the same."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """What the guard came to, to be committed with the judgement."""

    actions: tuple[Action, ...] = ()
    protections: tuple[Examined, ...] = ()
    cursor: Mapping[str, str] = field(default_factory=dict)
    notifications: tuple[Notification, ...] = ()
    """All messages of the cycle, the judgement's among them."""
    answers: tuple[Answer, ...] = ()
    acts: tuple[Act, ...] = ()
    brake: Brake = NO_BRAKE


@dataclass(frozen=True, slots=True)
class Judged:
    """A judgement and what it was made from."""

    rules: Rules
    decision: Decision
    snapshot: Snapshot
    """With the figures that it was based on."""
    alerts: Sequence[Alert]
    """Those before it."""
    requests: Sequence[Request]
    first: bool = False
    """Whether nothing had been judged before."""

    @property
    def every_alert(self) -> tuple[Alert, ...]:
        """All alerts as they are after it."""
        return applied(self.alerts, self.decision.alerts)


def guarded(store: Store, hands: Hands | None, judged: Judged, now: datetime) -> Guarded:
    """Plan what is to be done after a judgement. Raises StoreError."""
    decision = judged.decision
    asked = [request for request in judged.requests if request.what in action_requests.WHAT]
    if hands is None:
        return _refused(asked, decision)
    organization, policy = judged.snapshot.organization, hands.policy
    journal = store.actions.near(organization, now)
    keys = keys_of(store, organization, journal, now)
    known = protection.known(store.actions.protections(organization))
    examined = protection.examine(policy.protect, keys, known, now)
    known = {**known, **protection.known(examined)}
    every_alert = judged.every_alert
    asked_before, file_before = (remembered_brake(store, organization, name) for name in (BRAKE, BRAKE_FILE))
    situation = Situation(
        organization=organization,
        policy=policy,
        offences=tuple(_field(judged).offences(decision.breaches, every_alert)),
        journal=journal,
        keys=keys,
        protections=known,
        brake=asked_before,
        watermark=decision.view.complete_until,
        firing=frozenset(alert.id for alert in every_alert if alert.state is State.FIRING),
        no_data=_no_data(judged),
    )
    heard = action_requests.hear(asked, situation, now)
    brakes = _Brakes(asked_before, heard.brake, file_before, of_file(hands.brake_file, file_before, now))
    situation = replace(
        situation,
        journal=_merged(journal, heard.rows),
        brake=brakes.held(now),
        protections={**known, **protection.known(heard.protections)},
    )
    rows = _merged(heard.rows, guard.plan(situation, now))
    news = news_of({row.id: row for row in journal}, rows)
    listeners = listeners_of(judged)
    letters = messages([*brakes.news(now), *news], listeners, now)
    return Guarded(
        actions=rows,
        protections=(*examined, *heard.protections),
        cursor=brakes.cursor,
        notifications=tuple(standing(folded(decision.notifications, letters), _merged(journal, rows))),
        answers=heard.answers,
        acts=heard.acts,
        brake=situation.brake,
    )


@dataclass(frozen=True, slots=True)
class _Brakes:
    """What was asked to hold, and what the file holds, before this cycle and after it."""

    asked_before: Brake
    asked: Brake
    file_before: Brake
    file: Brake

    def held(self, now: datetime) -> Brake:
        """What holds now, if anything does."""
        return self.asked if self.asked.holds(now) else self.file

    def news(self, now: datetime) -> Iterator[ActionNews]:
        """That actions are held, or allowed again, where that is new."""
        before = self.asked_before if self.asked_before.holds(now) else self.file_before
        found = brake_news(before, self.held(now), now)
        if found is not None:
            yield found

    @property
    def cursor(self) -> Mapping[str, str]:
        """What is to be remembered."""
        changed = {BRAKE: (self.asked_before, self.asked), BRAKE_FILE: (self.file_before, self.file)}
        return {name: as_remembered(now) for name, (before, now) in changed.items() if before != now}


def _refused(asked: Sequence[Request], decision: Decision) -> Guarded:
    answers = tuple(Answer(request.number, f"refused: {NO_SHUTOFF}", done=False) for request in asked)
    acts = tuple(act_of(request, answer) for request, answer in zip(asked, answers, strict=True))
    return Guarded(notifications=decision.notifications, answers=answers, acts=acts)


def _field(judged: Judged) -> Field:
    rules, snapshot = judged.rules, judged.snapshot
    error = estimate_error(snapshot.reconciled)
    return Field(snapshot.view, snapshot.names, rules.budgets, rules.anomalies, error)


def _no_data(judged: Judged) -> str:
    """Why nothing can be done by what is known, as a clause; "" where it can."""
    if judged.first:
        return "it is the first judgement of a new database"
    return "" if judged.decision.stall is None else "usage has stopped coming, so nothing is known of the last hours"


def _merged(*steps: Sequence[Action]) -> tuple[Action, ...]:
    """The rows as they are after all steps, each of which gives some of them anew."""
    return tuple({row.id: row for step in steps for row in step}.values())


def listeners_of(judged: Judged) -> Listeners:
    """Who can be told of actions."""
    rules, snapshot = judged.rules, judged.snapshot
    named = tuple(dict.fromkeys(receiver for route in every(rules.routes) for receiver in route.receivers))
    alerts = {alert.id: alert for alert in judged.every_alert}
    return Listeners(named, alerts, snapshot.organization_name, snapshot.told_as)


# ---------------------------------------------------------------------------------------------- what the guard reads


def keys_of(store: Store, organization: str, journal: Sequence[Action], now: datetime) -> Keys:
    """The keys of the last listing, and what was seen to change of them since any of `journal` matters."""
    done = [row.confirmed_at for row in journal if row.confirmed_at is not None]
    since = min([now - COOLING, *done])
    flips: dict[str, list[Flip]] = {}
    for change in store.directory.changes(organization, since, "api_key"):
        if change.field == "status" and change.after is not None:
            flips.setdefault(change.id, []).append(Flip(change.after, change.last_seen_before, change.observed_at))
    workspaces = store.directory.workspaces(organization)
    return Keys(
        by_id={
            each.item.id: _key(each.item, each.last_seen_at)
            for each in store.directory.seen_api_keys(organization)
            if each.listed
        },
        flips={ident: tuple(changes) for ident, changes in flips.items()},
        workspaces={DEFAULT_WORKSPACE: "default", **{each.id: each.name for each in workspaces}},
        tags={each.id: each.tags for each in workspaces},
    )


def _key(item: ApiKey, listed_at: datetime) -> Key:
    workspace = "" if item.organization_scoped else item.workspace_id or DEFAULT_WORKSPACE
    return Key(item.id, item.name, workspace, item.status, listed_at, item.created_at)
