"""What every receiver over HTTP keeps to, kept to by the Slack bot: its answers are JSON, all else is the same."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.gallery_samples import hostile_key, notification, runaway_key
from notifiers.base import DeliveryError
from notifiers.http import OutgoingHttp
from notifiers.slack_api import SlackApi
from notifiers.slack_bot import SlackBotNotifier
from notifiers.slack_pace import Pace
from tests.notifiers.test_contract import CANARY, HASTY, OUTCOMES, PATIENT, TLS, Outcome, answering, told

PATH = f"/api/{CANARY}"
REFUSED = {
    name: outcome
    for name, outcome in OUTCOMES.items()
    if outcome.retryable is not None and name != "a user in the address"
}
TAKEN = {
    "an answer that is not JSON": Outcome(answering(200), retryable=True, says="not what it documents"),
    "no answer but success": Outcome(answering(204), retryable=True, says="not what it documents"),
    "a list": Outcome(answering(200, {}, b"[]"), retryable=True, says="not what it documents"),
    "an endless answer": Outcome(answering(200, {}, b"x" * 5_000_000), retryable=True, says="not what it documents"),
    "no ts": Outcome(answering(200, {}, b'{"ok":true}'), retryable=True, says="which message"),
    "a word that is none": Outcome(
        answering(200, {}, json.dumps({"ok": False, "error": CANARY}).encode()),
        retryable=True,
        says="not what it documents",
    ),
}


def bot(url: str, http: OutgoingHttp, *, allow_private: bool = True) -> SlackBotNotifier:
    api = SlackApi(f"xoxb-{CANARY}", http, url, allow_private=allow_private)
    pace = Pace(seconds=lambda: 0.0, pause=lambda _seconds: None)
    return SlackBotNotifier("ops", "C0123456789", api, draw=lambda _chart: b"", pace=pace)


@pytest.mark.parametrize("name", [*REFUSED, *TAKEN])
def test_each_outcome_has_its_one_error_and_tells_no_secret(
    name: str, serve: Callable[..., Any], scripts: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    outcome = (REFUSED | TAKEN)[name]
    server = serve(outcome.script(scripts))
    http = OutgoingHttp(timeout=HASTY if outcome.hangs else PATIENT, resolve=outcome.resolve, tls=TLS)
    notifier = bot(f"http://{outcome.host}:{server.port}{PATH}", http, allow_private=outcome.allow_private)
    began = time.monotonic()
    with pytest.raises(DeliveryError) as caught:
        notifier.send(notification(runaway_key()))
    assert time.monotonic() - began < PATIENT / 2
    error = caught.value
    assert (error.retryable, error.retry_after) == (outcome.retryable, outcome.retry_after)
    assert outcome.says in error.reason
    assert "\n" not in error.reason
    shown = repr(notifier) + repr(notifier.api) + told(error)
    shown += "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert CANARY not in shown


def test_nobody_listening_is_retryable(refused_port: int) -> None:
    notifier = bot(f"http://127.0.0.1:{refused_port}{PATH}", OutgoingHttp(timeout=PATIENT, tls=TLS))
    with pytest.raises(DeliveryError, match="refused the connection") as caught:
        notifier.send(notification(runaway_key()))
    assert caught.value.retryable
    assert CANARY not in told(caught.value)


def test_the_body_is_one_json_document_with_the_same_id_whatever_the_name(
    serve: Callable[..., Any], scripts: Any
) -> None:
    server = serve(scripts.answer(500))
    notifier = bot(server.url + PATH, OutgoingHttp(timeout=PATIENT, tls=TLS))
    for name in ("ключ-ß-鍵-🔑", "lone \ud83d surrogate", "n" * 40_000, "\x00\x1b[31m"):
        message = notification(hostile_key(name))
        for _ in range(2):
            with pytest.raises(DeliveryError):
                notifier.send(message)
        first, again = server.received[-2:]
        assert first.body == again.body
        sent = json.loads(first.body.decode("ascii"))
        assert sent["metadata"]["event_payload"] == {"id": message.id}
        assert first.headers["content-type"] == "application/json;charset=utf-8"
