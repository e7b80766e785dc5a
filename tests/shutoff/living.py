"""A program that watches a few keys and deactivates them, to be killed at any moment: run by `test_kills`.

It is the guard, the journal, the execution and the client as they are; only what is too much is made up, a new cause
for every hot key and every few hours, and its clock runs an hour a second.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta

from rules import guard
from rules.actions import Cause
from rules.model import Scope
from rules.offences import Offence, Offender
from rules.policy import KeyAction, Policy
from rules.situation import Situation
from tests.rules.offending import NOW, USD, alert
from watcher.admin_api import AdminApiError, AdminReader, ConnectionSettings, KeyAdministrator, RetryPolicy, connect
from watcher.guarding import keys_of
from watcher.secret import Secret
from watcher.shutoff import Shutoff, Surroundings
from watcher.store import Judgement, Store

ORG = "org-1"
SPEED = 3600
POLICY = Policy(mode="auto", grace=timedelta(0), max_per_cycle=2, max_per_day=1000, max_share=1)  # type: ignore[arg-type]
CAUSES_EVERY = timedelta(hours=3)


def clock(begun: float) -> datetime:
    """The time that it is for the program: an hour for every second since `begun`."""
    return NOW + timedelta(seconds=(time.time() - begun) * SPEED)


def live(database: str, url: str, hot: list[str], begun: float) -> None:
    """Poll until killed."""
    settings = ConnectionSettings(
        url, Secret("sk-ant-admin01-x"), timeout_seconds=0.15, budget_seconds=0.3, retries=RetryPolicy(attempts=1)
    )
    with Store.open(database) as store, connect(settings, pause=lambda _seconds: None) as connection:
        reader, administrator = AdminReader(connection), KeyAdministrator(connection)
        while True:
            _poll(store, reader, administrator, hot, begun)


def _poll(store: Store, reader: AdminReader, administrator: KeyAdministrator, hot: list[str], begun: float) -> None:
    now = clock(begun)
    try:
        store.directory.record_api_keys(ORG, reader.api_keys(), now)
    except AdminApiError:
        return
    journal = store.actions.near(ORG, now)
    offences = [_offence(key, now) for key in hot]
    situation = Situation(
        ORG,
        POLICY,
        offences,
        journal=journal,
        keys=keys_of(store, ORG, journal, now),
        watermark=now,
        firing=frozenset(each.alert.id for each in offences),
    )
    store.remember(Judgement(organization=ORG, actions=guard.plan(situation, now), at=now))
    around = Surroundings(lambda: clock(begun), lambda: "", lambda _row: "", lambda _row: ())
    Shutoff(store, ORG, reader, administrator, around).carry_out()


def _offence(key: str, now: datetime) -> Offence:
    since = NOW + (now - NOW) // CAUSES_EVERY * CAUSES_EVERY
    cause = Cause("budget", "limit", Scope(ORG, api_key=key), since.isoformat())
    return Offence(
        cause=cause,
        alert=replace(alert(f"alert-{key}")),
        action=KeyAction(),
        since=since,
        observed=1100 * USD,
        certain=1100 * USD,
        bound=1000 * USD,
        error=0.0,
        data_as_of=now,
        offenders=(Offender(key, "wrk-a", 1100 * USD, 0),),
    )
