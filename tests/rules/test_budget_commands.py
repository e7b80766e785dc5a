"""What people ask about budgets, and what is told after it: each row is a sentence and a script that shows it.

Beside the words of `tests.rules.test_budget_semantics`, which these scripts are run with through whole judgements:

    pause [until TIME], resume, reset [LEAF]    ask for it, now or `at TIME` at the end; the next poll carries it out
    paused, unpaused                            the configuration says so from now on
    lose                                        the next judgement is made, and lost before it was kept
    answer -> TEXT                              the outcome of the request that was answered last begins so
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from rules import hindsight, judgement
from rules.asked import Act, Answer, Request
from rules.budget_requests import PAUSE, RESET, RESUME
from rules.drift import DriftRule
from rules.groups import Group
from rules.judgement import Past, Rules, decide
from rules.model import HOUR, Budget, Names, Notification, Route, Selector, Snapshot
from rules.money import parse_usd
from rules.pauses import recall
from rules.prices import PriceRule
from rules.quieted import Silence
from rules.triggers import BurnPair
from tests.rules.test_budget_semantics import DAY, LEAVES, MONTH, ORGANIZATION, ROLLING, Story, moment
from tests.rules.test_budget_triggers import Script

KEYS = {"per": ("api_key",)}


@dataclass
class Desk(Story):
    """A story in which people ask for things; what is asked waits until a judgement that was kept has answered it."""

    waiting: list[Request] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    numbers: int = 0
    losing: bool = False
    silences: dict[str, Silence] = field(default_factory=dict)
    routes: tuple[Route, ...] = (Route("ops"),)
    groups: dict[str, Group] = field(default_factory=dict)

    def do_pause(self, rest: str) -> None:
        until = rest.partition("until ")[2].partition(" at ")[0]
        self.ask(PAUSE, rest, **({"until": moment(until).isoformat()} if until else {}))

    def do_resume(self, rest: str) -> None:
        self.ask(RESUME, rest)

    def do_reset(self, rest: str) -> None:
        leaf = rest.partition(" at ")[0].strip()
        self.ask(RESET, rest, **({"scope": {"api_key": LEAVES[leaf].api_key}} if leaf in LEAVES else {}))

    def do_paused(self, _: str) -> None:
        self.budget = replace(self.budget, paused=True)

    def do_unpaused(self, _: str) -> None:
        self.budget = replace(self.budget, paused=False)

    def do_lose(self, _: str) -> None:
        self.losing = True

    def do_answer(self, rest: str) -> None:
        assert self.answers[-1].outcome.startswith(rest.removeprefix("-> ")), self.answers[-1]

    def ask(self, what: str, rest: str, **details: Any) -> None:
        at = rest.partition("at ")[2]
        asked_at = moment(at) if at else self.now
        self.numbers += 1
        about = {"budget": self.budget.name, "reason": "a load test", **details}
        self.waiting.append(Request(self.numbers, asked_at, "ann", what, about))

    def judge(self, now: datetime) -> tuple[Notification, ...]:
        rules = Rules(
            (self.budget,) if self.configured else (),
            routes=self.routes,
            drift=DriftRule(enabled=False),
            prices=PriceRule(enabled=False),
        )
        since = judgement.closed_since(rules, self.remembered, now)
        known = [
            alert
            for alert in self.alerts.values()
            if alert.ends_at is None or (since is not None and alert.closes_at is not None and alert.closes_at > since)
        ]
        snapshot = Snapshot(ORGANIZATION, "Acme", self.view(now), Names(self.names))
        groups = tuple(self.groups.values())
        past = Past(known, self.remembered, tuple(self.waiting), tuple(self.silences.values()), groups)
        decision = decide(snapshot, rules, past, now)
        turned = replace(past, alerts=pickle.loads(pickle.dumps(known[::-1])))
        again = decide(snapshot, rules, turned, now)
        assert {alert.id: alert for alert in again.alerts} == {alert.id: alert for alert in decision.alerts}
        assert again.notifications == decision.notifications
        self.now = now
        if self.losing:
            self.losing = False
            return ()
        for alert in decision.alerts:
            before = self.alerts.get(alert.id)
            assert before is None or before.ends_at is None or alert.ends_at == before.ends_at, "an end is final"
        self.alerts.update((alert.id, alert) for alert in decision.alerts)
        self.remembered = decision.remember
        assert [answer.number for answer in decision.answers] == [request.number for request in self.waiting]
        self.answers += decision.answers
        self.acts += decision.acts
        self.silences.update((silence.id, silence) for silence in decision.silences)
        self.groups.update((group.id, group) for group in decision.groups)
        self.groups = {ident: group for ident, group in self.groups.items() if not group.is_over}
        self.waiting = []
        return tuple(each for each in decision.notifications if each.alerts[0].subject.kind == "budget")


ROWS: list[tuple[str, dict[str, Any], str]] = [
    # ------------------------------------------------------------------------------------------- pause
    (
        "a paused budget tells nothing; resumed, it tells what is crossed then in one message",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        pause
        spend 2026-11-10T04 85
        poll 2026-11-10T05:00 ->
        answer -> paused
        open ->
        poll 2026-11-12T05:00 ->
        resume
        poll 2026-11-12T06:00 -> 80+50
        answer -> resumed
        poll 2026-11-12T06:05 ->
        open -> 50, 80
        """,
    ),
    (
        "what had been told before the pause is not repeated after it",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        pause
        poll 2026-11-10T05:05 ->
        spend 2026-11-10T05 5
        poll 2026-11-10T06:00 ->
        open -> 50
        resume
        poll 2026-11-10T06:05 ->
        open -> 50
        """,
    ),
    (
        "told 50, crossed 80 and 100 in the pause: 100 tells of both",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        pause
        poll 2026-11-10T05:05 ->
        spend 2026-11-10T05 50
        poll 2026-11-10T06:00 ->
        resume
        poll 2026-11-10T06:05 -> 100+80
        """,
    ),
    (
        "the same poll that carries the pause out tells nothing any more",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        pause
        spend 2026-11-10T04 55
        poll 2026-11-10T04:05 ->
        """,
    ),
    (
        "what was crossed in the pause and restated away before its end is not told",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        pause
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 ->
        spend 2026-11-10T04 20
        resume
        poll 2026-11-10T06:00 ->
        """,
    ),
    (
        "a pause until a moment ends there by itself",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        pause until 2026-11-12T00:00
        spend 2026-11-10T04 55
        poll 2026-11-11T23:55 ->
        poll 2026-11-12T00:00 -> 50
        """,
    ),
    (
        "a pause whose time was over before any poll is refused",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        pause until 2026-11-10T05:00
        spend 2026-11-10T04 55
        poll 2026-11-10T06:00 -> 50
        answer -> refused: its time was over
        """,
    ),
    (
        "paused again, the newer moment counts",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        pause until 2026-11-12T00:00
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 ->
        pause until 2026-11-14T00:00
        poll 2026-11-11T05:00 ->
        poll 2026-11-12T05:00 ->
        poll 2026-11-14T05:00 -> 50
        """,
    ),
    (
        "a pause outlives restarts, edits of the budget and its removal",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        pause
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 ->
        restart
        poll 2026-11-10T05:05 ->
        limit 60
        poll 2026-11-10T05:10 ->
        thresholds 20 90
        poll 2026-11-10T05:15 ->
        remove
        poll 2026-11-10T05:20 ->
        restore
        poll 2026-11-10T05:25 ->
        resume
        poll 2026-11-10T05:30 -> 90+20
        """,
    ),
    (
        "a pause outlives the period, whose end closes what was listed",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        pause
        spend 2026-11-20T04 30
        poll 2026-11-30T23:00 ->
        open -> 50
        poll 2026-12-01T00:05 ->
        open ->
        spend 2026-12-01T00 55
        poll 2026-12-01T01:00 ->
        resume
        poll 2026-12-01T02:00 -> 50
        """,
    ),
    (
        "a period that ended in the pause is not told of afterwards, however late its figures come",
        DAY,
        """
        poll 2026-11-10T04:00 ->
        pause
        spend 2026-11-10T20 85
        poll 2026-11-10T21:00 ->
        poll 2026-11-11T05:00 ->
        resume
        poll 2026-11-11T06:00 ->
        spend 2026-11-10T21 40
        poll 2026-11-11T09:00 ->
        spend 2026-11-11T09 50
        poll 2026-11-11T10:00 -> 50
        """,
    ),
    (
        "a period that ended after the resume was asked for is told of, though no poll ran before",
        DAY,
        """
        poll 2026-11-10T04:00 ->
        pause
        spend 2026-11-10T20 55
        poll 2026-11-10T21:00 ->
        resume at 2026-11-10T22:00
        poll 2026-11-11T03:00 -> 50
        """,
    ),
    (
        "a pause that ran out while the watcher was away leaves the days after it to be told",
        DAY,
        """
        poll 2026-11-10T04:00 ->
        pause until 2026-11-11T12:00
        spend 2026-11-10T20 55
        poll 2026-11-10T21:00 ->
        spend 2026-11-11T20 85
        poll 2026-11-12T03:00 -> 80+50
        """,
    ),
    (
        "a limit raised in the pause undoes a crossing, which is told when it is reached after the pause",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        pause
        poll 2026-11-10T05:05 ->
        limit 200
        poll 2026-11-10T05:10 ->
        open ->
        spend 2026-11-10T05 50
        poll 2026-11-10T06:00 ->
        open ->
        resume
        poll 2026-11-10T06:05 -> 50
        """,
    ),
    (
        "a limit raised in the pause, and still crossed, is not told again",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 70
        poll 2026-11-10T05:00 -> 50
        pause
        poll 2026-11-10T05:05 ->
        limit 120
        poll 2026-11-10T05:10 ->
        open -> 50
        resume
        poll 2026-11-10T05:15 ->
        open -> 50
        """,
    ),
    (
        "a rolling budget that is paused arms its thresholds anew by its own rule, and tells after the pause",
        ROLLING,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        pause
        poll 2026-11-10T05:05 ->
        poll 2026-11-13T05:00 ->
        open ->
        spend 2026-11-13T05 55
        poll 2026-11-13T06:00 ->
        resume
        poll 2026-11-13T06:05 -> 50
        """,
    ),
    (
        "of a budget for each key the pause concerns all",
        KEYS,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55 a
        pause
        poll 2026-11-10T05:00 ->
        spend 2026-11-10T05 85 b
        poll 2026-11-10T06:00 ->
        resume
        poll 2026-11-10T07:00 -> apikey_a:50, apikey_b:80+50
        """,
    ),
    (
        "what is not paused cannot be resumed",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        resume
        poll 2026-11-10T05:00 ->
        answer -> refused: it is not paused
        """,
    ),
    # ------------------------------------------------------------------------------- paused = true
    (
        "paused by the configuration is paused, and taking it out tells what is crossed then",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        paused
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 ->
        restart
        poll 2026-11-10T05:05 ->
        unpaused
        poll 2026-11-10T05:10 -> 50
        """,
    ),
    (
        "a new budget that is paused tells nothing of a month that was crossed before, until it is resumed",
        {"paused": True},
        """
        spend 2026-11-09T04 55
        poll 2026-11-10T04:00 ->
        unpaused
        poll 2026-11-10T04:05 -> 50
        """,
    ),
    (
        "a day that ended while the configuration paused the budget is not told of",
        DAY,
        """
        poll 2026-11-10T04:00 ->
        paused
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 ->
        unpaused
        poll 2026-11-11T05:00 ->
        """,
    ),
    (
        "what the configuration pauses is not resumed by asking",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        paused
        poll 2026-11-10T04:05 ->
        resume
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 ->
        answer -> refused: the configuration pauses it
        """,
    ),
    (
        "paused twice it is resumed when both have ended",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        pause
        paused
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 ->
        resume
        poll 2026-11-10T05:05 ->
        answer -> resumed, but the configuration still pauses it
        unpaused
        poll 2026-11-10T05:10 -> 50
        """,
    ),
    # ------------------------------------------------------------------------------------------- reset
    (
        "a reset ends what was listed silently and tells what is still crossed in one message",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        spend 2026-11-10T05 30
        poll 2026-11-10T06:00 -> 80
        reset
        poll 2026-11-10T07:00 -> 80+50
        answer -> reset: 2 crossings ended, thresholds armed anew
        open -> 50, 80
        poll 2026-11-10T07:05 ->
        """,
    ),
    (
        "a crossing that was restated away is gone after a reset, and told when it is crossed again",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        spend 2026-11-10T04 20
        reset
        poll 2026-11-10T06:00 ->
        answer -> reset: 1 crossing ended
        open ->
        spend 2026-11-10T06 35
        poll 2026-11-10T07:00 -> 50
        """,
    ),
    (
        "reset twice, it is told twice more",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        reset
        poll 2026-11-10T06:00 -> 50
        restart
        poll 2026-11-10T06:05 ->
        reset
        poll 2026-11-10T07:00 -> 50
        poll 2026-11-10T07:05 ->
        open -> 50
        """,
    ),
    (
        "asked for twice before one poll it is one reset",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        reset
        reset
        poll 2026-11-10T06:00 -> 50
        answer -> reset: nothing was listed
        poll 2026-11-10T06:05 ->
        """,
    ),
    (
        "a reset of one key leaves the others alone",
        KEYS,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55 a
        spend 2026-11-10T04 55 b
        poll 2026-11-10T05:00 -> apikey_a:50, apikey_b:50
        reset a
        poll 2026-11-10T06:00 -> apikey_a:50
        answer -> reset: 1 crossing ended
        """,
    ),
    (
        "a reset is of the running period: what an ended one was told of stays told",
        DAY,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        reset
        poll 2026-11-11T05:00 ->
        answer -> reset: nothing was listed
        """,
    ),
    (
        "a threshold that was taken out and put back is told again after a reset",
        {"thresholds": (50.0, 80.0)},
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 85
        poll 2026-11-10T05:00 -> 80+50
        thresholds 50
        poll 2026-11-10T05:05 ->
        reset
        poll 2026-11-10T05:10 -> 50
        thresholds 50 80
        poll 2026-11-10T05:15 -> 80
        """,
    ),
    (
        "a limit raised and lowered again, which would tell nothing, tells after a reset",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        limit 200
        poll 2026-11-10T05:05 ->
        reset
        poll 2026-11-10T05:10 ->
        limit 100
        poll 2026-11-10T05:15 -> 50
        """,
    ),
    (
        "after a reset a raised limit arms a threshold anew as ever",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        reset
        poll 2026-11-10T06:00 -> 50
        limit 200
        poll 2026-11-10T06:05 ->
        open ->
        spend 2026-11-10T06 50
        poll 2026-11-10T07:00 -> 50
        poll 2026-11-10T07:05 ->
        """,
    ),
    (
        "the reset of a paused budget is told when it is resumed",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        pause
        reset
        poll 2026-11-10T06:00 ->
        open ->
        resume
        poll 2026-11-10T07:00 -> 50
        """,
    ),
    (
        "a rolling budget is reset at once, without waiting until spend is lower",
        ROLLING,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        reset
        poll 2026-11-10T06:00 -> 50
        poll 2026-11-10T06:05 ->
        open -> 50
        """,
    ),
    # -------------------------------------------------------------------------------------- kept or lost
    (
        "a reset whose judgement was lost is carried out by the next one, and told once",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        reset
        lose
        poll 2026-11-10T06:00 ->
        restart
        poll 2026-11-10T06:01 -> 50
        poll 2026-11-10T06:05 ->
        """,
    ),
    (
        "a pause whose judgement was lost holds from the next one on",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        pause
        spend 2026-11-10T04 55
        lose
        poll 2026-11-10T05:00 ->
        restart
        poll 2026-11-10T05:01 ->
        answer -> paused
        """,
    ),
]


