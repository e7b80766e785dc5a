"""What every receiver over HTTP keeps to, whatever the other side does: one error, its retry, no secret told."""

from __future__ import annotations

import json
import logging
import socket
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx
import pytest

from benchmarks.gallery_samples import hostile_key, notification, runaway_key
from notifiers.alertmanager import AlertmanagerNotifier
from notifiers.base import DeliveryError, Notifier
from notifiers.http import OutgoingHttp
from notifiers.pagerduty import PagerDutyNotifier
from notifiers.slack import SlackWebhookNotifier
from notifiers.webhook import WebhookNotifier
from rules.model import Notification, Reason

CANARY = "CANARY-4f9aXq"
PATH = f"/services/T00/B00/{CANARY}?token={CANARY}"
PATIENT, HASTY = 60.0, 0.3
"""Seconds: what has to be answered may take long on a busy machine; what never will be is given up soon."""
ECHO = f"Cannot POST {PATH}".encode()
"""What some servers answer: the address they were asked for."""

TLS = httpx.create_ssl_context()
KEY = b"CANARY-4f9aXq" * 3
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def alertmanager(name: str, url: str, http: OutgoingHttp, *, allow_private: bool) -> Notifier:
    return AlertmanagerNotifier(
        name, (url.partition("?")[0],), http, allow_private, authorization=f"Bearer {CANARY}", clock=lambda: NOON
    )


def pagerduty(name: str, url: str, http: OutgoingHttp, *, allow_private: bool) -> Notifier:
    return PagerDutyNotifier(name, CANARY, http, url, allow_private)


class _Telling:
    """PagerDuty, told each message for another reason: of an acknowledgement or an end."""

    def __init__(self, reason: Reason, *given: Any, **more: Any) -> None:
        self._inner, self._reason = pagerduty(*given, **more), reason
        self.name = self._inner.name

    def __repr__(self) -> str:
        return repr(self._inner)

    def send(self, message: Notification) -> None:
        self._inner.send(replace(message, reason=self._reason))


RECEIVERS: dict[str, Callable[..., Notifier]] = {
    "slack": SlackWebhookNotifier,
    "webhook": WebhookNotifier,
    "webhook, signed": partial(WebhookNotifier, keys=(KEY,), clock=lambda: 1_700_000_000),
    "alertmanager": alertmanager,
    "pagerduty": pagerduty,
    "pagerduty, acknowledging": partial(_Telling, Reason.ACKNOWLEDGED),
    "pagerduty, resolving": partial(_Telling, Reason.RESOLVED),
}


@dataclass(frozen=True)
class Outcome:
    """What the other side does, and what has to become of it: None is success."""

    script: Callable[[Any], Any]
    retryable: bool | None
    says: str = ""
    retry_after: float | None = None
    hangs: bool = False
    allow_private: bool = True
    host: str = "127.0.0.1"
    resolve: Callable[..., Any] = field(default=socket.getaddrinfo)


def answering(status: int, headers: dict[str, str] | None = None, body: bytes = ECHO) -> Callable[[Any], Any]:
    return lambda scripts: scripts.answer(status, headers, body)


def refusing_to_resolve(*arguments: object) -> Iterator[Any]:
    raise socket.gaierror(socket.EAI_NONAME, f"no such name: {CANARY}")


def resolving_too_slowly(*arguments: object) -> list[Any]:
    time.sleep(3 * HASTY)
    return []


DATE = {"date": "Fri, 20 Nov 2026 14:08:00 GMT"}
HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n"

