"""What a budget says, when, and when it keeps quiet: each row is a sentence and a script that shows it.

A script is run against the real judgement, life cycle and routing, over a ledger kept here. Times are UTC.

    spend HOUR DOLLARS [leaf]   the ledger now holds this for the hour, whatever it held (leaf: a, b or console)
    hole HOUR                   the hour was never read
    poll TIME -> told, told     one judgement and what it tells: "80", "80+50" with 50 inside it, "a:80" for a scope
    open -> 50, 80, $90         the crossings listed after the last poll
    since -> HOUR HOUR          when they began in the data
    unsure TIME -> WORDS        why a judgement cannot be sure
    limit DOLLARS, thresholds 50 80 $90, dates FROM UNTIL,
    severity PERCENT WORD, window HOURS (or nothing: monthly), per DIMENSION DIMENSION,
    plan PERIOD=DOLLARS …        what is planned (or nothing); "limit none" leaves other periods without a limit
    caps ID=DOLLARS …            what the Console says now ("*" for all together; or nothing), "caps unknown"
    measure UNIT KIND            what is counted from now on (the ledger here holds whatever is counted)
    rename KEY NAME, remove, restore, restart
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from rules import budgets, hindsight, lifecycle, routing
from rules.hearing import Audience
from rules.measures import Measure
from rules.model import (
    CONSOLE,
    HOUR,
    Alert,
    Budget,
    BudgetEvidence,
    EarlierSpend,
    Leaf,
    Names,
    NoData,
    Notification,
    Route,
    Selector,
    Severity,
    SpendView,
    State,
)
from rules.money import parse_usd
from rules.periods import Starts
from rules.thresholds import Threshold, also_words, mark_id, mark_words, told_mark

ORGANIZATION = "org_1"
LEAVES = {
    "a": Leaf("wrkspc_1", "apikey_a", "claude-opus-5"),
    "b": Leaf("wrkspc_2", "apikey_b", "claude-haiku-5-5"),
    "console": Leaf("wrkspc_1", CONSOLE, "claude-opus-5"),
}
MONTH: dict[str, Any] = {}
WEEK = {"period": "week"}
DAY = {"period": "day"}
HOURLY = {"period": "hour"}
ROLLING = {"period": "rolling", "window": timedelta(hours=24)}
ONCE = {"period": "once", "dates": (date(2026, 11, 10), date(2026, 11, 15))}
QUARTER: dict[str, Any] = {"period": "quarter", "shown": 70}
YEAR: dict[str, Any] = {"period": "year", "shown": 70}
USD_90 = Threshold(amount=parse_usd("90"))
SETTLING = timedelta(minutes=20)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def amounts(text: str) -> dict[str, int]:
    pairs = (word.split("=") for word in text.split())
    return {"" if name == "*" else name: parse_usd(dollars) for name, dollars in pairs}


@dataclass
class Story:
    """A ledger and what a store would keep, driven by a script."""

    budget: Budget
    alerts: dict[str, Alert] = field(default_factory=dict)
    spend: dict[tuple[datetime, Leaf], int] = field(default_factory=dict)
    holes: set[datetime] = field(default_factory=set)
    remembered: str | None = None
    configured: bool = True
    names: dict[str, str] = field(default_factory=dict)
    start: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    shown: int | None = None
    """How many days before the present one the view has by the hour; None for all of them."""

    def run(self, script: str) -> None:
        for line in filter(None, map(str.strip, script.splitlines())):
            command, _, rest = line.partition(" ")
            getattr(self, f"do_{command}")(rest)

    def do_spend(self, rest: str) -> None:
        hour, dollars, *leaf = rest.split()
        self.spend[moment(hour), LEAVES[leaf[0] if leaf else "a"]] = parse_usd(dollars)

    def do_hole(self, rest: str) -> None:
        self.holes.add(moment(rest))

    def do_poll(self, rest: str) -> None:
        at, _, expected = rest.partition("->")
        told = sorted(word for message in self.judge(moment(at.strip())) for word in self.words(message))
        assert told == sorted(filter(None, map(str.strip, expected.split(",")))), f"at {at.strip()}"

    def do_since(self, rest: str) -> None:
        began = {f"{alert.starts_at:%Y-%m-%dT%H}" for alert in self.alerts.values() if alert.state is State.FIRING}
        assert began == set(rest.replace("->", "").split())

    def do_unsure(self, rest: str) -> None:
        at, _, expected = rest.partition("->")
        said = budgets.judge(self.budget, self.view(moment(at.strip())), Names(), moment(at.strip()))
        assert [verdict.why for verdict in said if isinstance(verdict, NoData)] == [expected.strip()]

    def do_open(self, rest: str) -> None:
        listed = sorted(
            mark_id(told_mark(alert.evidence)).replace(" ", "")
            for alert in self.alerts.values()
            if alert.state is State.FIRING and isinstance(alert.evidence, BudgetEvidence)
        )
        assert listed == sorted(rest.replace("->", "").replace(",", " ").split())

    def do_limit(self, rest: str) -> None:
        self.budget = replace(self.budget, limit=None if rest == "none" else parse_usd(rest))

    def do_plan(self, rest: str) -> None:
        self.budget = replace(self.budget, plan=amounts(rest))

    def do_measure(self, rest: str) -> None:
        self.budget = replace(self.budget, measure=Measure(*rest.split()))  # type: ignore[arg-type]

    def do_caps(self, rest: str) -> None:
        self.budget = replace(self.budget, console=True, caps=None if rest == "unknown" else amounts(rest))

    def do_thresholds(self, rest: str) -> None:
        marks = (Threshold(amount=parse_usd(word[1:])) if word[0] == "$" else float(word) for word in rest.split())
        self.budget = replace(self.budget, thresholds=tuple(marks))

    def do_severity(self, rest: str) -> None:
        percent, word = rest.split()
        self.budget = replace(self.budget, thresholds=(Threshold(percent=float(percent), severity=Severity(word)),))

    def do_window(self, rest: str) -> None:
        window = timedelta(hours=int(rest)) if rest else None
        self.budget = replace(self.budget, period="rolling" if window else "month", window=window)

    def do_per(self, rest: str) -> None:
        self.budget = replace(self.budget, per=tuple(rest.split()))

    def do_dates(self, rest: str) -> None:
        first, after = map(date.fromisoformat, rest.split())
        self.budget = replace(self.budget, dates=(first, after))

    def do_rename(self, rest: str) -> None:
        key, name = rest.split()
        self.names[LEAVES[key].api_key] = name

    def do_remove(self, _: str) -> None:
        self.configured = False

    def do_restore(self, _: str) -> None:
        self.configured = True

    def do_restart(self, _: str) -> None:
        self.alerts = pickle.loads(pickle.dumps(self.alerts))

    def judge(self, now: datetime) -> tuple[Notification, ...]:
        names = Names(self.names)
        in_force = [self.budget] if self.configured else []
        watch = hindsight.watch(in_force, self.remembered, now)
        held = [alert for alert in self.alerts.values() if alert.state is State.FIRING]
        verdicts = [
            verdict
            for budget in in_force
            for verdict in budgets.judge(budget, self.view(now), names, now, watch.since[budget.name], held)
        ]
        known = [
            alert
            for alert in self.alerts.values()
            if alert.ends_at is None
            or (watch.earliest is not None and alert.closes_at is not None and alert.closes_at > watch.earliest)
        ]
        configured = {("budget", budget.name) for budget in in_force}
        advance = lifecycle.advance(known, verdicts, configured, names, now, in_force)
        routed = routing.notifications(
            advance,
            known,
            Audience([Route("ops")]),
            organization_name="Acme",
            first_judgement=self.remembered is None,
            now=now,
        )
        self.alerts.update((alert.id, alert) for alert in routed.alerts)
        self.remembered = watch.remember
        return routed.notifications

    def view(self, now: datetime) -> SpendView:
        """The ledger by the hour; before the days that are `shown` by day, and by hour where periods begin."""
        whole = self.every_hour(now)
        if self.shown is None:
            return whole
        start = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=self.shown)
        if start <= self.start:
            return whole
        first = (start - self.start) // HOUR
        watch = hindsight.watch([self.budget], self.remembered, now)
        begins = [each.start for each in budgets.periods(self.budget, watch.since[self.budget.name], now)]
        earlier = self.earlier(whole, first, [each for each in begins if each < start])
        return replace(
            whole,
            start=start,
            cost=whole.cost[:, first:],
            settled=whole.settled[:, first:],
            known=whole.known[first:],
            leaves=whole.leaves,
            earlier=earlier,
        )

    def earlier(self, whole: SpendView, first: int, begins: list[datetime]) -> EarlierSpend | None:
        if not begins:
            return None
        cut = {each.date() for each in begins if each.hour}
        at, columns = max(min(begins).replace(hour=0, minute=0), self.start), []
        while at < self.start + first * HOUR:
            length = 1 if at.date() in cut else 24
            columns.append((at, slice((at - self.start) // HOUR, (at - self.start) // HOUR + length)))
            at += length * HOUR
        cost = np.stack([whole.cost[:, part].sum(axis=1) for _, part in columns], axis=1)
        unread = np.array([int((~whole.known[part]).sum()) for _, part in columns])
        return EarlierSpend(whole.leaves, tuple(at for at, _ in columns), cost, np.zeros_like(cost), unread)

    def every_hour(self, now: datetime) -> SpendView:
        hours = (now - self.start) // HOUR + 1
        leaves = tuple(LEAVES.values())
        cost = np.zeros((len(leaves), hours), dtype=np.int64)
        for (hour, leaf), nano in self.spend.items():
            if hour <= now:
                cost[leaves.index(leaf), (hour - self.start) // HOUR] = nano
        known = np.ones(hours, dtype=np.bool_)
        for hour in self.holes:
            known[(hour - self.start) // HOUR] = False
        complete = self.start + (now - SETTLING - self.start) // HOUR * HOUR
        return SpendView(ORGANIZATION, self.start, leaves, cost, np.zeros_like(cost), known, complete, now)

    def words(self, message: Notification) -> list[str]:
        told = []
        for alert in message.alerts:
            assert isinstance(alert.evidence, BudgetEvidence)
            marks = [mark_words(alert.evidence), *reversed(also_words(alert.evidence))]
            word = "+".join(mark.removesuffix(" %").removesuffix(".00") for mark in marks)
            scope = "/".join(Names(self.names).of(ident) for ident in alert.subject.scope.parts().values())
            told.append(f"{scope}:{word}" if scope else word)
        return told


ROWS: list[tuple[str, dict[str, Any], str]] = [
    # ------------------------------------------------------------------------------------------- thresholds
    (
        "below the first threshold nothing is said",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 49.99
        poll 2026-11-10T06:00 ->
        open ->
        """,
    ),
    (
        "spend of exactly a threshold has crossed it",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 50
        poll 2026-11-10T06:00 -> 50
        """,
    ),
    (
        "a nano-dollar below a threshold has not",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 49.999999999
        poll 2026-11-10T06:00 ->
        """,
    ),
    (
        "each threshold is told in its turn, and once",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        poll 2026-11-10T05:05 ->
        spend 2026-11-11T04 30
        poll 2026-11-11T05:00 -> 80
        poll 2026-11-11T05:05 ->
        spend 2026-11-12T04 30
        poll 2026-11-12T05:00 -> 100
        poll 2026-11-12T05:05 ->
        open -> 50, 80, 100
        """,
    ),
    (
        "50 and 80 crossed in the same poll are one message that says 80 and names 50",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 85
        poll 2026-11-10T05:00 -> 80+50
        open -> 50, 80
        """,
    ),
    (
        "all of them crossed in one poll are one message",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 250
        poll 2026-11-10T05:00 -> 100+80+50
        """,
    ),
    (
        "the open hour proves a crossing: nobody waits for it to end",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 50
        poll 2026-11-10T04:05 -> 50
        """,
    ),
    (
        "a threshold may lie above 100 %, and between two whole ones",
        {"thresholds": (33.3, 120.0)},
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 33.29
        poll 2026-11-10T05:00 ->
        spend 2026-11-10T05 0.01
        poll 2026-11-10T06:00 -> 33.3
        spend 2026-11-10T06 86.70
        poll 2026-11-10T07:00 -> 120
        """,
    ),
    (
        "the same poll twenty times says it once",
        MONTH,
        "poll 2026-11-10T04:00 ->\nspend 2026-11-10T04 55\npoll 2026-11-10T05:00 -> 50\n"
        + 20 * "poll 2026-11-10T05:00 ->\n",
    ),
    # ------------------------------------------------------------------------------- amounts as thresholds
    (
        "a threshold may be an amount of its own",
        {"thresholds": (50.0, USD_90)},
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 89.99
        poll 2026-11-10T05:00 -> 50
        spend 2026-11-10T05 0.01
        poll 2026-11-10T06:00 -> $90
        poll 2026-11-10T07:00 ->
        open -> $90, 50
        """,
    ),
    (
        "amounts and percents crossed in one poll are one message about the dearest of them",
        {"thresholds": (50.0, 80.0, USD_90, 95.0)},
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 92
        poll 2026-11-10T05:00 -> $90+80+50
        spend 2026-11-10T05 5
        poll 2026-11-10T06:00 -> 95
        """,
    ),
    (
        "an amount lies where it lies, wherever in the list it stands",
        {"thresholds": (USD_90, 50.0, 80.0, 100.0)},
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 85
        poll 2026-11-10T05:00 -> 80+50
        """,
    ),
    (
        "an amount above the limit is reached after it",
        {"limit": parse_usd("60"), "thresholds": (100.0, USD_90)},
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 60
        poll 2026-11-10T05:00 -> 100
        spend 2026-11-10T05 30
        poll 2026-11-10T06:00 -> $90
        """,
    ),
    (
        "an amount does not move with the limit",
        {"thresholds": (USD_90,)},
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 50
        limit 50
        poll 2026-11-10T05:00 ->
        spend 2026-11-10T05 40
        poll 2026-11-10T06:00 -> $90
        """,
    ),
    (
        "an amount holds for each key by itself",
        {"thresholds": (USD_90,), "per": ("api_key",)},
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 60 a
        spend 2026-11-10T04 90 b
        poll 2026-11-10T05:00 -> apikey_b:$90
        """,
    ),
    (
        "an amount taken out is listed no more, and put back is not told again",
        {"thresholds": (50.0, USD_90)},
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 92
        poll 2026-11-10T05:00 -> $90+50
        thresholds 50
        poll 2026-11-10T05:05 ->
        open -> 50
        thresholds 50 $90
        poll 2026-11-10T05:10 ->
        """,
    ),
    (
        "a percent below an amount that was told is not told: the higher one said it",
        {"thresholds": (USD_90,)},
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 92
        poll 2026-11-10T05:00 -> $90
        thresholds 80 $90
        poll 2026-11-10T05:05 ->
        open -> $90, 80
        """,
    ),
    (
        "a threshold whose severity is changed is not told again",
        {"thresholds": (80.0,)},
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 85
        poll 2026-11-10T05:00 -> 80
        severity 80 critical
        poll 2026-11-10T05:05 ->
        open -> 80
        """,
    ),
    # ------------------------------------------------------------------------------- restarts and restatement
    (
        "a restart while a crossing is listed says nothing",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        restart
        poll 2026-11-10T05:05 ->
        open -> 50
        """,
    ),
    (
        "a crossing that was restated away stays listed: it was told",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        spend 2026-11-10T04 20
        poll 2026-11-10T06:00 ->
        open -> 50
        """,
    ),
    (
        "restated below the threshold and back is not told again",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        spend 2026-11-10T04 20
        poll 2026-11-10T06:00 ->
        spend 2026-11-10T04 60
        poll 2026-11-10T07:00 ->
        """,
    ),
    (
        "restated above a threshold is told when it is seen",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 45
        poll 2026-11-12T05:00 ->
        spend 2026-11-10T04 51
        poll 2026-11-12T06:00 -> 50
        """,
    ),
    # --------------------------------------------------------------------------------------- periods and zones
    (
        "the period's end closes crossings and sends nothing",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        poll 2026-11-30T23:59 ->
        open -> 50
        poll 2026-12-01T00:00 ->
        open ->
        """,
    ),
    (
        "the next month counts from nothing and tells again",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        poll 2026-12-02T00:00 ->
        spend 2026-12-02T00 55
        poll 2026-12-02T01:00 -> 50
        """,
    ),
    (
        "a month's first hour counts for it and the hour before does not",
        MONTH,
        """
        poll 2026-11-01T00:01 ->
        spend 2026-10-31T23 40
        spend 2026-11-01T00 40
        poll 2026-11-01T01:00 ->
        spend 2026-11-01T00 51
        poll 2026-11-01T01:05 -> 50
        """,
    ),
    (
        "a February of 28 days ends after 28 days",
        {"start": moment("2027-01-01")},
        """
        poll 2027-02-10T00:00 ->
        spend 2027-02-28T23 40
        spend 2027-03-01T00 40
        poll 2027-03-01T02:00 ->
        spend 2027-03-01T01 10
        poll 2027-03-01T03:00 -> 50
        """,
    ),
    (
        "in New York a month begins at 04:00 UTC while summer time lasts",
        {"timezone": "America/New_York"},
        """
        poll 2026-11-01T05:00 ->
        spend 2026-11-01T03 40
        spend 2026-11-01T04 40
        poll 2026-11-01T06:00 ->
        spend 2026-11-01T05 10
        poll 2026-11-01T07:00 -> 50
        """,
    ),
    (
        "in Tokyo a month begins at 15:00 UTC of the day before",
        {"timezone": "Asia/Tokyo"},
        """
        poll 2026-10-31T15:01 ->
        spend 2026-10-31T14 40
        spend 2026-10-31T15 50
        poll 2026-10-31T16:05 -> 50
        """,
    ),
    (
        "a day of 23 hours ends an hour early: New York, 8 March",
        DAY | {"timezone": "America/New_York"},
        """
        poll 2026-03-08T06:00 ->
        spend 2026-03-09T03 30
        poll 2026-03-09T03:30 ->
        spend 2026-03-09T04 30
        poll 2026-03-09T04:30 ->
        spend 2026-03-09T05 20
        poll 2026-03-09T05:30 -> 50
        """,
    ),
    (
        "a day of 25 hours keeps its last hour: New York, 1 November",
        DAY | {"timezone": "America/New_York"},
        """
        poll 2026-11-01T06:00 ->
        spend 2026-11-01T04 30
        spend 2026-11-02T04 20
        poll 2026-11-02T04:30 -> 50
        """,
    ),
    (
        "in a half-hour zone the hour in which midnight falls counts for the day before",
        DAY | {"timezone": "Asia/Kolkata"},
        """
        poll 2026-11-10T18:00 ->
        spend 2026-11-10T18 40
        spend 2026-11-10T19 40
        poll 2026-11-10T19:10 ->
        spend 2026-11-10T20 10
        poll 2026-11-10T20:10 -> 50
        """,
    ),
    (
        "where midnight is skipped the day begins with its first instant: Cairo, 24 April",
        DAY | {"timezone": "Africa/Cairo"},
        """
        poll 2026-04-23T21:00 ->
        spend 2026-04-23T21 40
        spend 2026-04-23T22 50
        poll 2026-04-23T22:10 -> 50
        """,
    ),
    (
        "a week begins on Monday",
        WEEK,
        """
        poll 2026-11-15T20:00 ->
        spend 2026-11-15T23 40
        spend 2026-11-16T00 40
        poll 2026-11-16T01:00 ->
        spend 2026-11-16T01 10
        poll 2026-11-16T02:00 -> 50
        """,
    ),
    (
        "a week in which the clocks go back has an hour more: Berlin, 19 October",
        WEEK | {"timezone": "Europe/Berlin"},
        """
        poll 2026-10-25T20:00 ->
        spend 2026-10-18T22 20
        spend 2026-10-25T22 30
        poll 2026-10-25T22:30 -> 50
        """,
    ),
    (
        "a day budget tells every day anew",
        DAY,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        spend 2026-11-11T04 55
        poll 2026-11-11T05:00 -> 50
        open -> 50
        """,
    ),
    # -------------------------------------------------------------------------- custom starts, hours, given dates
    (
        "a billing month begins on its day: spend of the 14th counts for the one before, that of the 15th for it",
        {"starts": Starts(day=15)},
        """
        poll 2026-11-14T20:00 ->
        spend 2026-11-14T23 40
        spend 2026-11-15T00 40
        poll 2026-11-15T01:00 ->
        spend 2026-11-15T01 10
        poll 2026-11-15T02:00 -> 50
        """,
    ),
    (
        "a billing day that a month does not have is its last day: 31, in November",
        {"starts": Starts(day=31)},
        """
        poll 2026-11-29T20:00 ->
        spend 2026-11-29T23 40
        spend 2026-11-30T00 40
        poll 2026-11-30T01:00 ->
        spend 2026-12-30T23 10
        poll 2026-12-31T00:30 -> 50
        spend 2026-12-31T00 40
        poll 2026-12-31T01:00 ->
        """,
    ),
    (
        "billing day 31 in February: the month ends with the 27th, and the next runs to 30 March",
        {"starts": Starts(day=31), "start": moment("2027-01-01")},
        """
        poll 2027-02-27T20:00 ->
        spend 2027-02-27T23 40
        spend 2027-02-28T00 40
        poll 2027-02-28T01:00 ->
        spend 2027-03-30T23 10
        poll 2027-03-30T23:30 -> 50
        """,
    ),
    (
        "billing day 29 in a leap year: 29 February has it",
        {"starts": Starts(day=29), "start": moment("2028-01-15")},
        """
        poll 2028-02-28T20:00 ->
        spend 2028-02-28T23 40
        spend 2028-02-29T00 50
        poll 2028-02-29T00:30 -> 50
        """,
    ),
    (
        "a billing month follows its zone: in New York the 15th begins at 05:00 UTC in winter",
        {"starts": Starts(day=15), "timezone": "America/New_York"},
        """
        poll 2026-11-15T04:30 ->
        spend 2026-11-15T04 40
        spend 2026-11-15T05 50
        poll 2026-11-15T05:30 -> 50
        """,
    ),
    (
        "a billing month in which the clocks change has its hour more: New York, 15 October to 14 November",
        {"starts": Starts(day=15), "timezone": "America/New_York"},
        """
        poll 2026-10-15T03:30 ->
        spend 2026-10-15T03 40
        spend 2026-10-15T04 20
        spend 2026-11-15T04 30
        poll 2026-11-15T04:30 -> 50
        """,
    ),
    (
        "the end of a billing month closes its crossings silently",
        {"starts": Starts(day=15)},
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        poll 2026-11-14T23:59 ->
        open -> 50
        poll 2026-11-15T00:00 ->
        open ->
        """,
    ),
    (
        "a week may begin on Sunday",
        WEEK | {"starts": Starts(weekday=6)},
        """
        poll 2026-11-14T20:00 ->
        spend 2026-11-14T23 40
        spend 2026-11-15T00 40
        poll 2026-11-15T01:00 ->
        spend 2026-11-16T00 10
        poll 2026-11-16T00:30 -> 50
        """,
    ),
    (
        "a week from Saturday in Cairo begins on Friday at 22:00 UTC",
        WEEK | {"starts": Starts(weekday=5), "timezone": "Africa/Cairo"},
        """
        poll 2026-11-20T20:00 ->
        spend 2026-11-20T21 40
        spend 2026-11-20T22 50
        poll 2026-11-20T22:30 -> 50
        """,
    ),
    (
        "an hour budget tells every hour anew",
        HOURLY,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 85
        poll 2026-11-10T04:30 -> 80+50
        poll 2026-11-10T04:59 ->
        open -> 50, 80
        poll 2026-11-10T05:00 ->
        open ->
        spend 2026-11-10T05 55
        poll 2026-11-10T05:30 -> 50
        """,
    ),
    (
        "an hour whose figures come late is told, once, and stays listed for a day",
        HOURLY,
        """
        poll 2026-11-10T04:00 ->
        poll 2026-11-10T05:10 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:30 -> 50
        poll 2026-11-10T06:30 ->
        open -> 50
        poll 2026-11-11T05:30 ->
        open ->
        """,
    ),
    (
        "in a half-hour zone an hour budget follows the hours of the ledger",
        HOURLY | {"timezone": "Asia/Kolkata"},
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 30
        spend 2026-11-10T05 30
        poll 2026-11-10T05:30 ->
        spend 2026-11-10T05 50
        poll 2026-11-10T05:45 -> 50
        """,
    ),
    (
        "given dates are one period: nothing before the first counts, and what `until` names is not in it",
        ONCE,
        """
        poll 2026-11-09T20:00 ->
        spend 2026-11-09T23 90
        poll 2026-11-09T23:30 ->
        spend 2026-11-10T00 40
        poll 2026-11-10T01:00 ->
        spend 2026-11-14T23 10
        poll 2026-11-14T23:30 -> 50
        spend 2026-11-15T00 90
        poll 2026-11-15T01:00 ->
        open ->
        """,
    ),
    (
        "given dates are those of the zone",
        ONCE | {"timezone": "Asia/Tokyo"},
        """
        poll 2026-11-09T14:30 ->
        spend 2026-11-09T14 90
        poll 2026-11-09T14:40 ->
        spend 2026-11-09T15 50
        poll 2026-11-09T15:10 -> 50
        """,
    ),
    (
        "a late figure of given dates is told within three days of their end",
        ONCE,
        """
        poll 2026-11-14T20:00 ->
        spend 2026-11-14T22 49
        poll 2026-11-16T05:00 ->
        spend 2026-11-14T22 51
        poll 2026-11-16T06:00 -> 50
        poll 2026-11-16T07:00 ->
        """,
    ),
    (
        "given dates that are over do not come again",
        ONCE,
        """
        poll 2026-11-12T04:00 ->
        spend 2026-11-12T04 55
        poll 2026-11-12T05:00 -> 50
        poll 2026-11-15T05:00 ->
        open ->
        spend 2026-12-12T04 90
        poll 2026-12-12T05:00 ->
        """,
    ),
    (
        "given dates that were over before the budget was written are history",
        ONCE,
        """
        spend 2026-11-12T04 90
        poll 2026-11-15T05:00 ->
        poll 2026-11-15T05:05 ->
        """,
    ),
    (
        "given dates moved by an edit are another period, and its crossings are told",
        ONCE,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        dates 2026-11-09 2026-11-15
        poll 2026-11-10T06:00 -> 50
        """,
    ),
    # --------------------------------------------------------------------------------------- rolling windows
    (
        "a rolling day counts the open hour and the 23 before it, and no hour more",
        ROLLING,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 30
        spend 2026-11-11T03 15
        poll 2026-11-11T03:30 ->
        spend 2026-11-11T03 20
        poll 2026-11-11T03:40 -> 50
        """,
    ),
    (
        "what is a window old counts no more",
        ROLLING,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 30
        spend 2026-11-11T04 30
        poll 2026-11-11T04:30 ->
        """,
    ),
    (
        "a rolling window knows no midnight and no month's end",
        ROLLING,
        """
        poll 2026-11-30T20:00 ->
        spend 2026-11-30T22 30
        spend 2026-12-01T02 25
        poll 2026-12-01T02:30 -> 50
        """,
    ),
    (
        "a rolling threshold is told once while spend stays above it, for days",
        ROLLING,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        spend 2026-11-11T03 55
        poll 2026-11-11T05:00 ->
        spend 2026-11-12T02 55
        poll 2026-11-12T05:00 ->
        open -> 50
        """,
    ),
    (
        "50 and 80 crossed at once in a window are one message",
        ROLLING,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 85
        poll 2026-11-10T05:00 -> 80+50
        spend 2026-11-10T06 20
        poll 2026-11-10T07:00 -> 100
        """,
    ),
    (
        "spend that dips below a rolling threshold for less than a day and comes back is the same crossing",
        ROLLING,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        poll 2026-11-11T12:00 ->
        open -> 50
        spend 2026-11-11T12 55
        poll 2026-11-11T13:00 ->
        """,
    ),
    (
        "spend 10 % below a rolling threshold for a day ends it without a word, and it is told when it comes anew",
        ROLLING,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        poll 2026-11-12T03:00 ->
        open -> 50
        poll 2026-11-12T05:00 ->
        open ->
        spend 2026-11-12T05 55
        poll 2026-11-12T06:00 -> 50
        """,
    ),
    (
        "spend that stays within 10 % below a rolling threshold does not arm it",
        ROLLING,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        spend 2026-11-10T16 46
        poll 2026-11-10T05:00 -> 50
        spend 2026-11-11T15 46
        spend 2026-11-12T14 46
        spend 2026-11-13T13 46
        poll 2026-11-14T12:00 ->
        open -> 50
        spend 2026-11-14T12 10
        poll 2026-11-14T12:40 ->
        """,
    ),
    (
        "exactly 10 % below is low enough",
        {"period": "rolling", "window": timedelta(hours=24), "thresholds": (50.0,)},
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        spend 2026-11-11T04 45
        spend 2026-11-12T04 45
        poll 2026-11-12T05:00 ->
        open ->
        spend 2026-11-12T05 5
        poll 2026-11-12T06:00 -> 50
        """,
    ),
    (
        "a window of six hours arms its thresholds after six calm hours",
        {"period": "rolling", "window": timedelta(hours=6)},
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        poll 2026-11-10T16:10 ->
        open -> 50
        poll 2026-11-10T16:30 ->
        open ->
        spend 2026-11-10T16 55
        poll 2026-11-10T17:00 -> 50
        """,
    ),
    (
        "a window of a week arms its thresholds after a calm day",
        {"period": "rolling", "window": timedelta(days=7)},
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        poll 2026-11-18T03:00 ->
        open -> 50
        poll 2026-11-18T05:00 ->
        open ->
        """,
    ),
    (
        "a rolling figure restated below and back is told once",
        ROLLING,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        spend 2026-11-10T04 10
        poll 2026-11-10T06:00 ->
        open -> 50
        spend 2026-11-10T04 55
        poll 2026-11-10T07:00 ->
        """,
    ),
    (
        "hours never read do not arm a rolling threshold",
        ROLLING,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        hole 2026-11-11T20
        poll 2026-11-12T06:00 ->
        open -> 50
        poll 2026-11-13T19:00 ->
        open -> 50
        poll 2026-11-13T21:30 ->
        open ->
        """,
    ),
    (
        "a rolling threshold is told once through restarts",
        ROLLING,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        restart
        poll 2026-11-10T05:05 ->
        restart
        poll 2026-11-12T06:00 ->
        restart
        spend 2026-11-12T06 55
        poll 2026-11-12T07:00 -> 50
        """,
    ),
    (
        "each key has a window of its own",
        ROLLING | {"per": ("api_key",)},
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55 a
        poll 2026-11-10T05:00 -> apikey_a:50
        spend 2026-11-11T04 55 b
        poll 2026-11-11T05:00 -> apikey_b:50
        poll 2026-11-12T05:00 ->
        open -> 50
        spend 2026-11-12T05 55 a
        spend 2026-11-12T05 55 b
        poll 2026-11-12T06:00 -> apikey_a:50
        """,
    ),
    (
        "a lowered limit of a rolling budget tells what is newly crossed",
        ROLLING,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        limit 60
        poll 2026-11-10T05:05 -> 80
        """,
    ),
    (
        "a raised limit of a rolling budget repeats nothing until spend has been 10 % below for a day",
        ROLLING,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        limit 200
        poll 2026-11-10T05:05 ->
        open -> 50
        spend 2026-11-10T06 50
        poll 2026-11-10T07:00 ->
        poll 2026-11-12T07:00 ->
        open ->
        spend 2026-11-12T07 100
        poll 2026-11-12T08:00 -> 50
        """,
    ),
    (
        "what a window held while nobody looked, and holds no more, is not told",
        ROLLING,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-11T04 85
        poll 2026-11-14T05:00 ->
        """,
    ),
    (
        "a rolling budget that becomes a monthly one lists its crossings no more, and tells those of the month",
        ROLLING,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        window
        poll 2026-11-10T05:05 -> 50
        open -> 50
        poll 2026-12-01T00:05 ->
        open ->
        """,
    ),
    (
        "a window of another length is another one, and tells its own crossings",
        ROLLING,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        window 48
        poll 2026-11-10T05:05 -> 50
        open -> 50
        """,
    ),
    (
        "a monthly budget that becomes a rolling one lists what was told of the month until it ends",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        window 24
        poll 2026-11-20T05:05 ->
        open -> 50
        poll 2026-12-01T00:05 ->
        open ->
        """,
    ),
    (
        "a rolling budget that is removed takes its crossings along",
        ROLLING,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        remove
        poll 2026-11-10T05:05 ->
        open ->
        """,
    ),
    # ------------------------------------------------------------------------------------- late and never read
    (
        "a crossing in the last hour that is read after the end is told, and stays listed for a day",
        MONTH,
        """
        poll 2026-11-30T23:50 ->
        spend 2026-11-30T23 55
        poll 2026-12-01T00:10 -> 50
        open -> 50
        poll 2026-12-01T23:00 ->
        open -> 50
        poll 2026-12-02T00:10 ->
        open ->
        poll 2026-12-02T00:15 ->
        """,
    ),
    (
        "what was told before the end is not told again by its late hours",
        MONTH,
        """
        poll 2026-11-30T22:00 ->
        spend 2026-11-30T22 55
        poll 2026-11-30T23:00 -> 50
        poll 2026-12-01T00:05 ->
        spend 2026-11-30T23 10
        poll 2026-12-01T00:10 ->
        poll 2026-12-03T20:00 ->
        """,
    ),
    (
        "a late hour tells the next threshold of the month that ended, and that one alone",
        MONTH,
        """
        poll 2026-11-30T22:00 ->
        spend 2026-11-30T22 55
        poll 2026-11-30T23:00 -> 50
        poll 2026-12-01T00:05 ->
        spend 2026-11-30T23 30
        poll 2026-12-01T00:10 -> 80
        poll 2026-12-01T00:15 ->
        """,
    ),
    (
        "the settlement of the last day counts, two days later",
        MONTH,
        """
        poll 2026-11-30T22:00 ->
        spend 2026-11-30T22 49
        poll 2026-12-02T12:00 ->
        spend 2026-11-30T22 51
        poll 2026-12-03T01:00 -> 50
        """,
    ),
    (
        "three days after its end a period is history",
        MONTH,
        """
        poll 2026-11-30T22:00 ->
        poll 2026-12-04T00:00 ->
        spend 2026-11-30T22 51
        poll 2026-12-04T00:05 ->
        """,
    ),
    (
        "away over the month's end: what was crossed meanwhile is told on return",
        MONTH,
        """
        poll 2026-11-29T22:00 ->
        spend 2026-11-30T10 85
        poll 2026-12-09T09:00 -> 80+50
        poll 2026-12-09T09:05 ->
        poll 2026-12-10T09:05 ->
        open ->
        """,
    ),
    (
        "a new database does not tell of the month before, then or later",
        MONTH,
        """
        spend 2026-11-30T10 85
        poll 2026-12-01T05:00 ->
        poll 2026-12-01T05:05 ->
        """,
    ),
    (
        "at the first judgement what is crossed already is told",
        MONTH,
        """
        spend 2026-11-05T10 85
        poll 2026-11-20T05:00 -> 80+50
        """,
    ),
    (
        "hours never read hide nothing that is known: a crossing of the rest is told",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        hole 2026-11-05T04
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        """,
    ),
    (
        "data that do not reach back to the period's start prove what they hold, and no more",
        {"start": moment("2026-11-08")},
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 45
        poll 2026-11-10T05:00 ->
        spend 2026-11-10T05 10
        poll 2026-11-10T06:00 -> 50
        """,
    ),
    # ------------------------------------------------------------------------------------------------- edits
    (
        "a lowered limit tells what is newly crossed and repeats nothing",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        limit 60
        poll 2026-11-10T05:05 -> 80
        """,
    ),
    (
        "a raised limit arms anew what it has undone: crossed once more, it is told once more",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        limit 1000
        poll 2026-11-10T05:05 ->
        open ->
        spend 2026-11-11T04 500
        poll 2026-11-11T05:00 -> 50
        poll 2026-11-11T05:05 ->
        open -> 50
        """,
    ),
    (
        "a raised limit repeats nothing of what is crossed at the new one too",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 85
        poll 2026-11-10T05:00 -> 80+50
        limit 105
        poll 2026-11-10T05:05 ->
        open -> 50, 80
        limit 120
        poll 2026-11-10T05:10 ->
        open -> 50
        spend 2026-11-10T05 11
        poll 2026-11-10T06:00 -> 80
        """,
    ),
    (
        "a limit raised and lowered back repeats nothing",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        limit 1000
        poll 2026-11-10T05:05 ->
        limit 100
        poll 2026-11-10T05:10 ->
        spend 2026-11-10T05 10
        poll 2026-11-10T06:00 ->
        """,
    ),
    (
        "a limit raised and lowered by less tells what is crossed at the one in between",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        limit 1000
        poll 2026-11-10T05:05 ->
        spend 2026-11-10T05 10
        poll 2026-11-10T06:00 ->
        limit 120
        poll 2026-11-10T06:05 -> 50
        """,
    ),
    (
        "a limit raised twice is told at each height, and no height twice",
        {"thresholds": (50.0,)},
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        limit 200
        poll 2026-11-10T05:05 ->
        spend 2026-11-10T05 50
        poll 2026-11-10T06:00 -> 50
        limit 400
        poll 2026-11-10T06:05 ->
        limit 200
        poll 2026-11-10T06:10 ->
        limit 100
        poll 2026-11-10T06:15 ->
        limit 400
        spend 2026-11-10T06 100
        poll 2026-11-10T07:00 -> 50
        """,
    ),
    (
        "after a raised limit a lower threshold is told again though a higher one was told before",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 85
        poll 2026-11-10T05:00 -> 80+50
        limit 200
        poll 2026-11-10T05:05 ->
        open ->
        spend 2026-11-10T05 20
        poll 2026-11-10T06:00 -> 50
        spend 2026-11-10T06 60
        poll 2026-11-10T07:00 -> 80
        """,
    ),
    (
        "a limit raised just over a figure that was restated away arms the threshold anew",
        {"thresholds": (50.0,)},
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        spend 2026-11-10T04 20
        poll 2026-11-10T06:00 ->
        limit 105
        poll 2026-11-10T06:05 ->
        open ->
        spend 2026-11-10T06 33
        poll 2026-11-10T07:00 -> 50
        """,
    ),
    (
        "a limit raised and a restart between forget nothing",
        {"thresholds": (50.0,)},
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        restart
        limit 200
        poll 2026-11-10T05:05 ->
        restart
        limit 100
        poll 2026-11-10T05:10 ->
        restart
        limit 200
        spend 2026-11-10T05 50
        poll 2026-11-10T06:00 -> 50
        restart
        poll 2026-11-10T06:05 ->
        """,
    ),
    (
        "a raised limit arms the keys that it frees, each by itself",
        {"per": ("api_key",), "thresholds": (50.0,)},
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55 a
        spend 2026-11-10T04 95 b
        poll 2026-11-10T05:00 -> apikey_a:50, apikey_b:50
        limit 180
        poll 2026-11-10T05:05 ->
        open -> 50
        spend 2026-11-10T05 40 a
        spend 2026-11-10T05 40 b
        poll 2026-11-10T06:00 -> apikey_a:50
        """,
    ),
    (
        "a limit raised after the month's end changes nothing of what is listed of that month",
        MONTH,
        """
        poll 2026-11-30T23:50 ->
        spend 2026-11-30T23 55
        poll 2026-12-01T00:10 -> 50
        limit 1000
        poll 2026-12-01T00:15 ->
        open -> 50
        """,
    ),
    (
        "a lowered limit that is crossed by a figure restated later is told then",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 45
        poll 2026-11-10T05:00 ->
        limit 95
        poll 2026-11-10T05:05 ->
        spend 2026-11-10T04 48
        poll 2026-11-10T06:00 -> 50
        """,
    ),
    (
        "a lowered limit tells once what it newly crosses, restated below and back, and through a restart",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        limit 55
        poll 2026-11-10T05:05 -> 100+80
        spend 2026-11-10T04 30
        poll 2026-11-10T06:00 ->
        restart
        spend 2026-11-10T04 60
        poll 2026-11-10T07:00 ->
        open -> 50, 80, 100
        """,
    ),
    (
        "a budget put back with a higher limit repeats nothing of what it has crossed at that one too",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 58
        poll 2026-11-10T05:00 -> 50
        remove
        poll 2026-11-10T05:05 ->
        limit 110
        restore
        poll 2026-11-10T05:10 ->
        spend 2026-11-10T05 30
        poll 2026-11-10T06:00 -> 80
        """,
    ),
    (
        "a new key that joins `per` is told of by itself, and repeats nothing of the others",
        {"per": ("api_key",)},
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55 a
        poll 2026-11-10T05:00 -> apikey_a:50
        spend 2026-11-10T05 85 b
        poll 2026-11-10T06:00 -> apikey_b:80+50
        poll 2026-11-10T06:05 ->
        """,
    ),
    (
        "a dimension that joins `per` makes other budgets of it, whose crossings are told; the old ones stay listed",
        {"per": ("api_key",), "thresholds": (50.0,)},
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55 a
        poll 2026-11-10T05:00 -> apikey_a:50
        per workspace api_key
        poll 2026-11-10T05:05 -> wrkspc_1/apikey_a:50
        open -> 50, 50
        poll 2026-11-10T05:10 ->
        """,
    ),
    (
        "a raised limit leaves the thresholds not yet told in force",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        limit 1000
        spend 2026-11-11T04 800
        poll 2026-11-11T05:00 -> 80
        """,
    ),
    (
        "a threshold added below one that was told is not told: the higher one said it",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 85
        poll 2026-11-10T05:00 -> 80+50
        thresholds 50 60 80 100
        poll 2026-11-10T05:05 ->
        open -> 50, 60, 80
        """,
    ),
    (
        "a threshold added above those told is told when it is crossed",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 85
        poll 2026-11-10T05:00 -> 80+50
        thresholds 50 80 90 100
        poll 2026-11-10T05:05 ->
        spend 2026-11-10T05 6
        poll 2026-11-10T06:00 -> 90
        """,
    ),
    (
        "a threshold taken out is listed no more, and put back is not told again",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        thresholds 80 100
        poll 2026-11-10T05:05 ->
        open ->
        thresholds 50 80 100
        poll 2026-11-10T05:10 ->
        """,
    ),
    (
        "a budget edited after the month's end is not held against that month",
        MONTH,
        """
        poll 2026-11-30T22:00 ->
        spend 2026-11-30T22 45
        poll 2026-12-01T05:00 ->
        limit 10
        poll 2026-12-01T05:05 ->
        """,
    ),
    (
        "a budget that is removed takes its crossings along, silently",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        remove
        poll 2026-11-10T05:05 ->
        open ->
        """,
    ),
    (
        "a budget that is removed and put back within the period repeats nothing, and goes on from there",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        remove
        poll 2026-11-10T05:05 ->
        restore
        poll 2026-11-20T05:10 ->
        spend 2026-11-20T05 30
        poll 2026-11-20T06:00 -> 80
        """,
    ),
    # ------------------------------------------------------------------------------------- scopes and selectors
    (
        "per key each key has its own budget",
        {"per": ("api_key",)},
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 45 a
        spend 2026-11-10T04 55 b
        poll 2026-11-10T05:00 -> apikey_b:50
        spend 2026-11-10T05 40 a
        poll 2026-11-10T06:00 -> apikey_a:80+50
        """,
    ),
    (
        "without `per` all keys share one",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 30 a
        spend 2026-11-10T04 30 b
        poll 2026-11-10T05:00 -> 50
        """,
    ),
    (
        "several dimensions make a budget of each combination",
        {"per": ("workspace", "model")},
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 30 a
        spend 2026-11-10T04 30 console
        spend 2026-11-10T04 30 b
        poll 2026-11-10T05:00 -> wrkspc_1/claude-opus-5:50
        """,
    ),
    (
        "Console use is a key of its own",
        {"per": ("api_key",)},
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55 console
        poll 2026-11-10T05:00 -> Console:50
        """,
    ),
    (
        "a selector leaves the rest out",
        {"select": Selector(workspace="wrkspc_2")},
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 300 a
        spend 2026-11-10T04 55 b
        poll 2026-11-10T05:00 -> 50
        """,
    ),
    (
        "a key that was renamed is the same key",
        {"per": ("api_key",)},
        """
        poll 2026-11-10T04:00 ->
        rename a ci-runner
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> ci-runner:50
        rename a build-runner
        poll 2026-11-10T05:05 ->
        """,
    ),
    # ------------------------------------------------------------------------------------------- tokens
    (
        "tokens are told in tokens",
        {"measure": Measure("tokens", "output"), "thresholds": (50.0, Threshold(amount=9, unit="tokens")), "limit": 10},
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 0.000000005
        poll 2026-11-10T05:00 -> 50
        spend 2026-11-10T05 0.000000004
        poll 2026-11-10T06:00 -> 9 tokens
        open -> 50, 9tokens
        """,
    ),
    (
        "a budget that counts something else from now on is another one: the old crossings end silently",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        measure tokens output
        poll 2026-11-10T05:10 -> 50
        open -> 50
        measure usd
        poll 2026-11-10T05:20 ->
        open ->
        """,
    ),
    # ------------------------------------------------------------------------------------------- quarters and years
    (
        "a quarter counts what was spent before the view begins",
        QUARTER,
        """
        poll 2026-10-01T04:00 ->
        spend 2026-10-02T04 45
        poll 2026-10-03T04:00 ->
        spend 2026-12-20T04 10
        poll 2026-12-20T06:00 -> 50
        since -> 2026-12-20T04
        """,
    ),
    (
        "a crossing that is only seen when it lies before the view has the first hour of its day",
        QUARTER,
        """
        poll 2026-10-01T04:00 ->
        spend 2026-10-02T17 55
        poll 2026-12-20T06:00 -> 50
        since -> 2026-10-02T00
        """,
    ),
    (
        "a crossing is told once, whether its hours lie in the view or long before it",
        QUARTER,
        """
        poll 2026-10-01T04:00 ->
        spend 2026-10-02T17 55
        poll 2026-10-02T18:00 -> 50
        restart
        poll 2026-12-20T06:00 ->
        open -> 50
        spend 2026-12-21T04 30
        poll 2026-12-21T05:00 -> 80
        poll 2027-01-04T00:00 ->
        open ->
        """,
    ),
    (
        "a late figure of a day before the view crosses",
        YEAR,
        """
        poll 2026-01-01T04:00 ->
        spend 2026-02-02T04 40
        poll 2026-11-02T04:00 ->
        spend 2026-02-02T04 51
        poll 2026-11-02T04:05 -> 50
        restart
        poll 2026-11-02T04:10 ->
        """,
    ),
    (
        "what is restated to less long before the view takes nothing back that was told",
        YEAR,
        """
        poll 2026-01-01T04:00 ->
        spend 2026-02-02T04 51
        poll 2026-02-02T05:00 -> 50
        spend 2026-02-02T04 20
        poll 2026-11-02T04:00 ->
        open -> 50
        spend 2026-11-03T04 30
        poll 2026-11-03T05:00 ->
        """,
    ),
    (
        "a year is over at midnight, and the next one begins from nothing",
        YEAR,
        """
        poll 2026-01-01T04:00 ->
        spend 2026-03-02T04 79
        poll 2026-12-31T23:30 -> 50
        spend 2026-12-31T23 1
        poll 2027-01-01T01:00 -> 80
        spend 2027-01-01T00 49
        poll 2027-01-01T02:00 ->
        spend 2027-01-01T01 1
        poll 2027-01-01T02:30 -> 50
        """,
    ),
    (
        "a year that ended is judged for three days, by all of it",
        YEAR,
        """
        poll 2026-01-01T04:00 ->
        spend 2026-03-02T04 79
        poll 2026-12-31T23:30 -> 50
        poll 2027-01-02T01:00 ->
        spend 2026-12-31T20 1
        poll 2027-01-03T01:00 -> 80
        poll 2027-01-04T00:00 ->
        spend 2026-12-31T20 21
        poll 2027-01-04T01:00 ->
        """,
    ),
    (
        "a year in Kolkata begins at half past six, and what was spent in the hours before counts for the year before",
        YEAR | {"timezone": "Asia/Kolkata"},
        """
        poll 2026-12-31T19:10 ->
        spend 2026-12-31T18 60
        spend 2026-12-31T19 51
        poll 2027-06-01T04:00 -> 50
        since -> 2026-12-31T19
        """,
    ),
    (
        "a quarter in New York begins at four",
        QUARTER | {"timezone": "America/New_York"},
        """
        poll 2026-07-01T04:10 ->
        spend 2026-07-01T03 60
        spend 2026-07-01T04 51
        poll 2026-09-20T04:00 -> 50
        since -> 2026-07-01T04
        """,
    ),
    (
        "a quarter in Auckland begins on the day before",
        QUARTER | {"timezone": "Pacific/Auckland"},
        """
        poll 2026-06-30T13:00 ->
        spend 2026-06-30T11 60
        spend 2026-06-30T12 51
        poll 2026-09-20T04:00 -> 50
        since -> 2026-06-30T12
        """,
    ),
    (
        "a fiscal year begins with its month, on its billing day",
        YEAR | {"starts": Starts(day=6, month=4)},
        """
        poll 2026-04-06T01:00 ->
        spend 2026-04-05T23 90
        spend 2026-04-06T00 51
        poll 2027-04-01T04:00 -> 50
        spend 2027-04-05T23 30
        poll 2027-04-06T02:00 -> 80
        poll 2027-04-10T02:00 ->
        open ->
        """,
    ),
    (
        "fiscal quarters are counted from the month that the year begins with",
        QUARTER | {"starts": Starts(month=2)},
        """
        poll 2026-05-01T01:00 ->
        spend 2026-04-30T23 60
        spend 2026-05-01T00 51
        poll 2026-07-31T04:00 -> 50
        poll 2026-08-01T04:00 ->
        spend 2026-08-01T04 50
        poll 2026-08-01T05:00 -> 50
        """,
    ),
    (
        "given dates may be a year",
        {"period": "once", "dates": (date(2026, 2, 1), date(2027, 2, 2)), "shown": 70},
        """
        poll 2026-02-01T01:00 ->
        spend 2026-01-31T23 60
        spend 2026-02-01T00 51
        poll 2027-02-01T23:00 -> 50
        poll 2027-02-05T03:00 ->
        open ->
        """,
    ),
    (
        "each key has its own quarter, one that fell silent long ago too",
        QUARTER | {"per": ("api_key",)},
        """
        poll 2026-10-01T04:00 ->
        spend 2026-10-02T17 55 a
        spend 2026-10-02T17 45 b
        poll 2026-12-20T06:00 -> apikey_a:50
        spend 2026-12-20T05 36 b
        poll 2026-12-20T06:05 -> apikey_b:80+50
        """,
    ),
    (
        "a quarter of which hours were never read is unsure, and what is known of it crosses all the same",
        QUARTER,
        """
        poll 2026-10-01T04:00 ->
        hole 2026-10-02T04
        hole 2026-11-30T04
        spend 2026-10-02T05 51
        unsure 2026-12-20T06:00 -> 2 hours of Q4 2026 have never been read
        poll 2026-12-20T06:00 -> 50
        """,
    ),
    (
        "a year that began before the data do is unsure, and what is known of it crosses all the same",
        YEAR | {"start": moment("2026-05-05")},
        """
        poll 2026-05-05T04:00 ->
        spend 2026-05-05T05 51
        unsure 2026-12-20T06:00 -> 2026 begins before the data do: they reach back to 5 May, 00:00 UTC
        poll 2026-12-20T06:00 -> 50
        """,
    ),
    # ------------------------------------------------------------------------------------------- plans
    (
        "a planned period has its own limit, and the others have the one of all",
        MONTH,
        """
        plan 2026-12=200
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 80
        poll 2026-11-10T05:00 -> 80+50
        spend 2026-12-02T04 99
        poll 2026-12-02T05:00 ->
        spend 2026-12-02T05 1
        poll 2026-12-02T06:00 -> 50
        """,
    ),
    (
        "without a limit of all, a period that is not planned is not judged",
        MONTH,
        """
        limit none
        plan 2026-12=100
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 9999
        poll 2026-11-10T05:00 ->
        open ->
        spend 2026-12-02T04 85
        poll 2026-12-02T05:00 -> 80+50
        """,
    ),
    (
        "a period is named by the local day on which it begins",
        {"timezone": "Europe/Berlin", "starts": Starts(day=15)},
        """
        limit none
        plan 2026-11=100 2026-12=1000
        poll 2026-11-14T22:00 ->
        spend 2026-11-14T22 60
        poll 2026-11-14T22:30 ->
        spend 2026-11-14T23 60
        poll 2026-11-14T23:30 -> 50
        spend 2026-12-14T22 30
        poll 2026-12-14T22:30 -> 80
        spend 2026-12-14T23 400
        poll 2026-12-14T23:30 ->
        """,
    ),
    (
        "weeks are named as the calendar numbers them",
        WEEK,
        """
        limit none
        plan 2026-W53=100
        poll 2026-12-28T04:00 ->
        spend 2026-12-31T04 30
        spend 2027-01-03T04 30
        poll 2027-01-03T05:00 -> 50
        spend 2027-01-04T04 500
        poll 2027-01-04T05:00 ->
        """,
    ),
    (
        "quarters and years are named by the calendar, a fiscal year by that in which it begins",
        {"period": "year", "starts": Starts(month=4)},
        """
        limit none
        plan 2026=100 2027=1000
        poll 2026-04-02T04:00 ->
        spend 2026-04-02T04 60
        poll 2026-04-02T05:00 -> 50
        spend 2027-04-01T04 90
        poll 2027-04-01T05:00 ->
        """,
    ),
    (
        "days are named by their date",
        DAY,
        """
        plan 2026-12-24=1000
        poll 2026-12-23T04:00 ->
        spend 2026-12-24T04 400
        poll 2026-12-24T05:00 ->
        spend 2026-12-25T04 60
        poll 2026-12-25T05:00 -> 50
        """,
    ),
    (
        "a plan that is lowered within its period tells what is newly crossed, once",
        MONTH,
        """
        plan 2026-11=100
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        plan 2026-11=60
        poll 2026-11-10T05:10 -> 80
        poll 2026-11-10T05:20 ->
        open -> 50, 80
        """,
    ),
    (
        "a plan that is raised within its period arms what it undoes",
        MONTH,
        """
        plan 2026-11=100
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        plan 2026-11=200
        poll 2026-11-10T05:10 ->
        open ->
        spend 2026-11-11T04 50
        poll 2026-11-11T05:00 -> 50
        """,
    ),
    (
        "a plan edited for another period tells nothing of this one",
        MONTH,
        """
        plan 2026-12=100
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        plan 2026-12=10
        poll 2026-11-10T05:10 ->
        open -> 50
        """,
    ),
    (
        "what was planned and is taken out is listed no more, and put back it repeats nothing",
        MONTH,
        """
        limit none
        plan 2026-11=100
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        plan 2026-12=100
        poll 2026-11-10T05:10 ->
        open ->
        plan 2026-11=100
        poll 2026-11-10T05:20 ->
        spend 2026-11-11T04 30
        poll 2026-11-11T05:00 -> 80
        """,
    ),
    (
        "the late hours of a period are judged by what was planned for it",
        MONTH,
        """
        plan 2026-11=100 2026-12=10
        poll 2026-11-30T22:00 ->
        poll 2026-12-01T00:10 ->
        spend 2026-11-30T23 55
        poll 2026-12-01T00:40 -> 50
        """,
    ),
    (
        "an amount of its own is told under a plan as it stands",
        MONTH,
        """
        thresholds 50 $90
        plan 2026-11=200
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 95
        poll 2026-11-10T05:00 -> $90
        spend 2026-11-10T05 5
        poll 2026-11-10T06:00 -> 50
        """,
    ),
    # ------------------------------------------------------------------------------------------- limits of the Console
    (
        "each workspace is judged by the limit that the Console has for it",
        {"per": ("workspace",)},
        """
        caps wrkspc_1=100 wrkspc_2=1000
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 85 a
        spend 2026-11-10T04 85 b
        poll 2026-11-10T05:00 -> wrkspc_1:80+50
        """,
    ),
    (
        "a workspace without a limit is not judged",
        {"per": ("workspace",)},
        """
        caps wrkspc_2=1000
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 99999 a
        poll 2026-11-10T05:00 ->
        """,
    ),
    (
        "a limit of the Console that is lowered tells what is newly crossed",
        {"per": ("workspace",)},
        """
        caps wrkspc_1=100
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55 a
        poll 2026-11-10T05:00 -> wrkspc_1:50
        caps wrkspc_1=60
        poll 2026-11-10T05:10 -> wrkspc_1:80
        open -> 50, 80
        """,
    ),
    (
        "a limit of the Console that is raised arms what it undoes",
        MONTH,
        """
        caps *=100
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 85 a
        poll 2026-11-10T05:00 -> 80+50
        caps *=150
        poll 2026-11-10T05:10 ->
        open -> 50
        spend 2026-11-11T04 40
        poll 2026-11-11T05:00 -> 80
        """,
    ),
    (
        "a limit of the Console that is taken away ends its crossings silently, and put back it repeats nothing",
        MONTH,
        """
        caps *=100
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 85 a
        poll 2026-11-10T05:00 -> 80+50
        caps
        poll 2026-11-10T05:10 ->
        open ->
        spend 2026-11-11T04 40
        poll 2026-11-11T05:00 ->
        caps *=100
        poll 2026-11-11T05:10 -> 100
        """,
    ),
    (
        "while the limits are not known nothing is told, and what is listed stays",
        MONTH,
        """
        caps *=100
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55 a
        poll 2026-11-10T05:00 -> 50
        caps unknown
        spend 2026-11-11T04 40
        poll 2026-11-11T05:00 ->
        open -> 50
        caps *=100
        poll 2026-11-11T05:10 -> 80
        """,
    ),
    (
        "a limit of the Console that was lowered after a day's end tells nothing of that day",
        DAY,
        """
        caps *=100
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 45 a
        poll 2026-11-10T23:50 ->
        caps *=50
        poll 2026-11-11T00:10 ->
        """,
    ),
    (
        "a limit of nothing is crossed by the first cent, in one message",
        {"per": ("workspace",)},
        """
        caps wrkspc_1=0
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 0.01 a
        poll 2026-11-10T05:00 -> wrkspc_1:100+80+50
        """,
    ),
]


