"""Alertmanager: every alert by itself, as Prometheus would send it; grouping, repeating and silencing are left to it.

`POST /api/v2/alerts`, https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml. An alert that fires
ends some minutes ahead unless it is sent again, so that those of a watcher that died expire by themselves; `refresh`
sends them again. An alert's labels are its identity there: ids only, never a name that somebody may change.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from notifiers.action_story import news_about, with_action
from notifiers.alert_json import counts_money, utc_json
from notifiers.base import DeliveryError
from notifiers.http import OutgoingHttp
from notifiers.render import alert_story
from notifiers.story import plain_text
from notifiers.text import clean, tamed
from rules.action_headlines import headline
from rules.actions import ActionNews
from rules.labels import label_of
from rules.model import Alert, Notification, Reason, State
from rules.money import usd_string

WINDOWS = 4
"""How many intervals ahead a firing alert ends: three may be missed, as with Prometheus."""
EVENT_LASTS = timedelta(hours=24)
"""After this an event, which closes by the calendar, has been an incident long enough."""
_PATH = "/api/v2/"
_LONGEST_DESCRIPTION = 3_000
_LONGEST_VALUE = 300
_SECOND = timedelta(seconds=1)


def wall_now() -> datetime:
    """The machine's own time, by which Alertmanager judges too."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class AlertmanagerNotifier:
    """Posts alerts to each of `urls`, the members of one cluster, which may be secrets. See `Notifier`.

    `authorization` is the value of that header, a secret; "" for none. `link` leads to the status page. `clock` is the
    machine's own time, as Alertmanager's is: an end ahead counts from it, also in a drill.
    """

    name: str
    urls: tuple[str, ...] = field(repr=False)
    http: OutgoingHttp = field(repr=False)
    allow_private: bool = False
    refresh_every: timedelta = timedelta(minutes=1)
    authorization: str = field(default="", repr=False)
    link: str = ""
    clock: Callable[[], datetime] = field(default=wall_now, repr=False)
    _news: dict[str, ActionNews] = field(default_factory=dict, repr=False)
    """By alert what was told last of actions on keys: it is said again with every refresh, until the alert ends."""

    def send(self, notification: Notification) -> None:
        """Post the alerts; accepted once one member of the cluster took them, since it tells the others.

        What tells of actions on keys alone is accepted and not sent: it shows with the next refresh of its alert.
        """
        self._note(notification)
        if notification.alerts and notification.reason is not Reason.ACTION:
            ended = notification.reason is Reason.RESOLVED
            told = [self._alert(alert, notification.created_at, ended=ended) for alert in notification.alerts]
            self._post(told, {"Idempotency-Key": notification.id, "X-Watcher-Notification-Id": notification.id})

    def refresh(self, alerts: Sequence[Alert], now: datetime) -> None:
        """Post alerts that still fire once more, so that they do not expire. Raises DeliveryError as `send` does."""
        for over in set(self._news) - {alert.id for alert in alerts}:
            del self._news[over]
        lasting = [alert for alert in alerts if not alert.is_event or _event_ends(alert) > now]
        if lasting:
            self._post([self._alert(alert, now, ended=False) for alert in lasting], {})

    def probe(self) -> str:
        """Ask every member for its status; raises DeliveryError where one does not give it."""
        versions = []
        for url in self.urls:
            answer = self.http.get(_at(url, "status"), headers=self._headers({}), allow_private=self.allow_private)
            versions.append(_version(answer.excerpt))
        return f"Alertmanager {' and '.join(dict.fromkeys(versions))} answers"

    def _note(self, notification: Notification) -> None:
        for alert in notification.alerts:
            news = news_about(notification, alert)
            if news is not None:
                self._news[alert.id] = news
            if alert.state is State.RESOLVED:
                self._news.pop(alert.id, None)

    def _post(self, alerts: list[dict[str, Any]], headers: Mapping[str, str]) -> None:
        body = json.dumps(alerts, allow_nan=False).encode("ascii")
        sent = self._headers({"Content-Type": "application/json", **headers})
        failures = []
        for url in self.urls:
            try:
                self.http.post(_at(url, "alerts"), content=body, headers=sent, allow_private=self.allow_private)
            except DeliveryError as error:
                failures.append(error)
        if len(failures) == len(self.urls):
            told = next((error for error in failures if error.retryable), failures[0])
            told.untaken = all(error.untaken for error in failures)
            raise told

    def _headers(self, more: Mapping[str, str]) -> dict[str, str]:
        return {**more, "Authorization": self.authorization} if self.authorization else dict(more)

    def _alert(self, alert: Alert, told_at: datetime, *, ended: bool) -> dict[str, Any]:
        return {
            "labels": alert_labels(alert),
            "annotations": alert_annotations(alert, told_at, self._news.get(alert.id)),
            "startsAt": utc_json(alert.starts_at),
            "endsAt": utc_json(self._ends(alert, told_at, ended=ended)),
            **({"generatorURL": self.link} if self.link else {}),
        }

    def _ends(self, alert: Alert, told_at: datetime, *, ended: bool) -> datetime:
        """When it ended, or until when it may be believed to fire without a further word; never before it began."""
        if ended or alert.state is State.RESOLVED:
            end = alert.ends_at or told_at
        else:
            ahead = WINDOWS * self.refresh_every
            end = self.clock() + (min(ahead, _event_ends(alert) - told_at) if alert.is_event else ahead)
        return max(end, alert.starts_at + _SECOND)