OUTCOMES: dict[str, Outcome] = {
    **{f"{status}": Outcome(answering(status), None) for status in (200, 201, 202, 204)},
    **{
        f"{status} to elsewhere": Outcome(
            answering(status, {"location": f"http://127.0.0.1/{CANARY}"}), retryable=False, says="redirects"
        )
        for status in (301, 302, 303, 307, 308)
    },
    **{
        f"{status}": Outcome(answering(status), retryable=False, says=f"status {status}")
        for status in (400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 431)
    },
    **{
        f"{status}": Outcome(answering(status), retryable=True, says=f"status {status}")
        for status in (408, 425, 429, 500, 501, 502, 503, 504, 529)
    },
    "429 in 7 seconds": Outcome(answering(429, {"retry-after": "7"}), retryable=True, retry_after=7.0),
    "429 at a date": Outcome(
        answering(429, {**DATE, "retry-after": "Fri, 20 Nov 2026 14:09:30 GMT"}), retryable=True, retry_after=90.0
    ),
    "429 at a date long past": Outcome(
        answering(429, {**DATE, "retry-after": "Fri, 20 Nov 2020 14:09:30 GMT"}), retryable=True, retry_after=0.0
    ),
    "429 in a year": Outcome(answering(429, {"retry-after": "31536000"}), retryable=True, retry_after=3600.0),
    "429 in a word": Outcome(answering(429, {**DATE, "retry-after": CANARY}), retryable=True),
    "429 in minus one": Outcome(answering(429, {**DATE, "retry-after": "-1"}), retryable=True),
    "503 in a minute": Outcome(answering(503, {"retry-after": "60"}), retryable=True, retry_after=60.0),
    "400 with a wait": Outcome(answering(400, {"retry-after": "60"}), retryable=False),
    "500 in HTML": Outcome(answering(500, {"content-type": "text/html"}, b"<html>" + ECHO), retryable=True),
    "an endless answer": Outcome(answering(200, {}, b"x" * 5_000_000), None),
    "an answer that is not UTF-8": Outcome(answering(400, {}, b"\xff\xfe" + ECHO), retryable=False),
    "closed without an answer": Outcome(lambda scripts: scripts.bytes_then_close(b""), retryable=True, says="broke"),
    "half a status line": Outcome(lambda scripts: scripts.bytes_then_close(b"HTTP/1."), retryable=True, says="broke"),
    "half the headers": Outcome(lambda scripts: scripts.bytes_then_close(HEAD), retryable=True, says="broke"),
    "half a body": Outcome(lambda scripts: scripts.bytes_then_close(HEAD + b"\r\nok"), retryable=True, says="broke"),
    "not HTTP": Outcome(lambda scripts: scripts.bytes_then_close(b"SSH-2.0-x\r\n\r\n"), retryable=True, says="HTTP"),
    "reset": Outcome(lambda scripts: scripts.reset, retryable=True, says="broke"),
    "silence": Outcome(lambda scripts: scripts.bytes_then_hang(b""), hangs=True, retryable=True, says="answer"),
    "silence within the headers": Outcome(
        lambda scripts: scripts.bytes_then_hang(HEAD), hangs=True, retryable=True, says="answer"
    ),
    "silence within the body": Outcome(
        lambda scripts: scripts.bytes_then_hang(HEAD + b"\r\nok"), hangs=True, retryable=True, says="answer"
    ),
    "headers byte by byte": Outcome(lambda scripts: scripts.drip(HEAD * 10), hangs=True, retryable=True, says="answer"),
    "body byte by byte": Outcome(
        lambda scripts: scripts.drip(HEAD + b"\r\n" + b"x" * 99), hangs=True, retryable=True, says="answer"
    ),
    "an unknown name": Outcome(
        answering(200), retryable=True, says="resolved", host="receiver.test", resolve=refusing_to_resolve
    ),
    "a name server that hangs": Outcome(
        answering(200), hangs=True, retryable=True, says="in time", host="receiver.test", resolve=resolving_too_slowly
    ),
    "a private address": Outcome(answering(200), retryable=False, says="allow_private", allow_private=False),
    "link-local metadata": Outcome(answering(200), retryable=False, says="link-local", host="169.254.169.254"),
    "a user in the address": Outcome(answering(200), retryable=False, says="@", host=f"{CANARY}:x@127.0.0.1"),
}


