from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from benchmarks.gallery_samples import (
    HOSTILE_NAMES,
    NOW,
    hostile_key,
    many,
    notification,
    organization_budget,
    runaway_key,
    stalled_source,
)
from notifiers.base import DeliveryError
from notifiers.http import OutgoingHttp
from notifiers.pagerduty import LARGEST_EVENT, PagerDutyNotifier, pagerduty_event
from rules.model import Alert, Notification, Reason, Severity, State

KEY = "R0CANARY00000000000000000000KEYS"
OK = (202, '{"status": "success"}')


class PagerDuty:
    """Answers each event as the function says, by its number from 0."""

    def __init__(self, answer: Callable[[int], tuple[int, str]] = lambda _number: OK) -> None:
        self.events: list[dict[str, Any]] = []

        def take(request: httpx.Request) -> httpx.Response:
            self.events.append(json.loads(request.content))
            status, text = answer(len(self.events) - 1)
            return httpx.Response(status, text=text, headers={"retry-after": "30"} if status == 429 else {})

        http = OutgoingHttp(transport=httpx.MockTransport(take), resolve=lambda *_: [(2, 1, 6, "", ("8.8.8.8", 443))])
        self.notifier = PagerDutyNotifier("pager", KEY, http, link="https://watcher.example/")


def event_of(alert: Alert, **more: Any) -> dict[str, Any]:
    return pagerduty_event(alert, replace(notification(alert), **more))


def test_an_alert_that_fires_opens_an_incident_that_says_all_there_is_to_know() -> None:
    service = PagerDuty()
    service.notifier.send(notification(runaway_key()))
    (event,) = service.events
    assert {key: event[key] for key in ("routing_key", "event_action", "dedup_key", "client", "client_url")} == {
        "routing_key": KEY,
        "event_action": "trigger",
        "dedup_key": runaway_key().id,
        "client": "claude-watcher",
        "client_url": "https://watcher.example/",
    }
    payload = event["payload"]
    assert (payload["severity"], payload["class"], payload["group"]) == ("critical", "anomaly", "key spend")
    assert payload["timestamp"] == "2026-11-20T10:00:00Z"
    assert "batch-summariser" in payload["summary"]
    assert payload["component"] == "Tidewater Analytics"
    assert payload["custom_details"]["alert"]["value_usd"] == "380.5"
    assert "batch-summariser" in payload["custom_details"]["text"]


def test_its_end_resolves_the_same_incident() -> None:
    over = event_of(runaway_key(state=State.RESOLVED), reason=Reason.RESOLVED)
    assert over == {"event_action": "resolve", "dedup_key": runaway_key().id}
    assert event_of(organization_budget(), reason=Reason.RESOLVED)["event_action"] == "resolve", "an event, closed"


def test_who_takes_it_acknowledges_the_same_incident_and_says_no_more() -> None:
    taken = event_of(runaway_key(), reason=Reason.ACKNOWLEDGED)
    assert taken == {"event_action": "acknowledge", "dedup_key": event_of(runaway_key())["dedup_key"]}
    over = event_of(runaway_key(state=State.RESOLVED), reason=Reason.ACKNOWLEDGED)
    assert over["event_action"] == "resolve", "what has ended is not opened again"


@pytest.mark.parametrize("severity", Severity)
def test_each_severity_has_its_own(severity: Severity) -> None:
    assert event_of(replace(runaway_key(), severity=severity))["payload"]["severity"] == str(severity)


def test_a_message_about_several_alerts_is_an_incident_each() -> None:
    service = PagerDuty()
    service.notifier.send(notification(runaway_key(), organization_budget(), stalled_source()))
    keys = [event["dedup_key"] for event in service.events]
    assert keys == [alert.id for alert in (runaway_key(), organization_budget(), stalled_source())]


def test_nothing_to_tell_sends_nothing() -> None:
    service = PagerDuty()
    service.notifier.send(replace(notification(runaway_key()), reason=Reason.INITIAL, alerts=()))
    assert service.events == []


def test_a_rate_limit_below_the_number_of_alerts_is_got_through_in_several_tries() -> None:
    """It takes 12 and then wants to be left alone; the next try goes on where this one ended."""
    service = PagerDuty(lambda number: (429, "") if number % 13 == 12 else OK)
    storm = notification(*many(50))
    for _ in range(4):
        with pytest.raises(DeliveryError) as caught:
            service.notifier.send(storm)
        assert (caught.value.retryable, caught.value.retry_after) == (True, 30.0)
    service.notifier.send(storm)
    assert len(service.events) == 50 + 4
    assert {event["dedup_key"] for event in service.events} == {alert.id for alert in storm.alerts}


def test_what_was_taken_of_one_message_is_not_left_out_of_another() -> None:
    service = PagerDuty()
    first = notification(runaway_key())
    service.notifier.send(first)
    service.notifier.send(replace(first, id="another", reason=Reason.RESOLVED))
    assert [event["event_action"] for event in service.events] == ["trigger", "resolve"]


def test_an_event_that_is_refused_for_its_form_does_not_keep_the_others_back() -> None:
    service = PagerDuty(lambda number: (400, '{"status": "invalid event"}') if number == 0 else OK)
    message = notification(runaway_key(), organization_budget())
    with pytest.raises(DeliveryError, match="refuses the event's form") as caught:
        service.notifier.send(message)
    assert not caught.value.retryable
    assert len(service.events) == 2
    service.notifier.send(message)
    assert [event["dedup_key"] for event in service.events[2:]] == [runaway_key().id]


def test_a_wrong_routing_key_is_told_as_that_and_not_shown() -> None:
    refusal = '{"status":"invalid event","errors":["Length of \'routing_key\' is incorrect"]}'
    service = PagerDuty(lambda _number: (400, refusal))
    with pytest.raises(DeliveryError, match="does not know the routing key") as caught:
        service.notifier.send(notification(runaway_key()))
    assert KEY not in f"{caught.value!r} {caught.value.reason} {service.notifier!r}"


@pytest.mark.parametrize("name", [*HOSTILE_NAMES, "n" * 40_000, "🔑" * 40_000])
def test_the_limits_hold_whatever_the_name(name: str) -> None:
    event = event_of(hostile_key(name, children=1_000))
    assert len(event["payload"]["summary"]) <= 1_024
    assert "\n" not in event["payload"]["summary"]
    assert not any(wake in event["payload"]["summary"] for wake in ("<!", "<@", "\x1b"))
    assert len(event["dedup_key"]) <= 255
    assert len(json.dumps(event)) <= LARGEST_EVENT


def test_an_event_beyond_the_limit_keeps_its_text_and_loses_the_rest() -> None:
    names = {f"apikey_{number}": "n" * 300 for number in range(2_000)}
    event = event_of(replace(runaway_key(), names={**runaway_key().names, **names}))
    assert len(json.dumps(event)) <= LARGEST_EVENT
    assert set(event["payload"]["custom_details"]) == {"text"}


def test_a_test_and_the_organization_are_told_in_the_summary() -> None:
    test = replace(notification(runaway_key()), reason=Reason.TEST, told_as="production")
    assert pagerduty_event(runaway_key(), test)["payload"]["summary"].startswith("Test: production: ")


def test_the_time_of_the_message_and_not_of_the_try_is_in_it() -> None:
    message: Notification = notification(runaway_key())
    assert message.created_at == NOW
    assert pagerduty_event(runaway_key(), message) == pagerduty_event(runaway_key(), message)
