"""What is pressed in Slack becomes a command, which the next cycle of the alert's organization carries out."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from notifiers.slack import escaped
from notifiers.slack_action_blocks import KEY_ACTIONS
from notifiers.slack_buttons import ACKNOWLEDGE, EXPECTED, PRESSED, SILENCE, Press
from rules import quiet_requests
from rules.feedback import FEEDBACK, problem
from rules.labels import label_of
from rules.matchers import Matcher
from rules.model import Alert, State
from rules.quieted import EXPECTED as AS_EXPECTED
from watcher.clock import Clock
from watcher.logs import logger
from watcher.slack_shutoff import Refused, SlackShutoff, same
from watcher.store import Store

log = logger(__name__)

LASTS = timedelta(hours=24)
"""How long a silence of a button lasts."""
_REMEMBERED = 1000
"""Envelopes; Slack sends one again within minutes."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What is said to a press: in the thread for all, or to who pressed alone."""

    text: str
    aloud: bool = False


class _Refused(Exception):
    """Why a press comes to nothing."""


class SlackActions:
    """Takes the presses of one receiver, one after the other.

    `actors` are the ids of those who may press; everybody, if there are none. `organizations` are the ids of those that
    are watched. `name_of` says what a Slack user is called, "" where that is not known; `keys` what is asked of keys.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        receiver: str,
        actors: Collection[str],
        organizations: Callable[[], Collection[str]],
        name_of: Callable[[str], str],
        *,
        keys: SlackShutoff | None = None,
    ) -> None:
        self._store, self._clock, self._receiver = store, clock, receiver
        self._actors, self._organizations, self._name_of = frozenset(actors), organizations, name_of
        self._keys = keys or SlackShutoff(store, clock, None, organizations)
        self._seen: OrderedDict[str, None] = OrderedDict()

    def knows(self, press: Press) -> bool:
        """Whether a message of this receiver tells of the alert."""
        about = self._keys.alert_of(press) if press.action in KEY_ACTIONS else press.alert
        return self._store.slack_messages.tells(self._receiver, about)

    def take(self, press: Press) -> Reply | None:
        """Ask for what was pressed; None where the same envelope was taken before. Raises StoreError."""
        if press.envelope and press.envelope in self._seen:
            return None
        try:
            reply = self._take(press)
        except (_Refused, Refused) as why:
            log.info("a press in Slack was refused", receiver=self._receiver, user=press.user, why=str(why))
            reply = Reply(escaped(f"{why}") if isinstance(why, Refused) else f"{why}")
        self._seen[press.envelope] = None
        while len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return reply

    def _take(self, press: Press) -> Reply:
        about_keys = press.action in KEY_ACTIONS
        if self._actors and press.user not in self._actors and not (about_keys and self._keys.decides(press.user)):
            raise _Refused("You are not among those who may press this: `actors` in the configuration names them.")
        if about_keys:
            return self._about_keys(press)
        if not self.knows(press):
            raise _Refused("This message is too old: claude-watcher does not remember it any more.")
        alert = self._store.alerts.get(press.alert)
        if alert is None or alert.subject.scope.organization not in self._organizations():
            raise _Refused("This alert is not watched any more.")
        what, details, done = self._wanted(press, alert)
        organization = alert.subject.scope.organization
        for command in self._store.commands.pending(organization):
            if command.what == what and _same(command.details, details):
                raise _Refused(f"{escaped(command.actor)} has asked for that already: the next cycle carries it out.")
        now, actor = self._clock.now(), self._actor(press.user)
        number = self._store.commands.append(now, actor, what, details, organization)
        log.info("asked for in Slack", receiver=self._receiver, what=what, alert=alert.id, actor=actor)
        if what == quiet_requests.ADD:
            ident = quiet_requests.silence_id(number, now, actor)
            done += f" `watcher silence expire {ident}` ends it."
        return Reply(f"<@{press.user}> {done}", aloud=True)

    def _about_keys(self, press: Press) -> Reply:
        """Ask for what was decided about a key."""
        asked = self._keys.wanted(press)
        for command in self._store.commands.pending(asked.organization):
            if command.what == asked.what and same(command.details, asked.details):
                raise _Refused(f"{escaped(command.actor)} has asked for that already: the next cycle carries it out.")
        actor = self._actor(press.user)
        self._store.commands.append(self._clock.now(), actor, asked.what, asked.details, asked.organization)
        log.info("asked for in Slack", receiver=self._receiver, what=asked.what, about=press.alert, actor=actor)
        return Reply(f"<@{press.user}> {escaped(asked.done)}", aloud=True)

    def _wanted(self, press: Press, alert: Alert) -> tuple[str, Mapping[str, Any], str]:
        """The command, its details, and what is said of it."""
        if press.action == EXPECTED:
            if (wrong := problem(alert)) is not None:
                raise _Refused(f"{wrong.capitalize()}.")
            if alert.judged is not None and alert.judged.verdict == AS_EXPECTED:
                raise _Refused(f"{escaped(alert.judged.by)} has said so already.")
            details: dict[str, Any] = {"alert": alert.id, "verdict": AS_EXPECTED, "comment": PRESSED}
            return FEEDBACK, details, "says that it was expected: as much may come again there for eight weeks."
        if alert.state is State.RESOLVED:
            raise _Refused("It has ended already: there is nothing to do.")
        if press.action == ACKNOWLEDGE:
            if alert.acknowledged is not None:
                raise _Refused(f"{escaped(alert.acknowledged.by)} has taken it already.")
            return quiet_requests.ACKNOWLEDGE, {"alert": alert.id, "comment": PRESSED}, "takes it."
        assert press.action == SILENCE  # noqa: S101 (the buttons' own are the only ones that are read)
        if alert.silenced is not None:
            raise _Refused("It is silenced already: `watcher silence list` says by what.")
        now = self._clock.now()
        details = {
            "matchers": list(map(str, _about(alert))),
            "starts_at": now.isoformat(),
            "ends_at": (now + LASTS).isoformat(),
            "comment": f"{PRESSED}, from alert {alert.id}",
        }
        return quiet_requests.ADD, details, "silences it for 24 hours."

    def _actor(self, user: str) -> str:
        name = self._name_of(user)
        return f"{name} (Slack {user})" if name else f"Slack {user}"


def _about(alert: Alert) -> list[Matcher]:
    """What a silence matches: the alert's kind and rule, and the ids that it is about."""
    subject = alert.subject
    fixed = {"kind": subject.kind, "rule": subject.rule}
    scope = {label_of(dimension): ident for dimension, ident in subject.scope.parts().items()}
    return [Matcher(label, "=", value) for label, value in {**fixed, **scope}.items()]


def _same(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether two requests ask for the same; when they were made does not count."""
    return all(before.get(key) == now.get(key) for key in ("alert", "verdict", "matchers"))
