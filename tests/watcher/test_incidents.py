"""Receivers that track incidents hear of ends that no message tells, once, and after what was said before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.gallery_samples import organization_budget, runaway_key
from rules.groups import Group, Member
from rules.model import Alert, Notification, Reason, State
from rules.quieted import Acknowledgement
from tests.stage import BUDGET, NOW, Listener, here, write_config
from watcher.incidents import acknowledge_incidents, close_incidents
from watcher.simulator import Simulator, World
from watcher.store import Judgement, Store

ORGANIZATION = organization_budget().subject.scope.organization
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
KEEP = 400 * DAY


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/watcher.db") as opened:
        yield opened


def crossing(ident: str = "crossing", **more: object) -> Alert:
    """A budget's crossing that fired now and is listed for ten days."""
    values = {"id": ident, "fired_at": NOW, "closes_at": NOW + 10 * DAY, "heard": ("pager", "ops"), **more}
    return replace(organization_budget(), **values)  # type: ignore[arg-type]


def state(ident: str = "state", **more: object) -> Alert:
    values = {"id": ident, "fired_at": NOW, "heard": ("pager", "ops"), **more}
    return replace(runaway_key(), **values)  # type: ignore[arg-type]


def message(alert: Alert, reason: Reason, receiver: str = "pager") -> Notification:
    return Notification(f"{receiver} {reason} {alert.id}", receiver, reason, (alert,), NOW, "Tidewater")


def close(store: Store, after: timedelta, keep: timedelta = KEEP) -> int:
    return close_incidents(store, ["pager"], [ORGANIZATION], keep, NOW + after)


def test_a_crossing_is_closed_a_day_after_it_fired_once(store: Store) -> None:
    alert = crossing()
    store.remember(Judgement(alerts=(alert,), notifications=(message(alert, Reason.FIRST),)))
    counts = [close(store, after) for after in (HOUR, 23 * HOUR, 24 * HOUR, 25 * HOUR, 7 * DAY, 9 * DAY, 30 * DAY)]
    assert counts == [0, 0, 1, 0, 0, 0, 0]
    first, last = store.outbox.pending()
    assert (first.notification.reason, last.notification.reason) == (Reason.FIRST, Reason.RESOLVED)
    assert last.notification.alerts == (alert,)
    assert store.outbox.due(NOW + 25 * HOUR, "pager") == (first,), "behind what was said of it before"


def test_a_crossing_whose_period_ended_within_the_day_is_closed_too(store: Store) -> None:
    over = crossing(closes_at=NOW + HOUR, ends_at=NOW + HOUR, state=State.RESOLVED)
    store.remember(Judgement(alerts=(over,)))
    assert [close(store, after) for after in (2 * HOUR, 24 * HOUR)] == [0, 1]


def test_a_state_that_ended_without_a_word_is_closed_and_one_whose_end_was_told_is_not(store: Store) -> None:
    silent, told = (state(ident, state=State.RESOLVED, ends_at=NOW + HOUR) for ident in ("silent", "told"))
    firing = state("firing")
    store.remember(Judgement(alerts=(silent, told, firing), notifications=(message(told, Reason.RESOLVED),)))
    assert close(store, 2 * HOUR) == 1
    closing = next(row.notification for row in store.outbox.pending() if row.notification.alerts == (silent,))
    assert closing.reason is Reason.RESOLVED
    assert close(store, 3 * HOUR) == 0


def test_who_never_heard_of_it_hears_of_no_end(store: Store) -> None:
    alerts = (
        crossing("others", heard=("ops",)),
        crossing("nobody", heard=None),
        state("pending", fired_at=None, state=State.RESOLVED, ends_at=NOW),
    )
    store.remember(Judgement(alerts=alerts))
    assert close(store, 2 * DAY) == 0
    assert close_incidents(store, [], [ORGANIZATION], KEEP, NOW + 2 * DAY) == 0
    assert close_incidents(store, ["ops"], ["another"], KEEP, NOW + 2 * DAY) == 0


def test_what_is_still_to_be_told_is_not_closed_before(store: Store) -> None:
    waits = Group("g", "/", "pager", (), (Member("crossing"),), due_at=NOW + 3 * DAY)
    alert = crossing()
    store.remember(Judgement(alerts=(alert,), organization=ORGANIZATION, groups=(waits,)))
    assert close(store, 2 * DAY) == 0
    told = waits.put(Member("crossing", told_at=NOW + 3 * DAY))
    store.remember(Judgement(organization=ORGANIZATION, groups=(told,)))
    assert close(store, 3 * DAY) == 1


def test_what_retention_has_cut_is_not_told_again(store: Store) -> None:
    """Days go by for alerts that stay listed longer than messages are kept."""
    keep = DAY
    over = state("over", state=State.RESOLVED, ends_at=NOW)
    store.remember(Judgement(alerts=(crossing(closes_at=NOW + 60 * DAY), over)))
    told = 0
    for hours in range(0, 24 * 4, 4):
        now = NOW + hours * HOUR
        told += close_incidents(store, ["pager"], [ORGANIZATION], keep, now)
        for row in store.outbox.due(now, "pager"):
            store.outbox.delivered(row.notification.id, now)
        store.prune(now - keep)
    assert told == 2


TAKEN = Acknowledgement("ana", NOW, "on it")


