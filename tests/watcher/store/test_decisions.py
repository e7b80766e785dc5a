"""What a judgement decided: alerts, transitions, outbox and cursor."""

import sqlite3
from pathlib import Path

import pytest

from notifiers.base import DeliveryError
from rules.asked import Act, Answer
from rules.model import State, Transition
from tests.watcher.store.samples import DAY, HOUR, ORG, T0, anomaly, crossing, message
from watcher.store import Judgement, Locked, Store, StoreError


def fired(alert_id: str) -> Transition:
    return Transition(alert_id, T0, None, State.FIRING, "it was seen")


def test_alerts_come_back_as_they_were_written_evidence_and_all(store: Store) -> None:
    alerts = (anomaly("a1"), crossing("b1"))
    store.remember(Judgement(alerts=alerts, transitions=(fired("a1"), fired("b1"))))
    assert {alert.id: alert for alert in store.alerts.open(ORG)} == {alert.id: alert for alert in alerts}
    assert store.alerts.get("a1") == anomaly("a1")
    assert store.alerts.get("nobody") is None
    assert store.alerts.transitions("b1") == (fired("b1"),)
    assert store.alerts.open("another organization") == ()


def test_a_resolved_state_is_closed_and_an_event_only_once_it_has_ended(store: Store) -> None:
    store.remember(Judgement(alerts=(anomaly("a1"), anomaly("a2", State.PENDING), crossing("b1"), crossing("b2"))))
    over = T0 + HOUR
    ended = (anomaly("a1", State.RESOLVED, over), crossing("b1", State.RESOLVED), crossing("b2", State.RESOLVED, over))
    store.remember(Judgement(alerts=ended))
    assert [alert.id for alert in store.alerts.open()] == ["a2", "b1"]
    assert {alert.id for alert in store.alerts.list(states=[State.RESOLVED])} == {"a1", "b1", "b2"}
    assert {alert.id for alert in store.alerts.list(since=T0 + 2 * HOUR)} == {"a2", "b1"}


def test_an_event_that_ended_early_is_known_until_it_would_have_closed(store: Store) -> None:
    early = crossing("b1", State.RESOLVED, T0 + HOUR)
    assert early.closes_at is not None
    store.remember(Judgement(alerts=(early, anomaly("a1", State.RESOLVED, T0 + HOUR), crossing("b2"))))
    organization = early.subject.scope.organization
    assert [alert.id for alert in store.alerts.closed_events(organization, early.closes_at)] == ["b1"]
    assert store.alerts.closed_events(organization, early.closes_at + HOUR) == ()
    assert store.alerts.closed_events("another", early.closes_at) == ()


def test_a_judgement_is_remembered_whole_or_not_at_all(store: Store) -> None:
    broken = Judgement(
        alerts=(anomaly("a1"),),
        transitions=(fired("a1"), fired("no such alert")),
        notifications=(message("n1", anomaly("a1")),),
        cursor={"judged": "yes"},
    )
    with pytest.raises(StoreError):
        store.remember(broken)
    assert store.alerts.open() == ()
    assert store.outbox.pending() == ()
    assert store.cursor.get("judged") is None


def test_notifications_wait_in_order_and_the_same_id_waits_once(store: Store) -> None:
    first, second = message("n1", anomaly("a1")), message("n2", anomaly("a2"))
    store.remember(Judgement(notifications=(first, second)))
    store.remember(Judgement(notifications=(second,)))
    assert [row.notification for row in store.outbox.due(T0, "ops")] == [first, second]
    assert store.outbox.due(T0, "elsewhere") == ()
    assert store.outbox.depth() == {"ops": 2}


def test_a_failed_try_waits_for_its_time_and_every_try_is_kept(store: Store) -> None:
    store.remember(Judgement(notifications=(message("n1", anomaly("a1")),)))
    store.outbox.failed("n1", DeliveryError("timed out", retryable=True), T0 + HOUR, T0)
    assert store.outbox.due(T0 + HOUR / 2, "ops") == ()
    (row,) = store.outbox.due(T0 + HOUR, "ops")
    assert (row.attempts, row.due_at, row.last_error) == (1, T0 + HOUR, "timed out")
    store.outbox.delivered("n1", T0 + HOUR)
    assert store.outbox.pending() == ()
    assert store.outbox.depth() == {}
    assert [(each.at, each.error) for each in store.outbox.deliveries("n1")] == [(T0, "timed out"), (T0 + HOUR, None)]


