"""Receivers that forget what fires are told again: at their interval, of what they heard of and still fires."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.gallery_samples import organization_budget, runaway_key
from notifiers.base import DeliveryError
from rules.groups import Group, Member
from rules.model import Alert, Notification, State
from tests.stage import BUDGET, NOW, Listener, Running, here, receiver, until, write_config
from watcher.refreshing import Refreshing, refresh
from watcher.simulator import Simulator, World
from watcher.store import Judgement, Store

ORGANIZATION = runaway_key().subject.scope.organization


@dataclass
class Forgetful:
    """A receiver that wants to be told every minute."""

    name: str = "am"
    refresh_every: timedelta = timedelta(minutes=1)
    told: list[list[str]] = field(default_factory=list)
    failure: Exception | None = None

    def send(self, notification: Notification) -> None:
        raise AssertionError("a refresh is no message")

    def refresh(self, alerts: Sequence[Alert], now: datetime) -> None:
        self.told.append([alert.id for alert in alerts])
        if self.failure is not None:
            raise self.failure


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/watcher.db") as opened:
        yield opened


def alert(ident: str, heard: tuple[str, ...] | None = ("am",), state: State = State.FIRING) -> Alert:
    ended = NOW if state is State.RESOLVED else None
    return replace(runaway_key(), id=ident, heard=heard, state=state, ends_at=ended)


def test_what_still_waits_in_a_group_is_not_told_before(store: Store) -> None:
    group = Group("g", "/", "am", (), (Member("waits"), Member("told", told_at=NOW)), due_at=NOW)
    alerts = (alert("waits"), alert("told"))
    store.remember(Judgement(alerts=alerts, organization=ORGANIZATION, groups=(group,)))
    told = Forgetful()
    assert refresh(store, told, [ORGANIZATION], NOW)
    assert told.told == [["told"]]


def test_it_hears_of_what_fires_and_was_told_to_it_and_of_nothing_else(store: Store) -> None:
    elsewhere = replace(organization_budget(), id="elsewhere", heard=("am",))
    scope = replace(elsewhere.subject.scope, organization="removed")
    alerts = (
        alert("heard"),
        alert("heard by others", ("ops",)),
        alert("heard by nobody", None),
        alert("over", state=State.RESOLVED),
        alert("not yet", state=State.PENDING),
        replace(elsewhere, subject=replace(elsewhere.subject, scope=scope)),
    )
    store.remember(Judgement(alerts=alerts))
    notifier = Forgetful()
    assert refresh(store, notifier, [ORGANIZATION], NOW)
    assert notifier.told == [["heard"]]


def test_it_is_told_at_once_and_then_at_its_interval_whatever_came_of_it(store: Store) -> None:
    clock = [0.0]
    refreshing, notifier = Refreshing(lambda: clock[0]), Forgetful()
    store.remember(Judgement(alerts=(alert("a"),)))
    for at, failure, fine in (
        (0.0, None, True),
        (59.0, None, True),
        (60.0, DeliveryError("no", retryable=True), False),
        (61.0, None, True),
        (120.0, RuntimeError("a bug"), False),
        (180.0, None, True),
    ):
        clock[0], notifier.failure = at, failure
        assert refreshing.tend(store, notifier, [ORGANIZATION], NOW) is fine
    assert len(notifier.told) == 4


def test_receivers_that_forget_nothing_are_left_alone(store: Store) -> None:
    class Plain:
        name = "ops"

        def send(self, notification: Notification) -> None:
            raise AssertionError

    assert Refreshing().tend(store, Plain(), [ORGANIZATION], NOW)


def test_each_run_tells_alertmanager_again_and_the_message_only_once(tmp_path: Path) -> None:
    world = World(started_at=NOW - timedelta(hours=5), keys=2, days=3)
    with Simulator(world, lambda: NOW) as simulator, Listener() as am, Listener() as ops:
        receivers = receiver("am", am.url, "alertmanager") + receiver("ops", ops.url)
        config = write_config(tmp_path, simulator.url, BUDGET + receivers)
        for _ in range(2):
            assert here("poll", "-c", config)[0] == 0
        assert {path for _, path, _ in am.seen} == {"/api/v2/alerts"}
        assert len(ops.messages) == 1
        first, *again = am.messages
        assert len(again) == 2, "one after each run"
        labels = [[one["labels"] for one in body] for body in again]
        assert labels == [[one["labels"] for one in first]] * 2
        assert {one["alertname"] for one in labels[0]} == {"ClaudeBudget"}


def test_a_daemon_that_starts_again_tells_alertmanager_what_fires_and_nobody_else(tmp_path: Path) -> None:
    world = World(started_at=NOW - timedelta(hours=5), keys=2, days=3)
    with Simulator(world, lambda: NOW) as simulator, Listener() as am, Listener() as ops:
        receivers = receiver("am", am.url, "alertmanager") + receiver("ops", ops.url)
        budget = BUDGET.replace("limit_usd = 100", "limit_usd = 1")
        config = write_config(tmp_path, simulator.url, budget + receivers)
        with Running(config) as daemon:
            assert until(lambda: bool(ops.seen and am.seen))
            assert daemon.end()[0] == 0, "one killed before it has remembered what it sent would rightly tell again"
        before = len(am.seen)
        with Running(config):
            assert until(lambda: len(am.seen) > before)
        assert len(ops.messages) == 1
        last = am.messages[-1]
        assert [one["labels"]["alertname"] for one in last] == ["ClaudeBudget"]
        assert "endsAt" in last[0]
