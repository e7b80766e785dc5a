"""From a `[[receiver]]` to its settings: the type says which keys it has."""

from __future__ import annotations

from typing import Any

from notifiers.signing import read_keys
from watcher.config import addresses, models, values
from watcher.config.problems import Problem, Wrong
from watcher.config.reading import Reading, called
from watcher.secret import Secret
from watcher.settings import (
    ConsoleSettings,
    ReceiverSettings,
    SlackSettings,
    WaySettings,
    WebhookSettings,
)


class Receivers(Reading):
    """Reads the receivers of one configuration."""

    def receiver(self, raw: dict[str, Any], place: str) -> ReceiverSettings | None:
        """One `[[receiver]]`, whose type says which keys it has."""
        name = called("receiver", raw)
        if "type" not in raw:
            self.problems.append(Problem(f"{place}.type", f'is missing: write it, as in type = "slack"{name}'))
            return None
        kind = self._attempt(f"{place}.type", values.one_of(*models.RECEIVERS), raw["type"], name)
        match kind:
            case "slack":
                return self._slack(raw, place, name)
            case "webhook":
                return self._webhook(raw, place, name)
            case "console":
                table = self._table(models.ConsoleTable, raw, place, name)
                return None if table is None else ConsoleSettings(table.name)
        return None

    def _slack(self, raw: dict[str, Any], place: str, name: str) -> SlackSettings | None:
        table = self._table(models.SlackTable, raw, place, name)
        url = self._url(raw, place, '"${SLACK_WEBHOOK_URL}"', name, public_http=False)
        way = self._way(table, raw, place, name)
        return None if table is None or url is None else SlackSettings(table.name, Secret(url), way)

    def _webhook(self, raw: dict[str, Any], place: str, name: str) -> WebhookSettings | None:
        table = self._table(models.WebhookTable, raw, place, name)
        url = self._url(raw, place, '"${WEBHOOK_URL}"', name)
        secret = self._secret(raw, "secret", place, _signing, name, needed=False)
        way = self._way(table, raw, place, name)
        return None if table is None or url is None else WebhookSettings(table.name, Secret(url), way, _hidden(secret))

    def _way(self, table: models.EndpointTable | None, raw: dict[str, Any], place: str, name: str) -> WaySettings:
        """How to get there; what is wrong with it is noted, as with the rest."""
        proxy = self._secret(raw, "proxy", place, addresses.proxy_url, name, needed=False)
        ca_file = self._attempt(f"{place}.ca_file", self._ca_file, raw.get("ca_file"), name)
        return WaySettings(table is not None and table.allow_private, _hidden(proxy), ca_file)


def _hidden(text: str | None) -> Secret | None:
    return None if text is None else Secret(text)


def _signing(text: str) -> str:
    try:
        read_keys(text)
    except ValueError as error:
        raise Wrong(str(error)) from None
    return text