def test_no_message_overtakes_an_earlier_one_about_the_same_alert(store: Store) -> None:
    firing, other, resolved = (
        message("n1", anomaly("a1")),
        message("n2", anomaly("a2")),
        message("n3", anomaly("a1", State.RESOLVED)),
    )
    elsewhere = message("n4", anomaly("a1", State.RESOLVED), receiver="page")
    store.remember(Judgement(notifications=(firing, other, resolved, elsewhere)))

    def due(receiver: str = "ops") -> list[str]:
        return [row.notification.id for row in store.outbox.due(T0, receiver)]

    assert due() == ["n1", "n2"]
    assert due("page") == ["n4"]
    store.outbox.failed("n1", DeliveryError("busy", retryable=False), T0 + HOUR, T0)
    assert due() == ["n2"]
    store.outbox.delivered("n1", T0)
    assert due() == ["n2", "n3"]


def test_what_cannot_be_marked_is_not_due_again_and_is_marked_as_soon_as_that_is_possible(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path}/w.db") as store:
        store.remember(
            Judgement(notifications=tuple(message(f"n{number}", anomaly(f"a{number}")) for number in (1, 2, 3)))
        )
        with store.database.raw() as connection:
            connection.execute("PRAGMA busy_timeout = 1")
        other = sqlite3.connect(tmp_path / "w.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Locked):
            store.outbox.delivered("n1", T0)
        with pytest.raises(Locked):
            store.outbox.failed("n2", DeliveryError("busy", retryable=True), T0 + HOUR, T0)
        assert [row.notification.id for row in store.outbox.due(T0, "ops")] == ["n3"]
        other.close()
        assert [row.notification.id for row in store.outbox.due(T0, "ops")] == ["n3"]
        assert [row.notification.id for row in store.outbox.pending()] == ["n2", "n3"]
        (again, _) = store.outbox.due(T0 + HOUR, "ops")
        assert (again.notification.id, again.attempts, again.last_error) == ("n2", 1, "busy")
        assert [each.error for each in store.outbox.deliveries()] == [None, "busy"]


def test_small_values_outlive_a_restart(store_url: str) -> None:
    with Store.open(store_url) as store:
        store.cursor.set("x", "1")
        store.cursor.set("x", "ü\n")
        assert store.cursor.add("n", 2) == 2
    with Store.open(store_url) as store:
        assert (store.cursor.get("x"), store.cursor.add("n", 3), store.cursor.get("y")) == ("ü\n", 5, None)


def test_what_was_asked_for_is_consumed_once_and_the_first_outcome_stands(store: Store) -> None:
    first = store.commands.append(T0, "ann", "silence", {"alert": "a1", "hours": 2})
    second = store.commands.append(T0, "bob", "ack", {})
    assert [(each.id, each.what) for each in store.commands.pending()] == [(first, "silence"), (second, "ack")]
    store.commands.consumed(first, T0 + HOUR, "done")
    store.commands.consumed(first, T0 + DAY, "done again")
    assert [each.id for each in store.commands.pending()] == [second]
    done = store.commands.get(first)
    assert done is not None
    assert (done.outcome, done.consumed_at, done.details) == ("done", T0 + HOUR, {"alert": "a1", "hours": 2})


def test_a_command_is_pending_for_the_organization_that_it_is_for_and_consumed_with_its_judgement(store: Store) -> None:
    first = store.commands.append(T0, "ann", "ack", {"alert": "a1"}, "org_1")
    second = store.commands.append(T0, "ann", "ack", {"alert": "a1"}, "org_2")
    assert [each.id for each in store.commands.pending("org_1")] == [first]
    assert store.commands.pending("org_3") == ()
    answers, acts = (Answer(first, "done"),), (Act("ann", "ack", {"outcome": "done"}),)
    broken = Judgement(
        organization="org_1",
        answers=answers,
        acts=(Act("ann", "ack", {"bad": float("nan")}),),
        at=T0,
        cursor={"x": "y"},
    )
    with pytest.raises(ValueError, match="JSON"):
        store.remember(broken)
    assert store.cursor.get("x", "org_1") is None
    assert [each.id for each in store.commands.pending("org_1")] == [first]
    assert store.journal.list() == ()
    store.remember(Judgement(organization="org_1", answers=answers, acts=acts, at=T0))
    assert [each.id for each in store.commands.pending()] == [second]
    (entry,) = store.journal.list(whats=["ack"])
    assert entry.details == {"outcome": "done", "organization": "org_1"}
    assert store.journal.list(whats=["other"]) == ()


def test_the_journal_lists_the_newest_first(store: Store) -> None:
    for number in range(3):
        store.journal.append(T0 + number * HOUR, "daemon", "looked", {"number": number})
    assert [entry.details["number"] for entry in store.journal.list(since=T0 + HOUR)] == [2, 1]
    with pytest.raises(ValueError, match="JSON"):
        store.journal.append(T0, "daemon", "looked", {"bad": float("nan")})
