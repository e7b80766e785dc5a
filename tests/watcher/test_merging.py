"""A receiver that cannot be reached for hours: what waits for it is as few messages as it can be once it is back."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.gallery_samples import organization_budget, runaway_key
from notifiers.base import DeliveryError
from rules.model import Alert, Notification, Reason, State
from tests.stage import NOW
from watcher.outbox import deliver
from watcher.store import Judgement, Store, StoreError

MINUTE = timedelta(minutes=1)
AWAY = DeliveryError("connection refused", retryable=True, untaken=True)
UNSURE = DeliveryError("the receiver answered with status 503", retryable=True)
SILENT = DeliveryError("the receiver did not answer in time", retryable=True)
STUMBLES = DeliveryError("the receiver answered with status 500", retryable=True, of_message=True)
INVALID = DeliveryError("the receiver answered with status 400", retryable=False)
REFUSED = DeliveryError("the receiver answered with status 403", retryable=False, untaken=True)
BUSY = DeliveryError("the receiver answered with status 429", retryable=True, retry_after=600, untaken=True)


@dataclass
class Receiver:
    name: str = "ops"
    failure: DeliveryError | None = None
    poison: dict[str, DeliveryError] = field(default_factory=dict)
    """By alert what a message that tells of it meets."""
    tried: int = 0
    taken: list[Notification] = field(default_factory=list)

    meanwhile: Callable[[], object] | None = None

    def send(self, notification: Notification) -> None:
        self.tried += 1
        if self.meanwhile is not None:
            self.meanwhile()
        if self.failure is not None:
            raise self.failure
        for alert in notification.alerts:
            if alert.id in self.poison:
                raise self.poison[alert.id]
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

    def tell(self, ident: str, reason: Reason = Reason.FIRST, base: Alert | None = None, at: datetime = NOW) -> None:
        over = reason is Reason.RESOLVED
        alert = base or replace(
            runaway_key(), id=ident, state=State.RESOLVED if over else State.FIRING, ends_at=NOW if over else None
        )
        message = Notification(
            f"{ident} {reason} {self.minute}", "ops", reason, (replace(alert, id=ident),), at, "Acme"
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


def test_every_try_of_what_was_put_together_is_kept_with_the_message_that_tells_of_it(night: Night) -> None:
    night.receiver.failure = AWAY
    for number in range(3):
        night.tell(f"a{number}")
        night.go_on(20, every=10)
    night.receiver.failure = None
    night.go_on(70, every=10)
    (told,) = night.receiver.taken
    tries = night.store.outbox.deliveries(told.id)
    assert [each.error for each in tries] == ["connection refused"] * (night.receiver.tried - 1) + [None]
    assert night.store.outbox.deliveries() == tries


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


@pytest.mark.parametrize("failure", [UNSURE, SILENT, REFUSED, BUSY], ids=lambda error: error.reason)
def test_whatever_keeps_a_receiver_away_for_six_hours_costs_one_message_beside_what_it_may_have_taken(
    night: Night, failure: DeliveryError
) -> None:
    night.receiver.failure = failure
    for number in range(6):
        night.tell(f"a{number}")
        night.go_on(30, every=10)
        if number % 2:
            night.tell(f"a{number}", Reason.RESOLVED)
        night.tell("a0", Reason.REPEATED)
        night.go_on(30, every=10)
    night.receiver.failure = None
    night.go_on(70, every=10)
    assert night.receiver.told == (["a0 a2 a4"] if failure.untaken else ["a0", "a2 a4"])
    assert night.store.outbox.pending() == ()


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


def test_a_short_failure_puts_nothing_together_and_holds_nothing_up_for_long(night: Night) -> None:
    night.receiver.failure = UNSURE
    for ident in ("a", "b", "c"):
        night.tell(ident)
    night.go_on(1)
    assert night.receiver.tried == 1, "the others wait, so that it may not have taken them as well"
    night.receiver.failure = None
    night.go_on(1)
    assert night.receiver.told == ["a", "b", "c"]


def test_what_is_new_asks_whether_the_receiver_is_well_again(night: Night) -> None:
    night.receiver.failure = UNSURE
    night.tell("a")
    night.go_on(180, every=10)
    night.receiver.failure = None
    tried = night.receiver.tried
    night.minute += 1
    night.tell("b", at=NOW + night.minute * MINUTE)
    night.go_on(1)
    assert night.receiver.tried == tried + 2
    assert night.receiver.told == ["a", "b"]


def test_a_message_that_alone_makes_its_receiver_fail_holds_up_no_other(night: Night) -> None:
    night.receiver.poison = {"bad": STUMBLES}
    for ident in ("bad", "b", "c"):
        night.tell(ident)
    night.go_on(1)
    assert night.receiver.told == ["b", "c"]
    night.go_on(300, every=10)
    night.tell("d")
    night.go_on(1)
    assert night.receiver.told == ["b", "c", "d"]


def test_two_messages_that_are_refused_hold_up_no_other(night: Night) -> None:
    night.receiver.poison = {"bad": INVALID, "worse": INVALID}
    for ident in ("bad", "worse", "c"):
        night.tell(ident)
    night.go_on(1)
    assert night.receiver.told == ["c"]


def test_when_two_messages_make_their_receiver_fail_the_others_wait_for_eight_hours_at_most(night: Night) -> None:
    night.receiver.poison = {"bad": STUMBLES, "worse": STUMBLES}
    for ident in ("bad", "worse", "c", "d"):
        night.tell(ident)
    night.go_on(9 * 60, every=10)
    assert night.receiver.told == ["c d"]
    night.tell("e")
    night.go_on(1)
    assert night.receiver.told == ["c d", "e"]


def test_a_message_that_was_refused_is_not_put_together_with_others(night: Night) -> None:
    night.receiver.poison = {"bad": INVALID}
    night.tell("bad")
    night.go_on(1)
    night.receiver.failure = AWAY
    for ident in ("b", "c"):
        night.tell(ident)
        night.go_on(5)
    night.receiver.failure = None
    night.go_on(70, every=10)
    assert night.receiver.told == ["b c"]


def test_as_soon_as_one_is_taken_the_others_that_failed_are_tried(night: Night) -> None:
    night.receiver.failure = STUMBLES
    for ident in ("a", "b", "c"):
        night.tell(ident)
    night.go_on(5 * 60, every=10)
    night.receiver.failure = None
    while not night.receiver.taken:
        night.go_on(1)
    assert sorted(night.receiver.told) == ["a", "b", "c"]


def test_a_digest_that_waits_is_neither_lost_nor_mixed_with_what_fires(night: Night) -> None:
    night.receiver.failure = AWAY
    for ident in ("a", "b"):
        night.tell(ident)
        night.go_on(5)
    night.store.remember(
        Judgement(notifications=tuple(Notification(f"day {day}", "ops", Reason.DIGEST, (), NOW, "") for day in (1, 2)))
    )
    night.go_on(60, every=10)
    night.receiver.failure = None
    night.go_on(70, every=10)
    assert sorted(message.id for message in night.receiver.taken if not message.alerts) == ["day 1", "day 2"]
    assert [told for told in night.receiver.told if told] == ["a b"]


def test_what_tells_of_something_new_says_so_whatever_is_repeated_in_it(night: Night) -> None:
    night.tell("old")
    night.go_on(1)
    night.receiver.failure = AWAY
    night.tell("old", Reason.REPEATED)
    night.tell("new")
    night.go_on(5)
    night.receiver.failure = None
    night.go_on(70, every=10)
    assert [(told, each.reason) for told, each in zip(night.receiver.told, night.receiver.taken, strict=True)] == [
        ("old", Reason.FIRST),
        ("new old", Reason.FIRST),
    ]


@pytest.mark.parametrize("failure", [AWAY, UNSURE])
def test_a_restart_in_between_changes_nothing(night: Night, tmp_path: Path, failure: DeliveryError) -> None:
    night.receiver.failure = failure
    for ident in ("a", "b"):
        night.tell(ident)
        night.go_on(20, every=5)
    with Store.open(f"sqlite:///{tmp_path}/watcher.db") as again:
        later = Night(again, night.receiver, night.minute)
        later.tell("c")
        later.go_on(10)
        later.receiver.failure = None
        later.go_on(70, every=10)
    assert night.receiver.told == (["a b c"] if failure.untaken else ["a", "b c"])


def test_a_message_during_whose_try_the_program_died_keeps_its_id(night: Night, tmp_path: Path) -> None:
    night.tell("a")
    assert night.store.outbox.begin("a first 1")
    with Store.open(f"sqlite:///{tmp_path}/watcher.db") as again:
        later = Night(again, Receiver(failure=AWAY), night.minute)
        for ident in ("b", "c"):
            later.tell(ident)
            later.go_on(5)
        later.receiver.failure = None
        later.go_on(70, every=10)
    assert sorted(later.receiver.told) == ["a", "b c"]
    assert "a first 1" in {each.id for each in later.receiver.taken}


def test_what_waited_in_a_backup_that_is_put_back_comes_again_under_its_id(night: Night, tmp_path: Path) -> None:
    for ident in ("a", "b"):
        night.tell(ident)
    night.store.backup(tmp_path / "yesterday.db")
    night.go_on(1)
    taken = {message.id for message in night.receiver.taken}
    night.receiver.failure = AWAY
    with Store.open(f"sqlite:///{tmp_path}/yesterday.db") as again:
        later = Night(again, night.receiver, night.minute)
        later.go_on(60, every=10)
        later.receiver.failure = None
        later.go_on(70, every=10)
    assert night.receiver.told == ["a", "b", "a", "b"]
    assert {message.id for message in night.receiver.taken} == taken


def test_nothing_is_sent_that_cannot_be_noted_and_everything_once_it_can(night: Night, tmp_path: Path) -> None:
    for ident in ("a", "b"):
        night.tell(ident)
    with night.store.database.raw() as connection:
        connection.execute("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(tmp_path / "watcher.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError):
        night.go_on(1)
    assert night.receiver.taken == []
    other.close()
    night.go_on(1)
    assert night.receiver.told == ["a", "b"]


def test_what_was_taken_and_could_not_be_marked_is_not_sent_again(night: Night, tmp_path: Path) -> None:
    night.tell("a")
    with night.store.database.raw() as connection:
        connection.execute("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(tmp_path / "watcher.db", isolation_level=None)
    night.receiver.meanwhile = lambda: other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError):
        night.go_on(1)
    night.receiver.meanwhile = None
    night.go_on(10)
    other.close()
    night.tell("b")
    night.go_on(1)
    assert night.receiver.told == ["a", "b"]
    assert night.store.outbox.pending() == ()


def test_a_clock_that_was_set_back_holds_nothing_up(night: Night) -> None:
    night.tell("a", at=NOW + 120 * MINUTE)
    night.go_on(1)
    assert night.receiver.told == ["a"]
    night.receiver.failure = AWAY
    night.minute += 240
    night.tell("b", at=NOW + night.minute * MINUTE)
    night.go_on(30)
    night.receiver.failure = None
    night.minute -= 120
    night.go_on(1)
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