@pytest.fixture(params=RECEIVERS)
def receiver(request: pytest.FixtureRequest) -> Callable[..., Notifier]:
    return RECEIVERS[request.param]


def told(error: BaseException) -> str:
    """Everything a log or a crash report could show of an error, chained ones included."""
    shown = [*traceback.format_exception(error)]
    chain: BaseException | None = error
    while chain is not None:
        shown += [str(chain), repr(chain), repr(getattr(chain, "response", ""))]
        chain = chain.__cause__ or chain.__context__
    return "\n".join(shown)


@pytest.mark.parametrize("name", OUTCOMES)
def test_each_outcome_has_its_one_error_and_tells_no_secret(
    name: str,
    receiver: Callable[..., Notifier],
    serve: Callable[..., Any],
    scripts: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="httpx")
    caplog.set_level(logging.DEBUG, logger="httpcore")
    outcome = OUTCOMES[name]
    server = serve(outcome.script(scripts))
    http = OutgoingHttp(timeout=HASTY if outcome.hangs else PATIENT, resolve=outcome.resolve, tls=TLS)
    notifier = receiver("ops", f"http://{outcome.host}:{server.port}{PATH}", http, allow_private=outcome.allow_private)

    began = time.monotonic()
    shown = repr(notifier) + repr(http)
    if outcome.retryable is None:
        notifier.send(notification(runaway_key()))
    else:
        with pytest.raises(DeliveryError) as caught:
            notifier.send(notification(runaway_key()))
        error = caught.value
        assert (error.retryable, error.retry_after) == (outcome.retryable, outcome.retry_after)
        assert outcome.says in error.reason
        assert error.reason
        assert "\n" not in error.reason
        shown += told(error)
    assert time.monotonic() - began < PATIENT / 2
    shown += "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert CANARY not in shown


def test_nobody_listening_is_retryable(receiver: Callable[..., Notifier], refused_port: int) -> None:
    url = f"http://127.0.0.1:{refused_port}{PATH}"
    with pytest.raises(DeliveryError, match="refused the connection") as caught:
        receiver("ops", url, OutgoingHttp(timeout=PATIENT, tls=TLS), allow_private=True).send(
            notification(runaway_key())
        )
    assert caught.value.retryable
    assert CANARY not in told(caught.value)


def test_a_repeat_carries_the_same_id(
    receiver: Callable[..., Notifier], serve: Callable[..., Any], scripts: Any
) -> None:
    server = serve(scripts.answer(500))
    notifier = receiver("ops", server.url + PATH, OutgoingHttp(timeout=PATIENT, tls=TLS), allow_private=True)
    message = notification(runaway_key())
    for status in (500, 429):
        server.script = scripts.answer(status)
        with pytest.raises(DeliveryError):
            notifier.send(message)
    server.script = scripts.answer(200)
    notifier.send(message)
    assert len(server.received) == 3
    ids = {(r.headers["idempotency-key"], r.headers["x-watcher-notification-id"]) for r in server.received}
    assert ids == {(message.id, message.id)}
    assert len({request.body for request in server.received}) == 1, "the same message word for word"


def test_the_body_is_one_json_document_whatever_the_name(
    receiver: Callable[..., Notifier], serve: Callable[..., Any], scripts: Any
) -> None:
    server = serve(scripts.answer(200))
    notifier = receiver("ops", server.url, OutgoingHttp(timeout=PATIENT, tls=TLS), allow_private=True)
    for name in ("ключ-ß-鍵-🔑", "lone \ud83d surrogate", "n" * 40_000, "\x00\x1b[31m"):
        notifier.send(notification(hostile_key(name)))
        request = server.received[-1]
        assert request.line in {"POST / HTTP/1.1", "POST /api/v2/alerts HTTP/1.1"}
        assert request.headers["content-type"] == "application/json"
        assert isinstance(json.loads(request.body.decode("ascii")), dict | list)
