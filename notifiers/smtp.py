"""One SMTP exchange, with one time limit for all of it, and failures told in words of our own."""

from __future__ import annotations

import queue
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, TypeAlias, TypeVar

from notifiers.base import DeliveryError

Tls: TypeAlias = Literal["starttls", "implicit", "none"]
_HELLO = "[127.0.0.1]"  # who we say we are: nothing about the machine, and no look-up of its name
_T = TypeVar("_T")

# By kind of exception, first match wins.
_REFUSALS: dict[type[Exception], str] = {
    smtplib.SMTPAuthenticationError: "does not accept the user name and password",
    smtplib.SMTPSenderRefused: "refuses the sender",
    smtplib.SMTPDataError: "refuses the message",
    smtplib.SMTPConnectError: "does not talk to us",
    smtplib.SMTPResponseException: "refuses",
}
_FAILURES: dict[type[Exception], str] = {
    smtplib.SMTPServerDisconnected: "the mail server broke the connection off",
    ssl.SSLError: "no TLS connection could be agreed with the mail server",
    ConnectionRefusedError: "the mail server refused the connection",
    socket.gaierror: "the mail server's name could not be resolved",
    TimeoutError: "the mail server did not answer in time",
    OSError: "the mail server could not be reached",
}


@dataclass(frozen=True, slots=True)
class MailServer:
    """A mail server and how to sign in there. `context` takes the place of the usual certificate checks.

    With "starttls" the connection must become an encrypted one, unless `allow_plain`; a password is never sent over
    one that did not.
    """

    host: str
    port: int
    tls: Tls = "starttls"
    allow_plain: bool = False
    username: str = ""
    password: str = field(default="", repr=False)
    context: ssl.SSLContext | None = field(default=None, repr=False)
    timeout: float = 30.0
    """Seconds for everything: resolving, connecting, signing in, handing over."""


class Session(smtplib.SMTP):
    """The library's SMTP on a socket that is encrypted from the beginning, if it is to be, and can be cut off."""

    def __init__(self, server: MailServer, context: ssl.SSLContext) -> None:
        super().__init__(timeout=2 * server.timeout, local_hostname=_HELLO)
        self._host = server.host  # whom STARTTLS must find in the certificate
        self._implicit = context if server.tls == "implicit" else None
        self._wire: socket.socket | None = None

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = socket.create_connection((host, port), timeout)
        self._wire = plain.dup()  # TLS takes the socket over, and the way to end it with it
        return plain if self._implicit is None else self._implicit.wrap_socket(plain, server_hostname=host)

    def cut_off(self) -> None:
        """End the connection from another thread, whatever it waits for."""
        if self._wire is not None:
            with suppress(OSError):
                self._wire.shutdown(socket.SHUT_RDWR)

    def leave(self) -> None:
        """End the connection politely if that is possible; what was accepted stays accepted."""
        with suppress(OSError, smtplib.SMTPException):
            self.quit()
        self.close()
        if self._wire is not None:
            self._wire.close()


def converse(server: MailServer, talk: Callable[[Session], _T]) -> _T:
    """Connect, encrypt, sign in, and `talk`; returns what that returns. Raises DeliveryError, and nothing else.

    The library's own limit is for one answer, which a slow server may stretch without end, so it runs in a thread whose
    connection is cut when the time is up.
    """
    session = Session(server, server.context or _published())
    outcome: queue.SimpleQueue[tuple[Any, DeliveryError | None]] = queue.SimpleQueue()
    expired = threading.Event()

    def run() -> None:
        try:
            _open(session, server)
            if not expired.is_set():
                outcome.put((talk(session), None))
        except Exception as error:  # noqa: BLE001 (it is told in the other thread)
            outcome.put((None, explained(error)))
        finally:
            session.leave()

    threading.Thread(target=run, name="smtp", daemon=True).start()
    try:
        found, failure = outcome.get(timeout=server.timeout)
    except queue.Empty:
        expired.set()
        session.cut_off()
        reason = f"the mail server was not done within {server.timeout:g} seconds"
        raise DeliveryError(reason, retryable=True) from None
    if failure is not None:
        raise DeliveryError(failure.reason, retryable=failure.retryable) from None
    return found  # type: ignore[no-any-return]


@cache
def _published() -> ssl.SSLContext:
    """The authorities that this machine trusts, read once: that takes longer than to hand a mail over."""
    return ssl.create_default_context()


def explained(error: Exception) -> DeliveryError:
    """What went wrong, without a word of the server's, which may repeat what it was sent."""
    match error:
        case DeliveryError():
            return error
        case smtplib.SMTPResponseException():
            code = _code(error)
            words = next(words for kind, words in _REFUSALS.items() if isinstance(error, kind))
            return DeliveryError(f"the mail server {words} (status {code})", retryable=not 500 <= code < 600)
        case smtplib.SMTPNotSupportedError():
            return DeliveryError("the mail server has no way to sign in that is known here", retryable=False)
        case ssl.SSLCertVerificationError():
            why = error.verify_message.partition(",")[0]  # behind a comma comes the host's name
            return DeliveryError(f"the mail server's certificate was not accepted: {why}", retryable=True)
    words = next((words for kind, words in _FAILURES.items() if isinstance(error, kind)), "")
    return DeliveryError(words or f"the mail could not be handed over ({type(error).__name__})", retryable=True)


def _open(session: Session, server: MailServer) -> None:
    code, _greeting = session.connect(server.host, server.port)
    if code != 220:
        raise smtplib.SMTPConnectError(code, b"")
    session.ehlo_or_helo_if_needed()
    encrypted = server.tls == "implicit"
    if server.tls == "starttls" and session.has_extn("starttls"):
        code, _answer = session.starttls(context=server.context or _published())
        if code != 220:
            raise smtplib.SMTPResponseException(code, b"")
        session.ehlo_or_helo_if_needed()
        encrypted = True
    if server.tls == "starttls" and not encrypted and not server.allow_plain:
        raise DeliveryError("the mail server offers no encryption (STARTTLS)", retryable=False)
    if server.username:
        if not encrypted and server.tls != "none":
            reason = "the mail server offers no encryption, and no password is sent without"
            raise DeliveryError(reason, retryable=False)
        session.login(server.username, server.password)


def _code(error: smtplib.SMTPResponseException) -> int:
    return int(error.smtp_code)
