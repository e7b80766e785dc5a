"""Thousands of changes of state, told over timed routes to three receivers, in a process that can be killed.

A script without the reading of data: which keys are in breach at each step follows from the step and the seed alone.
Everything behind the verdicts is the program's own, and a step is committed as a cycle's decision is, with its number.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from notifiers.base import Notifier
from notifiers.http import OutgoingHttp
from rules import lifecycle, routing
from rules.hearing import Audience
from rules.intervals import TimeInterval
from rules.labels import read
from rules.model import (
    Alert,
    AnomalyEvidence,
    Breach,
    Clear,
    Names,
    Scope,
    Severity,
    State,
    Subject,
    Verdict,
)
from rules.quieted import Acknowledgement, Silence
from rules.routes import Route, Timing
from tests.crash.driver import lead, serve
from watcher.channels import make_notifiers
from watcher.outbox import deliver
from watcher.secret import Secret
from watcher.settings import WaySettings, WebhookSettings
from watcher.store import Judgement, Store

BEGIN = datetime(2026, 11, 20, 8, tzinfo=UTC)
STEP = timedelta(minutes=2)
KEYS = 80
FLIPS = 0.25
"""The part of the keys that begins or ends in a step."""
QUIET_END = 100
"""Steps without a verdict at the end, in which what waits goes out: more than three hours."""
DOLLAR = 1_000_000_000
RECEIVERS = {"ops": "reliable", "audit": "reliable", "pager": "unreliable"}
LUNCH = TimeInterval("lunch", times=((12 * 60, 13 * 60),))
GROUPED = Timing(
    group_by=("workspace",),
    group_wait=2 * STEP,
    group_interval=5 * STEP,
    repeat_interval=timedelta(hours=2),
    escalate_after=timedelta(minutes=30),
    escalate_to="pager",
)
ROUTES = (
    Route("ops", (), True, GROUPED, place="/"),
    Route("audit", (), True),
    Route("pager", (read("api_key=~k.*[05]"),), timing=Timing(group_by=(), group_wait=STEP, mute=(LUNCH,)), place="/p"),
)
NAMES = Names(workspace_of_key={f"k{number}": f"w{number % 5}" for number in range(KEYS)})
CONFIGURED = {("anomaly", "spend")}
ORGANIZATION = "org"
EVIDENCE = AnomalyEvidence(
    since=BEGIN,
    observed=60 * DOLLAR,
    expected=DOLLAR,
    per_hour=DOLLAR,
    normal_per_hour=DOLLAR,
    upper_per_hour=DOLLAR,
    score=9.0,
    history_hours=1000,
    points=(),
    data_as_of=BEGIN,
    top=(),
)
_STEP = "step"


@dataclass(frozen=True, slots=True)
class Errand:
    """One life on a database, up to and with a step."""

    folder: str
    url: str
    steps: int
    seed: int
    die_after: float | None = None


def live(errand: Errand) -> None:
    """Go on where the last commit left off, to the end."""
    with Store.open(f"sqlite:///{errand.folder}/watcher.db") as store:
        way = WaySettings(allow_private=True)
        place = Path(errand.folder).name
        notifiers = make_notifiers(
            [
                WebhookSettings(name, Secret(f"{errand.url}/{kind}/{place}/{name}"), way)
                for name, kind in RECEIVERS.items()
            ],
            OutgoingHttp(),
        )
        done = int(store.cursor.get(_STEP, ORGANIZATION) or -1)
        if done >= 0:
            _send(store, notifiers, done)
        for step in range(done + 1, errand.steps + QUIET_END):
            _judge(store, step, errand)
            _send(store, notifiers, step)
        assert not store.outbox.pending(), store.outbox.depth()


def _send(store: Store, notifiers: tuple[Notifier, ...], step: int) -> None:
    for notifier in notifiers:
        deliver(store.outbox, notifier, lambda: BEGIN + step * STEP)


def _judge(store: Store, step: int, errand: Errand) -> None:
    now = BEGIN + step * STEP
    chance = random.Random(f"{errand.seed} {step}")
    groups = store.groups.all(ORGANIZATION)
    known = tuple(_acknowledged(alert, now) for alert in store.alerts.open(ORGANIZATION))
    firing = {alert.subject.scope.api_key for alert in known if alert.state is State.FIRING}
    verdicts = tuple(_verdicts(chance, firing)) if step < errand.steps else ()
    advance = lifecycle.advance(known, verdicts, CONFIGURED, NAMES, now)
    over = {member.alert for group in groups for member in group.members if member.over}
    ended = store.alerts.these(over - {alert.id for alert in known})
    holding = tuple(silence for silence in _SILENCES if silence.holds(now))
    audience = Audience(ROUTES, tuple(RECEIVERS), silences=holding, groups=groups, ended=ended)
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


_SILENCES = tuple(
    Silence(
        f"s{hour}", (read(f"workspace=w{hour % 5}"),), BEGIN + hour * STEP * 30, BEGIN + (hour + 1) * STEP * 30, "", ""
    )
    for hour in range(1, 40, 3)
)


def _acknowledged(alert: Alert, now: datetime) -> Alert:
    """Somebody takes every fourth alert ten minutes after it fired."""
    late = alert.fired_at is not None and now >= alert.fired_at + timedelta(minutes=10)
    if not late or alert.acknowledged is not None or int(alert.id[:2], 16) % 4:
        return alert
    return replace(alert, acknowledged=Acknowledgement("ann", now))


def _verdicts(chance: random.Random, firing: set[str | None]) -> Iterator[Verdict]:
    for number in range(KEYS):
        key = f"k{number}"
        subject = Subject("spend", "anomaly", Scope(ORGANIZATION, api_key=key))
        if (key in firing) is not (chance.random() < FLIPS):
            yield Breach(subject, Severity.WARNING, BEGIN, 60 * DOLLAR, DOLLAR, None, EVIDENCE)
        else:
            yield Clear(subject)


def _by(read_line: dict[str, Any]) -> int:
    errand = Errand(**read_line)
    return lead(partial(live, errand), errand.die_after)


if __name__ == "__main__":
    serve(_by)
