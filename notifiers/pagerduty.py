"""PagerDuty, Events API v2: an incident an alert, opened when it fires, acknowledged with it, resolved when it ends.

https://developer.pagerduty.com/docs/send-alert-event. The alert's id is the `dedup_key`: whatever is sent again opens
nothing new. That somebody took an alert, and that one closed without a message, as a budget's crossing does, is told by
messages of the program's own (`watcher.incidents`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from notifiers.action_json import news_json
from notifiers.action_story import news_about, with_action
from notifiers.alert_json import alert_json, utc_json
from notifiers.base import DeliveryError
from notifiers.http import AnsweredError, OutgoingHttp
from notifiers.progress import Progress
from notifiers.render import alert_story
from notifiers.story import plain_text
from notifiers.subjects import title_subject
from notifiers.text import clean, shorten, tamed
from rules.model import Alert, Notification, Reason, Severity, State

ENDPOINTS = {
    "us": "https://events.pagerduty.com/v2/enqueue",
    "eu": "https://events.eu.pagerduty.com/v2/enqueue",
}
"""Where events go, by the region that the account is in."""
LONGEST_SUMMARY = 1_024
LARGEST_EVENT = 512 * 1_024 - 1_024
"""Bytes. PagerDuty refuses more than 512 KB with status 413."""
_LONGEST_TEXT = 8_000
_LONGEST_PART = 255
_SEVERITIES = {Severity.CRITICAL: "critical", Severity.WARNING: "warning", Severity.INFO: "info"}


@dataclass(frozen=True, slots=True)
class PagerDutyNotifier:
    """Sends an event for each alert with `routing_key`, a secret, to `url`. See `Notifier` for the contract.

    Of a message with several alerts, a try leaves out those that were accepted in an earlier one, so that a rate limit
    below their number is got through. `link` leads to the status page.
    """

    name: str
    routing_key: str = field(repr=False)
    http: OutgoingHttp = field(repr=False)
    url: str = field(default=ENDPOINTS["us"], repr=False)
    allow_private: bool = False
    link: str = ""
    _progress: Progress = field(default_factory=Progress, repr=False)

    def send(self, notification: Notification) -> None:
        """Send the events one after the other.

        A refusal that holds for one alert alone does not keep the others from being sent; any other failure ends the
        round. What tells of actions on keys alone is accepted and not sent: it is no incident.
        """
        if notification.reason is Reason.ACTION:
            return
        self._progress.begin(notification.id)
        refusal: DeliveryError | None = None
        for alert in notification.alerts:
            if self._progress.has(alert.id):
                continue
            try:
                self._post(alert, notification)
            except AnsweredError as error:
                if error.retryable or error.response.status not in {400, 413}:
                    raise _explained(error) from None
                refusal = _explained(error)
            except DeliveryError as error:
                error.untaken = error.untaken and alert is notification.alerts[0]
                raise
            else:
                self._progress.took(alert.id)
        if refusal is not None:
            raise refusal

    def _post(self, alert: Alert, notification: Notification) -> None:
        event = pagerduty_event(alert, notification, self.link)
        body = json.dumps({"routing_key": self.routing_key, **event}, allow_nan=False).encode("ascii")
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": notification.id,
            "X-Watcher-Notification-Id": notification.id,
        }
        self.http.post(self.url, content=body, headers=headers, allow_private=self.allow_private)


def pagerduty_event(alert: Alert, notification: Notification, link: str = "") -> dict[str, Any]:
    """The event of one alert of a message, without the routing key, within PagerDuty's limits."""
    over = notification.reason is Reason.RESOLVED or alert.state is State.RESOLVED
    taken = notification.reason is Reason.ACKNOWLEDGED
    action = "resolve" if over else "acknowledge" if taken else "trigger"
    event: dict[str, Any] = {"event_action": action, "dedup_key": shorten(alert.id, 255)}
    if over or taken:
        return event
    told = alert_story(alert, notification.created_at)
    news = news_about(notification, alert)
    if news is not None:
        told = with_action(told, news, (alert,), notification.created_at)
    test = "Test: " if notification.reason is Reason.TEST else ""
    called = f"{clean(notification.told_as)}: " if notification.told_as else ""
    event["payload"] = {
        "summary": shorten(tamed(f"{test}{called}{told.title}"), LONGEST_SUMMARY),
        "source": clean(title_subject(alert), _LONGEST_PART),
        "severity": _SEVERITIES[alert.severity],
        "timestamp": utc_json(alert.starts_at),
        "component": clean(notification.organization, _LONGEST_PART),
        "group": clean(alert.subject.rule, _LONGEST_PART),
        "class": alert.subject.kind,
        "custom_details": {"text": tamed(plain_text(told, _LONGEST_TEXT)), "alert": alert_json(alert)},
    }
    if news is not None:
        event["payload"]["custom_details"]["action"] = news_json(news)
    event["client"] = "claude-watcher"
    if link:
        event["client_url"] = link
    if len(json.dumps(event)) > LARGEST_EVENT:
        event["payload"]["custom_details"] = {"text": event["payload"]["custom_details"]["text"]}
    return event


def _explained(error: AnsweredError) -> DeliveryError:
    """The same failure with its meaning, where the answer names what it does not like; the answer is never quoted."""
    reason = error.reason
    if error.response.status in {400, 401, 403} and "routing_key" in error.response.excerpt:
        reason += ": PagerDuty does not know the routing key"
    elif error.response.status == 400:
        reason += ": PagerDuty refuses the event's form"
    return DeliveryError(reason, retryable=error.retryable, retry_after=error.retry_after)
