"""Five hundred alerts in one cycle: few messages to a receiver, and every alert in them named or counted."""

from __future__ import annotations

import json
import re

import pytest

from notifiers.render import story
from notifiers.slack import slack_message
from notifiers.webhook import notification_json
from rules import lifecycle, routing
from rules.hearing import Audience
from rules.model import Breach, Names, Notification, Route, Scope
from rules.routes import Timing
from tests.rules.test_routing import CONFIGURED, NOW, anomaly

STORM = 500


def storm(timing: Timing) -> tuple[Notification, ...]:
    """What one receiver is sent of a cycle in which so many keys go wild."""
    breaches: list[Breach] = [
        anomaly(Scope("org_1", api_key=f"apikey_{number:03}"), 60 + number) for number in range(STORM)
    ]
    advance = lifecycle.advance((), breaches, CONFIGURED, Names(), NOW)
    audience = Audience((Route("ops", timing=timing),))
    routed = routing.notifications(advance, (), audience, organization_name="A", first_judgement=False, now=NOW)
    return routed.notifications


@pytest.mark.parametrize(
    "timing", [Timing(), Timing(group_by=("api_key",)), Timing(group_by=())], ids=["each", "keys", "all"]
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
