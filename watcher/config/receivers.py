"""From a `[[receiver]]` to its settings: the type says which keys it has."""

from __future__ import annotations

import re
from functools import partial
from importlib.util import find_spec
from typing import Any

from notifiers.signing import read_keys
from watcher.config import addresses, receiver_models, slack_values, values
from watcher.config.models import HeartbeatTable
from watcher.config.problems import Problem, Wrong
from watcher.config.reading import Reading, called, place_of
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

SLACK_API = "https://slack.com/api/"
PORTS = {"starttls": 587, "implicit": 465, "none": 25}
"""Where a mail server takes messages, if nothing else is said (RFC 6409, RFC 8314)."""


class Receivers(Reading):
    """Reads the receivers of one configuration."""

    def receiver(self, raw: dict[str, Any], place: str) -> ReceiverSettings | None:
        """One `[[receiver]]`, whose type says which keys it has."""
        name = called("receiver", raw)
        if "type" not in raw:
            self.problems.append(Problem(f"{place}.type", f'is missing: write it, as in type = "slack"{name}'))
            return None
        kind = self._attempt(f"{place}.type", values.one_of(*receiver_models.RECEIVERS), raw["type"], name)
        match kind:
            case "slack":
                return self._slack(raw, place, name)
            case "webhook":
                return self._webhook(raw, place, name)
            case "alertmanager":
                return self._alertmanager(raw, place, name)
            case "pagerduty":
                return self._pagerduty(raw, place, name)
            case "email":
                return self._email(raw, place, name)
            case "apprise":
                return self._apprise(raw, place, name)
            case "console":
                table = self._table(receiver_models.ConsoleTable, raw, place, name)
                return None if table is None else ConsoleSettings(table.name)
        return None

    def _slack(self, raw: dict[str, Any], place: str, name: str) -> SlackSettings | SlackBotSettings | None:
        of_bot = [key for key in slack_values.BOT_KEYS if key in raw]
        if "bot_token" in raw or "bot_token_file" in raw or (of_bot and not ("url" in raw or "url_file" in raw)):
            return self._slack_bot(raw, place, name)
        table = self._table(receiver_models.SlackTable, raw, place, name)
        for key in of_bot:
            said = "belongs to a bot: with `url`, an incoming webhook, it says nothing"
            self.problems.append(Problem(f"{place}.{key}", f"{said}{name}"))
        url = self._url(raw, place, '"${SLACK_WEBHOOK_URL}"', name, public_http=False)
        way = self._way(table, raw, place, name)
        return None if table is None or url is None else SlackSettings(table.name, Secret(url), way)

    def _slack_bot(self, raw: dict[str, Any], place: str, name: str) -> SlackBotSettings | None:
        table = self._table(receiver_models.SlackTable, raw, place, name)
        way = self._way(table, raw, place, name)
        token = self._secret(raw, "bot_token", place, slack_values.bot_token, name, example='"${SLACK_BOT_TOKEN}"')
        app = self._secret(raw, "app_token", place, slack_values.app_token, name, needed=False)
        for key in ("url", "url_file"):
            if key in raw:
                self.problems.append(Problem(f"{place}.{key}", f"is given beside a bot token: keep one{name}"))
        if "channel" not in raw:
            said = 'is missing: a bot needs the id of a channel, as in channel = "C0123456789"'
            self.problems.append(Problem(f"{place}.channel", f"{said}{name}"))
        if "actors" in raw and not ("app_token" in raw or "app_token_file" in raw):
            self.problems.append(Problem(f"{place}.actors", f"says nothing without an `app_token`: no buttons{name}"))
        read = partial(_api_url, allow_private=raw.get("allow_private") is True)
        api_url = self._attempt(f"{place}.api_url", read, raw.get("api_url", SLACK_API), name)
        if table is None or token is None or table.channel is None or api_url is None:
            return None
        actors = tuple(table.actors)
        return SlackBotSettings(table.name, Secret(token), table.channel, way, _hidden(app), actors, api_url)

    def _webhook(self, raw: dict[str, Any], place: str, name: str) -> WebhookSettings | None:
        table = self._table(receiver_models.WebhookTable, raw, place, name)
        url = self._url(raw, place, '"${WEBHOOK_URL}"', name)
        secret = self._secret(raw, "secret", place, _signing, name, needed=False)
        way = self._way(table, raw, place, name)
        return None if table is None or url is None else WebhookSettings(table.name, Secret(url), way, _hidden(secret))

    def _alertmanager(self, raw: dict[str, Any], place: str, name: str) -> AlertmanagerSettings | None:
        table = self._table(receiver_models.AlertmanagerTable, raw, place, name)
        way = self._way(table, raw, place, name)
        read = partial(_every_url, allow_private=raw.get("allow_private") is True)
        urls = self._secret(raw, "url", place, read, name, example='"http://alertmanager:9093"')
        password = self._secret(
            raw, "password", place, str, name, example='"${ALERTMANAGER_PASSWORD}"', needed="username" in raw
        )
        token = self._secret(raw, "token", place, _in_a_header, name, needed=False)
        if password is not None and "username" not in raw:
            self.problems.append(
                Problem(f"{place}.username", f"is missing: there is a password, and no user name{name}")
            )
        if password is not None and token is not None:
            self.problems.append(Problem(place_of(raw, "token", place), f"is given beside a password: keep one{name}"))
        if table is None or urls is None:
            return None
        members = tuple(map(Secret, urls.split()))
        signs_in = table.username or "", _hidden(password), _hidden(token)
        return AlertmanagerSettings(table.name, members, way, *signs_in, table.resend_every)

    def _pagerduty(self, raw: dict[str, Any], place: str, name: str) -> PagerDutySettings | None:
        table = self._table(receiver_models.PagerDutyTable, raw, place, name)
        way = self._way(table, raw, place, name)
        key = self._secret(raw, "routing_key", place, _routing_key, name, example='"${PAGERDUTY_ROUTING_KEY}"')
        url = self._url(raw, place, "", name, needed=False)
        if url is not None and "service_region" in raw:
            self.problems.append(Problem(f"{place}.service_region", f"says nothing beside `url`: keep one{name}"))
        if table is None or key is None:
            return None
        return PagerDutySettings(table.name, Secret(key), way, table.service_region, _hidden(url))

    def _email(self, raw: dict[str, Any], place: str, name: str) -> EmailSettings | None:
        table = self._table(receiver_models.EmailTable, raw, place, name)
        example = '"${SMTP_PASSWORD}"'
        password = self._secret(raw, "password", place, _typed, name, example=example, needed="username" in raw)
        ca_file = self._attempt(f"{place}.ca_file", self._ca_file, raw.get("ca_file"), name)
        if password is not None and "username" not in raw:
            self.problems.append(
                Problem(f"{place}.username", f"is missing: there is a password, and no user name{name}")
            )
        if table is None:
            return None
        if table.tls == "none" and not table.allow_plain:
            said = "sends mail and password in the clear: allow_plain = true permits it"
            self.problems.append(Problem(f"{place}.tls", f"{said}{name}"))
        return EmailSettings(
            table.name,
            table.host,
            table.port or PORTS[table.tls],
            table.sender,
            tuple(table.recipients),
            table.tls,
            table.allow_plain,
            table.username or "",
            _hidden(password),
            ca_file,
        )

    def _apprise(self, raw: dict[str, Any], place: str, name: str) -> AppriseSettings | None:
        table = self._table(receiver_models.AppriseTable, raw, place, name)
        urls = self._secret(raw, "url", place, _services, name, example='"${APPRISE_URL}"')
        if find_spec("apprise") is None:
            self.problems.append(Problem(f"{place}.type", f'needs pip install "claude-watcher[apprise]"{name}'))
        if table is None or urls is None:
            return None
        return AppriseSettings(table.name, tuple(map(Secret, urls.split())))

    def _way(
        self,
        table: receiver_models.EndpointTable | HeartbeatTable | None,
        raw: dict[str, Any],
        place: str,
        name: str = "",
    ) -> WaySettings:
        """How to get there; what is wrong with it is noted, as with the rest."""
        proxy = self._secret(raw, "proxy", place, addresses.proxy_url, name, needed=False)
        ca_file = self._attempt(f"{place}.ca_file", self._ca_file, raw.get("ca_file"), name)
        return WaySettings(table is not None and table.allow_private, _hidden(proxy), ca_file)


