"""apprise against a server on loopback: what it takes, that all failures may pass, and that no address is told."""

from __future__ import annotations

import json
import logging
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.gallery_samples import HOSTILE_NAMES, hostile_key, notification, runaway_key
from notifiers.apprise import LONGEST, AppriseNotifier
from notifiers.base import DeliveryError, Probed

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of its own plugins, as they are read

CANARY = "CANARY-4f9aXq"
PATH = f"services/{CANARY}?token={CANARY}"


def address(server: Any) -> str:
    return f"json://user:{CANARY}@127.0.0.1:{server.port}/{PATH}"


def bodies(server: Any) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in server.received]


def test_the_story_arrives_as_title_and_text(serve: Callable[..., Any], scripts: Any) -> None:
    server = serve(scripts.answer(200))
    AppriseNotifier("chat", (address(server),)).send(notification(runaway_key()))
    (body,) = bodies(server)
    assert "batch-summariser" in body["title"]
    assert body["title"] not in body["message"]
    assert "to see where it goes" in body["message"].lower()
    assert body["type"] == "failure"


OUTCOMES: dict[str, Callable[[Any], Any]] = {
    **{str(status): lambda scripts, status=status: scripts.answer(status) for status in (400, 401, 403, 404, 413, 422)},
    **{str(status): lambda scripts, status=status: scripts.answer(status) for status in (408, 429, 500, 503)},
    "to elsewhere": lambda scripts: scripts.answer(307, {"location": f"http://127.0.0.1:1/{CANARY}"}),
    "closed without an answer": lambda scripts: scripts.bytes_then_close(b""),
    "half a status line": lambda scripts: scripts.bytes_then_close(b"HTTP/1."),
    "not HTTP": lambda scripts: scripts.bytes_then_close(b"SSH-2.0-x\r\n\r\n"),
    "reset": lambda scripts: scripts.reset,
    "silence": lambda scripts: scripts.bytes_then_hang(b""),
    "silence within the headers": lambda scripts: scripts.bytes_then_hang(b"HTTP/1.1 200 OK\r\n"),
    "headers byte by byte": lambda scripts: scripts.drip(b"HTTP/1.1 200 OK\r\n" + b"x-pad: y\r\n" * 20),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_every_failure_may_pass_and_tells_no_address(
    name: str, serve: Callable[..., Any], scripts: Any, caplog: pytest.LogCaptureFixture
) -> None:
    for logger in ("", "apprise", "urllib3", "urllib3.connectionpool", "requests"):
        caplog.set_level(1, logger=logger or None)
    server = serve(OUTCOMES[name](scripts))
    hasty = any(word in name for word in ("silence", "byte"))
    notifier = AppriseNotifier("chat", (address(server),), timeout=0.3 if hasty else 60.0)
    with pytest.raises(DeliveryError, match="did not get the message to the service") as caught:
        notifier.send(notification(runaway_key()))
    assert caught.value.retryable
    shown = "\n".join(traceback.format_exception(caught.value)) + repr(notifier)
    shown += "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert CANARY not in shown


def test_nobody_listening_may_pass(refused_port: int) -> None:
    with pytest.raises(DeliveryError) as caught:
        AppriseNotifier("chat", (f"json://127.0.0.1:{refused_port}/{PATH}",)).send(notification(runaway_key()))
    assert caught.value.retryable


def test_a_service_that_took_the_message_does_not_get_it_again(serve: Callable[..., Any], scripts: Any) -> None:
    good, bad = serve(scripts.answer(200)), serve(scripts.answer(500))
    notifier = AppriseNotifier("chat", (address(bad), address(good)))
    message = notification(runaway_key())
    with pytest.raises(DeliveryError, match="1 of 2 services"):
        notifier.send(message)
    bad.script = scripts.answer(200)
    notifier.send(message)
    assert (len(good.received), len(bad.received)) == (1, 2)
    assert bad.received[0].body == bad.received[1].body


@pytest.mark.parametrize("url", [f"nonsense://{CANARY}", f"tgram://{CANARY}", "json://"])
def test_an_address_that_is_not_understood_is_told_by_its_number(
    url: str, serve: Callable[..., Any], scripts: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server = serve(scripts.answer(200))
    notifier = AppriseNotifier("chat", (address(server), url))
    assert isinstance(notifier, Probed)
    for ask in (lambda: notifier.send(notification(runaway_key())), notifier.probe):
        with pytest.raises(DeliveryError, match="does not understand address 2 of 2") as caught:
            ask()
        assert not caught.value.retryable
        assert CANARY not in f"{caught.value!r} {caplog.text}"
    assert server.received == []


def test_it_can_be_asked_whether_it_understands_its_addresses(serve: Callable[..., Any], scripts: Any) -> None:
    server = serve(scripts.answer(200))
    said = AppriseNotifier("chat", (address(server),)).probe()
    assert said == "apprise understands the address; no service was asked"
    assert server.received == []


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)  # as if it were not there
    with pytest.raises(DeliveryError, match=r'pip install "claude-watcher\[apprise\]"') as caught:
        AppriseNotifier("chat", ("json://x",)).send(notification(runaway_key()))
    assert not caught.value.retryable


@pytest.mark.parametrize("name", [*HOSTILE_NAMES, "@everyone", "[click](http://evil.example)", "n" * 40_000])
def test_no_name_wakes_anybody_or_makes_a_link(name: str, serve: Callable[..., Any], scripts: Any) -> None:
    server = serve(scripts.answer(200))
    AppriseNotifier("chat", (f"json://127.0.0.1:{server.port}",)).send(notification(hostile_key(name)))
    (body,) = bodies(server)
    said = f"{body['title']}\n{body['message']}"
    for wake in ("<!", "<@", "<https:", "@everyone", "@here", "](", "\x1b", "\u202e"):
        assert wake not in said
    assert len(body["message"]) <= LONGEST


def test_a_name_server_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_arguments: object, **_named: object) -> list[Any]:
        over.wait(2)
        raise socket.gaierror

    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", hang)
    with pytest.raises(DeliveryError) as caught:
        AppriseNotifier("chat", ("json://receiver.test/",), timeout=0.2).send(notification(runaway_key()))
    over.set()
    assert caught.value.retryable
