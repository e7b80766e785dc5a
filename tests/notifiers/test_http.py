from __future__ import annotations

import logging
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from notifiers.base import DeliveryError
from notifiers.http import LARGEST_ANSWER, AnsweredError, OutgoingHttp

PATIENT = 60.0
"""Seconds that what is to come at once is waited for."""
PUBLIC, OTHER_PUBLIC, PUBLIC_6 = "8.8.8.8", "9.9.9.9", "2606:4700::1111"


class Resolver:
    """A name server that gives its answers one after the other, the last for ever, and counts the questions."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    def __call__(self, host: str, port: int, family: int, kind: int) -> list[Any]:
        self.asked.append((host, port))
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [(socket.AF_INET, kind, 6, "", (address, port)) for address in addresses]


def recording(requests: list[httpx.Request], status: int = 200) -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(status, text="ok")

    return httpx.MockTransport(answer)


def test_the_checked_address_is_connected_to_under_the_name() -> None:
    requests: list[httpx.Request] = []
    resolver = Resolver((PUBLIC, OTHER_PUBLIC))
    http = OutgoingHttp(resolve=resolver, transport=recording(requests), user_agent="claude-watcher/1.2 (+https://x)")
    response = http.post("https://hooks.example.com:8443/a/b?c=d", json={"e": "ü"}, headers={"X-Id": "7"})
    (request,) = requests
    assert (response.status, response.excerpt) == (200, "ok")
    assert str(request.url) == f"https://{PUBLIC}:8443/a/b?c=d"
    assert request.extensions["sni_hostname"] == "hooks.example.com"
    assert request.headers["host"] == "hooks.example.com:8443"
    assert request.headers["user-agent"] == "claude-watcher/1.2 (+https://x)"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-id"] == "7"
    assert request.content == b'{"e": "\\u00fc"}'
    assert resolver.asked == [("hooks.example.com", 8443)]


def test_a_name_server_that_changes_its_mind_gains_nothing(serve: Callable[..., Any], scripts: Any) -> None:
    inside = serve(scripts.answer(200))
    requests: list[httpx.Request] = []
    resolver = Resolver((PUBLIC,), ("127.0.0.1",))
    http = OutgoingHttp(resolve=resolver, transport=recording(requests))
    http.post(f"https://rebinding.example:{inside.port}/", json={})
    assert [request.url.host for request in requests] == [PUBLIC]
    assert len(resolver.asked) == 1
    with pytest.raises(DeliveryError, match="loopback"):
        http.post(f"https://rebinding.example:{inside.port}/", json={})
    assert len(requests) == 1
    assert inside.received == []


@pytest.mark.parametrize(
    "addresses",
    [
        ("10.0.0.1",),
        (PUBLIC, "10.0.0.1"),
        (PUBLIC_6, "::ffff:10.0.0.1"),
        (PUBLIC, "169.254.169.254"),
        ("fe80::1%eth0",),
    ],
)
def test_one_unfit_address_among_those_of_a_name_refuses_it(addresses: tuple[str, ...]) -> None:
    requests: list[httpx.Request] = []
    http = OutgoingHttp(resolve=Resolver(addresses), transport=recording(requests))
    with pytest.raises(DeliveryError, match="is refused") as caught:
        http.post("https://hooks.example.com/", json={})
    assert not caught.value.retryable
    assert requests == []


def test_an_address_in_the_url_is_never_looked_up() -> None:
    requests: list[httpx.Request] = []
    resolver = Resolver(("127.0.0.1",))
    http = OutgoingHttp(resolve=resolver, transport=recording(requests))
    http.get(f"https://[{PUBLIC_6}]/ping")
    assert resolver.asked == []
    assert requests[0].url.host == PUBLIC_6
    assert requests[0].headers["host"] == f"[{PUBLIC_6}]"


def test_the_next_address_is_tried_when_one_refuses_the_connection(serve: Callable[..., Any], scripts: Any) -> None:
    server = serve(scripts.answer(200))
    http = OutgoingHttp(timeout=PATIENT, resolve=Resolver(("127.0.0.2", "127.0.0.3", "127.0.0.1")))
    assert http.get(f"http://receiver.test:{server.port}/x", allow_private=True).status == 200
    assert server.received[0].headers["host"] == f"receiver.test:{server.port}"


def test_another_address_is_not_tried_once_something_was_sent(serve: Callable[..., Any], scripts: Any) -> None:
    server = serve(scripts.reset)
    http = OutgoingHttp(timeout=PATIENT, resolve=Resolver(("127.0.0.1", "127.0.0.2")))
    with pytest.raises(DeliveryError, match="broke"):
        http.post(f"http://receiver.test:{server.port}/", json={}, allow_private=True)
    assert len(server.received) == 1


def test_a_redirect_is_refused_and_not_followed(serve: Callable[..., Any], scripts: Any) -> None:
    target = serve(scripts.answer(200))
    server = serve(scripts.answer(307, {"location": target.url}))
    with pytest.raises(AnsweredError, match="not followed") as caught:
        OutgoingHttp(timeout=PATIENT).post(server.url, json={}, allow_private=True)
    assert not caught.value.retryable
    assert target.received == []


def test_proxies_of_the_environment_are_not_used(
    serve: Callable[..., Any], scripts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, server = serve(scripts.answer(200)), serve(scripts.answer(200))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    OutgoingHttp(timeout=PATIENT).get(server.url, allow_private=True)
    assert (len(proxy.received), len(server.received)) == (0, 1)


def test_a_proxy_that_is_set_is_gone_through_and_the_name_is_left_to_it(
    serve: Callable[..., Any], scripts: Any
) -> None:
    proxy = serve(scripts.answer(200))
    resolver = Resolver((PUBLIC,))
    direct = OutgoingHttp(timeout=PATIENT, resolve=resolver)
    proxied = direct.through(f"http://ann:pass@127.0.0.1:{proxy.port}", None)
    assert proxied.post("http://receiver.test:81/a?b", json={}, allow_private=True).status == 200
    (request,) = proxy.received
    assert request.line == "POST http://receiver.test:81/a?b HTTP/1.1"
    assert request.headers["host"] == "receiver.test:81"
    assert request.headers["proxy-authorization"] == "Basic YW5uOnBhc3M="
    assert resolver.asked == []
    assert direct.through(None, None) is direct


def test_https_through_a_proxy_is_a_tunnel_that_sees_only_the_name(serve: Callable[..., Any], scripts: Any) -> None:
    proxy = serve(scripts.answer(403))
    http = OutgoingHttp(timeout=PATIENT).through(f"http://127.0.0.1:{proxy.port}", None)
    with pytest.raises(DeliveryError, match="the proxy did not connect") as caught:
        http.post("https://receiver.test/secret", json={})
    assert caught.value.retryable
    assert [request.line for request in proxy.received] == ["CONNECT receiver.test:443 HTTP/1.1"]


@pytest.mark.parametrize("url", ["https://10.0.0.1/", "https://[::1]/", "https://127.1/", "http://receiver.test/"])
def test_a_proxy_opens_no_address_that_is_shut(url: str, serve: Callable[..., Any], scripts: Any) -> None:
    proxy = serve(scripts.answer(200))
    with pytest.raises(DeliveryError):
        OutgoingHttp(timeout=PATIENT).through(f"http://127.0.0.1:{proxy.port}", None).post(url, json={})
    assert proxy.received == []


def test_a_proxy_that_is_not_there_or_wants_a_password_is_told_as_that(
    serve: Callable[..., Any], scripts: Any, refused_port: int
) -> None:
    asking = serve(scripts.answer(407))
    for port, why, retryable in ((refused_port, "could not be reached", True), (asking.port, "wants a user", False)):
        http = OutgoingHttp(timeout=PATIENT).through(f"http://ann:CANARY@127.0.0.1:{port}", None)
        with pytest.raises(DeliveryError, match=f"the proxy {why}") as caught:
            http.post("http://receiver.test/", json={}, allow_private=True)
        assert caught.value.retryable is retryable
        assert "CANARY" not in repr(caught.value)


def test_the_whole_exchange_has_one_time_limit_however_slowly_the_answer_drips(
    serve: Callable[..., Any], scripts: Any
) -> None:
    server = serve(scripts.drip(b"HTTP/1.1 200 OK\r\n" + b"x-pad: y\r\n" * 700, pause=0.02))
    began = time.monotonic()
    with pytest.raises(DeliveryError, match=r"within 0\.5 seconds") as caught:
        OutgoingHttp(timeout=0.5).get(server.url, allow_private=True)
    assert caught.value.retryable
    assert time.monotonic() - began < PATIENT, "all that drips would take over two minutes"


def test_a_listener_that_never_accepts_is_given_up_in_time() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        held = [socket.socket() for _ in range(4)]
        for one in held:  # the queue of connections not yet accepted is full from here on
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        began = time.monotonic()
        with pytest.raises(DeliveryError, match=r"in time|no whole answer within") as caught:
            OutgoingHttp(timeout=0.4).get(f"http://127.0.0.1:{port}/", allow_private=True)
        assert caught.value.retryable
        assert time.monotonic() - began < PATIENT, "the system would try for over two minutes"
        for one in held:
            one.close()


def test_no_more_than_the_beginning_of_an_answer_is_read(serve: Callable[..., Any], scripts: Any) -> None:
    server = serve(scripts.answer(200, body=b"y" * 50_000_000))
    response = OutgoingHttp(timeout=PATIENT).get(server.url, allow_private=True)
    assert response.excerpt == "y" * LARGEST_ANSWER


def test_a_compressed_answer_is_not_unfolded(serve: Callable[..., Any], scripts: Any) -> None:
    server = serve(scripts.answer(200, {"content-encoding": "gzip"}, b"not gzip at all"))
    assert OutgoingHttp(timeout=PATIENT).get(server.url, allow_private=True).excerpt == "not gzip at all"
    assert server.received[0].headers["accept-encoding"] == "identity"


def test_exchanges_from_many_threads_do_not_disturb_each_other(serve: Callable[..., Any], scripts: Any) -> None:
    server = serve(scripts.answer(200))
    http = OutgoingHttp(timeout=PATIENT)
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(http.get(server.url, allow_private=True).status))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 12


def test_a_header_that_cannot_be_written_is_told_as_that(serve: Callable[..., Any], scripts: Any) -> None:
    server = serve(scripts.answer(200))
    with pytest.raises(DeliveryError, match="could not be written") as caught:
        OutgoingHttp(timeout=PATIENT).get(server.url, headers={"X-Id": "a\r\nb: c"}, allow_private=True)
    assert not caught.value.retryable
    assert server.received == []


@pytest.mark.parametrize("name", ["httpx", "httpcore.connection", "httpcore.http11"])
def test_libraries_stay_quiet_below_warning_even_if_someone_lowers_their_level(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger=name)
    logging.getLogger(name).info("POST https://hooks.example.com/secret")
    logging.getLogger(name).warning("something is wrong")
    assert [record.getMessage() for record in caplog.records] == ["something is wrong"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for receiver.test, with its key in the same file."""
    pem = tmp_path_factory.mktemp("tls") / "receiver.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=receiver.test", "-addext", "subjectAltName=DNS:receiver.test"]
    command += ["-keyout", str(pem), "-out", str(pem.with_suffix(".crt"))]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    pem.write_text(pem.read_text() + pem.with_suffix(".crt").read_text())
    return pem


