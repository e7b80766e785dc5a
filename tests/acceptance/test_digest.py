"""Digests as their readers get them: at this hour this one, once, with the figures of `watcher spend`, no other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import time, timedelta

from notifiers.render import story
from notifiers.story import plain_text
from rules.digest import Digest, DigestRule
from rules.model import Budget, Notification, Selector
from tests.acceptance.conftest import Start
from tests.acceptance.running import MINUTE, Asked, Watcher, at, monthly
from watcher.simulator import World

TUESDAY = at("2026-11-17 15:00")
MORNING = DigestRule("morning", ("ops",), timezone="Europe/Berlin")
WEEK = DigestRule("week", ("ops",), "weekly", time(9), weekday=2)


def world(days: int = 3) -> World:
    return World(started_at=TUESDAY, seed=7, keys=5, workspaces=3, days=days)


def asked(*digests: DigestRule, budgets: tuple[Budget, ...] = (), days: int = 3) -> Asked:
    return Asked(budgets, anomalies=(), digests=digests, backfill=timedelta(days=days))


def of(notification: Notification) -> Digest:
    assert notification.digest is not None
    assert notification.alerts == notification.inhibited == ()
    return notification.digest


def heard(watcher: Watcher, *moments: str) -> Mapping[str, list[Notification]]:
    """What is sent by the cycle of each moment."""
    found = {}
    for moment in moments:
        watcher.clock.moment = at(f"2026-11-{moment}")
        found[moment] = watcher.cycle()
    return found


def text_of(notification: Notification) -> str:
    return plain_text(story(notification), 5000)


def test_a_day_and_a_week_come_by_the_clock_with_the_figures_of_spend_and_nothing_else(start: Start) -> None:
    watcher = start(world(9), asked(MORNING, WEEK, budgets=(monthly(50_000),), days=9))
    assert watcher.cycle() == []
    assert heard(watcher, "18 07:55") == {"18 07:55": []}
    (daily,) = heard(watcher, "18 08:00")["18 08:00"]
    told = of(daily)
    assert (told.start, told.end, told.complete) == (at("2026-11-16 23:00"), at("2026-11-17 23:00"), True)
    assert told.spent == watcher.spend(told.start, told.end).total.cost > 0
    day = told.end - told.start
    assert [each.cost for each in told.compared] == [
        watcher.spend(told.start - day, told.start).total.cost,
        watcher.spend(told.start - 7 * day, told.start - 6 * day).total.cost,
    ]
    assert text_of(daily).startswith("📊 Daily digest, Tue 17 Nov 2026: $")
    assert "organization, November 2026: $" in text_of(daily)
    assert heard(watcher, "18 08:55") == {"18 08:55": []}
    (weekly,) = heard(watcher, "18 09:00")["18 09:00"]
    told, spent = of(weekly), watcher.spend(at("2026-11-11 00:00"), at("2026-11-18 00:00")).total
    assert (told.spent, told.settled) == (spent.cost, spent.settled)
    assert sum(bar.cost for bar in told.bars[-7:]) == told.spent
    assert [each.cost for each in told.compared] == [None]  # only two days of it were read
    assert heard(watcher, "18 09:05") == {"18 09:05": []}


def test_after_downtime_the_newest_comes_once_and_late_however_often_the_program_dies(start: Start) -> None:
    watcher = start(world(), asked(MORNING))
    watcher.cycle()
    watcher.restart()
    watcher.clock.moment = at("2026-11-19 13:10")
    copy = watcher.database.with_name("copy.db")
    watcher.store.backup(copy)
    watcher.daemon.cycle()  # decided and committed, and the program dies before anything leaves
    (waiting,) = watcher.store.outbox.pending()
    other = start(watcher.world, watcher.asked, now=watcher.now, database=copy)
    other.daemon.cycle()  # as a life does that takes up where one died before the commit
    assert [row.notification.id for row in other.store.outbox.pending()] == [waiting.notification.id]
    watcher.restart()
    watcher.clock.moment += 5 * MINUTE
    (late,) = watcher.cycle()
    assert late == waiting.notification
    assert "Told late: it was to come 09:00 Europe/Berlin" in text_of(late)
    assert of(late).label == "18 Nov 2026"
    watcher.restart()
    assert watcher.cycle() == []
    found = heard(watcher, "20 07:55", "20 08:00")
    assert [[of(message).label for message in sent] for sent in found.values()] == [[], ["19 Nov 2026"]]


def test_one_of_a_part_has_what_lies_within_it_and_one_of_all_has_everything_that_happened(start: Start) -> None:
    part = Selector(workspace="Production")
    inside = replace(monthly(900), name="inside", select=part)
    small = Budget("small", "day", "UTC", 10**9, (100.0,))
    rules = (DigestRule("part", ("ops",), select=part), DigestRule("whole", ("ops",)))
    watcher = start(world(), asked(*rules, budgets=(monthly(50_000), inside, small)))
    watcher.cycle()
    silence = {"matchers": ["rule=small"], "starts_at": "2026-11-17T15:00:00+00:00", "comment": "known"}
    silence["ends_at"] = "2026-11-20T15:00:00+00:00"
    watcher.store.commands.append(TUESDAY, "ann", "silence add", silence, watcher.world.organization.id)
    heard(watcher, "17 15:05")
    found = [of(message) for message in heard(watcher, "18 09:00")["18 09:00"] if message.digest]
    told = found[0]
    report = watcher.spend(told.start, told.end, by=["workspace"])
    spent = {report.names.of(row.of("workspace") or ""): row.cost for row in report.rows}
    assert 0 < told.spent == spent["Production"] < sum(spent.values()) == found[1].spent
    assert [line.budget for line in told.budgets] == ["inside"]
    assert (told.limit_of, told.limit, told.part) == ("inside", 30 * 10**9, "workspace Production")
    assert (told.fired, found[1].fired[0].summary[:10]) == ((), 'Budget "sm')
    assert found[1].done == ("ann added a silence rule=small: known",)


def test_while_usage_cannot_be_read_it_waits_and_then_says_what_is_missing(start: Start) -> None:
    watcher = start(world(), asked(MORNING))
    watcher.cycle()
    faults = watcher.database.with_name("faults.toml")
    faults.write_text('[[fault]]\nkind = "500"\npath = "*/usage_report/messages"\n', encoding="utf-8")
    watcher.world.set_faults(faults)
    found = heard(watcher, "18 08:00", "18 09:55", "18 10:00")
    told = {moment: [each for each in sent if each.digest] for moment, sent in found.items()}
    assert [len(sent) for sent in told.values()] == [0, 0, 1]
    (late,) = told["18 10:00"]
    assert not of(late).complete
    assert "The figures are not whole yet" in text_of(late)
