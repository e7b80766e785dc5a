"""What a budget tells of before its thresholds are crossed, and when it keeps quiet: rows of a sentence and a script.

A script is run against the whole judgement, over a ledger kept here. Times are UTC; 2026-11-02 is a Monday.

    flat DOLLARS [leaf]              every hour, past and to come, costs this, whatever it cost (leaf: a, b)
    office DOLLARS [leaf]            so do the hours from 8 to 18 of Monday to Friday, and no other
    spend FROM UNTIL DOLLARS [leaf]  the hours from, until (not in it) cost this
    hole HOUR                        the hour was never read
    poll TIME -> told, told          one judgement and what it tells: "burn 1h/1h", "forecast 100", "pace 120", "100";
                                     "a:" before it of a key, "+" for each inside it, "over" before what ended
    polls FROM UNTIL [MINUTES] ->    judgements every so many minutes (30), and all that they tell
    open -> burn 1h/1h, 50           what is listed after the last poll
    stall                            from here on nothing is read any more
    limit DOLLARS, drop TRIGGER, dates FROM UNTIL, per DIMENSION, off LEAF, restart
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from rules.judgement import Past, Rules, closed_since, decide
from rules.model import (
    HOUR,
    Alert,
    Budget,
    BudgetEvidence,
    EarlierSpend,
    Leaf,
    Names,
    Notification,
    Reason,
    Route,
    Severity,
    Snapshot,
    SpendView,
    State,
    TriggerEvidence,
)
from rules.money import parse_usd
from rules.thresholds import mark_id, told_mark
from rules.triggers import BurnPair, ForecastMark, PaceMark, usual_pairs

ORGANIZATION = "org_1"
LEAVES = {"a": Leaf("wrkspc_1", "apikey_a", "claude-opus-5"), "b": Leaf("wrkspc_1", "apikey_b", "claude-haiku-5-5")}
SETTLING = timedelta(minutes=20)
LAG = timedelta(minutes=5)
BURN: dict[str, Any] = {"burn": usual_pairs(timedelta(days=30))}
FAST: dict[str, Any] = {"burn": (BurnPair(HOUR, HOUR, 4.0),)}
SLOW: dict[str, Any] = {"burn": (BurnPair(6 * HOUR, HOUR, 2.0, Severity.WARNING),)}
PACE: dict[str, Any] = {"pace": (PaceMark(120), PaceMark(150, Severity.CRITICAL))}
FORECAST: dict[str, Any] = {"forecast": (ForecastMark(100.0), ForecastMark(120.0))}
DAY: dict[str, Any] = {"period": "day"}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass
class Script:
    """A ledger and what a store would keep, driven by a script."""

    budget: Budget
    start: datetime = datetime(2026, 8, 24, tzinfo=UTC)
    hours: int = 120 * 24
    alerts: dict[str, Alert] = field(default_factory=dict)
    holes: set[int] = field(default_factory=set)
    remembered: str | None = None
    read_until: datetime | None = None
    off: frozenset[str] = frozenset()
    others: tuple[Budget, ...] = ()
    now: datetime = datetime(2026, 8, 24, tzinfo=UTC)

    def __post_init__(self) -> None:
        self.cost = np.zeros((len(LEAVES), self.hours), dtype=np.int64)

    def run(self, script: str) -> None:
        for line in filter(None, map(str.strip, script.splitlines())):
            command, _, rest = line.partition(" ")
            getattr(self, f"do_{command}")(rest)

    def column(self, at: datetime) -> int:
        return (at - self.start) // HOUR

    def do_flat(self, rest: str) -> None:
        dollars, *leaf = rest.split()
        self.cost[list(LEAVES).index(leaf[0] if leaf else "a")] = parse_usd(dollars)

    def do_office(self, rest: str) -> None:
        dollars, *leaf = rest.split()
        row = self.cost[list(LEAVES).index(leaf[0] if leaf else "a")]
        for column in range(self.hours):
            at = self.start + column * HOUR
            row[column] = parse_usd(dollars) if at.weekday() < 5 and 8 <= at.hour < 18 else 0

    def do_spend(self, rest: str) -> None:
        first, until, dollars, *leaf = rest.split()
        row = self.cost[list(LEAVES).index(leaf[0] if leaf else "a")]
        row[self.column(moment(first)) : self.column(moment(until))] = parse_usd(dollars)

    def do_hole(self, rest: str) -> None:
        self.holes.add(self.column(moment(rest)))

    def do_stall(self, _: str) -> None:
        self.read_until = self.now

    def do_limit(self, rest: str) -> None:
        self.budget = replace(self.budget, limit=parse_usd(rest))

    def do_drop(self, rest: str) -> None:
        gone: dict[str, Any] = {rest: ()}
        self.budget = replace(self.budget, **gone)

    def do_dates(self, rest: str) -> None:
        first, after = map(date.fromisoformat, rest.split())
        self.budget = replace(self.budget, period="once", dates=(first, after))

    def do_per(self, rest: str) -> None:
        self.budget = replace(self.budget, per=tuple(rest.split()))

    def do_off(self, rest: str) -> None:
        self.off = frozenset({LEAVES[rest].api_key})

    def do_restart(self, _: str) -> None:
        self.alerts = pickle.loads(pickle.dumps(self.alerts))

    def do_poll(self, rest: str) -> None:
        at, _, expected = rest.partition("->")
        told = [word for message in self.judge(moment(at.strip())) for word in words(message)]
        assert sorted(told) == sorted(filter(None, map(str.strip, expected.split(",")))), f"at {at.strip()}"

    def do_polls(self, rest: str) -> None:
        given, _, expected = rest.partition("->")
        first, until, *minutes = given.split()
        at, told = moment(first), []
        while at < moment(until):
            told += [f"{word} @{at:%d %H:%M}" for message in self.judge(at) for word in words(message)]
            at += timedelta(minutes=int(minutes[0]) if minutes else 30)
        wanted = list(filter(None, map(str.strip, expected.split(","))))
        matched = [
            word.partition(" @")[0] if "@" not in want else word for word, want in zip(told, wanted, strict=False)
        ]
        assert matched == wanted, told
        assert len(told) == len(wanted), told

    def do_open(self, rest: str) -> None:
        listed = sorted(word(alert) for alert in self.alerts.values() if alert.state is State.FIRING)
        assert listed == sorted(filter(None, map(str.strip, rest.replace("->", "").split(","))))

    def view(self, now: datetime) -> SpendView:
        seen = min(now, self.read_until or now)
        hours = (seen - self.start) // HOUR + 1
        first = max(hours - 70 * 24, 0)
        cost = self.cost[:, first:hours].copy()
        open_hour = self.start + (hours - 1) * HOUR
        shown = max((seen - LAG - open_hour) / HOUR, 0.0)
        cost[:, -1] = (cost[:, -1] * shown).astype(np.int64)
        known = np.array([column not in self.holes for column in range(first, hours)], dtype=np.bool_)
        cost[:, ~known] = 0
        complete = self.start + (seen - SETTLING - self.start) // HOUR * HOUR
        settled = np.zeros_like(cost)
        begin = self.start + first * HOUR
        earlier = self.earlier(first) if first else None
        leaves = tuple(LEAVES.values())
        return SpendView(ORGANIZATION, begin, leaves, cost, settled, known, complete, seen, earlier=earlier)

    def earlier(self, first: int) -> EarlierSpend:
        """The hours before the column `first`, by day."""
        days = [slice(begin, min(begin + 24, first)) for begin in range(0, first, 24)]
        cost = np.stack([self.cost[:, day].sum(axis=1) for day in days], axis=1)
        unread = np.array([len(self.holes & set(range(day.start, day.stop))) for day in days])
        begins = tuple(self.start + day.start * HOUR for day in days)
        return EarlierSpend(tuple(LEAVES.values()), begins, cost, np.zeros_like(cost), unread)

    def judge(self, now: datetime) -> tuple[Notification, ...]:
        self.now = now
        rules = Rules(budgets=(self.budget, *self.others), routes=(Route("ops"),))
        since = closed_since(rules, self.remembered, now)
        known = [
            alert
            for alert in self.alerts.values()
            if alert.ends_at is None or (since is not None and alert.closes_at is not None and alert.closes_at > since)
        ]
        names = Names({leaf.api_key: word for word, leaf in LEAVES.items()})
        snapshot = Snapshot(ORGANIZATION, "Acme", self.view(now), names, off=self.off)
        decision = decide(snapshot, rules, Past(known, self.remembered), now)
        self.alerts.update((alert.id, alert) for alert in decision.alerts)
        self.remembered = decision.remember
        return decision.notifications


def word(alert: Alert) -> str:
    evidence = alert.evidence
    key = alert.subject.scope.api_key
    scope = f"{key.removeprefix('apikey_')}:" if key else ""
    if isinstance(evidence, BudgetEvidence):
        return scope + mark_id(told_mark(evidence))
    return f"{scope}{alert.subject.kind} {alert.subject.instance.rpartition('Z/')[2]}"


def words(message: Notification) -> list[str]:
    told = []
    for alert in message.alerts:
        if alert.subject.kind == "source":
            continue
        also = (
            alert.evidence.also
            if isinstance(alert.evidence, TriggerEvidence) and message.reason is not Reason.RESOLVED
            else ()
        )
        inside = [word(each) for each in message.inhibited]
        over = "over " if message.reason is Reason.RESOLVED else ""
        told.append(
            over + word(alert) + "".join(f" +{each}" for each in (*(mark.removesuffix(" %") for mark in also), *inside))
        )
    return told


ROWS: list[tuple[str, dict[str, Any], str]] = [
    # ------------------------------------------------------------------------------------------- burn rate
    (
        "ten times the pace is told in the open hour's second poll, and its end once complete data say so for an hour",
        BURN,
        """
        flat 1
        poll 2026-11-10T13:50 ->
        spend 2026-11-10T14:00 2026-11-10T18:00 10
        polls 2026-11-10T14:00 2026-11-10T14:15 5 -> burn 1h/1h @10 14:10
        polls 2026-11-10T14:15 2026-11-10T17:59 5 ->
        polls 2026-11-10T18:00 2026-11-11T12:00 5 -> over burn 1h/1h @10 20:20
        open ->
        """,
    ),
    (
        "a normal Monday after a quiet weekend is no fire, nor is any other day of the office",
        {**BURN, "limit": 4_400},
        """
        office 20
        poll 2026-11-06T20:00 ->
        polls 2026-11-06T20:00 2026-11-11T20:00 10 ->
        """,
    ),
    (
        "ten times the Monday is told within its first hour",
        {**FAST, "limit": 4_400},
        """
        office 20
        poll 2026-11-06T20:00 ->
        spend 2026-11-09T09:00 2026-11-09T12:00 200
        polls 2026-11-09T08:00 2026-11-09T09:14 5 -> burn 1h/1h @09 09:10
        """,
    ),
    (
        "twice the pace for six hours is told by the pair that is slow, and not by the fast one",
        BURN,
        """
        flat 1
        poll 2026-11-10T13:50 ->
        spend 2026-11-10T14:00 2026-11-11T14:00 2.5
        polls 2026-11-10T14:00 2026-11-10T21:00 -> burn 6h/1h
        """,
    ),
    (
        "what the key does every week is told by no pair, however far beyond the even rate it is",
        {**FAST, "limit": 2_000},
        """
        flat 1
        spend 2026-10-08T03:00 2026-10-08T04:00 40
        spend 2026-10-15T05:00 2026-10-15T06:00 40
        spend 2026-10-22T11:00 2026-10-22T12:00 40
        spend 2026-10-29T09:00 2026-10-29T10:00 40
        poll 2026-11-05T13:50 ->
        spend 2026-11-05T14:00 2026-11-05T15:00 45
        polls 2026-11-05T14:00 2026-11-05T20:00 10 ->
        """,
    ),
    (
        "a burst of one earlier week does not hide the next one",
        {**FAST, "limit": 2_000},
        """
        flat 1
        spend 2026-10-21T11:00 2026-10-21T15:00 40
        poll 2026-11-05T13:50 ->
        spend 2026-11-05T14:00 2026-11-05T16:00 40
        polls 2026-11-05T14:00 2026-11-05T15:00 10 -> burn 1h/1h
        """,
    ),
    (
        "a key that hardly spends is not told of for what the even share bears, however unusual it is",
        FAST,
        """
        flat 0.001
        poll 2026-11-10T13:50 ->
        spend 2026-11-10T14:00 2026-11-10T15:00 0.5
        polls 2026-11-10T14:00 2026-11-10T17:00 10 ->
        """,
    ),
    (
        "the open hour never ends it: only complete data do",
        FAST,
        """
        flat 1
        poll 2026-11-10T13:50 ->
        spend 2026-11-10T14:00 2026-11-10T15:00 10
        poll 2026-11-10T14:20 -> burn 1h/1h
        polls 2026-11-10T14:25 2026-11-10T16:20 5 ->
        open -> burn 1h/1h
        polls 2026-11-10T16:20 2026-11-10T18:00 5 -> over burn 1h/1h @10 17:20
        """,
    ),
    (
        "an office whose limit leaves room for it may spend twice what its hours are entitled to",
        {**FAST, "limit": 4_400},
        """
        office 2
        poll 2026-11-06T20:00 ->
        spend 2026-11-09T09:00 2026-11-09T18:00 40
        polls 2026-11-09T08:00 2026-11-09T20:00 10 ->
        """,
    ),
    (
        "a burst of minutes is told, and not over while its hour is open",
        FAST,
        """
        flat 1
        poll 2026-11-10T13:50 ->
        spend 2026-11-10T14:00 2026-11-10T15:00 12
        poll 2026-11-10T14:10 -> burn 1h/1h
        spend 2026-11-10T14:00 2026-11-10T15:00 2
        polls 2026-11-10T14:30 2026-11-10T15:19 5 ->
        open -> burn 1h/1h
        polls 2026-11-10T15:20 2026-11-10T17:00 5 -> over burn 1h/1h @10 16:20
        """,
    ),
    (
        "a restart between neither repeats nor ends it",
        FAST,
        """
        flat 1
        poll 2026-11-10T13:50 ->
        spend 2026-11-10T14:00 2026-11-10T18:00 10
        poll 2026-11-10T14:20 -> burn 1h/1h
        restart
        polls 2026-11-10T14:25 2026-11-10T17:00 15 ->
        """,
    ),
    (
        "it hovers at the factor: one alert, however often the hour falls below it",
        FAST,
        """
        flat 1
        poll 2026-11-10T13:50 ->
        spend 2026-11-10T14:00 2026-11-10T15:00 5
        spend 2026-11-10T15:00 2026-11-10T18:00 3.9
        spend 2026-11-10T18:00 2026-11-10T19:00 4.7
        polls 2026-11-10T14:00 2026-11-11T02:00 10 -> burn 1h/1h, over burn 1h/1h
        """,
    ),
    (
        "a stall of the data neither ends it nor begins another",
        FAST,
        """
        flat 1
        poll 2026-11-10T13:50 ->
        spend 2026-11-10T14:00 2026-11-12T00:00 10
        poll 2026-11-10T14:20 -> burn 1h/1h
        stall
        polls 2026-11-10T14:25 2026-11-11T14:00 ->
        open -> burn 1h/1h
        """,
    ),
    (
        "an hour that was never read does not end it",
        FAST,
        """
        flat 1
        poll 2026-11-10T13:50 ->
        spend 2026-11-10T14:00 2026-11-10T15:00 10
        poll 2026-11-10T14:20 -> burn 1h/1h
        hole 2026-11-10T15:00
        polls 2026-11-10T14:25 2026-11-10T17:15 ->
        open -> burn 1h/1h
        polls 2026-11-10T17:20 2026-11-10T19:00 -> over burn 1h/1h
        """,
    ),
    (
        "it goes on across the end of a month: it is of no period",
        FAST,
        """
        flat 1
        poll 2026-10-31T13:50 ->
        spend 2026-10-31T22:00 2026-11-01T04:00 10
        polls 2026-10-31T22:00 2026-11-01T03:00 -> burn 1h/1h
        open -> burn 1h/1h
        """,
    ),
    (
        "taken out of the configuration it is over without a word",
        FAST,
        """
        flat 1
        poll 2026-11-10T13:50 ->
        spend 2026-11-10T14:00 2026-11-10T18:00 10
        poll 2026-11-10T14:20 -> burn 1h/1h
        drop burn
        poll 2026-11-10T14:25 ->
        open ->
        """,
    ),
    (
        "the key tells the story of the workspace and the organization within the same budget",
        {**FAST, "per": ("api_key",), "limit": 750},
        """
        flat 1
        flat 0.5 b
        poll 2026-11-10T13:50 ->
        spend 2026-11-10T14:00 2026-11-10T18:00 10
        polls 2026-11-10T14:00 2026-11-10T17:00 5 -> a:burn 1h/1h
        """,
    ),
    (
        "a day that burns is told with what is left of it",
        {"burn": usual_pairs(timedelta(days=1)), **DAY, "limit": 26},
        """
        flat 1
        poll 2026-11-10T13:50 ->
        spend 2026-11-10T14:00 2026-11-10T16:00 10
        polls 2026-11-10T14:00 2026-11-10T16:00 5 -> burn 1h/1h @10 14:10
        """,
    ),
    (
        "what burns at the first judgement of a database is one message",
        {**BURN, **FORECAST, "thresholds": (50.0,)},
        """
        flat 1
        spend 2026-11-10T02:00 2026-11-11T00:00 20
        poll 2026-11-10T22:00 -> burn 1h/1h +1.5 times over 72 h +2 times over 6 h, forecast 120 +100, 50
        """,
    ),
    # ------------------------------------------------------------------------------------------- forecast
    (
        "a month that will end at its limit and beyond is told once, by the mark that it is beyond",
        FORECAST,
        """
        flat 1
        limit 800
        poll 2026-11-05T13:00 ->
        limit 650
        poll 2026-11-05T14:00 -> forecast 100
        polls 2026-11-05T15:00 2026-11-12T00:00 360 ->
        open -> forecast 100
        """,
    ),
    (
        "two marks that are foreseen in one judgement are one message, and neither is told twice",
        FORECAST,
        """
        flat 1
        limit 800
        poll 2026-11-05T13:00 ->
        limit 500
        poll 2026-11-05T14:00 -> forecast 120 +100
        polls 2026-11-05T15:00 2026-11-12T00:00 360 ->
        open -> forecast 100, forecast 120
        """,
    ),
    (
        "the higher mark is told when it comes later",
        FORECAST,
        """
        flat 1
        limit 650
        poll 2026-11-05T13:00 -> forecast 100
        limit 550
        poll 2026-11-05T14:00 -> forecast 120
        """,
    ),
    (
        "it ends when the forecast is clearly below, after hours, with a message",
        FORECAST,
        """
        flat 1
        limit 650
        poll 2026-11-05T13:00 -> forecast 100
        limit 730
        polls 2026-11-05T14:00 2026-11-06T14:00 60 ->
        open -> forecast 100
        limit 800
        polls 2026-11-06T15:00 2026-11-07T14:00 60 -> over forecast 100 @06 21:00
        """,
    ),
    (
        "what was forecast has happened: the crossing is told, the forecast is over without a word",
        {**FORECAST, "thresholds": (100.0,)},
        """
        flat 1
        limit 650
        poll 2026-11-05T13:00 -> forecast 100
        polls 2026-11-27T00:00 2026-11-29T00:00 60 -> 100
        open -> 100
        """,
    ),
    (
        "with the period it is over without a word, and the next period is told anew",
        FORECAST,
        """
        flat 1
        limit 700
        poll 2026-10-20T13:00 -> forecast 100
        limit 760
        poll 2026-11-01T00:30 ->
        open ->
        """,
    ),
    (
        "without history nothing is foreseen",
        FORECAST,
        """
        limit 10
        spend 2026-11-10T14:00 2026-11-10T20:00 1
        poll 2026-11-10T14:10 ->
        """,
    ),
    (
        "a key that is switched off is expected to bring nothing more",
        {**FORECAST, "limit": 650},
        """
        flat 1
        off a
        poll 2026-11-20T13:00 ->
        """,
    ),
    (
        "a hole in the month keeps it from being over",
        FORECAST,
        """
        flat 1
        limit 650
        poll 2026-11-05T13:00 -> forecast 100
        hole 2026-11-03T10:00
        limit 800
        polls 2026-11-05T14:00 2026-11-06T14:00 60 ->
        open -> forecast 100
        """,
    ),
    (
        "while nothing is read, nothing that was foreseen is over",
        FORECAST,
        """
        flat 1
        limit 650
        poll 2026-11-05T13:00 -> forecast 100
        stall
        polls 2026-11-05T14:00 2026-11-08T12:00 60 ->
        open -> forecast 100
        """,
    ),
    (
        "each key is foreseen by itself",
        {**FORECAST, "per": ("api_key",), "limit": 650},
        """
        flat 1
        flat 0.5 b
        poll 2026-11-05T13:00 -> a:forecast 100
        """,
    ),
    # ------------------------------------------------------------------------------------------- pace
    (
        "a third ahead of its pace is told, and half ahead of it again",
        {**PACE, "limit": 720},
        """
        flat 1
        poll 2026-11-05T13:00 ->
        spend 2026-11-05T13:00 2026-11-30T00:00 4
        polls 2026-11-05T14:00 2026-11-08T00:00 60 -> pace 120, pace 150
        """,
    ),
    (
        "in the first tenth of a month nothing is said of its pace",
        {**PACE, "limit": 720},
        """
        flat 1
        poll 2026-10-31T13:00 ->
        spend 2026-11-01T00:00 2026-11-30T00:00 2
        polls 2026-11-01T00:00 2026-11-04T00:00 60 ->
        polls 2026-11-04T00:00 2026-11-04T03:00 60 -> pace 150 +120
        """,
    ),
    (
        "a week of the office is at its pace on Friday evening, with the weekend to come",
        {**PACE, "period": "week", "limit": 1_000},
        """
        office 20
        poll 2026-11-09T00:30 ->
        polls 2026-11-09T00:30 2026-11-16T00:00 60 ->
        """,
    ),
    (
        "it ends when the period has caught up, with a message",
        {**PACE, "limit": 720},
        """
        flat 1
        poll 2026-11-05T13:00 ->
        spend 2026-11-05T13:00 2026-11-07T00:00 2.2
        polls 2026-11-05T14:00 2026-11-07T00:00 60 -> pace 120
        polls 2026-11-07T00:00 2026-11-30T00:00 60 -> over pace 120
        """,
    ),
    (
        "an hour of the period that was never read keeps the pace from being over",
        {**PACE, "limit": 720},
        """
        flat 1
        poll 2026-11-05T13:00 ->
        spend 2026-11-05T13:00 2026-11-07T00:00 2.2
        polls 2026-11-05T14:00 2026-11-07T00:00 60 -> pace 120
        hole 2026-11-03T10:00
        polls 2026-11-07T00:00 2026-11-25T00:00 60 ->
        open -> pace 120
        """,
    ),
    (
        "once the limit is spent the threshold tells it, and the pace is over without a word",
        {**PACE, "limit": 720, "thresholds": (100.0,)},
        """
        flat 1
        poll 2026-11-05T13:00 ->
        spend 2026-11-05T13:00 2026-11-30T00:00 2
        polls 2026-11-05T14:00 2026-11-12T00:00 60 -> pace 120, pace 150
        polls 2026-11-12T00:00 2026-11-30T00:00 60 -> 100
        open -> 100
        """,
    ),
    (
        "a stall does not bring it back to its pace",
        {**PACE, "limit": 720},
        """
        flat 1
        poll 2026-11-05T13:00 ->
        spend 2026-11-05T13:00 2026-11-30T00:00 2.2
        polls 2026-11-05T14:00 2026-11-07T00:00 60 -> pace 120
        stall
        polls 2026-11-07T00:00 2026-11-12T00:00 60 ->
        open -> pace 120
        """,
    ),
    (
        "dates that come once have a pace, and nothing of it is left after them",
        {**PACE, "limit": 240},
        """
        dates 2026-11-10 2026-11-20
        flat 1
        poll 2026-11-10T13:00 ->
        spend 2026-11-12T00:00 2026-11-13T00:00 2
        polls 2026-11-12T00:00 2026-11-20T00:00 60 -> pace 120, over pace 120
        poll 2026-11-20T00:30 ->
        open ->
        """,
    ),
    (
        "the pace of a quarter counts what was spent before the view begins",
        {**PACE, "limit": 3000, "period": "quarter"},
        """
        flat 1
        poll 2026-12-15T00:30 ->
        spend 2026-10-02T00:00 2026-10-03T00:00 48.9
        poll 2026-12-15T01:30 -> pace 120
        spend 2026-10-02T00:00 2026-10-03T00:00 1
        polls 2026-12-15T02:00 2026-12-15T10:00 -> over pace 120
        """,
    ),
    (
        "a hole before the view keeps a pace from being over",
        {**PACE, "limit": 3000, "period": "quarter"},
        """
        flat 1
        spend 2026-10-02T00:00 2026-10-03T00:00 48.9
        poll 2026-12-15T01:30 -> pace 120
        spend 2026-10-02T00:00 2026-10-03T00:00 1
        hole 2026-10-03T04:00
        polls 2026-12-15T02:00 2026-12-15T10:00 ->
        open -> pace 120
        """,
    ),
    (
        "the forecast of a quarter stands on what was spent before the view begins",
        {**FORECAST, "limit": 3208, "period": "quarter"},
        """
        flat 1
        poll 2026-12-15T00:30 ->
        spend 2026-10-02T00:00 2026-10-03T00:00 48.9
        poll 2026-12-15T01:30 -> forecast 100
        spend 2026-10-02T00:00 2026-10-03T00:00 1
        polls 2026-12-15T02:00 2026-12-15T10:00 -> over forecast 100
        """,
    ),
]


@pytest.mark.parametrize(("settings", "script"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_script_tells_what_it_says(settings: dict[str, Any], script: str) -> None:
    asked: dict[str, Any] = {"period": "month", "timezone": "UTC", "limit": 750, "thresholds": (1000.0,), **settings}
    Script(Budget(**{"name": "all", **asked, "limit": parse_usd(str(asked["limit"]))})).run(script)


def test_a_key_that_burns_tells_the_story_of_the_organization_that_burns_by_another_budget() -> None:
    common: dict[str, Any] = {"period": "month", "timezone": "UTC", "thresholds": (1000.0,), **FAST}
    script = Script(Budget("keys", limit=parse_usd("750"), per=("api_key",), **common))
    script.others = (Budget("organization", limit=parse_usd("1500"), **common),)
    script.run(
        """
        flat 1
        flat 0.5 b
        poll 2026-11-10T13:50 ->
        spend 2026-11-10T14:00 2026-11-10T18:00 30
        polls 2026-11-10T14:00 2026-11-10T17:00 5 -> a:burn 1h/1h +burn 1h/1h @10 14:10
        open -> a:burn 1h/1h, burn 1h/1h
        polls 2026-11-10T18:00 2026-11-11T00:00 10 -> over a:burn 1h/1h
        open ->
        """
    )


def test_an_organization_that_burns_in_many_small_parts_is_told_by_itself() -> None:
    common: dict[str, Any] = {"period": "month", "timezone": "UTC", "thresholds": (1000.0,), **FAST}
    script = Script(Budget("keys", limit=parse_usd("7500"), per=("api_key",), **common))
    script.others = (Budget("organization", limit=parse_usd("1500"), **common),)
    script.run(
        """
        flat 1
        flat 1 b
        poll 2026-11-10T13:50 ->
        spend 2026-11-10T14:00 2026-11-10T18:00 9
        spend 2026-11-10T14:00 2026-11-10T18:00 9 b
        polls 2026-11-10T14:00 2026-11-10T17:00 5 -> burn 1h/1h
        """
    )


def test_limits_that_the_provider_does_not_tell_at_present_end_nothing() -> None:
    script = Script(
        Budget(
            "caps",
            "month",
            "UTC",
            None,
            (1000.0,),
            ("workspace",),
            console=True,
            caps={"wrkspc_1": parse_usd("750")},
            **FAST,
        )
    )
    script.run(
        """
        flat 1
        poll 2026-11-10T13:50 ->
        spend 2026-11-10T14:00 2026-11-10T15:00 10
        poll 2026-11-10T14:20 -> burn 1h/1h
        """
    )
    known = script.budget
    script.budget = replace(known, caps=None)
    script.run(
        """
        polls 2026-11-10T14:30 2026-11-10T20:00 ->
        open -> burn 1h/1h
        """
    )
    script.budget = replace(known, caps={})
    script.run(
        """
        poll 2026-11-10T20:00 ->
        open ->
        """
    )
