"""Every turn that delivery takes, as a script: waits, groups, repeats, escalations, a Slack bot, receivers away.

It lives as `driver` does, and dies at the same boundaries; but which keys are in breach at each step is written below,
and so is which receivers fail. Everything behind the verdicts is the program's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from notifiers.base import DeliveryError, Notifier
from notifiers.http import OutgoingHttp
from notifiers.slack_bot import SlackBotNotifier
from notifiers.slack_pace import Pace
from rules import lifecycle, routing
from rules.hearing import Audience
from rules.model import Alert, Breach, Clear, Names, Notification, Scope, Severity, Subject, Verdict
from rules.quieted import Acknowledgement
from rules.routes import EACH_ALERT, Route, Timing
from tests.crash.driver import Boundaries, Clock, Errand, Watched, lead, serve
from tests.crash.many import CONFIGURED, DOLLAR, EVIDENCE, ORGANIZATION
from tests.slack_workspace import BOT_TOKEN, CHANNEL
from watcher.channels import make_notifiers
from watcher.outbox import deliver
from watcher.secret import Secret
from watcher.settings import SlackBotSettings, WaySettings, WebhookSettings
from watcher.store import Judgement, Store

BEGIN = datetime(2026, 11, 20, 8, tzinfo=UTC)
STEP = timedelta(minutes=10)
IN_BREACH = {"k0": range(22), "k1": range(3, 10), "k2": range(4, 6), "k3": range(7, 40), "k4": range(8, 12)}
"""By key the steps in which it is in breach."""
STEPS = 24
QUIET_END = 16
"""Steps without a verdict, in which what waits goes out."""
TAKEN = {"k3": 9}
"""Whose alert somebody takes, and when."""
AWAY = range(5, 13)
"""The steps in which "pager" cannot be reached, and "audit" answers with an error."""
FAILURES = {
    "pager": DeliveryError("the receiver refused the connection", retryable=True, untaken=True),
    "audit": DeliveryError("the receiver answered with status 503", retryable=True),
}
GROUPED = Timing(
    group_by=("workspace",),
    group_wait=STEP,
    group_interval=2 * STEP,
    repeat_interval=6 * STEP,
    escalate_after=3 * STEP,
    escalate_to="pager",
)
ROUTES = (
    Route("ops", (), True, GROUPED, place="/"),
    Route("chat", (), True, Timing(EACH_ALERT, repeat_interval=6 * STEP), place="/chat"),
    Route("audit", (), True, place="/audit"),
)
WEBHOOKS = ("ops", "audit", "pager")
NAMES = Names(workspace_of_key={"k0": "w0", "k1": "w0", "k2": "w1", "k3": "w1", "k4": "w0"})
_STEP = "step"


@dataclass(frozen=True, slots=True)
class Turns(Errand):
    """One life. `config` is the folder of the database, `receivers` and `slack` are where messages go."""

    receivers: str = ""
    slack: str = ""


@dataclass
class Away:
    """A receiver that fails in some steps."""

    notifier: Notifier
    clock: Clock

    @property
    def name(self) -> str:
        return self.notifier.name

    def send(self, notification: Notification) -> None:
        if self.name in FAILURES and (self.clock.now() - BEGIN) // STEP in AWAY:
            raise FAILURES[self.name]
        self.notifier.send(notification)


def live(errand: Turns) -> None:
    """Go on where the last commit left off, to the end, or die."""
    clock = Clock(Path(errand.clock), BEGIN)
    boundaries = Boundaries(clock, errand)
    way = WaySettings(allow_private=True)
    with boundaries.watch_commits(), Store.open(f"sqlite:///{errand.config}/watcher.db") as store:
        settings = [
            *(WebhookSettings(name, Secret(f"{errand.receivers}/{name}"), way) for name in WEBHOOKS),
            SlackBotSettings("chat", Secret(BOT_TOKEN), CHANNEL, way, api_url=f"{errand.slack}/api"),
        ]
        made = make_notifiers(settings, OutgoingHttp(), "", store.slack_messages)
        notifiers = [Watched(Away(_unhurried(notifier), clock), boundaries) for notifier in made]
        done = int(store.cursor.get(_STEP, ORGANIZATION) or -1)
        for step in range(max(done, 0), STEPS + QUIET_END):
            clock.set(BEGIN + step * STEP)
            if step > done:
                _judge(store, step, clock.now())
            for notifier in notifiers:
                deliver(store.outbox, notifier, clock.now)
        assert not store.outbox.pending(), store.outbox.depth()
    if errand.trace is not None:
        Path(errand.trace).write_text("\n".join(boundaries.names))


def _unhurried(notifier: Notifier) -> Notifier:
    """Slack's second between two messages, of the script's time."""
    if isinstance(notifier, SlackBotNotifier):
        return replace(notifier, pace=Pace(pause=lambda _seconds: None))
    return notifier


def _judge(store: Store, step: int, now: datetime) -> None:
    groups = store.groups.all(ORGANIZATION)
    known = tuple(_taken(alert, step, now) for alert in store.alerts.open(ORGANIZATION))
    advance = lifecycle.advance(known, tuple(_verdicts(step)), CONFIGURED, NAMES, now)
    over = {member.alert for group in groups for member in group.members if member.over}
    ended = store.alerts.these(over - {alert.id for alert in known})
    audience = Audience(ROUTES, (*WEBHOOKS, "chat"), groups=groups, ended=ended)
    routed = routing.notifications(
        advance, known, audience, organization_name="Acme", first_judgement=step == 0, now=now, names=NAMES
    )
    store.remember(
        Judgement(
            alerts=routed.alerts,
            transitions=advance.transitions,
            notifications=routed.notifications,
            cursor={_STEP: str(step)},
            groups=routed.groups,
            organization=ORGANIZATION,
            at=now,
        )
    )


def _taken(alert: Alert, step: int, now: datetime) -> Alert:
    if TAKEN.get(alert.subject.scope.api_key or "") != step:
        return alert
    return replace(alert, acknowledged=Acknowledgement("ann", now))


def _verdicts(step: int) -> Iterator[Verdict]:
    for key, steps in IN_BREACH.items():
        subject = Subject("spend", "anomaly", Scope(ORGANIZATION, api_key=key))
        if step in steps and step < STEPS:
            yield Breach(subject, Severity.WARNING, BEGIN + steps[0] * STEP, 60 * DOLLAR, DOLLAR, None, EVIDENCE)
        elif step < STEPS:
            yield Clear(subject)


def _by(read_line: dict[str, Any]) -> int:
    errand = Turns(**read_line)
    return lead(partial(live, errand), errand.die_after)


if __name__ == "__main__":
    serve(_by)
