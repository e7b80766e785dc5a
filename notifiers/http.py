"""The one place from which a receiver is reached over HTTP.

A name is resolved once, every address it has is checked, and a checked one is connected to, so that a name server
that answers differently the second time gains nothing. The certificate is still verified against the name. Redirects
are not followed, the environment's proxies are not used, the whole exchange has a time limit, and little of the answer
is read. A receiver's URL is a secret: it is in no error, no log line and no repr.

A proxy is used where one is set for the receiver. It is then the proxy that resolves the name and connects: the URL is
still read strictly, an address in it still classified, but what a name leads to is up to the proxy.
"""

from __future__ import annotations

import asyncio
import json as json_text
import logging
import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cache
from ipaddress import ip_address
from typing import Any, TypeAlias

import httpx

from notifiers.addresses import Address, Target, read_target, require_fit
from notifiers.base import DeliveryError

Resolve: TypeAlias = Callable[[str, int, int, int], Iterable[tuple[Any, Any, Any, Any, Any]]]
"""`socket.getaddrinfo`, called as (host, port, family, type)."""

LONGEST_RETRY_AFTER = 3600.0
"""Seconds. A receiver that asks for more is asked again after an hour."""
LARGEST_ANSWER = 16_384
"""Bytes of the answer that are read; what is behind them changes nothing."""

_RETRYABLE = frozenset({408, 425, 429})
_TAKES_NOTHING = frozenset({401, 402, 403, 404, 405, 407, 410, 421, 425, 429, 451})
"""What is answered to any message, because of who sends it, where or how often: the message was not looked at."""
_MAY_BE_THE_MESSAGE = frozenset({500, 501})
"""A program that fails at one message may take others. Other statuses from 500 on come from what stands before it."""
_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")


class _QuietBelowWarning(logging.Filter):
    """Drops what httpx and httpcore log at INFO and DEBUG: whole URLs and headers, which hold receivers' secrets.

    A level could be lowered again by whoever sets up logging after this import; a filter stays.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING


_quiet = _QuietBelowWarning("below warning")
for _name in (
    "httpx",
    "httpcore",
    *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")),
):
    logging.getLogger(_name).addFilter(_quiet)
    logging.getLogger(_name).setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Response:
    """A receiver's answer. The excerpt, its text up to `LARGEST_ANSWER` bytes, may repeat the URL: it is a secret."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    excerpt: str = field(repr=False)


class AnsweredError(DeliveryError):
    """The receiver answered, and not with success. `response` may hold a secret: the reason does not quote it."""

    def __init__(self, reason: str, response: Response, *, retryable: bool, retry_after: float | None = None) -> None:
        status = response.status
        untaken = status in _TAKES_NOTHING or 300 <= status < 400
        of_message = True if status in _MAY_BE_THE_MESSAGE else None
        super().__init__(reason, retryable=retryable, retry_after=retry_after, untaken=untaken, of_message=of_message)
        self.response = response


