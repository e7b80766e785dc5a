"""Feedback on anomalies as the store keeps it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rules.quieted import LASTS, REACH, Feedback, Judged
from tests.watcher.store.samples import anomaly
from watcher.store import Judgement, Store

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
REAL = Feedback("a1", anomaly().subject, "real", NOW - DAY, None, 5, 70_000_000_000, "<b>ü", NOW, "leaked")
EXPECTED = replace(REAL, alert="a2", verdict="expected", until=NOW, comment="")


def keep(store: Store, *feedback: Feedback, organization: str = "org_1") -> None:
    store.remember(Judgement(organization=organization, feedback=feedback, at=NOW))


def test_feedback_is_read_back_equal_as_long_as_it_changes_what_is_judged(store: Store) -> None:
    keep(store, EXPECTED, REAL)
    keep(store, replace(REAL, by="bob"), organization="org_2")
    assert store.feedback.open("org_1", NOW) == (REAL, EXPECTED)
    assert store.feedback.open("org_1", NOW - DAY + LASTS) == (REAL,), "the other has faded"
    assert [each.by for each in store.feedback.open("org_2", NOW)] == ["bob"]


def test_the_last_word_on_an_alert_takes_the_place_of_the_one_before(store: Store) -> None:
    keep(store, REAL)
    keep(store, replace(REAL, until=NOW))
    assert [each.until for each in store.feedback.open("org_1", NOW)] == [NOW]
    assert store.feedback.open("org_1", NOW + REACH) == ()
    keep(store, replace(REAL, taken_back=True))
    assert store.feedback.open("org_1", NOW) == ()


def test_feedback_that_is_over_is_removed_with_what_is_no_longer_kept(store: Store) -> None:
    keep(store, REAL, EXPECTED)
    store.prune(NOW + LASTS)
    assert store.feedback.open("org_1", NOW) == (REAL,)


def test_an_alert_keeps_what_was_said_of_it(store: Store) -> None:
    told = replace(anomaly(), judged=Judged("expected", "ana", NOW, "<b>ü"))
    store.remember(Judgement(alerts=(told,)))
    assert store.alerts.get(told.id) == told
