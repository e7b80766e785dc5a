"""From a receiver's settings to a notifier that is ready to send."""

from __future__ import annotations

from collections.abc import Sequence

from notifiers.base import Notifier
from notifiers.console import ConsoleNotifier
from notifiers.http import OutgoingHttp
from notifiers.slack import SlackWebhookNotifier
from notifiers.webhook import WebhookNotifier
from watcher.settings import ConsoleSettings, ReceiverSettings, SlackSettings


def make_notifier(receiver: ReceiverSettings, http: OutgoingHttp) -> Notifier:
    """The notifier of one receiver."""
    if isinstance(receiver, ConsoleSettings):
        return ConsoleNotifier(receiver.name)
    kind = SlackWebhookNotifier if isinstance(receiver, SlackSettings) else WebhookNotifier
    return kind(receiver.name, receiver.url.reveal(), http, allow_private=receiver.allow_private)


def make_notifiers(receivers: Sequence[ReceiverSettings], http: OutgoingHttp) -> tuple[Notifier, ...]:
    """A notifier for every receiver, in the order of the configuration."""
    return tuple(make_notifier(receiver, http) for receiver in receivers)
