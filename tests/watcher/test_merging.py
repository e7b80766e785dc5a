"""A receiver that cannot be reached for hours: what waits for it is as few messages as it can be once it is back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.gallery_samples import organization_budget, runaway_key
from notifiers.base import DeliveryError
from rules.model import Alert, Notification, Reason, State
from tests.stage import NOW
from watcher.outbox import deliver
from watcher.store import Judgement, Store

MINUTE = timedelta(minutes=1)
AWAY = DeliveryError("connection refused", retryable=True, unsent=True)
UNSURE = DeliveryError("the receiver answered with status 503", retryable=True)


@dataclass
class Receiver:
    name: str = "ops"
    failure: DeliveryError | None = None
    tried: int = 0
    taken: list[Notification] = field(default_factory=list)

    def send(self, notification: Notification) -> None:
        self.tried += 1
        if self.failure is not None:
            raise self.failure
        self.taken.append(notification)

    @property
    def told(self) -> list[str]:
        """Each message as the ids of its alerts, with a star where they ended."""
        return [
            " ".join(sorted(f"{each.id}{'*' * (each.state is State.RESOLVED)}" for each in message.alerts))
            for message in self.taken
        ]


@dataclass
class Night:
    store: Store
    receiver: Receiver = field(default_factory=Receiver)
    minute: int = 0

    def tell(self, ident: str, reason: Reason = Reason.FIRST, base: Alert | None = None) -> None:
        over = reason is Reason.RESOLVED
        alert = base or replace(
            runaway_key(), id=ident, state=State.RESOLVED if over else State.FIRING, ends_at=NOW if over else None
        )
        message = Notification(
            f"{ident} {reason} {self.minute}", "ops", reason, (replace(alert, id=ident),), NOW, "Acme"
        )
        self.store.remember(Judgement(notifications=(message,)))

    def go_on(self, minutes: int, every: int = 1) -> None:
        for _ in range(0, minutes, every):
            self.minute += every
            deliver(self.store.outbox, self.receiver, lambda: NOW + self.minute * MINUTE)


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    with Store.open(f"sqlite:///{tmp_path}/watcher.db") as store:
        found = Night(store)
        found.go_on(1)
        yield found


def test_after_six_hours_what_still_fires_is_one_message(night: Night) -> None:
    night.receiver.failure = AWAY
    for number in range(6):
        night.tell(f"a{number}")
        night.go_on(30, every=10)
        if number % 2:
            night.tell(f"a{number}", Reason.RESOLVED)
        night.tell("a0", Reason.REPEATED)
        night.go_on(30, every=10)
    night.receiver.failure = None
    night.go_on(70, every=10)
    assert night.receiver.told == ["a0 a2 a4"]
    assert night.receiver.taken[0].reason is Reason.FIRST
    assert night.store.outbox.pending() == ()


def test_the_end_of_what_had_been_told_is_a_message_behind_it(night: Night) -> None:
    night.tell("old")
    night.go_on(1)
    night.receiver.failure = AWAY
    night.tell("old", Reason.REPEATED)
    night.tell("new")
    night.go_on(1)
    night.tell("old", Reason.RESOLVED)
    night.tell("brief")
    night.tell("brief", Reason.RESOLVED)
    night.go_on(10)
    night.receiver.failure = None
    night.go_on(70, every=10)
    assert night.receiver.told == ["old", "new", "old*"]


def test_what_may_have_been_taken_keeps_its_id_and_its_end(night: Night) -> None:
    night.receiver.failure = UNSURE
    night.tell("a")
    night.go_on(1)
    night.receiver.failure = AWAY
    for ident in ("b", "c"):
        night.tell(ident)
        night.go_on(5)
    night.tell("a", Reason.RESOLVED)
    night.go_on(5)
    night.receiver.failure = None
    night.go_on(70, every=10)
    assert sorted(night.receiver.told) == ["a", "a*", "b c"]
    assert night.receiver.told.index("a") < night.receiver.told.index("a*")
    assert next(each.id for each in night.receiver.taken if each.alerts[0].id == "a").startswith("a first")


def test_what_an_earlier_process_may_have_sent_keeps_its_id(night: Night, tmp_path: Path) -> None:
    night.receiver.failure = AWAY
    for ident in ("a", "b"):
        night.tell(ident)
    with Store.open(f"sqlite:///{tmp_path}/watcher.db") as again:
        later = Night(again, night.receiver, night.minute)
        later.go_on(10)
        later.receiver.failure = None
        later.go_on(70, every=10)
    assert night.receiver.told == ["a", "b"]


def test_a_crossing_is_told_though_its_incident_is_closed_by_then(night: Night) -> None:
    night.receiver.failure = AWAY
    night.tell("crossing", base=organization_budget())
    night.go_on(5)
    night.tell("crossing", Reason.RESOLVED, base=organization_budget())
    night.go_on(5)
    night.receiver.failure = None
    night.go_on(70, every=10)
    assert [message.reason for message in night.receiver.taken] == [Reason.FIRST, Reason.RESOLVED]
