"""Five hundred alerts in one cycle: few messages to a receiver, and every alert in them named or counted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from notifiers.render import story
from notifiers.slack import slack_message
from notifiers.webhook import notification_json
from rules import lifecycle, routing
from rules.hearing import Audience
from rules.model import Breach, Clear, Names, Notification, Reason, Route, Scope
from rules.routes import Timing
from rules.routing import Routed
from tests.rules.test_routing import CONFIGURED, NOW, anomaly

STORM = 500
NAMES = Names(workspace_of_key={f"apikey_{number:03}": f"ws_{number % 5}" for number in range(STORM)})
HALF = STORM // 2
MINUTE = timedelta(minutes=1)


def storm(timing: Timing) -> tuple[Notification, ...]:
    """What one receiver is sent of a cycle in which so many keys go wild, once their groups have waited."""
    advance = lifecycle.advance((), wild(range(STORM)), CONFIGURED, NAMES, NOW)
    audience = Audience((Route("ops", timing=timing),))
    routed = routing.notifications(
        advance, (), audience, organization_name="A", first_judgement=False, now=NOW, names=NAMES
    )
    if routed.notifications:
        return routed.notifications
    return later(routed, replace(audience, groups=routed.groups), lifecycle.Advance(), NOW + timing.group_wait)


def later(routed: Routed, audience: Audience, advance: lifecycle.Advance, now: datetime) -> tuple[Notification, ...]:
    return routing.notifications(
        advance, routed.alerts, audience, organization_name="A", first_judgement=False, now=now, names=NAMES
    ).notifications


def wild(numbers: Iterable[int]) -> list[Breach]:
    return [anomaly(Scope("org_1", api_key=f"apikey_{number:03}"), 60 + number) for number in numbers]


@pytest.mark.parametrize(
    "timing",
    [
        Timing(),
        Timing(group_by=("api_key",)),
        Timing(group_by=()),
        Timing(group_by=("workspace",)),
        Timing(group_by=("workspace",), group_wait=MINUTE, group_interval=5 * MINUTE),
    ],
    ids=["each", "keys", "all", "workspaces", "timed"],
)
def test_a_storm_is_three_messages_at_most_with_everything_named_or_counted(timing: Timing) -> None:
    messages = storm(timing)
    assert len(messages) <= 3
    in_json = [alert["id"] for message in messages for alert in notification_json(message)["alerts"]]
    assert len(in_json) == len(set(in_json)) == STORM
    for message in messages:
        sent = slack_message(story(message))
        blocks = json.loads(json.dumps(sent["blocks"], default=lambda each: each.to_dict()))
        assert len(blocks) <= 50
        text = json.dumps(blocks)
        named = len(set(re.findall(r"apikey_\d{3}", text)))
        counted = sum(int(count) for count in re.findall(r"and (\d+) more", text))
        assert named + counted == len(message.alerts), (named, counted, text[-600:])


def test_a_storm_that_begins_while_another_ends_and_a_third_is_escalated_is_three_messages() -> None:
    timing = Timing(
        group_by=("workspace",), group_interval=MINUTE, repeat_interval=60 * MINUTE, escalate_after=30 * MINUTE
    )
    audience = Audience((Route("ops", timing=replace(timing, escalate_to="ops")),))
    advance = lifecycle.advance((), wild(range(HALF)), CONFIGURED, NAMES, NOW)
    routed = routing.notifications(
        advance, (), audience, organization_name="A", first_judgement=False, now=NOW, names=NAMES
    )
    now = NOW + 30 * MINUTE
    ends = [Clear(breach.subject) for breach in wild(range(HALF // 2))]
    advance = lifecycle.advance(routed.alerts, [*wild(range(HALF, STORM)), *ends], CONFIGURED, NAMES, now)
    messages = later(routed, replace(audience, groups=routed.groups), advance, now)
    assert [(message.reason, len(message.alerts)) for message in messages] == [
        (Reason.NEW, HALF),
        (Reason.ESCALATED, HALF // 2),
        (Reason.RESOLVED, HALF // 2),
    ]