class OutgoingHttp:
    """Sends one request at a time, each on a connection of its own; safe to share between threads.

    `timeout` is seconds for everything: resolving, connecting, sending and the answer. `transport` takes the place of
    the network (tests). `tls` takes the place of the default certificate checks (a private authority). `proxy` is the
    URL of a proxy to go through, a secret. `largest` is how many bytes of an answer are read.
    """

    def __init__(
        self,
        timeout: float = 10.0,
        resolve: Resolve = socket.getaddrinfo,
        transport: httpx.AsyncBaseTransport | None = None,
        tls: ssl.SSLContext | None = None,
        user_agent: str = "claude-watcher",
        proxy: str | None = None,
        *,
        largest: int = LARGEST_ANSWER,
    ) -> None:
        self._timeout = timeout
        self._resolve = resolve
        self._transport = transport
        self._own_tls = tls
        self._user_agent = user_agent
        self._proxy = proxy
        self._largest = largest

    def through(self, proxy: str | None, tls: ssl.SSLContext | None) -> OutgoingHttp:
        """The same for one receiver that has a proxy, or certificates, of its own; None leaves each as it is."""
        if proxy is None and tls is None:
            return self
        tls, proxy = tls or self._own_tls, proxy or self._proxy
        return OutgoingHttp(
            self._timeout, self._resolve, self._transport, tls, self._user_agent, proxy, largest=self._largest
        )

    def reading(self, largest: int) -> OutgoingHttp:
        """The same where up to so many bytes of an answer are read."""
        tls, proxy = self._own_tls, self._proxy
        return OutgoingHttp(
            self._timeout, self._resolve, self._transport, tls, self._user_agent, proxy, largest=largest
        )

    def within(self, timeout: float) -> OutgoingHttp:
        """The same where everything has to be done within so many seconds."""
        tls, proxy = self._own_tls, self._proxy
        return OutgoingHttp(
            timeout, self._resolve, self._transport, tls, self._user_agent, proxy, largest=self._largest
        )

    def post(
        self,
        url: str,
        *,
        content: bytes | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        allow_private: bool = False,
    ) -> Response:
        """POST `content`, or `json` as ASCII-only JSON; returns a 2xx answer.

        Raises AnsweredError for any other answer and DeliveryError when there was none. Retryable are 408, 425, 429,
        5xx, and every failure of the network; not retryable are other statuses, redirects, and a URL or address that
        is refused. Call it from a thread that runs no event loop.
        """
        sent = httpx.Headers({"content-type": "application/json"} if content is None else {})
        sent.update(headers)
        body = json_text.dumps(json, allow_nan=False).encode("ascii") if content is None else content
        return self._exchange("POST", url, body, sent, allow_private=allow_private)

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, allow_private: bool = False) -> Response:
        """GET, for the heartbeat; answers and errors as `post`."""
        return self._exchange("GET", url, None, httpx.Headers(headers), allow_private=allow_private)

    def _exchange(
        self, method: str, url: str, body: bytes | None, headers: httpx.Headers, *, allow_private: bool
    ) -> Response:
        deadline = time.monotonic() + self._timeout
        target = read_target(url, allow_private=allow_private)
        ways = (target.url,) if self._proxy else self._checked(target, deadline, allow_private=allow_private)
        headers["host"] = target.host_header
        headers["accept-encoding"] = "identity"  # a compressed answer could unfold to any size
        headers.setdefault("user-agent", self._user_agent)
        failure = _Failure("the receiver's name has no address")
        for way in ways:
            request = httpx.Request(
                method,
                way,
                content=body,
                headers=headers,
                extensions={"sni_hostname": target.host},
            )
            outcome = asyncio.run(self._send(request, deadline))
            if isinstance(outcome, Response):
                return _accepted(outcome)
            failure = outcome
            if not failure.try_next_address:
                break
        raise DeliveryError(failure.reason, retryable=failure.retryable, untaken=failure.try_next_address)

    def _checked(self, target: Target, deadline: float, *, allow_private: bool) -> tuple[str, ...]:
        """The URLs at each of the target's addresses, every one of which may be connected to."""
        addresses = self._addresses(target, deadline)
        for address in addresses:
            require_fit(address, allow_private=allow_private)
        return tuple(map(target.url_at, addresses))

    async def _send(self, request: httpx.Request, deadline: float) -> Response | _Failure:
        """One request to one address. Failures are returned, so that no exception that holds the URL is chained."""
        left = max(deadline - time.monotonic(), 0.001)
        try:
            async with (
                asyncio.timeout(left),
                httpx.AsyncClient(
                    transport=self._transport or self._network(),
                    timeout=httpx.Timeout(left, connect=left / 2),
                    trust_env=False,
                    follow_redirects=False,
                ) as client,
            ):
                response = await client.send(request, stream=True)
                try:
                    return await _read(response, self._largest)
                finally:
                    await response.aclose()
        except TimeoutError:
            return _Failure(f"the receiver gave no whole answer within {self._timeout:g} seconds")
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            return _told_by_proxy(error) if self._proxy else _told(error)

    def _network(self) -> httpx.AsyncHTTPTransport:
        return httpx.AsyncHTTPTransport(verify=self._tls, trust_env=False, proxy=self._proxy)

    @property
    def _tls(self) -> ssl.SSLContext:
        return self._own_tls or _published()

    def _addresses(self, target: Target, deadline: float) -> tuple[Address, ...]:
        """Every address of the target, in the order the resolver gives, asked for once.

        The resolver has no time limit of its own, so it runs in a thread that is left behind when it takes too long.
        """
        if target.literal is not None:
            return (target.literal,)
        answers: queue.SimpleQueue[tuple[Address, ...]] = queue.SimpleQueue()

        def ask() -> None:
            try:
                found = self._resolve(target.host, target.port, 0, socket.SOCK_STREAM)
                answers.put(tuple(dict.fromkeys(ip_address(str(row[4][0]).partition("%")[0]) for row in found)))
            except (OSError, ValueError):
                answers.put(())

        threading.Thread(target=ask, name="resolve", daemon=True).start()
        try:
            addresses = answers.get(timeout=max(deadline - time.monotonic(), 0.001))
        except queue.Empty:
            raise DeliveryError("the receiver's name was not resolved in time", retryable=True, untaken=True) from None
        if not addresses:
            raise DeliveryError("the receiver's name could not be resolved", retryable=True, untaken=True)
        return addresses


