"""`[http]` and `[metrics]`: where the pages and the metrics are served, to whom, and which series there are.

What others than this machine's users may reach has to ask them who they are, and to be encrypted, by itself or by
what stands before it.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

from watcher.config import addresses
from watcher.config.http_models import HttpTable, MetricsTable
from watcher.config.problems import Problem, Wrong
from watcher.config.reading import Reading
from watcher.secret import Secret
from watcher.settings import HttpSettings, MetricsSettings, TlsSettings

LEAST_TOKEN = 16
LEAST_PASSWORD = 12


class HttpReading(Reading):
    """Reads both tables."""

    def http(self, raw: dict[str, Any]) -> HttpSettings | None:
        """`[http]`."""
        table = self._table(HttpTable, raw, "http")
        token = self._secret(raw, "token", "http", _token, needed=False)
        password = self._secret(
            raw, "password", "http", _password, example='"${WATCHER_PASSWORD}"', needed="username" in raw
        )
        if ("password" in raw or "password_file" in raw) and "username" not in raw:
            self._wrong("username", "is missing: there is a password, and no user name")
        tls = self._tls(raw)
        if table is None:
            return None
        if table.username is not None and (":" in table.username or not table.username.isprintable()):
            self._wrong("username", "must hold no colon and no control character, as basic authentication has it")
        settings = HttpSettings(
            *table.listen,
            table.external_url,
            hosts=tuple(table.hosts),
            token=None if token is None else Secret(token),
            username=table.username or "",
            password=None if password is None else Secret(password),
            tls=tls,
            behind_proxy=table.behind_proxy,
        )
        self._open_to_others(settings, raw)
        return settings

    def metrics(self, raw: dict[str, Any]) -> MetricsSettings | None:
        """`[metrics]`."""
        table = self._table(MetricsTable, raw, "metrics")
        return None if table is None else MetricsSettings(tuple(table.per), table.top, table.every_key)

    def _open_to_others(self, settings: HttpSettings, raw: dict[str, Any]) -> None:
        """What is asked of an address that other machines reach."""
        if addresses.is_loopback_host(settings.host):
            return
        asked = any(key in raw for key in ("token", "token_file", "password", "password_file"))
        if not asked:
            self._wrong(
                "listen",
                f"{settings.host} can be reached from other machines, which would read names and amounts unasked: "
                "set `token`, or `username` and `password`, or listen on 127.0.0.1",
            )
        encrypted = "tls_certificate_file" in raw or "tls_key_file" in raw
        if not encrypted and not settings.behind_proxy:
            self._wrong(
                "listen",
                f"{settings.host} can be reached from other machines, and what is sent there is not encrypted: "
                "name `tls_certificate_file` and `tls_key_file`, or say `behind_proxy = true` where a proxy or "
                "the network does that",
            )

    def _tls(self, raw: dict[str, Any]) -> TlsSettings | None:
        names = {key: raw.get(key) for key in ("tls_certificate_file", "tls_key_file")}
        given = [key for key, name in names.items() if isinstance(name, str) and name.strip()]
        if len(given) == 1:
            (missing,) = names.keys() - set(given)
            self._wrong(missing, f"is missing: `{given[0]}` needs it beside it")
        if len(given) < len(names):
            return None
        certificate, key = (self.twins.resolve(str(names[each])) for each in names)
        for name, path in zip(names, (certificate, key), strict=True):
            if self._attempt(f"http.{name}", _readable, path) is None:
                return None
        if self._attempt("http.tls_certificate_file", lambda _value: _chain(certificate, key), None) is None:
            return None
        return TlsSettings(certificate, key)

    def _wrong(self, key: str, message: str) -> None:
        self.problems.append(Problem(f"http.{key}", message))


def _readable(path: Path) -> Path:
    try:
        path.read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not a path that a file can have"
        raise Wrong(f"cannot be read: {why}") from None
    return path


def _chain(certificate: Path, key: Path) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=lambda: "")
    except (ssl.SSLError, OSError, ValueError):
        raise Wrong(
            "must name a certificate in PEM form (-----BEGIN CERTIFICATE-----) that `tls_key_file` has the key of, "
            "without a passphrase"
        ) from None
    return True


def _token(text: str) -> str:
    if not text.isascii() or not text.isprintable() or " " in text:
        raise Wrong("must be plain ASCII characters without blanks, as it is sent in a header")
    if len(text) < LEAST_TOKEN:
        raise Wrong(f"must have at least {LEAST_TOKEN} characters: `openssl rand -hex 32` makes one")
    return text


def _password(text: str) -> str:
    if not text.isprintable():
        raise Wrong("must be one line without control characters")
    if len(text) < LEAST_PASSWORD:
        raise Wrong(f"must have at least {LEAST_PASSWORD} characters")
    return text