def acknowledge(store: Store, after: timedelta = HOUR, keep: timedelta = KEEP) -> list[str]:
    """The ids of the alerts that are told anew as taken."""
    before = {row.notification.id for row in store.outbox.pending()}
    acknowledge_incidents(store, ["pager"], [ORGANIZATION], keep, NOW + after)
    rows = [row.notification for row in store.outbox.pending() if row.notification.id not in before]
    assert {each.reason for each in rows} <= {Reason.ACKNOWLEDGED}
    return [alert.id for each in rows for alert in each.alerts]


def test_an_alert_that_somebody_took_is_told_as_taken_once_and_behind_what_was_said_before(store: Store) -> None:
    alert = state(acknowledged=TAKEN)
    store.remember(Judgement(alerts=(alert,), notifications=(message(alert, Reason.FIRST),)))
    assert [acknowledge(store) for _ in range(3)] == [["state"], [], []]
    (first,) = store.outbox.due(NOW + HOUR, "pager")
    assert first.notification.reason is Reason.FIRST
    again = replace(TAKEN, by="ben", at=NOW + HOUR)
    store.remember(Judgement(alerts=(replace(alert, acknowledged=again),)))
    assert acknowledge(store) == [], "the incident is acknowledged already"


def test_only_an_incident_that_was_opened_and_is_open_is_acknowledged(store: Store) -> None:
    waits = Group("g", "/", "pager", (), (Member("waits"),), due_at=NOW + 3 * DAY)
    alerts = (
        state("open", acknowledged=TAKEN),
        state("nobody took it"),
        state("others", acknowledged=TAKEN, heard=("ops",)),
        state("nobody heard", acknowledged=TAKEN, heard=None),
        state("over", acknowledged=TAKEN, state=State.RESOLVED, ends_at=NOW),
        state("waits", acknowledged=TAKEN),
        crossing("listed", acknowledged=TAKEN),
        crossing("closed", acknowledged=TAKEN, fired_at=NOW - DAY),
    )
    store.remember(Judgement(alerts=alerts, organization=ORGANIZATION, groups=(waits,)))
    assert sorted(acknowledge(store)) == ["listed", "open"]
    assert acknowledge_incidents(store, [], [ORGANIZATION], KEEP, NOW) == 0
    assert acknowledge_incidents(store, ["ops"], ["another"], KEEP, NOW) == 0
    told = waits.put(Member("waits", told_at=NOW + HOUR))
    store.remember(Judgement(organization=ORGANIZATION, groups=(told,)))
    assert acknowledge(store) == ["waits"], "once it was told"


def test_an_acknowledgement_that_retention_has_cut_is_not_told_again(store: Store) -> None:
    store.remember(Judgement(alerts=(state(acknowledged=TAKEN),)))
    told = 0
    for hours in range(0, 24 * 4, 4):
        now = NOW + hours * HOUR
        told += len(acknowledge(store, hours * HOUR, DAY))
        for row in store.outbox.due(now, "pager"):
            store.outbox.delivered(row.notification.id, now)
        store.prune(now - DAY)
    assert told == 1


def test_the_program_acknowledges_the_incident_that_somebody_took(tmp_path: Path) -> None:
    world = World(started_at=NOW - 5 * HOUR, keys=2, days=3)
    with Simulator(world, lambda: NOW) as simulator, Listener(202) as pager:
        receiver = (
            f'[[receiver]]\nname = "pager"\ntype = "pagerduty"\nrouting_key = "{"R" * 32}"\nurl = "{pager.url}"\n'
        )
        budget = BUDGET.replace("limit_usd = 100", "limit_usd = 1")
        route = 'allow_private = true\n[[route]]\nreceiver = "pager"\n'
        config = write_config(tmp_path, simulator.url, budget + receiver + route)
        assert here("poll", "-c", config, clock=f"{NOW:%Y-%m-%dT%H:%M:%SZ}@1")[0] == 0
        begun = pager.messages[0]["dedup_key"]
        assert here("ack", begun, "-c", config, clock=f"{NOW:%Y-%m-%dT%H:%M:%SZ}@1")[0] == 0
        for minutes in (1, 2):
            assert here("poll", "-c", config, clock=f"{NOW + minutes * HOUR / 60:%Y-%m-%dT%H:%M:%SZ}@1")[0] == 0
        told = [event["event_action"] for event in pager.messages if event["dedup_key"] == begun]
    assert told == ["trigger", "acknowledge"]


def test_the_program_resolves_the_incident_of_a_crossing_a_day_later(tmp_path: Path) -> None:
    clock = [NOW]
    world = World(started_at=NOW - 5 * HOUR, keys=2, days=3)
    with Simulator(world, lambda: clock[0]) as simulator, Listener(202) as pager:
        receiver = (
            f'[[receiver]]\nname = "pager"\ntype = "pagerduty"\nrouting_key = "{"R" * 32}"\nurl = "{pager.url}"\n'
        )
        budget = BUDGET.replace("limit_usd = 100", "limit_usd = 1")
        route = 'allow_private = true\n[[route]]\nreceiver = "pager"\n'
        config = write_config(tmp_path, simulator.url, budget + receiver + route)
        for clock[0] in (NOW, NOW + 25 * HOUR):
            assert here("poll", "-c", config, clock=f"{clock[0]:%Y-%m-%dT%H:%M:%SZ}@1")[0] == 0
        told = [(event["event_action"], event["dedup_key"]) for event in pager.messages]
    begun = [key for action, key in told if action == "trigger"]
    assert begun
    assert ("resolve", begun[0]) in told
    assert told.index(("trigger", begun[0])) < told.index(("resolve", begun[0]))
