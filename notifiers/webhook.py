"""Webhook: the notification as JSON, one request a message."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from notifiers.alert_json import alert_json, utc_json
from notifiers.http import OutgoingHttp
from rules.model import Notification


@dataclass(frozen=True, slots=True)
class WebhookNotifier:
    """Posts each notification to `url`, which is a secret. See `Notifier` for the contract."""

    name: str
    url: str = field(repr=False)
    http: OutgoingHttp = field(repr=False)
    allow_private: bool = False

    def send(self, notification: Notification) -> None:
        """POST the JSON; any 2xx answer is acceptance. The id is in the headers too, the same on every try."""
        self.http.post(
            self.url,
            json=notification_json(notification),
            headers={"Idempotency-Key": notification.id, "X-Watcher-Notification-Id": notification.id},
            allow_private=self.allow_private,
        )


def notification_json(notification: Notification) -> dict[str, Any]:
    """The body: id, reason, receiver and alerts; `inhibited` holds the alerts whose story those in `alerts` tell."""
    return {
        "id": notification.id,
        "reason": str(notification.reason),
        "receiver": notification.receiver,
        "organization": notification.organization,
        "organization_label": notification.told_as or None,
        "created_at": utc_json(notification.created_at),
        "alerts": [alert_json(alert) for alert in notification.alerts],
        "inhibited": [alert_json(alert) for alert in notification.inhibited],
    }
