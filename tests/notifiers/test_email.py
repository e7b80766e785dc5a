"""E-mail against a real server on loopback: what it takes, refuses and breaks off, and what becomes of that."""

from __future__ import annotations

import email
import gc
import logging
import socket
import ssl
import subprocess
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword

from benchmarks.gallery_samples import HOSTILE_NAMES, hostile_key, many, notification, organization_budget, runaway_key
from notifiers.base import DeliveryError, Probed
from notifiers.email import LAST_TRY, EmailNotifier
from notifiers.email_message import email_message
from notifiers.smtp import MailServer
from rules.model import Notification, Reason, State

# aiosmtpd does not close the connections that are still saying goodbye when it is stopped.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

CANARY = "CANARY-4f9aXq"
SENDER = "claude-watcher <watcher@team.example>"
ANN, BOB, EVE = "ann@team.example", "bob@team.example", "Eve <eve@team.example>"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4


@dataclass
class Postbox:
    """Takes mail and keeps it; answers each command as `answers` says, by its name or by the recipient."""

    answers: dict[str, str] = field(default_factory=dict)
    taken: list[Envelope] = field(default_factory=list)
    logins: list[LoginPassword] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)

    async def handle_MAIL(self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: Any) -> str:  # noqa: N802
        envelope.mail_from = address
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: Any) -> str:  # noqa: N802
        answer = self.answers.get(address, self.answers.get("RCPT", "250 OK"))
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Envelope) -> str:  # noqa: N802
        answer = self.answers.get("DATA", "250 OK")
        if answer.startswith("250"):
            self.taken.append(envelope)
            self.encrypted.append(session.ssl is not None)
        return answer

    def sign_in(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: LoginPassword) -> AuthResult:
        self.logins.append(data)
        if data.password == CANARY.encode():
            return AuthResult(success=True)
        return AuthResult(success=False, handled=False, message=self.answers.get("AUTH"))

    @property
    def messages(self) -> list[EmailMessage]:
        return [email.message_from_bytes(e.content, policy=default) for e in self.taken if isinstance(e.content, bytes)]  # type: ignore[misc]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-made certificate for 127.0.0.1, with its key in the same file."""
    pem = tmp_path_factory.mktemp("tls") / "mail.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=mail", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(pem)]
    try:
        subprocess.run([*command, "-out", str(pem.with_suffix(".crt"))], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    pem.write_text(pem.read_text() + pem.with_suffix(".crt").read_text())
    return pem


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def serving(postbox: Postbox, certificate: Path | None = None, *, auth: bool = False) -> Iterator[MailServer]:
    """A server on loopback, with STARTTLS where it has a certificate; how to reach it."""
    options: dict[str, Any] = {"auth_require_tls": certificate is not None}
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        options["tls_context"] = context
    if auth:
        options |= {"authenticator": postbox.sign_in, "auth_required": True}
    controller = Controller(postbox, "127.0.0.1", free_port(), ready_timeout=30, **options)
    controller.start()
    trusting = None if certificate is None else ssl.create_default_context(cafile=str(certificate))
    try:
        tls = "none" if certificate is None else "starttls"
        yield MailServer("127.0.0.1", controller.port, tls, certificate is None, context=trusting, timeout=60)  # type: ignore[arg-type]
    finally:
        controller.stop()
        let_go()


def let_go() -> None:
    """Collect what the server left open, here where it is expected."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def notifier(server: MailServer, *recipients: str, **more: Any) -> EmailNotifier:
    return EmailNotifier("mail", server, SENDER, recipients or (ANN,), **more)


def failure(sender: EmailNotifier, message: Notification | None = None) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        sender.send(message or notification(runaway_key()))
    error = caught.value
    assert CANARY not in f"{error!r} {error.__context__!r} {error.__cause__!r} {sender!r}"
    assert "\n" not in error.reason
    return error


# ------------------------------------------------------------------------------------------- the message


def made(message: Notification, **more: Any) -> EmailMessage:
    data = email_message(message, SENDER, (ANN, EVE), **more).as_bytes()
    return email.message_from_bytes(data, policy=default)  # type: ignore[return-value]


def test_it_says_the_same_as_text_and_as_html_and_asks_for_no_automatic_answer() -> None:
    found = made(notification(runaway_key()), link="https://watcher.example/")
    assert found.get_content_type() == "multipart/alternative"
    text, page = (part.get_content() for part in found.iter_parts())
    for said in ("batch-summariser", "https://watcher.example/"):
        assert said in text
        assert said in page
    headers = ("From", "To", "Message-ID", "References", "Auto-Submitted", "X-Auto-Response-Suppress")
    assert [found[name] for name in headers] == [
        SENDER,
        f"{ANN}, {EVE}",
        "<ntf_7d1f6c02a9@team.example>",
        f"<alert-{runaway_key().id}@team.example>",
        "auto-generated",
        "All",
    ]
    assert found["Date"].datetime == notification(runaway_key()).created_at
    assert "batch-summariser" in found["Subject"]


def test_every_try_is_the_same_byte_for_byte() -> None:
    message = notification(runaway_key())
    tries = {email_message(message, SENDER, (ANN,), chart=PNG).as_bytes() for _ in range(3)}
    assert len(tries) == 1


def test_a_chart_is_inside_the_page_and_takes_the_place_of_the_picture_in_characters() -> None:
    found = made(notification(runaway_key()), chart=PNG)
    _text, related = found.iter_parts()
    page, image = related.iter_parts()  # type: ignore[attr-defined]
    assert (image.get_content_type(), image.get_content()) == ("image/png", PNG)
    assert f'src="cid:{image["Content-ID"].strip("<>")}"' in page.get_content()
    assert image.get_content_disposition() == "inline"
    assert "<pre" not in page.get_content()
    assert "<pre" in made(notification(runaway_key())).get_body(("html",)).get_content()  # type: ignore[union-attr]


@pytest.mark.parametrize("name", [*HOSTILE_NAMES, "x\r\nBcc: evil@evil.example\r\n\r\nbody", "=?utf-8?q?a?=\r\n X: y"])
def test_no_name_makes_a_header_or_a_tag(name: str) -> None:
    found = made(replace(notification(hostile_key(name)), organization=name, told_as=name))
    assert set(found.keys()) == set(made(notification(runaway_key())).keys())
    assert "\n" not in found["Subject"]
    page = found.get_body(("html",)).get_content()  # type: ignore[union-attr]
    for tag in ("<script", "<!channel", "<https:", "<@"):
        assert tag not in page
    raw = email_message(notification(hostile_key(name)), SENDER, (ANN,)).as_bytes()
    assert max(map(len, raw.split(b"\r\n"))) <= 998, "RFC 5322 allows no longer line"
    assert raw.replace(b"\r\n", b"").count(b"\n") == 0


def test_a_message_about_many_alerts_stays_readable() -> None:
    found = made(notification(*many(1_000)))
    assert len(found.as_bytes()) < 1_000_000
    assert "and " in found.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert found["References"] is None


# ------------------------------------------------------------------------------------------- handing it over


def test_it_is_encrypted_signed_in_and_taken_whole(certificate: Path) -> None:
    postbox = Postbox()
    with serving(postbox, certificate, auth=True) as server:
        sender = notifier(replace(server, username="watcher", password=CANARY), ANN, EVE)
        sender.send(notification(hostile_key("ключ-ß-鍵-🔑")))
        assert isinstance(sender, Probed)
        assert sender.probe() == "the mail server answers, encrypts and lets us sign in"
    (envelope,) = postbox.taken
    assert (envelope.mail_from, envelope.rcpt_tos) == ("watcher@team.example", [ANN, "eve@team.example"])
    assert postbox.encrypted == [True]
    assert {login.login for login in postbox.logins} == {b"watcher"}
    (found,) = postbox.messages
    assert found["Message-ID"] == "<ntf_7d1f6c02a9@team.example>"
    assert "ключ-ß-鍵-🔑" in found.get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_a_wrong_password_is_told_as_that(certificate: Path) -> None:
    postbox = Postbox(answers={"AUTH": f"535 5.7.8 not {CANARY}"})
    with serving(postbox, certificate, auth=True) as server:
        error = failure(notifier(replace(server, username="watcher", password=f"not {CANARY}")))
    assert not error.retryable
    assert error.reason == "the mail server does not accept the user name and password (status 535)"
    assert postbox.taken == []


def test_a_server_without_encryption_is_refused_unless_that_is_allowed() -> None:
    postbox = Postbox()
    with serving(postbox) as server:
        error = failure(notifier(replace(server, tls="starttls", allow_plain=False)))
        assert (error.retryable, error.reason) == (False, "the mail server offers no encryption (STARTTLS)")
        allowed = replace(server, tls="starttls", allow_plain=True)
        error = failure(notifier(replace(allowed, username="watcher", password=CANARY)))
        assert "no password is sent" in error.reason
        assert postbox.logins == []
        notifier(allowed).send(notification(runaway_key()))
    assert len(postbox.taken) == 1


def test_a_certificate_that_is_not_trusted_is_told(certificate: Path) -> None:
    with serving(Postbox(), certificate) as server:
        error = failure(notifier(replace(server, context=None)))
    assert error.retryable
    assert error.reason == "the mail server's certificate was not accepted: self-signed certificate"


def test_implicit_tls_is_spoken_from_the_first_byte(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    trusting = ssl.create_default_context(cafile=str(certificate))
    with scripted(lambda c: c.sendall(b"554 no\r\n"), tls=context) as port:
        error = failure(notifier(MailServer("127.0.0.1", port, "implicit", context=trusting, timeout=60)))
    assert error.reason == "the mail server does not talk to us (status 554)"


@pytest.mark.parametrize(
    ("answers", "retryable", "says"),
    [
        ({"MAIL": f"451 later {CANARY}"}, True, "refuses the sender (status 451)"),
        ({"MAIL": f"550 no {CANARY}"}, False, "refuses the sender (status 550)"),
        ({"RCPT": f"450 grey {CANARY}"}, True, "puts off 1 of 1 recipients (status 450)"),
        ({"RCPT": f"550 who {CANARY}"}, False, "refuses every recipient (status 550)"),
        ({"DATA": f"452 full {CANARY}"}, True, "refuses the message (status 452)"),
        ({"DATA": f"554 spam {CANARY}"}, False, "refuses the message (status 554)"),
    ],
)
def test_what_may_pass_is_tried_again_and_a_refusal_is_not(
    answers: dict[str, str], retryable: bool, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    postbox = Postbox(answers)
    with serving(postbox) as server:
        error = failure(notifier(server))
    assert (error.retryable, says in error.reason) == (retryable, True)
    assert postbox.taken == []
    assert CANARY not in "".join(record.getMessage() for record in caplog.records if record.name != "mail.log")


def test_one_dead_mailbox_keeps_nothing_from_the_others(caplog: pytest.LogCaptureFixture) -> None:
    postbox = Postbox({BOB: f"550 no such user {CANARY}"})
    with serving(postbox) as server:
        notifier(server, ANN, BOB, EVE).send(notification(runaway_key()))
    assert [envelope.rcpt_tos for envelope in postbox.taken] == [[ANN, "eve@team.example"]]
    (told,) = [record.getMessage() for record in caplog.records if record.name == "notifiers.email"]
    assert told == (
        "receiver mail: the mail server refuses bob@team.example (status 550); the other recipients have the message"
    )


def test_who_is_put_off_gets_it_later_and_the_others_not_twice() -> None:
    postbox = Postbox({BOB: "451 greylisted"})
    message = notification(runaway_key())
    with serving(postbox) as server:
        sender = notifier(server, ANN, BOB)
        error = failure(sender, message)
        assert (error.retryable, error.reason) == (
            True,
            "the mail server puts off 1 of 2 recipients (status 451)",
        )
        postbox.answers.clear()
        sender.send(message)
        sender.send(message)
    assert [envelope.rcpt_tos for envelope in postbox.taken] == [[ANN], [BOB]]
    assert len({found["Message-ID"] for found in postbox.messages}) == 1


def test_a_mailbox_that_stays_full_is_left_behind_after_a_while() -> None:
    postbox = Postbox({BOB: "452 full"})
    with serving(postbox) as server:
        sender = notifier(server, ANN, BOB)
        for _ in range(LAST_TRY - 1):
            assert failure(sender).retryable
        sender.send(notification(runaway_key()))
        over = replace(notification(runaway_key(state=State.RESOLVED)), id="over", reason=Reason.RESOLVED)
        assert failure(sender, over).retryable, "and the next message is tried for it anew"
    assert [envelope.rcpt_tos for envelope in postbox.taken] == [[ANN], [ANN]]


# ------------------------------------------------------------------------------------------- servers that misbehave

Script = Callable[[socket.socket], None]


@contextmanager
def scripted(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server that runs a script on each connection; its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def talk(connection: socket.socket) -> None:
        try:
            with tls.wrap_socket(connection, server_side=True) if tls else connection as stream:
                script(stream)
        except OSError:
            pass  # the client has gone

    def loop() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    threading.Thread(target=loop, daemon=True).start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def dialogue(*lines: bytes, then: str = "hang") -> Script:
    """Says each line, waiting for a command between them; then hangs, closes, or drips."""

    def script(connection: socket.socket) -> None:
        for index, row in enumerate(lines):
            if index:
                connection.recv(65_536)
            connection.sendall(row)
        if then != "close":
            connection.recv(65_536)
        while then == "drip":
            connection.sendall(b"250-x\r\n")
            time.sleep(0.02)
        if then == "hang":
            connection.settimeout(60)
            connection.recv(65_536)

    return script


HELLO, EHLO = b"220 mail\r\n", b"250-mail\r\n250 HELP\r\n"
STAGES = {
    "silence at the greeting": dialogue(b""),
    "half a greeting": dialogue(b"220 ma"),
    "silence after the greeting": dialogue(HELLO),
    "a list of extensions without end": dialogue(HELLO, then="drip"),
    "silence after MAIL": dialogue(HELLO, EHLO),
    "silence after RCPT": dialogue(HELLO, EHLO, b"250 OK\r\n"),
    "silence after DATA": dialogue(HELLO, EHLO, b"250 OK\r\n", b"250 OK\r\n"),
    "silence after the message": dialogue(HELLO, EHLO, b"250 OK\r\n", b"250 OK\r\n", b"354 go\r\n"),
}


@pytest.mark.parametrize("stage", STAGES)
def test_the_whole_exchange_has_one_time_limit(stage: str) -> None:
    with scripted(STAGES[stage]) as port:
        began = time.monotonic()
        error = failure(notifier(MailServer("127.0.0.1", port, "none", allow_plain=True, timeout=0.3)))
        assert time.monotonic() - began < 30, "what hangs here does so for a minute"
    assert error.retryable
    assert "in time" in error.reason or "within 0.3 seconds" in error.reason


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (dialogue(then="close"), "broke the connection off"),
        (dialogue(b"421 busy\r\n", then="close"), "does not talk to us (status 421)"),
        (dialogue(HELLO, EHLO, b"250 OK\r\n", then="close"), "broke the connection off"),
        (dialogue(b"HTTP/1.1 400 Bad Request\r\n\r\n", then="close"), "does not talk to us"),
    ],
)
def test_a_server_that_breaks_off_is_tried_again(script: Script, says: str) -> None:
    with scripted(script) as port:
        error = failure(notifier(MailServer("127.0.0.1", port, "none", allow_plain=True, timeout=60)))
    assert error.retryable
    assert says in error.reason


def test_nobody_listening_and_no_such_name_are_tried_again(refused_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    error = failure(notifier(MailServer("127.0.0.1", refused_port, timeout=60)))
    assert (error.retryable, error.reason) == (True, "the mail server refused the connection")
    error = failure(notifier(MailServer("no-such-name.invalid", 25, timeout=60)))
    assert (error.retryable, error.reason) == (True, "the mail server's name could not be resolved")


def test_what_was_accepted_stays_so_if_the_goodbye_fails() -> None:
    script = dialogue(HELLO, EHLO, b"250 OK\r\n", b"250 OK\r\n", b"354 go\r\n", b"250 OK\r\n", then="close")
    with scripted(script) as port:
        notifier(MailServer("127.0.0.1", port, "none", allow_plain=True, timeout=60)).send(
            notification(organization_budget())
        )