@pytest.mark.parametrize(("_sentence", "budget", "script"), ROWS, ids=[row[0] for row in ROWS])
def test_what_is_asked_of_a_budget(_sentence: str, budget: dict[str, Any], script: str) -> None:
    desk(budget).run(script)


def desk(budget: dict[str, Any]) -> Desk:
    given = {"period": "month", "timezone": "UTC", "limit": parse_usd("100"), "thresholds": (50.0, 80.0, 100.0)}
    return Desk(Budget("budget", **{**given, "select": Selector(), **budget}))


@pytest.mark.parametrize(
    ("what", "details", "why"),
    [
        ("budgets explode", {"budget": "budget", "reason": ""}, "this version does not know 'budgets explode'"),
        (PAUSE, {"budget": "another", "reason": ""}, "no budget called 'another' is in force here"),
        (PAUSE, {"reason": ""}, "it cannot be read"),
        (PAUSE, {"budget": "budget"}, "it cannot be read"),
        (PAUSE, {"budget": "budget", "reason": "", "until": "soon"}, "it cannot be read"),
        (PAUSE, {"budget": "budget", "reason": "", "until": 5}, "it cannot be read"),
        (PAUSE, {"budget": "budget", "reason": "", "until": "2026-11-12T00:00"}, "it cannot be read"),
        (RESET, {"budget": "budget", "reason": "", "scope": "all"}, "it cannot be read"),
    ],
)
def test_what_cannot_be_carried_out_is_answered_and_stops_nothing(what: str, details: dict[str, Any], why: str) -> None:
    story = desk(MONTH)
    story.run("poll 2026-11-10T04:00 ->\nspend 2026-11-10T04 55")
    story.waiting.append(Request(7, story.now, "ann", what, details))
    story.run("poll 2026-11-10T05:00 -> 50")
    assert story.answers == [Answer(7, f"refused: {why}", done=False)]
    (act,) = story.acts
    assert (act.actor, act.what, act.details["done"]) == ("ann", what, False)


