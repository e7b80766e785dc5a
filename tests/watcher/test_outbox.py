"""Delivery: what is sent, in which order, and when it is tried again."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifiers.base import DeliveryError
from rules.model import Notification
from watcher.outbox import HOPELESS, LONGEST_ASKED, WAITS, deliver, next_try
from watcher.rehearsal import rehearsal

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Row:
    notification: Notification
    attempts: int = 0
    due_at: datetime = NOON
    error: str | None = None
    done: bool = False


@dataclass
class ListOutbox:
    rows: dict[str, Row] = field(default_factory=dict)

    def put(self, *messages: Notification) -> None:
        self.rows |= {message.id: Row(message) for message in messages}

    def due(self, now: datetime, receiver: str) -> list[Row]:
        ready: list[Row] = []
        held: set[str] = set()
        for row in self.rows.values():
            if row.done or row.notification.receiver != receiver:
                continue
            about = {alert.id for alert in row.notification.alerts}
            if row.due_at <= now and not about & held:
                ready.append(row)
            held |= about
        return ready

    def merge(self, receiver: str, now: datetime) -> None:
        """It puts nothing together."""

    def begin(self, notification_id: str) -> bool:
        return not self.rows[notification_id].done

    def delivered(self, notification_id: str, at: datetime) -> None:
        self.rows[notification_id] = replace(self.rows[notification_id], done=True)

    def failed(self, notification_id: str, error: DeliveryError, due_at: datetime, at: datetime) -> None:
        row = self.rows[notification_id]
        self.rows[notification_id] = replace(row, attempts=row.attempts + 1, due_at=due_at, error=error.reason)


@dataclass
class ScriptedNotifier:
    """Answers each message with what is written for its id; takes all others."""

    failures: dict[str, Exception] = field(default_factory=dict)
    taken: list[str] = field(default_factory=list)
    name: str = "ops"

    def send(self, notification: Notification) -> None:
        if notification.id in self.failures:
            raise self.failures[notification.id]
        self.taken.append(notification.id)


def message(ident: str, alert: str = "", receiver: str = "ops") -> Notification:
    test = rehearsal(receiver, NOON)
    return replace(test, id=ident, alerts=(replace(test.alerts[0], id=alert or f"about-{ident}"),))


def test_what_waits_is_sent_in_order_and_marked() -> None:
    outbox, notifier = ListOutbox(), ScriptedNotifier()
    outbox.put(message("a"), message("b"))
    done = deliver(outbox, notifier, lambda: NOON)
    assert (notifier.taken, done.sent, done.failed) == (["a", "b"], 2, 0)
    assert deliver(outbox, notifier, lambda: NOON).sent == 0


def test_messages_of_other_receivers_are_left_alone() -> None:
    outbox, notifier = ListOutbox(), ScriptedNotifier()
    outbox.put(message("a", receiver="other"))
    assert deliver(outbox, notifier, lambda: NOON).sent == 0


def test_a_failing_message_holds_up_only_later_ones_about_the_same_alert() -> None:
    outbox = ListOutbox()
    notifier = ScriptedNotifier({"firing": DeliveryError("it answered 503", retryable=True)})
    outbox.put(message("firing", "alert"), message("another"), message("resolved", "alert"))
    done = deliver(outbox, notifier, lambda: NOON)
    assert notifier.taken == ["another"]
    assert done.failed == 1
    notifier.failures.clear()
    deliver(outbox, notifier, lambda: NOON + WAITS[0])
    assert notifier.taken == ["another", "firing", "resolved"]


def test_a_message_is_not_tried_before_it_is_due() -> None:
    outbox = ListOutbox()
    notifier = ScriptedNotifier({"a": DeliveryError("it answered 503", retryable=True)})
    outbox.put(message("a"))
    deliver(outbox, notifier, lambda: NOON)
    notifier.failures.clear()
    assert deliver(outbox, notifier, lambda: NOON + timedelta(seconds=4)).sent == 0
    assert deliver(outbox, notifier, lambda: NOON + timedelta(seconds=5)).sent == 1


@pytest.mark.parametrize(("failed", "seconds"), [(1, 5), (2, 30), (3, 120), (4, 600), (5, 1800), (6, 3600), (60, 3600)])
def test_the_wait_grows_with_every_failed_try_and_stays_at_an_hour(failed: int, seconds: int) -> None:
    assert next_try(DeliveryError("it answered 503", retryable=True), failed, NOON) == NOON + timedelta(seconds=seconds)


def test_a_refusal_that_no_retry_cures_is_asked_again_hourly_since_its_owner_may_mend_it() -> None:
    assert next_try(DeliveryError("it answered 404", retryable=False), 1, NOON) == NOON + HOPELESS


@given(asked=st.floats(0, 1e9), failed=st.integers(1, 100))
def test_a_receivers_own_wish_is_honoured_within_bounds(asked: float, failed: int) -> None:
    due = next_try(DeliveryError("slower", retryable=True, retry_after=asked), failed, NOON)
    assert NOON + timedelta(seconds=min(asked, LONGEST_ASKED.total_seconds())) <= due
    assert due <= NOON + max(LONGEST_ASKED, WAITS[-1])


def test_a_rate_limit_ends_the_round_for_that_receiver() -> None:
    outbox = ListOutbox()
    notifier = ScriptedNotifier({"a": DeliveryError("slower", retryable=True, retry_after=30)})
    outbox.put(message("a"), message("b"))
    done = deliver(outbox, notifier, lambda: NOON)
    assert notifier.taken == []
    assert done.failed == 1


def test_a_channel_that_fails_in_a_way_it_should_not_is_tried_again_and_stops_nobody() -> None:
    outbox = ListOutbox()
    notifier = ScriptedNotifier({"a": KeyError("https://hooks.example/SECRET")})
    outbox.put(message("a"), message("b"))
    deliver(outbox, notifier, lambda: NOON)
    assert notifier.taken == ["b"]
    assert outbox.rows["a"].error == "the channel failed: KeyError"