def _hidden(text: str | None) -> Secret | None:
    return None if text is None else Secret(text)


def _every_url(text: str, *, allow_private: bool) -> str:
    """The addresses that a text holds, with blanks between; what each may look like is the notifiers' to say."""
    for url in text.split():
        addresses.receiver_url(url, allow_private=allow_private)
        if "?" in url:
            raise Wrong("must end before any ?, as /api/v2/alerts is added to it")
    return text


def _api_url(text: object, *, allow_private: bool) -> str:
    """Where Slack's Web API is."""
    url = addresses.receiver_url(values.text(text).strip(), allow_private=allow_private, public_http=False)
    if "?" in url:
        raise Wrong("must end before any ?, as the methods' names are added to it")
    return url


def _routing_key(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]{32}", text):
        raise Wrong("must be the 32 letters and digits of an integration for the Events API v2")
    return text


def _services(text: str) -> str:
    if not all(re.fullmatch(r"[a-z][a-z0-9]*://[!-~]+", url) for url in text.split()):
        raise Wrong(
            "must be one or several addresses of apprise, such as tgram://…, in plain ASCII with blanks between"
        )
    return text


def _typed(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise Wrong("must be printable ASCII characters: mail servers agree on no others")
    return text


def _in_a_header(text: str) -> str:
    if not text.isascii() or not text.isprintable() or " " in text:
        raise Wrong("must be plain ASCII characters without blanks, as it is sent in a header")
    return text


def _signing(text: str) -> str:
    try:
        read_keys(text)
    except ValueError as error:
        raise Wrong(str(error)) from None
    return text
