"""Silences, and what people said of alerts, as the store keeps them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rules.labels import read
from rules.quieted import Acknowledgement, Silence, Silenced
from tests.watcher.store.samples import anomaly
from watcher.store import Judgement, Store

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
NIGHT = Silence("s1", (read('workspace=~"dev-\\"x\\".*"'), read("kind!=source")), NOW, NOW + HOUR, "ann", "<b>ü")
DAY = Silence("s2", (read("rule=a"),), NOW + HOUR, NOW + 24 * HOUR, "bob", "x")


def keep(store: Store, *silences: Silence, organization: str = "org_1") -> None:
    store.remember(Judgement(organization=organization, silences=silences, at=NOW))


def test_silences_are_read_back_equal_the_next_to_end_first(store: Store) -> None:
    keep(store, DAY, NIGHT)
    keep(store, replace(DAY, comment="another"), organization="org_2")
    assert store.silences.open("org_1", NOW) == (NIGHT, DAY)
    assert store.silences.open("org_1", NOW + HOUR) == (DAY,)
    assert store.silences.all("org_1") == (DAY, NIGHT)
    assert store.silences.open("org_2", NOW)[0].comment == "another"


def test_a_silence_that_expires_takes_the_place_of_what_it_was(store: Store) -> None:
    keep(store, NIGHT)
    keep(store, replace(NIGHT, ends_at=NOW + HOUR / 2))
    assert store.silences.open("org_1", NOW + HOUR / 2) == ()
    assert [silence.ends_at for silence in store.silences.all("org_1")] == [NOW + HOUR / 2]


def test_silences_that_ended_before_what_is_kept_are_removed(store: Store) -> None:
    keep(store, NIGHT, DAY)
    store.prune(NOW + 2 * HOUR)
    assert store.silences.all("org_1") == (DAY,)


def test_an_alert_keeps_who_heard_what_holds_it_back_and_who_has_taken_it(store: Store) -> None:
    told = replace(
        anomaly(),
        heard=("ops", "pager"),
        silenced=Silenced("s1", NOW + HOUR, "ann", "<b>ü"),
        waits=True,
        acknowledged=Acknowledgement("bob", NOW, "on it"),
    )
    store.remember(Judgement(alerts=(told,)))
    assert store.alerts.get(told.id) == told
