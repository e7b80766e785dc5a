"""Groups of alerts that share messages, as the store keeps them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rules.groups import Group, Member
from rules.model import State
from tests.watcher.store.samples import anomaly
from watcher.store import Judgement, Store

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
WAITS = Group("g1", "/", "ops", (("workspace", "w-ü"),), (Member("a1"), Member("a2", NOW, over=True)), NOW, NOW, 3)
TOLD = Group("g2", '//x="y"', "ops", (), (Member("a1", NOW, escalated=True),), None, NOW, 1)


def keep(store: Store, *groups: Group, organization: str = "org_1") -> None:
    store.remember(Judgement(organization=organization, groups=groups, at=NOW))


def test_groups_are_read_back_equal_each_organizations_own(store: Store) -> None:
    keep(store, TOLD, WAITS)
    keep(store, replace(TOLD, count=9), organization="org_2")
    assert store.groups.all("org_1") == (WAITS, TOLD)
    assert [group.count for group in store.groups.all("org_2")] == [9]


def test_a_group_takes_the_place_of_what_it_was_and_one_without_members_is_forgotten(store: Store) -> None:
    keep(store, TOLD, WAITS)
    keep(store, replace(TOLD, count=2), replace(WAITS, members=()))
    assert store.groups.all("org_1") == (replace(TOLD, count=2),)


def test_alerts_are_found_by_their_ids_whether_open_or_over(store: Store) -> None:
    alerts = [replace(anomaly(), id=f"a{number:04}") for number in range(600)]
    store.remember(Judgement(alerts=tuple(alerts), organization="org_1", at=NOW))
    found = store.alerts.these([alert.id for alert in reversed(alerts[1:])] + ["nobody"])
    assert found == tuple(alerts[1:])
    assert store.alerts.these([]) == ()


def test_an_alert_whose_end_a_group_is_still_to_tell_outlives_retention(store: Store) -> None:
    ended = [replace(anomaly(), id=ident, state=State.RESOLVED, ends_at=NOW) for ident in ("a1", "a2", "a3")]
    store.remember(Judgement(alerts=tuple(ended), organization="org_1", groups=(WAITS,), at=NOW))
    store.prune(NOW + timedelta(days=1))
    assert [alert.id for alert in store.alerts.list()] == ["a1", "a2"]
    keep(store, replace(WAITS, members=()))
    store.prune(NOW + timedelta(days=1))
    assert store.alerts.list() == ()