@dataclass(frozen=True, slots=True)
class _Failure:
    reason: str
    retryable: bool = True
    try_next_address: bool = False
    """Whether nothing was sent, so that another address of the same name may be tried."""


async def _read(response: httpx.Response, largest: int) -> Response:
    """The answer's status, headers and beginning; an answer that breaks off within it raises httpx.HTTPError."""
    body = bytearray()
    whole = response.is_stream_consumed  # a transport other than the network may give its answer in one piece
    async for chunk in response.aiter_bytes() if whole else response.aiter_raw():
        body += chunk
        if len(body) >= largest:
            break
    excerpt = bytes(body[:largest]).decode("utf-8", "replace")
    return Response(response.status_code, dict(response.headers), excerpt)


def _accepted(response: Response) -> Response:
    """The response if its status is 2xx; raises AnsweredError if not."""
    status = response.status
    if 200 <= status < 300:
        return response
    if 300 <= status < 400:
        reason = f"the receiver redirects (status {status}), which is not followed: set the address it redirects to"
        raise AnsweredError(reason, response, retryable=False)
    if status == 407:
        raise AnsweredError("the proxy wants a user name and a password (status 407)", response, retryable=False)
    retryable = status in _RETRYABLE or status >= 500
    wait = _retry_after(response.headers) if retryable else None
    raise AnsweredError(f"the receiver answered with status {status}", response, retryable=retryable, retry_after=wait)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait by the Retry-After header (RFC 9110 §10.2.3), at most `LONGEST_RETRY_AFTER`.

    A date is read against the answer's own Date header, so that the two clocks need not agree; without one it is
    not understood.
    """
    text = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), LONGEST_RETRY_AFTER)
    try:
        seconds = (parsedate_to_datetime(text) - parsedate_to_datetime(headers.get("date", ""))).total_seconds()
    except (ValueError, TypeError):  # not dates, or one with a zone and one without
        return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


def _told(error: Exception) -> _Failure:
    """What went wrong, in words of our own: the library's may hold the URL, the host or the receiver's answer."""
    cause = _root(error)
    match error:
        case httpx.ConnectTimeout():
            return _Failure("the receiver did not take the connection in time", try_next_address=True)
        case httpx.ConnectError() if isinstance(cause, ssl.SSLCertVerificationError):
            why = cause.verify_message.partition(",")[0]  # behind a comma comes the host's name
            return _Failure(f"the receiver's certificate was not accepted: {why}")
        case httpx.ConnectError() if isinstance(cause, ssl.SSLError):
            return _Failure("no TLS connection could be agreed with the receiver")
        case httpx.ConnectError() if isinstance(cause, ConnectionRefusedError):
            return _Failure("the receiver refused the connection", try_next_address=True)
        case httpx.ConnectError():
            return _Failure("the receiver could not be reached", try_next_address=True)
        case httpx.WriteTimeout():
            return _Failure("the receiver did not take the message in time")
        case httpx.TimeoutException():
            return _Failure("the receiver did not answer in time")
        case httpx.RemoteProtocolError():
            return _Failure("the receiver's answer broke off or was not HTTP")
        case httpx.LocalProtocolError() | httpx.InvalidURL() | httpx.UnsupportedProtocol():
            return _Failure("the request could not be written as HTTP", retryable=False)
        case _:
            return _Failure("the connection to the receiver broke")


@cache
def _published() -> ssl.SSLContext:
    """The certificates that httpx trusts by itself, read once: that takes longer than many a request."""
    return httpx.create_ssl_context(trust_env=False)


def _told_by_proxy(error: Exception) -> _Failure:
    """The same where a proxy stands between, which may be what failed."""
    match error:
        case httpx.ProxyError():
            return _Failure("the proxy did not connect to the receiver")
        case httpx.ConnectTimeout():
            return _Failure("the proxy did not take the connection in time, or not to the receiver")
        case httpx.ConnectError() if not isinstance(_root(error), ssl.SSLError):
            return _Failure("the proxy could not be reached")
        case _:
            return _told(error)


def _root(error: BaseException) -> BaseException:
    """The first cause, where the operating system's or TLS's own error is."""
    seen = error
    while (before := seen.__cause__ or seen.__context__) is not None:
        seen = before
    return seen
