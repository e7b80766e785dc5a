"""The one way to the Admin API: an httpx client that knows the key, reads answers whole, and names what went wrong."""

import ipaddress
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal, Protocol, Self, TypeVar
from urllib.parse import urlsplit

import httpx

from watcher import __version__
from watcher.admin_api.errors import AdminApiError, Malformed, TimedOut, TooLarge, Unavailable
from watcher.admin_api.pacing import Pacer
from watcher.admin_api.refusals import error_of, excerpt, request_id_of
from watcher.admin_api.retrying import RetryPolicy, TimeBudget, ask_until_answered
from watcher.admin_api.wire import WireError
from watcher.secret import Secret

API_VERSION = "2023-06-01"
USER_AGENT = f"claude-watcher/{__version__} (+https://github.com/claude-watcher/claude-watcher)"

# A page of 36,000 usage rows is 16 MB. Reading one takes many times its size; what is larger than this is asked for in
# smaller pages, where it can be.
_LARGEST_BODY = 64 * 1024 * 1024

T = TypeVar("T")
Parameters = Sequence[tuple[str, str]]
Outcome = Literal["ok", "rate_limited", "server_error", "timeout", "connection", "malformed", "refused"]


@dataclass(frozen=True, slots=True)
class RequestObservation:
    """One request that was made, retries included; `endpoint` is a template, so metrics stay bounded."""

    endpoint: str
    method: str
    status: int | None
    outcome: Outcome
    seconds: float


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """Where the API is and how to reach it.

    `base_url` is https, or http to a loopback address. `proxy` may carry a password and is left out of the
    repr. `ca_file` replaces the public authorities. `timeout_seconds` bounds each wait for the network,
    `budget_seconds` one whole call with its pages and retries.
    """

    base_url: str
    admin_key: Secret
    proxy: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    timeout_seconds: float = 30.0
    budget_seconds: float = 300.0
    retries: RetryPolicy = field(default_factory=RetryPolicy)


class Get(Protocol):
    """`Connection.get` alone: what is given to those who may only read."""

    def __call__(
        self,
        endpoint: str,
        decode: Callable[[bytes], T],
        *,
        budget: TimeBudget,
        parameters: Parameters = (),
        beta: str | None = None,
        ids: Mapping[str, str] | None = None,
    ) -> T:
        """See `Connection.get`."""


class Connection:
    """An open way to the API. Thread-safe; close it when done, or use it in a `with`."""

    def __init__(
        self,
        client: httpx.Client,
        settings: ConnectionSettings,
        *,
        observer: Callable[[RequestObservation], None],
        pause: Callable[[float], None],
        monotonic: Callable[[], float],
    ) -> None:
        self._client = client
        self._settings = settings
        self._observer = observer
        self._pause = pause
        self._monotonic = monotonic

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the pooled sockets. The connection cannot be used afterwards."""
        self._client.close()

    def new_budget(self) -> TimeBudget:
        """The time that one call of the reader, with all its pages and retries, may take; it runs from now on."""
        return TimeBudget(self._settings.budget_seconds, self._monotonic)

    def new_pacer(self, requests: int, seconds: float) -> Pacer:
        """A pacer that waits as this connection does."""
        return Pacer(requests, seconds, pause=self._pause, monotonic=self._monotonic)

    def get(
        self,
        endpoint: str,
        decode: Callable[[bytes], T],
        *,
        budget: TimeBudget,
        parameters: Parameters = (),
        beta: str | None = None,
        ids: Mapping[str, str] | None = None,
    ) -> T:
        """GET `endpoint` (its `{names}` filled from `ids`) and decode the answer; retried within the budget.

        `decode` raises WireError for a body it cannot read. Raises AdminApiError.
        """
        headers = {"anthropic-beta": beta} if beta else {}

        def ask() -> T:
            request = self._client.build_request(
                "GET", endpoint.format(**(ids or {})), params=tuple(parameters), headers=headers
            )
            return self._exchange(request, endpoint, decode, budget)

        return ask_until_answered(ask, policy=self._settings.retries, budget=budget, pause=self._pause)

    def post_once(
        self, endpoint: str, body: Mapping[str, str], decode: Callable[[bytes], T], *, ids: Mapping[str, str]
    ) -> T:
        """POST `body` as JSON exactly once, whatever happens. Raises AdminApiError."""
        request = self._client.build_request("POST", endpoint.format(**ids), json=dict(body))
        return self._exchange(request, endpoint, decode, self.new_budget())

    def _exchange(self, request: httpx.Request, endpoint: str, decode: Callable[[bytes], T], budget: TimeBudget) -> T:
        """One request and its answer, decoded; the observer hears of it, reading and decoding included in the time."""
        began = self._monotonic()
        status: int | None = None
        outcome: Outcome = "ok"
        try:
            response, body = self._send(request, endpoint, budget)
            status = response.status_code
            return self._read(response, body, endpoint, decode)
        except AdminApiError as error:
            status, outcome = error.status, _outcome_of(error)
            raise
        finally:
            self._observer(RequestObservation(endpoint, request.method, status, outcome, self._monotonic() - began))

    def _send(self, request: httpx.Request, endpoint: str, budget: TimeBudget) -> tuple[httpx.Response, bytes]:
        """The response and its whole body, or Unavailable. httpx's own errors end here: they know the request."""
        left = budget.remaining()
        if left <= 0:
            raise TimedOut(endpoint, None, None, "the time budget of this call is spent")
        limit = min(self._settings.timeout_seconds, left)
        request.extensions["timeout"] = httpx.Timeout(limit).as_dict()
        try:
            response = self._client.send(request, stream=True)
            try:
                return response, _read_body(response, endpoint, budget)
            finally:
                response.close()
        except httpx.TimeoutException as error:
            reason = f"no answer within {limit:.0f} s ({type(error).__name__})"
            raise TimedOut(endpoint, None, None, reason) from None
        except httpx.HTTPError as error:
            raise self._broken(endpoint, error) from None

    def _broken(self, endpoint: str, error: httpx.HTTPError) -> Unavailable:
        told = excerpt(self._settings.admin_key.hide_in(f"{type(error).__name__}: {error}"))
        reason = f"the connection failed ({told}); check base_url, the proxy and the network"
        broken = Unavailable(endpoint, None, None, reason)
        if "CERTIFICATE_VERIFY_FAILED" in told:
            broken.worth_retrying = False
        return broken

    def _read(self, response: httpx.Response, body: bytes, endpoint: str, decode: Callable[[bytes], T]) -> T:
        status = response.status_code
        if not response.is_success:
            raise error_of(response, body, endpoint, self._settings.admin_key)
        request_id = request_id_of(response)
        if body.lstrip()[:1] == b"<":
            raise Unavailable(endpoint, status, request_id, "a web page came instead of data")
        try:
            return decode(body)
        except WireError as error:
            reason = excerpt(self._settings.admin_key.hide_in(str(error)))
            malformed = Malformed(endpoint, status, request_id, reason)
            malformed.worth_retrying = error.cut
            raise malformed from None


