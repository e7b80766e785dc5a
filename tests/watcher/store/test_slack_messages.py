from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete

from benchmarks.gallery_samples import many, notification
from notifiers.slack_memory import Begun, Sent
from rules.model import Reason, State
from rules.quieted import Acknowledgement
from watcher.store import Judgement, Store, tables
from watcher.store.alerts import write_alerts

A, B = many(2)
FIRST = replace(notification(A, B), id="n1", receiver="ops")
SENT = Sent("C1", "1.1")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/w.db") as opened:
        yield opened


def test_what_was_begun_is_known_as_begun_until_its_place_is(store: Store) -> None:
    messages = store.slack_messages
    assert messages.begin(FIRST) == Begun(before=False)
    assert messages.begin(FIRST) == Begun(before=True)
    assert messages.tells("ops", A.id), "a button may be pressed before the place of its message is noted"
    assert not messages.tells("other", A.id)
    messages.posted(FIRST, SENT)
    assert messages.begin(FIRST) == Begun(before=True, sent=SENT)
    assert messages.begin(replace(FIRST, receiver="other")) == Begun(before=False)


def test_the_first_message_of_an_alert_is_the_oldest_outside_of_a_thread(store: Store) -> None:
    messages = store.slack_messages
    for index, thread in enumerate(["", "1.0", ""]):
        later = replace(FIRST, id=f"n{index}", created_at=FIRST.created_at + timedelta(hours=index))
        messages.begin(later)
        messages.posted(later, Sent("C1", f"1.{index}", thread))
    first = Sent("C1", "1.0")
    assert messages.firsts("ops", [A.id, B.id, "unknown"]) == {A.id: first, B.id: first}
    assert messages.firsts("other", [A.id]) == {}
    messages.lost("ops", first)
    assert messages.firsts("ops", [A.id]) == {A.id: Sent("C1", "1.2")}


def test_the_alerts_of_a_message_are_told_as_they_stand_now(store: Store) -> None:
    messages = store.slack_messages
    messages.begin(FIRST)
    messages.posted(FIRST, SENT)
    over = replace(A, state=State.RESOLVED, ends_at=FIRST.created_at)
    with store.database.writing() as connection:
        write_alerts(connection, [over, B])
    assert {each.id: each.state for each in messages.alerts("ops", SENT)} == {A.id: State.RESOLVED, B.id: B.state}


def test_a_message_without_alerts_is_remembered_too(store: Store) -> None:
    start = replace(FIRST, id="n0", alerts=(), reason=Reason.INITIAL)
    assert store.slack_messages.begin(start) == Begun(before=False)
    store.slack_messages.posted(start, replace(SENT, reason=Reason.INITIAL))
    assert store.slack_messages.begin(start).sent == replace(SENT, reason=Reason.INITIAL)


def test_old_messages_are_cut_but_for_those_of_alerts_that_are_open(store: Store) -> None:
    over = replace(A, state=State.RESOLVED, ends_at=FIRST.created_at)
    with store.database.writing() as connection:
        write_alerts(connection, [over, B])
    store.slack_messages.begin(FIRST)
    store.slack_messages.posted(FIRST, SENT)
    store.prune(FIRST.created_at + timedelta(days=1))
    assert store.slack_messages.firsts("ops", [A.id, B.id]) == {B.id: SENT}


TAKEN = replace(A, acknowledged=Acknowledgement("ana", FIRST.created_at))


def test_a_message_is_outdated_from_the_judgement_on_until_it_shows_what_was_said(store: Store) -> None:
    messages = store.slack_messages
    store.remember(Judgement(alerts=(A, B), notifications=(FIRST,)))
    messages.begin(FIRST)
    messages.posted(FIRST, SENT)
    assert messages.outdated("ops", 5) == ()
    store.remember(Judgement(alerts=(TAKEN,)))
    (stale,) = messages.outdated("ops", 5)
    assert stale.sent == SENT
    assert {alert.id: alert for alert in stale.notification.alerts} == {A.id: TAKEN, B.id: B}
    assert messages.outdated("other", 5) == ()
    messages.shows("ops", SENT, stale.notification.alerts)
    assert messages.outdated("ops", 5) == ()
    store.remember(Judgement(alerts=(A,)))
    assert len(messages.outdated("ops", 5)) == 1, "taken back, by whatever"


def test_a_message_whose_alerts_or_first_form_are_kept_no_more_is_left_as_it_is(store: Store) -> None:
    messages = store.slack_messages
    store.remember(Judgement(alerts=(A, B)))
    messages.begin(FIRST)
    messages.posted(FIRST, SENT)
    store.remember(Judgement(alerts=(TAKEN,)))
    assert messages.outdated("ops", 5) == (), "the outbox does not know it any more"
    store.remember(Judgement(alerts=(A,), notifications=(FIRST,)))
    store.remember(Judgement(alerts=(TAKEN,)))
    with store.database.writing() as connection:
        connection.execute(delete(tables.alerts))
    assert messages.outdated("ops", 5) == ()
