"""Groups, waits, repeats, escalations and times of day: each row is a sentence and a script that shows it.

Beside the lines of `test_quiet` (`at MINUTES: verdicts -> messages`), a message is written with its reason in front:
`+` new in group, `^` repeated, `!` escalated, and `>RECEIVER` behind where it is not the first receiver's.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import lifecycle, routing
from rules.groups import Group
from rules.hearing import Audience
from rules.intervals import TimeInterval
from rules.labels import read
from rules.model import Alert, Budget, Names, Notification, Reason, Route, Scope, State, Verdict
from rules.money import parse_usd
from rules.quiet_requests import hear
from rules.routes import Timing
from tests.rules.test_alert_scenarios import BEGIN, KEYS
from tests.rules.test_quiet import Hush, K, Night
from tests.rules.test_routing import CONFIGURED, anomaly
from tests.rules.timing import MANY, SIZES, within

NAMES = Names(workspace_of_key=KEYS)
MARKS = {Reason.NEW: "+", Reason.REPEATED: "^", Reason.ESCALATED: "!", Reason.INITIAL: "="}


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def route(receiver: str = "ops", *match: str, routes: tuple[Route, ...] = (), **timing: Any) -> Route:
    return Route(receiver, tuple(map(read, match)), timing=Timing(**timing), routes=routes, place=f"{receiver}{match}")


@dataclass
class Post(Night):
    """A night whose messages wait for each other."""

    routes: tuple[Route, ...] = ()
    groups: dict[str, Group] = field(default_factory=dict)
    existing: tuple[str, ...] | None = None
    """The receivers that there are."""

    def judge(self, verdicts: list[Verdict], now: datetime) -> tuple[Notification, ...]:
        self.now = now
        kept, groups = pickle.loads(pickle.dumps((self.alerts, self.groups)))
        known = [alert for alert in kept.values() if alert.ends_at is None]
        asked = hear(self.waiting, tuple(self.silences.values()), known, now)
        self.answers += asked.answers
        self.waiting = []
        self.silences.update((silence.id, silence) for silence in asked.changed)
        known = list(lifecycle.applied(known, asked.alerts))
        self.alerts.update((alert.id, alert) for alert in asked.alerts)
        advance = lifecycle.advance(known, verdicts, self.configured, NAMES, now)
        over = {member.alert for group in groups.values() for member in group.members if member.over}
        audience = Audience(
            self.routes,
            self.existing,
            silences=tuple(silence for silence in asked.silences if silence.holds(now)),
            groups=tuple(groups.values()),
            ended=tuple(kept[ident] for ident in over),
        )
        routed = routing.notifications(
            advance, known, audience, organization_name="Acme", first_judgement=self.first, now=now, names=NAMES
        )
        self.first = False
        self.alerts.update((alert.id, alert) for alert in routed.alerts)
        for group in routed.groups:
            self.groups.pop(group.id, None)
            if not group.is_over:
                self.groups[group.id] = group
        self.told.extend(routed.notifications)
        return routed.notifications

    def shown(self, message: Notification) -> str:
        text = super().shown(message).removeprefix("=")
        behind = "" if message.receiver == self.routes[0].receiver else f">{message.receiver}"
        return MARKS.get(message.reason, "") + text + behind


BY_WORKSPACE = {"routes": (route(group_by=("workspace",), group_wait=minutes(5), group_interval=minutes(20)),)}
ALL = {"routes": (route(group_by=(), group_interval=minutes(20)),)}
REPEATED = {"routes": (route(repeat_interval=minutes(60)),)}
ESCALATED = {"routes": (route(escalate_after=minutes(30), escalate_to="pager"),)}
NIGHT = TimeInterval("night", times=((0, 60),))
# Stories begin at noon.
LUNCH = TimeInterval("lunch", times=((12 * 60, 13 * 60),))
MUTED = {"routes": (route(mute=(LUNCH,)),)}
ROWS: list[tuple[str, dict[str, Any], str]] = [
    ("a group waits for more", BY_WORKSPACE, "at 0: k!60 ->\nat 3: k!60 j!60 ->\nat 5: k!60 j!60 -> (j k)"),
    ("a group of one too", BY_WORKSPACE, "at 0: k!60 ->\nat 5: k!60 -> k\nat 10: k!60 ->"),
    (
        "what ended before it was told is told to nobody",
        BY_WORKSPACE,
        "at 0: k!60 ->\nat 3: k. ->\nat 5: ->\nat 90: ->",
    ),
    (
        "what joins later waits for the interval, and says that it is new",
        ALL,
        "at 0: k!60 -> k\nat 5: k!60 j!60 ->\nat 19: k!60 j!60 ->\nat 20: k!60 j!60 -> +j",
    ),
    (
        "after the interval it is told at once",
        ALL,
        "at 0: k!60 -> k\nat 50: k!60 j!60 -> +j",
    ),
    (
        "an end waits for the interval too, and is told though the alert is no longer among the open ones",
        ALL,
        "at 0: k!60 -> k\nat 5: k. ->\nat 15: ->\nat 20: -> k*\nat 40: ->",
    ),
    (
        "what begins and what ends within an interval are two messages, the first about what fires",
        ALL,
        "at 0: k!60 -> k\nat 5: k. j!60 ->\nat 20: j!60 -> +j k*",
    ),
    (
        "what began and ended within an interval is told to nobody",
        ALL,
        "at 0: k!60 -> k\nat 5: k!60 j!60 ->\nat 10: k!60 j. ->\nat 20: k!60 ->",
    ),
    (
        "a group that is over begins anew",
        ALL,
        "at 0: k!60 -> k\nat 30: k. -> k*\nat 31: j!60 -> j",
    ),
    (
        "at the first judgement all is one message, and groups wait for nothing",
        BY_WORKSPACE | {"first": True},
        "at 0: k!60 j!60 -> =(j k)\nat 30: k. j!60 -> k*",
    ),
    (
        "what fires on is told again after the repeat interval, and again",
        REPEATED,
        "at 0: k!60 -> k\nat 59: k!60 ->\nat 60: k!60 -> ^k\nat 119: k!60 ->\nat 120: k!60 -> ^k\nat 130: k. -> k*",
    ),
    (
        "what is acknowledged is not told again, and its end is",
        REPEATED,
        "at 0: k!60 -> k\nack k\nat 30: k!60 ->\nat 60: k!60 ->\nat 90: k. -> k*",
    ),
    (
        "what is clear already is not told again",
        REPEATED | {"keep_firing_for": minutes(60)},
        "at 0: k!60 -> k\nat 50: k. ->\nat 60: k. ->\nat 110: k. -> k*",
    ),
    (
        "what is silenced is not told again",
        REPEATED,
        f"at 0: k!60 -> k\nsilence {K} 30 90\nat 30: k!60 ->\nat 60: k!60 ->\nat 90: k!60 -> ^k",
    ),
    (
        "what nobody acknowledges is told to somebody else, once, and its end to both",
        ESCALATED,
        "at 0: k!60 -> k\nat 29: k!60 ->\nat 30: k!60 -> !k>pager\nat 60: k!60 ->\nat 90: k. -> k* k*>pager",
    ),
    (
        "what is acknowledged in time is not",
        ESCALATED,
        "at 0: k!60 -> k\nack k\nat 20: k!60 ->\nat 30: k!60 ->\nat 90: k. -> k*",
    ),
    ("what is over in time is not", ESCALATED, "at 0: k!60 -> k\nat 20: k. -> k*\nat 40: ->"),
    (
        "what a silence holds when it would be escalated is escalated afterwards",
        ESCALATED,
        f"at 0: k!60 -> k\nsilence {K} 20 50\nat 20: k!60 ->\nat 30: k!60 ->\nat 50: k!60 -> !k>pager",
    ),
    (
        "what comes while a route is muted is told afterwards",
        MUTED,
        "at 0: k!60 ->\nat 59: k!60 ->\nat 60: k!60 -> k",
    ),
    (
        "also at the first judgement, and what other routes take is told then",
        {"routes": (route(mute=(LUNCH,)), route("pager", "api_key=apikey_j")), "first": True},
        "at 0: k!60 j!60 -> =j>pager\nat 59: k!60 j!60 ->\nat 60: k!60 j!60 -> k j",
    ),
    ("and not, if it is over by then", MUTED, "at 0: k!60 ->\nat 59: k. ->\nat 60: ->"),
    (
        "an end too is told afterwards",
        {"routes": (route(mute=(TimeInterval("late", times=((12 * 60 + 10, 12 * 60 + 30),)),)),)},
        "at 0: k!60 -> k\nat 15: k. ->\nat 30: -> k*",
    ),
    (
        "a route that is active at some times is muted at all others",
        {"routes": (route(active=(TimeInterval("afternoon", times=((13 * 60, 18 * 60),)),)),)},
        "at 0: k!60 ->\nat 60: k!60 -> k",
    ),
    (
        "a silence holds back what waits in a group, and what it does not match goes out",
        BY_WORKSPACE,
        f"at 0: k!60 j!60 ->\nsilence {K} 2 30\nat 2: k!60 j!60 ->\nat 5: k!60 j!60 -> j\nat 30: k!60 j!60 -> +k",
    ),
    (
        "what a key explains travels in the message of its group",
        BY_WORKSPACE,
        "at 0: k!60 org!60 ->\nat 5: k!60 org!60 -> k[org]",
    ),
    (
        "who is told because nobody else said anything is told of the end, though it waited in a group for longer",
        {
            "routes": (
                route(escalate_after=minutes(30), escalate_to="pager"),
                route("pager", group_by=(), group_wait=minutes(60)),
            )
        },
        "at 0: k!60 -> k\nat 30: k!60 -> !k>pager\nat 45: k. -> k* k*>pager\nat 90: ->",
    ),
    (
        "and is not told a second time when the wait is over",
        {
            "routes": (
                route(escalate_after=minutes(30), escalate_to="pager"),
                route("pager", group_by=(), group_wait=minutes(60)),
            )
        },
        "at 0: k!60 -> k\nat 30: k!60 -> !k>pager\nat 60: k!60 ->\nat 90: k!60 ->",
    ),
    (
        "two receivers have groups of their own",
        {"routes": (route(group_by=(), group_wait=minutes(5)), route("mail", group_by=(), group_wait=minutes(10)))},
        "at 0: k!60 ->\nat 5: k!60 -> k\nat 10: k!60 -> k>mail\nat 20: k. -> k* k*>mail",
    ),
]


@pytest.mark.parametrize(("options", "script"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_posting(options: dict[str, Any], script: str) -> None:
    Post(**options).run(script)


def test_a_route_inside_another_has_what_it_takes_and_the_outer_one_the_rest() -> None:
    inner = route("keys", "api_key=apikey_k")
    post = Post(routes=(Route("ops", routes=(inner,), place="0"), route("audit")))
    post.run("at 0: k!60 j!60 -> j k>keys j>audit k>audit")


def test_what_waits_for_a_route_that_is_no_more_is_sent_at_once() -> None:
    post = Post(**BY_WORKSPACE)
    post.run("at 0: k!60 ->")
    post.routes = (route("ops", "severity=critical"),)
    post.run("at 1: k!60 -> k")


def test_who_was_still_to_be_told_of_what_ended_has_not_heard_of_it() -> None:
    post = Post(routes=(route(group_by=(), group_wait=minutes(5)), route("audit")))
    post.run("at 0: k!60 -> k>audit\nat 3: k. -> k*>audit")
    (alert,) = post.alerts.values()
    assert (alert.state, alert.heard) == (State.RESOLVED, ("audit",))


@pytest.mark.parametrize("back", [20, 200])
def test_a_receiver_that_was_away_hears_of_no_end_before_its_beginning(back: int) -> None:
    post = Post(routes=(route(group_by=(), group_wait=minutes(5)),))
    post.run("at 0: k!60 ->")
    post.existing = ()
    post.run("at 10: k!60 ->")
    post.existing = None
    if back == 20:
        post.run("at 20: k!60 -> k\nat 30: k. -> k*")
    else:
        post.run("at 30: k. ->")
    assert not post.groups


def test_a_storm_of_groups_is_three_messages_and_names_all() -> None:
    routes = (route(group_by=("api_key",), group_interval=minutes(0), repeat_interval=minutes(60)),)
    keys = [f"key{number:03}" for number in range(500)]
    breaches = [anomaly(Scope("org_1", api_key=key), 60) for key in keys]

    def send(verdicts: list[Any], known: list[Alert], groups: tuple[Group, ...], at: int) -> routing.Routed:
        now = BEGIN + minutes(at)
        advance = lifecycle.advance(known, verdicts, CONFIGURED, Names(), now)
        audience = Audience(routes, groups=groups)
        return routing.notifications(advance, known, audience, organization_name="A", first_judgement=False, now=now)

    first = send(breaches[:300], [], (), 0)
    assert [len(message.alerts) for message in first.notifications] == [300]
    cleared = [lifecycle.Clear(each.subject) for each in breaches[:100]]
    second = send([*cleared, *breaches[100:]], list(first.alerts), first.groups, 60)
    assert [message.reason for message in second.notifications] == [Reason.FIRST, Reason.REPEATED, Reason.RESOLVED]
    assert [len(message.alerts) for message in second.notifications] == [200, 200, 100]
    assert len({message.id for message in (*first.notifications, *second.notifications)}) == 4


def test_the_same_judgement_again_makes_the_same_messages_even_later() -> None:
    post = Post(**REPEATED)
    post.run("at 0: k!60 -> k")
    kept = pickle.dumps(post)
    (once,) = post.judge([post.verdict("k!60")], BEGIN + minutes(60))
    (again,) = pickle.loads(kept).judge([post.verdict("k!60")], BEGIN + minutes(65))
    assert once.id == again.id


@given(
    st.lists(st.tuples(st.integers(1, 40), st.sampled_from(["k!60", "k.", "k?", "j!60", "j.", "ack", ""])), max_size=25)
)
def test_what_fires_is_told_before_its_end_and_no_state_that_lasts_is_lost(steps: list[tuple[int, str]]) -> None:
    timing = {"group_wait": minutes(5), "group_interval": minutes(20), "repeat_interval": minutes(60)}
    post = Post(routes=(route(group_by=("workspace",), **timing, escalate_after=minutes(30), escalate_to="pager"),))
    now = BEGIN
    for wait, word in steps:
        now += minutes(wait)
        if word == "ack":
            post.waiting = []
            continue
        post.judge([post.verdict(word)] if word else [], now)
    for _ in range(3):
        now += minutes(21)
        post.judge([], now)
    for receiver in ("ops", "pager"):
        told: dict[str, list[State]] = {}
        for message in post.told:
            for alert in message.alerts if message.receiver == receiver else ():
                told.setdefault(alert.id, []).append(alert.state)
        for states in told.values():
            assert states[0] is State.FIRING
            assert State.RESOLVED not in states[:-1]
        over = {ident for ident in told if post.alerts[ident].state is State.RESOLVED}
        assert over == {ident for ident, states in told.items() if states[-1] is State.RESOLVED}
    firing = {each.id for each in post.alerts.values() if each.state is State.FIRING and each.inhibited_by is None}
    assert firing <= {alert.id for message in post.told for alert in message.alerts}


FORTNIGHT = TimeInterval("fortnight", days_of_month=((-1, -1), (1, 14)))
WEEKEND = TimeInterval("weekend", days_of_month=((-1, -1), (1, 2)))
OUTLIVED: list[tuple[str, TimeInterval, str]] = [
    (
        "a budget crossed while its route is muted is told when that is over, though its period is too, and once",
        WEEKEND,
        """
        poll 2026-11-30T04:00 ->
        spend 2026-11-30T04 55
        poll 2026-11-30T05:00 ->
        poll 2026-12-01T00:05 ->
        open -> 50
        poll 2026-12-02T23:55 ->
        poll 2026-12-03T00:00 -> 50
        poll 2026-12-03T00:05 ->
        open ->
        """,
    ),
    (
        "it is not, where a silence held it back when its period ended",
        WEEKEND,
        """
        poll 2026-11-30T04:00 ->
        silence kind=budget until 2026-12-01T08:00
        spend 2026-11-30T04 55
        poll 2026-11-30T05:00 ->
        poll 2026-12-01T00:05 ->
        open ->
        poll 2026-12-03T00:00 ->
        """,
    ),
    (
        "nor where nobody can be told within a week",
        FORTNIGHT,
        """
        poll 2026-11-30T04:00 ->
        spend 2026-11-30T04 55
        poll 2026-11-30T05:00 ->
        poll 2026-12-07T23:55 ->
        open -> 50
        poll 2026-12-08T00:00 ->
        open ->
        poll 2026-12-15T00:00 ->
        """,
    ),
]


@pytest.mark.parametrize(("mute", "script"), [row[1:] for row in OUTLIVED], ids=[row[0] for row in OUTLIVED])
def test_a_crossing_within_a_muted_stretch_outlives_its_period(mute: TimeInterval, script: str) -> None:
    budget = Budget("spend", "month", "UTC", parse_usd("100"), (50.0, 80.0, 100.0))
    Hush(budget, routes=(route(mute=(mute,)),)).run(script)


@pytest.mark.parametrize("count", SIZES)
@pytest.mark.parametrize("labels", [("workspace",), ()])
def test_thousands_of_alerts_are_grouped_without_a_step_per_pair(labels: tuple[str, ...], count: int) -> None:
    alerts = [anomaly(Scope("org_1", workspace=f"w{n % 50}", api_key=f"k{n}"), 60) for n in range(count)]
    advance = lifecycle.advance((), alerts, CONFIGURED, Names(), BEGIN)
    audience = Audience((route(group_by=labels, group_wait=minutes(5)),))
    routed = within(
        1.4 * count / MANY,
        lambda: routing.notifications(advance, (), audience, organization_name="A", first_judgement=False, now=BEGIN),
    )
    assert (len(routed.groups), routed.notifications) == (50 if labels else 1, ())
    assert sum(len(group.members) for group in routed.groups) == count


def test_an_interval_is_of_the_local_clock() -> None:
    office = TimeInterval("office", "Europe/Berlin", ((9 * 60, 17 * 60),), (0, 1, 2, 3, 4))
    friday = datetime.fromisoformat("2026-11-20T08:00+00:00")
    assert office.holds(friday)
    assert not office.holds(friday - minutes(1))
    assert not office.holds(friday + timedelta(hours=8))
    assert not office.holds(friday + timedelta(days=1))
    assert office.holds(datetime.fromisoformat("2026-07-03T07:00+00:00"))


@pytest.mark.parametrize(
    ("days", "day", "within"),
    [
        ((1, 7), "2026-02-01", True),
        ((1, 7), "2026-02-08", False),
        ((-1, -1), "2026-02-28", True),
        ((-1, -1), "2024-02-28", False),
        ((29, 31), "2026-02-28", False),
        ((25, -1), "2026-02-25", True),
    ],
)
def test_days_of_a_month_count_from_its_end_too(days: tuple[int, int], day: str, within: bool) -> None:
    moment = datetime.fromisoformat(f"{day}T12:00+00:00")
    assert TimeInterval("x", days_of_month=(days,)).holds(moment) is within
