"""Webhook: the notification as JSON, one request a message, signed where it has a secret to sign with."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from notifiers.action_json import news_json
from notifiers.alert_json import alert_json, utc_json
from notifiers.digest_json import digest_json
from notifiers.http import OutgoingHttp
from notifiers.signing import signed_headers
from rules.model import Notification


@dataclass(frozen=True, slots=True)
class WebhookNotifier:
    """Posts each notification to `url`, which is a secret. See `Notifier` for the contract.

    With `keys` each request is signed (`notifiers.signing`), once for each of them. `clock` gives seconds since 1970,
    by the machine's own time: receivers refuse what was signed long ago.
    """

    name: str
    url: str = field(repr=False)
    http: OutgoingHttp = field(repr=False)
    allow_private: bool = False
    keys: tuple[bytes, ...] = field(default=(), repr=False)
    clock: Callable[[], float] = field(default=time.time, repr=False)

    def send(self, notification: Notification) -> None:
        """POST the JSON; any 2xx answer is acceptance. The id is in the headers too, the same on every try."""
        body = json.dumps(notification_json(notification), allow_nan=False).encode("ascii")
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": notification.id,
            "X-Watcher-Notification-Id": notification.id,
        }
        if self.keys:
            headers |= signed_headers(notification.id, int(self.clock()), body, self.keys)
        self.http.post(self.url, content=body, headers=headers, allow_private=self.allow_private)


def notification_json(notification: Notification) -> dict[str, Any]:
    """The body: id, reason, receiver and alerts; `inhibited` holds the alerts whose story those in `alerts` tell.

    A digest has its figures under `digest`, and no alerts; what tells of actions on keys has them under `action`, with
    the alert that they are about, if they are about one. Other messages have no such keys.
    """
    return {
        "id": notification.id,
        "reason": str(notification.reason),
        "receiver": notification.receiver,
        "organization": notification.organization,
        "organization_label": notification.told_as or None,
        "created_at": utc_json(notification.created_at),
        "alerts": [alert_json(alert) for alert in notification.alerts],
        "inhibited": [alert_json(alert) for alert in notification.inhibited],
        **({"digest": digest_json(notification.digest)} if notification.digest is not None else {}),
        **({"action": news_json(notification.news)} if notification.news is not None else {}),
    }
