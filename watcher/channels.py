"""From a receiver's settings to a notifier that is ready to send."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Sequence
from typing import TYPE_CHECKING

from notifiers.alertmanager import AlertmanagerNotifier
from notifiers.apprise import AppriseNotifier
from notifiers.base import Notifier
from notifiers.console import ConsoleNotifier
from notifiers.http import OutgoingHttp
from notifiers.pagerduty import ENDPOINTS, PagerDutyNotifier
from notifiers.signing import read_keys
from notifiers.webhook import WebhookNotifier
from rules.model import Notification
from watcher.secret import Secret
from watcher.settings import (
    AlertmanagerSettings,
    AppriseSettings,
    ConsoleSettings,
    EmailSettings,
    PagerDutySettings,
    ReceiverSettings,
    SlackBotSettings,
    SlackSettings,
    WaySettings,
    WebhookSettings,
)

if TYPE_CHECKING:
    from notifiers.slack_api import SlackApi
    from notifiers.slack_keys import Keys
    from notifiers.slack_memory import Memory


def make_notifier(
    receiver: ReceiverSettings,
    http: OutgoingHttp,
    link: str = "",
    memory: Memory | None = None,
    offers: Keys | None = None,
) -> Notifier:
    """The notifier of one receiver; `link` leads to the status page.

    A bot has a `memory` for its messages, and takes from `offers` what it shows of actions on keys.
    """
    match receiver:
        case ConsoleSettings(name):
            return ConsoleNotifier(name)
        case SlackSettings(name, address, way):
            from notifiers.slack import SlackWebhookNotifier  # noqa: PLC0415 (slack-sdk's blocks are many modules)

            return SlackWebhookNotifier(name, address.reveal(), over(way, http), way.allow_private)
        case SlackBotSettings():
            return _slack_bot(receiver, http, memory, offers)
        case WebhookSettings(name, address, way):
            keys = read_keys(_shown(receiver.secret))
            return WebhookNotifier(name, address.reveal(), over(way, http), way.allow_private, keys)
        case AlertmanagerSettings():
            return _alertmanager(receiver, http, link)
        case AppriseSettings(name, urls):
            return AppriseNotifier(name, tuple(each.reveal() for each in urls))
        case EmailSettings():
            return _email(receiver, link)
        case PagerDutySettings(name, key, way):
            url = receiver.url.reveal() if receiver.url else ENDPOINTS[receiver.service_region]
            return PagerDutyNotifier(name, key.reveal(), over(way, http), url, way.allow_private, link)


def make_notifiers(
    receivers: Sequence[ReceiverSettings],
    http: OutgoingHttp,
    link: str = "",
    memory: Memory | None = None,
    offers: Keys | None = None,
) -> tuple[Notifier, ...]:
    """A notifier for every receiver, in the order of the configuration."""
    return tuple(make_notifier(receiver, http, link, memory, offers) for receiver in receivers)


def _slack_bot(receiver: SlackBotSettings, http: OutgoingHttp, memory: Memory | None, offers: Keys | None) -> Notifier:
    from notifiers.slack_bot import SlackBotNotifier  # noqa: PLC0415 (slack-sdk's client is large, and few have one)
    from notifiers.slack_keys import NoKeys  # noqa: PLC0415
    from notifiers.slack_memory import NoMemory  # noqa: PLC0415
    from notifiers.slack_people import QUICK, People  # noqa: PLC0415

    return SlackBotNotifier(
        receiver.name,
        receiver.channel,
        slack_api(receiver, http),
        memory or NoMemory(),
        interactive=receiver.app_token is not None,
        people=People(receiver.name, slack_api(receiver, http.within(QUICK))),
        keys=offers or NoKeys(),
    )


def slack_api(receiver: SlackBotSettings, http: OutgoingHttp) -> SlackApi:
    """The Web API with the token of a bot."""
    from notifiers.slack_api import SlackApi  # noqa: PLC0415

    way = receiver.way
    return SlackApi(receiver.bot_token.reveal(), over(way, http), receiver.api_url, allow_private=way.allow_private)


def _alertmanager(receiver: AlertmanagerSettings, http: OutgoingHttp, link: str) -> AlertmanagerNotifier:
    authorization = f"Bearer {_shown(receiver.token)}" if receiver.token else ""
    if receiver.username:
        pair = f"{receiver.username}:{_shown(receiver.password)}".encode()
        authorization = f"Basic {base64.b64encode(pair).decode()}"
    return AlertmanagerNotifier(
        receiver.name,
        tuple(url.reveal() for url in receiver.urls),
        over(receiver.way, http),
        receiver.way.allow_private,
        receiver.resend_every,
        authorization,
        link,
    )


def _email(receiver: EmailSettings, link: str) -> Notifier:
    from notifiers.email import EmailNotifier  # noqa: PLC0415 (few have one, and mail is a large part of the library)
    from notifiers.smtp import MailServer  # noqa: PLC0415

    server = MailServer(
        receiver.host,
        receiver.port,
        receiver.tls,
        receiver.allow_plain,
        receiver.username,
        _shown(receiver.password),
        None if receiver.ca_file is None else ssl.create_default_context(cafile=str(receiver.ca_file)),
    )
    return EmailNotifier(receiver.name, server, receiver.sender, receiver.recipients, link, _picture)


def _picture(notification: Notification) -> bytes | None:
    from notifiers.pictures import picture  # noqa: PLC0415 (drawing is only loaded for a message)

    return picture(notification)


def over(way: WaySettings, http: OutgoingHttp) -> OutgoingHttp:
    """The way out for one receiver, which may lead through a proxy and trust certificates of its own."""
    tls = None if way.ca_file is None else ssl.create_default_context(cafile=str(way.ca_file))
    return http.through(way.proxy.reveal() if way.proxy else None, tls)


def _shown(secret: Secret | None) -> str:
    return "" if secret is None else secret.reveal()