def connect(
    settings: ConnectionSettings,
    *,
    transport: httpx.BaseTransport | None = None,
    observer: Callable[[RequestObservation], None] | None = None,
    pause: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> Connection:
    """A connection to the API; nothing is sent yet.

    `transport` replaces the network in tests. `observer` hears of every request. `pause` waits between
    retries: a daemon passes one that returns, or raises, when it is told to stop. ValueError for a base_url
    that is neither https nor loopback, an unusable key or proxy, or an unreadable `ca_file`.
    """
    _require_safe_address(settings.base_url)
    auth, trusted = _AdminKeyAuth(settings.admin_key), _trusted(settings.ca_file)
    try:
        client = httpx.Client(
            base_url=settings.base_url,
            auth=auth,
            headers={"anthropic-version": API_VERSION, "user-agent": USER_AGENT, "accept": "application/json"},
            transport=transport,
            proxy=settings.proxy if transport is None else None,
            verify=trusted,
            follow_redirects=False,
            # The environment could add a proxy, other certificates or a .netrc password: the settings alone count.
            trust_env=False,
        )
    except (httpx.InvalidURL, ValueError, ImportError) as error:  # ImportError: a proxy of a kind not installed
        raise ValueError(f"base_url or proxy cannot be used ({type(error).__name__})") from None
    return Connection(client, settings, observer=observer or _unobserved, pause=pause, monotonic=monotonic)


class _AdminKeyAuth(httpx.Auth):
    """Puts the key into each request as it leaves, so that no client, default header or repr holds it."""

    def __init__(self, key: Secret) -> None:
        text = key.reveal()
        # h11 would quote an unsendable header value in its error.
        if not text or not all("!" <= character <= "~" for character in text):
            raise ValueError("the Admin key is empty or has characters that no key has (blanks, line ends, accents)")
        self._key = key

    def auth_flow(self, request: httpx.Request):  # type: ignore[no-untyped-def]
        request.headers["x-api-key"] = self._key.reveal()
        yield request


def _unobserved(_: RequestObservation) -> None:
    """Nobody counts the requests."""


def _read_body(response: httpx.Response, endpoint: str, budget: TimeBudget) -> bytes:
    """The decompressed body; a server that drips bytes cannot outlast the budget, a bomb cannot fill the memory."""
    chunks: list[bytes] = []
    size = 0
    for chunk in response.iter_bytes():
        chunks.append(chunk)
        size += len(chunk)
        if size > _LARGEST_BODY:
            raise TooLarge(endpoint, response.status_code, request_id_of(response), "the answer is far too large")
        if budget.remaining() <= 0:
            raise TimedOut(endpoint, None, request_id_of(response), "the answer did not end within the time budget")
    return b"".join(chunks)


def _outcome_of(error: AdminApiError) -> Outcome:
    if isinstance(error, TimedOut):
        return "timeout"
    if isinstance(error, Malformed):
        return "malformed"
    if isinstance(error, Unavailable):
        return "connection" if error.status is None else "server_error"
    return "rate_limited" if error.status == 429 else "refused"


@cache
def _published() -> ssl.SSLContext:
    """The certificates that httpx trusts by itself, read once: that takes longer than many a request."""
    return httpx.create_ssl_context(trust_env=False)


def _trusted(ca_file: Path | None) -> ssl.SSLContext:
    if ca_file is None:
        return _published()
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except OSError as error:  # ssl.SSLError is one
        raise ValueError(f"cannot read certificates from {ca_file}: {error.strerror or error}") from None


def _require_safe_address(base_url: str) -> None:
    """The key must not travel in the clear: https, or http to this machine alone."""
    try:
        parts = urlsplit(base_url)
        plain = parts.port is None or parts.port > 0  # reading it raises for one out of range
    except ValueError:
        raise ValueError("base_url must be an address with a port between 1 and 65535, or none") from None
    if not plain or not parts.hostname or parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("base_url must be a plain address such as https://api.anthropic.com")
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname)):
        return
    raise ValueError(
        f"base_url must be https, or http to a loopback address; it names {parts.scheme}://{parts.hostname}"
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