def test_the_journal_has_who_asked_why_when_and_what_became_of_it() -> None:
    story = desk(MONTH)
    story.run("poll 2026-11-10T04:00 ->\npause until 2026-11-12T00:00\npoll 2026-11-10T05:00 ->")
    (act,) = story.acts
    assert (act.actor, act.what) == ("ann", PAUSE)
    assert act.details == {
        "budget": "budget",
        "reason": "a load test",
        "until": "2026-11-12T00:00:00+00:00",
        "command": 1,
        "asked_at": "2026-11-10T04:00:00+00:00",
        "outcome": "paused",
        "done": True,
    }
    story.run("poll 2026-11-12T01:00 ->")
    assert (story.acts[1].actor, story.acts[1].what) == ("claude-watcher", RESUME)


def test_what_is_remembered_of_a_pause_goes_when_it_says_nothing_any_more() -> None:
    story = desk(DAY)
    story.run("poll 2026-11-10T04:00 ->\npause\npoll 2026-11-10T05:00 ->")
    assert recall(story.remembered).asked["budget"].by == "ann"
    story.run("resume\npoll 2026-11-10T06:00 ->\npoll 2026-11-10T07:00 ->")
    assert set(recall(story.remembered).resumed) == {"budget"}
    story.run("poll 2026-11-14T07:00 ->\npoll 2026-11-14T07:05 ->")
    assert "pauses" not in str(story.remembered)