@pytest.mark.outside
def test_the_certificate_is_verified_against_the_name_though_an_address_is_connected_to(
    serve: Callable[..., Any], scripts: Any, certificate: Path
) -> None:
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate)
    asked_for: list[str | None] = []
    serving.sni_callback = lambda _socket, name, _context: asked_for.append(name)
    server = serve(scripts.answer(200), tls=serving)
    trusting = ssl.create_default_context(cafile=str(certificate))
    resolver = Resolver(("127.0.0.1",))

    ours = OutgoingHttp(timeout=PATIENT, resolve=resolver, tls=trusting)
    assert ours.get(f"https://receiver.test:{server.port}/", allow_private=True).status == 200
    assert asked_for == ["receiver.test"]
    with pytest.raises(DeliveryError, match="certificate was not accepted: Hostname mismatch") as caught:
        ours.get(f"https://secret-name.test:{server.port}/", allow_private=True)
    assert caught.value.retryable
    assert "secret-name" not in caught.value.reason
    with pytest.raises(DeliveryError, match="certificate was not accepted: self-signed certificate"):
        OutgoingHttp(timeout=PATIENT, resolve=resolver).get(f"https://receiver.test:{server.port}/", allow_private=True)
    assert len(server.received) == 1


def test_https_to_a_server_that_speaks_plainly_is_told(serve: Callable[..., Any], scripts: Any) -> None:
    server = serve(scripts.answer(200))
    with pytest.raises(DeliveryError) as caught:
        OutgoingHttp(timeout=1).get(f"https://127.0.0.1:{server.port}/", allow_private=True)
    assert caught.value.retryable
