"""Looking after the database: what is let go, and when."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.watcher.store.samples import DAY, T0, anomaly, message
from watcher.store import GIVEN_UP_AFTER, Judgement, Store
from watcher.upkeep import close_unwatched, tidy_if_due

KEEP = 400 * DAY


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'watcher.db'}") as opened:
        yield opened


def waiting(store: Store) -> list[str]:
    return [row.notification.id for row in store.outbox.pending()]


def test_a_message_to_a_receiver_that_was_taken_out_waits_a_week_and_is_given_up_in_the_journal(store: Store) -> None:
    alert = anomaly("a1")
    orphan, owed = message("m1", alert, receiver="gone"), message("m2", alert, receiver="ops")
    store.remember(Judgement(alerts=(alert,), notifications=(orphan, owed)))
    tidy_if_due(store, KEEP, ["ops"], T0 + GIVEN_UP_AFTER)
    assert waiting(store) == ["m1", "m2"]
    tidy_if_due(store, KEEP, ["ops"], T0 + GIVEN_UP_AFTER + DAY)
    assert waiting(store) == ["m2"]
    (entry,) = store.journal.list()
    assert (entry.what, entry.details["receiver"], entry.details["messages"]) == ("messages given up", "gone", 1)


def test_it_is_done_once_a_day(store: Store) -> None:
    alert = anomaly("a1")
    tidy_if_due(store, KEEP, [], T0 + 8 * DAY)
    store.remember(Judgement(alerts=(alert,), notifications=(message("m1", alert, receiver="gone"),)))
    tidy_if_due(store, KEEP, [], T0 + 8 * DAY + timedelta(hours=23))
    assert waiting(store) == ["m1"]
    tidy_if_due(store, KEEP, [], T0 + 9 * DAY)
    assert waiting(store) == []


def test_what_fires_of_an_organization_that_nobody_watches_ends_in_the_journal_and_without_a_message(
    store: Store,
) -> None:
    mine = anomaly("a1")
    ident = mine.subject.scope.organization
    store.remember(Judgement(alerts=(mine,)))
    store.organizations.bind("old", ident)
    assert close_unwatched(store, ["new"], T0) == 0, "the new name may be another one for it"
    store.organizations.bind("new", "another")
    assert close_unwatched(store, ["new", "unread"], T0) == 0, "the unread one may be it"
    assert close_unwatched(store, ["new", "old"], T0) == 0
    assert store.alerts.open(ident)
    assert close_unwatched(store, ["new"], T0) == 1
    assert store.alerts.open(ident) == ()
    (transition,) = store.alerts.transitions("a1")
    assert (transition.why, transition.silent, transition.at) == ("organization removed", True, T0)
    assert waiting(store) == []
    (entry,) = store.journal.list()
    assert (entry.what, entry.details["organization"], entry.details["alerts"]) == ("alerts closed", ident, 1)
    assert close_unwatched(store, ["new"], T0) == 0
