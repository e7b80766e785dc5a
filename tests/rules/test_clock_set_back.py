"""A clock that is set back by hours while alerts wait in groups: they go out no later than their waits say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from rules import lifecycle, routing
from rules.hearing import Audience
from rules.model import Breach, Names, Reason, Route, Scope, Verdict
from rules.routes import Timing
from tests.rules.test_routing import CONFIGURED, NOW, anomaly

MINUTE = timedelta(minutes=1)
BACK = -120
TIMING = Timing(
    group_by=(),
    group_wait=MINUTE,
    group_interval=5 * MINUTE,
    repeat_interval=60 * MINUTE,
    escalate_after=30 * MINUTE,
    escalate_to="boss",
)
ROUTES = (Route("ops", timing=TIMING),)


def breach(key: str) -> Breach:
    return anomaly(Scope("org_1", api_key=key), 60)


def judge(before: routing.Routed | None, verdicts: Sequence[Verdict], minute: float) -> routing.Routed:
    now = NOW + minute * MINUTE
    known = () if before is None else before.alerts
    audience = Audience(ROUTES, ("ops", "boss"), groups=() if before is None else before.groups)
    advance = lifecycle.advance(known, verdicts, CONFIGURED, Names(), now)
    routed = routing.notifications(
        advance, known, audience, organization_name="A", first_judgement=False, now=now, names=Names()
    )
    groups = {group.id: group for group in (*audience.groups, *routed.groups)}
    return replace(routed, alerts=lifecycle.applied(known, routed.alerts), groups=tuple(groups.values()))


def told(routed: routing.Routed) -> list[tuple[str, Reason, int]]:
    return [(message.receiver, message.reason, len(message.alerts)) for message in routed.notifications]


def test_what_waits_for_its_group_goes_out_within_its_waits() -> None:
    at = judge(None, [breach("a")], 0)
    at = judge(at, [breach("a")], BACK)
    assert told(judge(at, [breach("a")], BACK + 5)) == [("ops", Reason.FIRST, 1)]


def test_what_joins_a_group_that_was_told_in_a_time_that_is_to_come_waits_for_one_interval() -> None:
    at = judge(None, [breach("a")], 0)
    at = judge(at, [breach("a")], 1)
    at = judge(at, [breach("a"), breach("b")], BACK)
    assert told(judge(at, [breach("a"), breach("b")], BACK + 5)) == [("ops", Reason.NEW, 1)]


def test_it_is_escalated_and_repeated_by_the_new_time() -> None:
    at = judge(None, [breach("a")], 0)
    at = judge(at, [breach("a")], 1)
    at = judge(at, [breach("a")], BACK)
    at = judge(at, [breach("a")], BACK + 30)
    assert told(at) == [("boss", Reason.ESCALATED, 1)]
    assert told(judge(at, [breach("a")], BACK + 60)) == [("ops", Reason.REPEATED, 1)]