@pytest.mark.parametrize(("options", "script"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_budget_tells(options: dict[str, Any], script: str) -> None:
    settings = {"period": "month", "timezone": "UTC", "limit": parse_usd("100"), "thresholds": (50.0, 80.0, 100.0)}
    start = options.get("start", moment("2026-01-01"))
    chosen = settings | {key: value for key, value in options.items() if key not in {"start", "shown"}}
    Story(Budget(name="spend", **chosen), start=start, shown=options.get("shown")).run(script)


LONG = [row for row in ROWS if "shown" in row[1]]


@pytest.mark.parametrize(("options", "script"), [row[1:] for row in LONG], ids=[row[0] for row in LONG])
def test_a_budget_tells_the_same_where_everything_is_known_by_the_hour(options: dict[str, Any], script: str) -> None:
    told = [line for line in script.splitlines() if not line.strip().startswith(("since", "unsure"))]
    test_a_budget_tells({key: value for key, value in options.items() if key != "shown"}, "\n".join(told))


def test_a_script_that_expects_the_wrong_thing_fails() -> None:
    story = Story(Budget("spend", "month", "UTC", parse_usd("100"), (50.0,)))
    with pytest.raises(AssertionError):
        story.run("poll 2026-11-10T04:00 ->\nspend 2026-11-10T04 55\npoll 2026-11-10T05:00 ->")