def alert_labels(alert: Alert) -> dict[str, str]:
    """What identifies the alert, as routes there match on it; the names are those of our own routes' labels."""
    subject = alert.subject
    labels = {
        "alertname": f"Claude{subject.kind.capitalize()}",
        "kind": subject.kind,
        "severity": str(alert.severity),
        "rule": subject.rule,
        "organization": subject.scope.organization,
        **{label_of(dimension): ident for dimension, ident in subject.scope.parts().items()},
    }
    if subject.instance:
        labels["subject"] = subject.instance
    return {name: clean(value, _LONGEST_VALUE) for name, value in labels.items()}


def alert_annotations(alert: Alert, now: datetime, news: ActionNews | None = None) -> dict[str, str]:
    """What people read: the summary, the whole story as text, names, amounts in dollars, and what is done to keys."""
    told = alert_story(alert, now)
    if news is not None:
        told = with_action(told, news, (alert,), now)
    amounts = {"value_usd": alert.value, "expected_usd": alert.expected, "limit_usd": alert.limit}
    texts = {
        "summary": tamed(clean(alert.summary, _LONGEST_VALUE) if alert.summary else told.title),
        "description": tamed(plain_text(told, _LONGEST_DESCRIPTION)),
        "alert_id": alert.id,
        "action": tamed(clean(headline(news, now), _LONGEST_VALUE)) if news is not None else "",
        "owner": tamed(clean(alert.whose, _LONGEST_VALUE)) if alert.whose else "",
        **{
            f"{label_of(dimension)}_name": tamed(clean(alert.names[ident], _LONGEST_VALUE))
            for dimension, ident in alert.subject.scope.parts().items()
            if ident in alert.names
        },
    }
    if counts_money(alert):
        texts |= {name: usd_string(amount) for name, amount in amounts.items() if amount is not None}
    return {name: text for name, text in texts.items() if text}


def _event_ends(alert: Alert) -> datetime:
    return (alert.fired_at or alert.starts_at) + EVENT_LASTS


def _at(url: str, what: str) -> str:
    return f"{url.rstrip('/')}{_PATH}{what}"


def _version(excerpt: str) -> str:
    """The version in a status, if that is what it is; only digits and dots of it are ever shown."""
    try:
        version = json.loads(excerpt)["versionInfo"]["version"]
    except (ValueError, KeyError, TypeError):
        return "(it does not tell its version)"
    return version if isinstance(version, str) and version.replace(".", "").isdigit() else "(of an unusual version)"
