"""A receiver that is taken out of the configuration while messages wait for it: who hears of it now is told instead."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from rules import lifecycle, routing
from rules.hearing import Audience
from rules.model import Clear, Names, Reason, Route, Scope, State
from rules.quieted import Silence
from rules.routes import Timing
from tests.rules.test_routing import CONFIGURED, NOW, anomaly

MINUTE = timedelta(minutes=1)
BREACH = anomaly(Scope("org_1", api_key="k"), 60)


def judge(
    before: routing.Routed | None,
    routes: Sequence[Route],
    minute: int,
    *,
    untold: Collection[str] = (),
    over: bool = False,
    silences: Sequence[Silence] = (),
) -> routing.Routed:
    now = NOW + minute * MINUTE
    known = () if before is None else before.alerts
    verdict = Clear(BREACH.subject) if over else BREACH
    advance = lifecycle.advance(known, [verdict], CONFIGURED, Names(), now)
    receivers = tuple(dict.fromkeys(each for route in routes for each in route.receivers))
    audience = Audience(
        routes, receivers, groups=() if before is None else before.groups, untold=frozenset(untold), silences=silences
    )
    routed = routing.notifications(
        advance, known, audience, organization_name="A", first_judgement=False, now=now, names=Names()
    )
    return replace(routed, alerts=lifecycle.applied(known, routed.alerts))


def told(routed: routing.Routed) -> list[tuple[str, Reason]]:
    return [(message.receiver, message.reason) for message in routed.notifications]


def test_what_waits_for_a_receiver_that_is_no_more_is_told_to_who_hears_of_it_now() -> None:
    first = judge(None, [Route("old")], 0)
    (alert,) = first.alerts
    second = judge(first, [Route("new")], 5, untold=[alert.id])
    assert told(second) == [("new", Reason.FIRST)]
    third = judge(second, [Route("new")], 10, untold=[alert.id])
    assert told(third) == []
    assert told(judge(third, [Route("new")], 15, untold=[alert.id], over=True)) == [("new", Reason.RESOLVED)]


def test_what_was_delivered_to_it_is_told_to_nobody_again() -> None:
    first = judge(None, [Route("old")], 0)
    assert told(judge(first, [Route("new")], 5)) == []


def test_what_somebody_else_has_heard_is_told_to_nobody_again() -> None:
    first = judge(None, [Route("old", goes_on=True), Route("audit")], 0)
    (alert,) = first.alerts
    assert told(judge(first, [Route("audit")], 5, untold=[alert.id])) == []


def test_what_has_ended_meanwhile_is_told_to_nobody() -> None:
    first = judge(None, [Route("old")], 0)
    (alert,) = first.alerts
    second = judge(first, [Route("new")], 5, untold=[alert.id], over=True)
    assert told(second) == []
    assert [each.state for each in second.alerts] == [State.RESOLVED]


def test_what_waits_in_a_group_of_a_receiver_that_is_no_more_is_told_to_who_hears_of_it_now() -> None:
    timing = Timing(group_by=(), group_wait=10 * MINUTE)
    first = judge(None, [Route("old", timing=timing)], 0)
    assert told(first) == []
    second = judge(first, [Route("new", timing=timing)], 5)
    assert told(second) == []
    assert told(judge(second, [Route("new", timing=timing)], 15)) == [("new", Reason.FIRST)]


@pytest.mark.parametrize("minute", [5, 6])
def test_where_nobody_hears_of_it_now_nothing_changes(minute: int) -> None:
    first = judge(None, [Route("old")], 0)
    (alert,) = first.alerts
    second = judge(first, [], minute, untold=[alert.id])
    assert told(second) == []
    assert second.alerts == first.alerts


def test_it_is_told_once_a_silence_that_holds_it_back_is_over() -> None:
    first = judge(None, [Route("old")], 0)
    (alert,) = first.alerts
    hush = Silence("s", (), NOW, NOW + 30 * MINUTE, "", "")
    second = judge(first, [Route("new")], 5, untold=[alert.id], silences=[hush])
    assert told(second) == []
    assert told(judge(second, [Route("new")], 35, untold=[alert.id])) == [("new", Reason.FIRST)]
