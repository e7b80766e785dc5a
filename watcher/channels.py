"""From a receiver's settings to a notifier that is ready to send."""

from __future__ import annotations

import ssl
from collections.abc import Sequence

from notifiers.base import Notifier
from notifiers.console import ConsoleNotifier
from notifiers.http import OutgoingHttp
from notifiers.signing import read_keys
from notifiers.slack import SlackWebhookNotifier
from notifiers.webhook import WebhookNotifier
from watcher.secret import Secret
from watcher.settings import ConsoleSettings, ReceiverSettings, SlackSettings, WaySettings, WebhookSettings


def make_notifier(receiver: ReceiverSettings, http: OutgoingHttp) -> Notifier:
    """The notifier of one receiver."""
    match receiver:
        case ConsoleSettings(name):
            return ConsoleNotifier(name)
        case SlackSettings(name, url, way):
            return SlackWebhookNotifier(name, url.reveal(), _over(way, http), way.allow_private)
        case WebhookSettings(name, url, way):
            keys = read_keys(_shown(receiver.secret))
            return WebhookNotifier(name, url.reveal(), _over(way, http), way.allow_private, keys)


def make_notifiers(receivers: Sequence[ReceiverSettings], http: OutgoingHttp) -> tuple[Notifier, ...]:
    """A notifier for every receiver, in the order of the configuration."""
    return tuple(make_notifier(receiver, http) for receiver in receivers)


def _over(way: WaySettings, http: OutgoingHttp) -> OutgoingHttp:
    tls = None if way.ca_file is None else ssl.create_default_context(cafile=str(way.ca_file))
    return http.through(way.proxy.reveal() if way.proxy else None, tls)


def _shown(secret: Secret | None) -> str:
    return "" if secret is None else secret.reveal()