def test_a_judgement_without_requests_and_pauses_remembers_what_it_always_did() -> None:
    story = desk(MONTH)
    story.run("poll 2026-11-10T04:00 ->")
    assert story.remembered == hindsight.watch([story.budget], None, story.now).remember


TRIGGERS = """
    flat 1
    poll 2026-11-10T13:50 ->
    spend 2026-11-10T14:00 2026-11-10T18:00 10
"""


def test_a_paused_budget_tells_neither_that_money_burns_nor_that_it_no_longer_does() -> None:
    story = Script(Budget("all", "month", "UTC", parse_usd("750"), (1000.0,), burn=(BurnPair(HOUR, HOUR, 4.0),)))
    story.run(f"{TRIGGERS}\npoll 2026-11-10T14:20 -> burn 1h/1h")
    story.budget = replace(story.budget, paused=True)
    story.run("polls 2026-11-10T14:25 2026-11-11T10:00 ->\nopen -> burn 1h/1h")
    story.budget = replace(story.budget, paused=False)
    story.run("polls 2026-11-11T10:00 2026-11-11T13:00 -> over burn 1h/1h")


def test_what_begins_to_burn_in_a_pause_is_told_once_it_is_over_and_still_burns() -> None:
    story = Script(Budget("all", "month", "UTC", parse_usd("750"), (1000.0,), burn=(BurnPair(HOUR, HOUR, 4.0),)))
    story.budget = replace(story.budget, paused=True)
    story.run(f"{TRIGGERS}\npolls 2026-11-10T14:20 2026-11-10T16:00 ->\nopen ->")
    story.budget = replace(story.budget, paused=False)
    story.run("poll 2026-11-10T16:20 -> burn 1h/1h")
