"""Looking after the database: what is let go, and when."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.watcher.store.samples import DAY, T0, anomaly, message
from watcher.store import Judgement, Store
from watcher.upkeep import GIVEN_UP_AFTER, tidy_if_due

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
