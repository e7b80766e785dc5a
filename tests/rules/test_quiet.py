"""Silences and acknowledgements: each row is a sentence and a script that shows it.

Beside the lines of `tests.rules.test_alert_scenarios` (`at MINUTES: verdicts -> messages`):

    silence MATCHER FROM UNTIL    asked for; the next judgement carries it out; times are minutes
    expire N                      the Nth silence, likewise
    ack K                         the alert on K, likewise
    answer -> TEXT                the outcome of the request that was answered last begins so
    held -> K L                   the open alerts that are shown as silenced after the last judgement
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from rules import lifecycle, quiet, routing
from rules.asked import Answer, Request
from rules.hearing import Audience
from rules.labels import read
from rules.matchers import split
from rules.model import Names, Notification, Route, Scope, State, Verdict
from rules.quiet_requests import ACKNOWLEDGE, ADD, EXPIRE, MOST_SILENCES, hear, silence_id
from rules.quieted import Silence, Silenced
from tests.rules.test_alert_scenarios import BEGIN, HOUR, KEYS, Story, name_of
from tests.rules.test_budget_commands import KEYS as EACH_KEY
from tests.rules.test_budget_commands import MONTH, Desk, desk
from tests.rules.test_routing import CONFIGURED, anomaly
from tests.rules.timing import MANY, SIZES, within

NAMES = Names(workspace_of_key=KEYS)


@dataclass
class Night(Story):
    """A story in which people want quiet."""

    silences: dict[str, Silence] = field(default_factory=dict)
    waiting: list[Request] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    now: datetime = BEGIN

    def run(self, script: str) -> None:
        for line in filter(None, map(str.strip, script.splitlines())):
            verb, _, rest = line.partition(" ")
            if verb == "at":
                super().run(line)
            else:
                getattr(self, f"do_{verb}")(rest)

    def do_silence(self, rest: str) -> None:
        matcher, begins, ends = rest.split()
        starts_at, ends_at = (BEGIN + timedelta(minutes=int(minutes)) for minutes in (begins, ends))
        number = self.ask(
            ADD,
            matchers=split(matcher),
            starts_at=starts_at.isoformat(),
            ends_at=ends_at.isoformat(),
            comment="a load test",
        )
        self.order.append(silence_id(number, self.now, "ann"))

    def do_expire(self, rest: str) -> None:
        self.ask(EXPIRE, silence=self.order[int(rest) - 1])

    def do_ack(self, rest: str) -> None:
        (alert,) = [each for each in self.alerts.values() if name_of(each) == rest]
        self.ask(ACKNOWLEDGE, alert=alert.id, comment="on it")

    def do_answer(self, rest: str) -> None:
        assert self.answers[-1].outcome.startswith(rest.removeprefix("-> ")), self.answers[-1]

    def do_held(self, rest: str) -> None:
        open_ones = [alert for alert in self.alerts.values() if alert.state is not State.RESOLVED]
        held = {name_of(alert) for alert in open_ones if alert.silenced is not None}
        assert held == set(rest.removeprefix("->").split())

    def ask(self, what: str, **details: Any) -> int:
        number = len(self.waiting) + len(self.answers) + 1
        self.waiting.append(Request(number, self.now, "ann", what, details))
        return number

    def judge(self, verdicts: list[Verdict], now: datetime) -> tuple[Notification, ...]:
        self.now = now
        kept = pickle.loads(pickle.dumps(self.alerts))
        known = [alert for alert in kept.values() if alert.ends_at is None]
        asked = hear(self.waiting, tuple(self.silences.values()), known, now)
        self.answers += asked.answers
        self.waiting = []
        self.silences.update((silence.id, silence) for silence in asked.changed)
        known = list(lifecycle.applied(known, asked.alerts))
        self.alerts.update((alert.id, alert) for alert in asked.alerts)
        advance = lifecycle.advance(known, verdicts, self.configured, NAMES, now)
        holding = tuple(silence for silence in asked.silences if silence.holds(now))
        audience = Audience([Route(receiver) for receiver in self.receivers], silences=holding)
        routed = routing.notifications(
            advance, known, audience, organization_name="Acme", first_judgement=self.first, now=now, names=NAMES
        )
        self.first = False
        self.alerts.update((alert.id, alert) for alert in routed.alerts)
        self.told.extend(routed.notifications)
        return routed.notifications


K = "api_key=apikey_k"
ROWS: list[tuple[str, dict[str, Any], str]] = [
    (
        "a silence that began before the alert: told once when it has ended",
        {},
        f"silence {K} 0 30\nat 5: k!60 ->\nheld -> k\nat 29: k!60 ->\nat 30: k!60 -> k\nheld ->\nat 35: k!60 ->",
    ),
    ("what ended within the silence says nothing", {}, f"silence {K} 0 30\nat 5: k!60 ->\nat 10: k. ->\nat 30: k. ->"),
    (
        "what was told before and ended within the silence says nothing",
        {},
        f"at 0: k!60 -> k\nsilence {K} 0 30\nat 5: k!60 ->\nheld -> k\nat 10: k. ->\nat 30: k. ->",
    ),
    (
        "what was told before is not repeated when the silence ends",
        {},
        f"at 0: k!60 -> k\nsilence {K} 0 30\nat 5: k!60 ->\nat 30: k!60 ->\nheld ->\nat 35: k. -> k*",
    ),
    (
        "told after the silence, its end is told too",
        {},
        f"silence {K} 0 30\nat 5: k!60 ->\nat 30: k!60 -> k\nat 35: k. -> k*",
    ),
    (
        "a second stretch after the silence is told",
        {},
        f"silence {K} 0 30\nat 5: k!60 ->\nat 10: k. ->\nat 35: k!60 -> k",
    ),
    (
        "a silence to come holds nothing yet",
        {},
        f"silence {K} 10 30\nat 5: k!60 -> k\nheld ->\nat 10: k!60 ->\nheld -> k",
    ),
    ("others are told", {}, f"silence {K} 0 30\nat 5: k!60 j!60 -> j\nat 30: k!60 j!60 -> k"),
    ("a silence that matches nothing holds nothing", {}, "silence api_key=nobody 0 30\nat 5: k!60 -> k\nheld ->"),
    (
        "of two that overlap the one that ends last counts",
        {},
        f"silence {K} 0 20\nsilence kind=anomaly 10 40\nat 5: k!60 ->\nat 20: k!60 ->\nat 39: ->\nat 40: k!60 -> k",
    ),
    (
        "a gap between two is enough to tell it",
        {},
        f"silence {K} 0 20\nsilence {K} 25 40\nat 5: k!60 ->\nat 20: k!60 -> k\nat 25: k!60 ->\nat 40: k!60 ->",
    ),
    (
        "all matchers must hold",
        {},
        f"silence {K},severity=critical 0 30\nat 5: k!60 -> k",
    ),
    (
        "a silence that expires by hand ends with the judgement that carries it out",
        {},
        f"silence {K} 0 90\nat 5: k!60 ->\nexpire 1\nat 10: k!60 -> k\nanswer -> expired: \nat 15: k!60 ->",
    ),
    (
        "what has expired cannot expire",
        {},
        f"silence {K} 0 90\nat 5: ->\nexpire 1\nat 10: ->\nexpire 1\nat 15: ->\nanswer -> refused: no silence",
    ),
    (
        "a silence whose time was over before any judgement is refused",
        {},
        f"silence {K} 0 30\nat 35: k!60 -> k\nanswer -> refused: its time was over",
    ),
    (
        "no data keep what waits waiting, and it is told though",
        {},
        f"silence {K} 0 30\nat 5: k!60 ->\nat 30: k? -> k",
    ),
    (
        "what is clear already when the silence ends is not told",
        HOUR,
        f"silence {K} 0 30\nat 5: k!60 ->\nat 20: k. ->\nat 30: k. ->\nat 80: k. ->\nat 85: ->",
    ),
    (
        "unless it is in breach again",
        HOUR,
        f"""
        silence {K} 0 30
        at 5: k!60 ->
        at 20: k. ->
        at 30: k. ->
        at 40: k!60 -> k
        at 45: k. ->
        at 105: k. -> k*
        """,
    ),
    (
        "six that waited are one message",
        {},
        "silence kind=anomaly 0 30\nat 5: a!6 b!6 c!6 d!6 e!6 f!6 ->\nat 30: -> (a b c d e f)",
    ),
    # ------------------------------------------------------------------------------- with one story, one message
    (
        "a wider alert that a silenced one tells is silent with it, and told inside it afterwards",
        {},
        f"silence {K} 0 30\nat 5: k!60 w!60 ->\nat 10: k!60 w!60 ->\nat 30: k!60 w!60 -> k[w]\nat 35: k. w. -> k*",
    ),
    (
        "a wider alert is told when the silenced one ends and it does not",
        {},
        f"silence {K} 0 30\nat 5: k!60 w!60 ->\nat 10: k. w!60 -> w\nat 30: w!60 ->",
    ),
    (
        "a silenced wider alert leaves the key alone",
        {},
        "silence api_key= 0 30\nat 5: k!60 w!60 -> k[w]\nat 30: k!60 w!60 ->",
    ),
    (
        "a waiting wider alert that a key explains by then is told inside the key's message, which was told",
        {},
        "silence workspace=wrkspc_w,api_key= 0 30\nat 5: w!60 ->\nat 10: k!60 w!60 -> k\nat 30: k!60 w!60 ->",
    ),
    # ------------------------------------------------------------------------------------------ acknowledgement
    (
        "an acknowledgement changes nothing that is told",
        {},
        "at 0: k!60 -> k\nack k\nat 5: k!60 ->\nanswer -> acknowledged: \nat 10: k. -> k*",
    ),
    ("what has ended cannot be acknowledged", {}, "at 0: k!60 -> k\nack k\nat 5: k. -> k*\nanswer -> acknowledged"),
    ("nor later", {}, "at 0: k!60 -> k\nat 5: k. -> k*\nack k\nat 10: ->\nanswer -> refused: the alert has ended"),
]


@pytest.mark.parametrize(("options", "script"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_quiet(options: dict[str, Any], script: str) -> None:
    Night(**options).run(script)


def test_an_alert_says_which_silence_holds_it_until_when_by_whom_and_why() -> None:
    story = Night()
    story.run(f"silence {K} 0 20\nsilence kind=anomaly 0 40\nat 5: k!60 ->")
    (alert,) = story.alerts.values()
    assert alert.silenced == Silenced(story.order[1], BEGIN + timedelta(minutes=40), "ann", "a load test")


def test_an_acknowledgement_stays_with_the_alert_and_not_with_the_next_one() -> None:
    story = Night()
    story.run("at 0: k!60 -> k\nack k\nat 5: k!70 ->\nat 10: k!80 ->\nat 15: k. -> k*\nat 20: k!60 -> k")
    first, second = story.alerts.values()
    assert first.acknowledged is not None
    assert (first.acknowledged.by, first.acknowledged.comment) == ("ann", "on it")
    assert first.acknowledged.at == BEGIN + timedelta(minutes=5)
    assert second.acknowledged is None


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"matchers": [], "comment": "x"},
        {"matchers": ["a"], "comment": "x"},
        {"matchers": [f"{K}"], "starts_at": "soon", "ends_at": "later", "comment": "x"},
        {"matchers": 7, "starts_at": BEGIN.isoformat(), "ends_at": BEGIN.isoformat(), "comment": "x"},
        {"matchers": [f"{K}"], "starts_at": "2026-11-20T12:00", "ends_at": "2026-11-20T13:00", "comment": "x"},
        {"matchers": [f"{K}"], "starts_at": "2026-11-20T12:00Z", "ends_at": "2029-11-20T13:00Z", "comment": "x"},
    ],
)
@pytest.mark.parametrize("what", [ADD, EXPIRE, ACKNOWLEDGE])
def test_what_cannot_be_read_is_refused_and_changes_nothing(what: str, details: dict[str, Any]) -> None:
    asked = hear([Request(1, BEGIN, "ann", what, details)], (), (), BEGIN)
    assert [answer.outcome.startswith("refused: ") for answer in asked.answers] == [True]
    assert [answer.done for answer in asked.answers] == [False]
    assert (asked.changed, asked.alerts, asked.silences) == ((), (), ())
    assert asked.acts[0].details["outcome"] == asked.answers[0].outcome


def test_there_may_be_so_many_silences_and_no_more() -> None:
    some = tuple(
        Silence(str(number), (read(K),), BEGIN, BEGIN + timedelta(hours=1), "ann", "x")
        for number in range(MOST_SILENCES)
    )
    details = {
        "matchers": [K],
        "starts_at": BEGIN.isoformat(),
        "ends_at": (BEGIN + timedelta(hours=1)).isoformat(),
        "comment": "x",
    }
    one = Request(1, BEGIN, "ann", ADD, details)
    assert hear([one], some, (), BEGIN).answers[0].outcome.startswith("refused: there are 500 silences already")
    assert hear([one], some[1:], (), BEGIN).answers[0].outcome.startswith("silenced: ")


@pytest.mark.parametrize("count", SIZES)
def test_thousands_of_alerts_by_twenty_silences_in_under_a_second(count: int) -> None:
    breaches = [anomaly(Scope("org_1", api_key=f"apikey_{i:05d}"), 10) for i in range(count)]
    alerts = lifecycle.advance((), breaches, CONFIGURED, NAMES, BEGIN).alerts
    silences = [
        Silence(str(i), (read(f'api_key=~".*9{i}"'), read("kind=anomaly")), BEGIN, BEGIN + timedelta(hours=1), "a", "b")
        for i in range(10, 30)
    ]
    held = within(count / MANY, lambda: list(quiet.look(alerts, silences, NAMES, ())))
    assert len(held) == 20 * len(range(929, count, 1000))


# ------------------------------------------------------------------------------------- through whole judgements


@dataclass
class Hush(Desk):
    """A desk at which people ask for quiet too: `silence MATCHERS until TIME`, `ack PERCENT`."""

    def do_silence(self, rest: str) -> None:
        matchers, _, ends = rest.partition(" until ")
        self.ask_for(
            ADD,
            matchers=split(matchers),
            starts_at=self.now.isoformat(),
            ends_at=f"{ends}:00+00:00",
            comment="a load test",
        )

    def do_ack(self, rest: str) -> None:
        (alert,) = [one for one in self.alerts.values() if one.ends_at is None and one.subject.instance.endswith(rest)]
        self.ask_for(ACKNOWLEDGE, alert=alert.id, comment="on it")

    def do_taken(self, rest: str) -> None:
        taken = [one for one in self.alerts.values() if one.ends_at is None and one.acknowledged is not None]
        assert [one.subject.instance.rpartition("/")[2] for one in taken] == rest.removeprefix("->").split()

    def ask_for(self, what: str, **details: Any) -> None:
        self.numbers += 1
        self.waiting.append(Request(self.numbers, self.now, "ann", what, details))


WHOLE: list[tuple[str, dict[str, Any], str]] = [
    (
        "a crossing within a silence is told once when it has ended, over a restart",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        silence kind=budget until 2026-11-10T08:00
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 ->
        answer -> silenced:
        open -> 50
        restart
        poll 2026-11-10T07:59 ->
        restart
        poll 2026-11-10T08:00 -> 50
        poll 2026-11-10T08:05 ->
        """,
    ),
    (
        "of two crossed within the silence the higher is told",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        silence kind=budget until 2026-11-10T08:00
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 ->
        spend 2026-11-10T05 30
        poll 2026-11-10T06:00 ->
        open -> 50, 80
        poll 2026-11-10T08:00 -> 80
        poll 2026-11-10T08:05 ->
        """,
    ),
    (
        "a lower one that waits is not told after a higher one was",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        silence severity=info until 2026-11-10T08:00
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 ->
        spend 2026-11-10T05 30
        poll 2026-11-10T06:00 -> 80
        poll 2026-11-10T08:00 ->
        """,
    ),
    (
        "a lower one is told though a higher one is silenced still",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        silence severity=info until 2026-11-10T08:00
        silence severity=warning until 2026-11-10T09:00
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 ->
        spend 2026-11-10T05 30
        poll 2026-11-10T06:00 ->
        poll 2026-11-10T08:00 -> 50
        poll 2026-11-10T09:00 -> 80
        """,
    ),
    (
        "a period that ends within the silence says nothing",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        silence kind=budget until 2026-12-01T08:00
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 ->
        poll 2026-12-01T00:05 ->
        open ->
        poll 2026-12-01T08:05 ->
        """,
    ),
    (
        "of a budget for each key only the silenced key is held back",
        EACH_KEY,
        """
        poll 2026-11-10T04:00 ->
        silence api_key=apikey_a until 2026-11-10T08:00
        spend 2026-11-10T04 55 a
        spend 2026-11-10T04 55 b
        poll 2026-11-10T05:00 -> apikey_b:50
        poll 2026-11-10T08:00 -> apikey_a:50
        """,
    ),
    (
        "a judgement that was lost before it was kept has silenced nothing, and the next one does",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        silence kind=budget until 2026-11-10T08:00
        spend 2026-11-10T04 55
        lose
        poll 2026-11-10T05:00 ->
        poll 2026-11-10T05:05 ->
        answer -> silenced:
        poll 2026-11-10T08:00 -> 50
        """,
    ),
    (
        "asked between requests about budgets, each is answered in its order",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        pause
        silence kind=budget until 2026-11-10T08:00
        resume
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 ->
        answer -> resumed
        poll 2026-11-10T08:00 -> 50
        """,
    ),
    (
        "an acknowledgement stays through restarts and figures that change, until the period ends",
        MONTH,
        """
        poll 2026-11-10T04:00 ->
        spend 2026-11-10T04 55
        poll 2026-11-10T05:00 -> 50
        ack 50
        poll 2026-11-10T05:05 ->
        answer -> acknowledged:
        taken -> 50
        restart
        spend 2026-11-10T05 5
        poll 2026-11-10T06:00 ->
        taken -> 50
        poll 2026-12-01T00:05 ->
        taken ->
        """,
    ),
]


@pytest.mark.parametrize(("options", "script"), [row[1:] for row in WHOLE], ids=[row[0] for row in WHOLE])
def test_quiet_in_whole_judgements(options: dict[str, Any], script: str) -> None:
    Hush(desk(options).budget).run(script)


def test_an_alert_of_an_earlier_version_that_was_told_ends_with_a_message_after_a_silence() -> None:
    story = Night()
    story.run("at 0: k!60 -> k")
    story.alerts = {ident: replace(alert, heard=None) for ident, alert in story.alerts.items()}
    story.run(f"silence {K} 0 30\nat 5: k!60 ->\nat 30: k!60 ->\nat 35: k. -> k*")
