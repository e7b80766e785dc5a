"""The shape of `[http]` and `[metrics]`."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator, Field, PlainValidator

from rules.model import Dimension
from watcher.config import addresses, values
from watcher.config.problems import Wrong, shown
from watcher.config.table import Flag, SecretText, Table, Text
from watcher.settings import HttpSettings, MetricsSettings

_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")

ExternalUrl = Annotated[str, PlainValidator(lambda value: addresses.external_url(values.text(value)))]
Listen = Annotated[tuple[str, int], PlainValidator(lambda value: addresses.listen(values.text(value)))]


def _host(value: object) -> str:
    name = values.text(value).lower()
    try:
        return str(ipaddress.ip_address(name.strip("[]")))
    except ValueError:
        if _HOST_NAME.fullmatch(name):
            return name
    raise Wrong(f'must be a host name or address without a port, such as "watcher.example", not {shown(value)}')


class HttpTable(Table):
    """`[http]`: where the status page and the metrics are served, and to whom."""

    listen: Listen = Field(HttpSettings().listen, examples=['"127.0.0.1:9477"'])
    external_url: ExternalUrl | None = Field(None, examples=['"https://watcher.example/"'])
    hosts: list[Annotated[str, PlainValidator(_host)]] = Field([], examples=['["watcher.example"]'])
    token: SecretText | None = Field(None, examples=['"${WATCHER_TOKEN}"'])
    token_file: Text | None = Field(None, examples=['"/run/secrets/watcher-token"'])
    username: Text | None = Field(None, examples=['"prometheus"'])
    password: SecretText | None = Field(None, examples=['"${WATCHER_PASSWORD}"'])
    password_file: Text | None = Field(None, examples=['"/run/secrets/watcher-password"'])
    tls_certificate_file: Text | None = Field(None, examples=['"/etc/ssl/watcher.pem"'])
    tls_key_file: Text | None = Field(None, examples=['"/etc/ssl/watcher.key"'])
    behind_proxy: Flag = Field(default=HttpSettings().behind_proxy, examples=["true"])


class MetricsTable(Table):
    """`[metrics]`: which series `/metrics` has."""

    per: Annotated[
        list[Annotated[Dimension, PlainValidator(values.dimension)]],
        AfterValidator(values.distinct),
    ] = Field(list(MetricsSettings().per), examples=['["workspace", "api_key", "model"]'])
    top: Annotated[int, PlainValidator(values.whole(1, 100))] = Field(MetricsSettings().top, examples=["10"])
    every_key: Flag = Field(default=MetricsSettings().every_key, examples=["true"])
