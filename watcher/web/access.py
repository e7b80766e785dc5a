"""Who is served: a host name that is this program's own, and, where the configuration asks for it, who signs in.

A page on the web can make a browser send requests here under a name of its own (DNS rebinding): the Host header then
says that name, and is refused. Addresses in numbers cannot be had that way. Credentials are compared in constant time.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
import re
from collections.abc import Callable
from hashlib import sha256
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from watcher.settings import HttpSettings

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
OPEN = ("/-/healthy", "/-/ready")
"""Paths that say nothing of anybody, which a probe may ask without signing in."""

_HOST = re.compile(r"(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::[0-9]{1,5})?", re.IGNORECASE)


class Access:
    """Passes on the requests that may be answered."""

    def __init__(self, app: ASGIApp, settings: Callable[[], HttpSettings]) -> None:
        """`settings` gives those in force."""
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self._refusal(scope) if scope["type"] == "http" else None
        await (self._app if answer is None else answer)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        settings, headers = self._settings(), Headers(scope=scope)
        if not is_own_name(headers.getlist("host"), settings):
            return PlainTextResponse("This is not a name of this host: see `hosts` under [http].\n", status_code=400)
        if scope["path"] in OPEN or signs_in(headers.getlist("authorization"), settings):
            return None
        asked = ['Bearer realm="claude-watcher"'] if settings.token else []
        asked += ['Basic realm="claude-watcher", charset="UTF-8"'] if settings.password else []
        refusal = PlainTextResponse("Sign in first.\n", status_code=401)
        for each in asked:
            refusal.headers.append("www-authenticate", each)
        return refusal


def is_own_name(given: list[str], settings: HttpSettings) -> bool:
    """Whether the one Host header names this program."""
    match = _HOST.fullmatch(given[0]) if len(given) == 1 else None
    if match is None:
        return False
    host = (match["six"] or match["name"]).lower()
    known = {*LOOPBACK_NAMES, settings.host.lower(), *settings.hosts}
    if settings.external_url is not None:
        known.add((urlsplit(settings.external_url).hostname or "").lower())
    return host in known or (settings.everywhere and _is_address(host))


def signs_in(given: list[str], settings: HttpSettings) -> bool:
    """Whether the one Authorization header holds a credential that is asked for; True where none is."""
    if settings.token is None and settings.password is None:
        return True
    scheme, _, credential = (given[0] if len(given) == 1 else "").partition(" ")
    credential = credential.strip(" ")
    match scheme.lower():
        case "bearer" if settings.token is not None:
            return _same(credential, settings.token.reveal())
        case "basic" if settings.password is not None:
            try:
                sent = base64.b64decode(credential, validate=True).decode("utf-8")
            except (binascii.Error, ValueError):
                return False
            return _same(sent, f"{settings.username}:{settings.password.reveal()}")
    return False


def _same(sent: str, right: str) -> bool:
    """Whether two texts are the same, in a time that tells nothing of how much of them is, or how long they are."""
    digests = (sha256(text.encode("utf-8", "surrogatepass")).digest() for text in (sent, right))
    return hmac.compare_digest(*digests)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
