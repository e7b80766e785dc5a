"""E-mail: one message to all recipients over SMTP, text and HTML, with a chart inside where there is one."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import TypeAlias

from notifiers.base import DeliveryError
from notifiers.email_message import email_message
from notifiers.progress import Progress
from notifiers.smtp import MailServer, Session, converse
from rules.model import Notification

log = logging.getLogger(__name__)

Charts: TypeAlias = Callable[[Notification], bytes | None]
"""Draws the picture of a message as PNG, or says that there is none."""

LAST_TRY = 6
"""After so many tries, some three quarters of an hour, a recipient that is only ever put off (a full mailbox) no longer
keeps the message, and what comes after it, from the others."""


def no_chart(_notification: Notification) -> bytes | None:
    """Draws nothing."""
    return None


@dataclass(frozen=True, slots=True)
class EmailNotifier:
    """Mails each notification from `sender` to `recipients`. See `Notifier` for the contract.

    The Message-ID follows from the notification's id. A recipient who is refused for good does not keep the message
    from the others: once one has it, it counts as accepted, and the log says who has not. Those who are put off get it
    in the next try, the others do not get it again.
    """

    name: str
    server: MailServer
    sender: str
    recipients: tuple[str, ...]
    link: str = ""
    charts: Charts = field(default=no_chart, repr=False)
    _progress: Progress = field(default_factory=Progress, repr=False)

    def send(self, notification: Notification) -> None:
        """Hand the message over; accepted once the server has taken it for all whom it does not refuse for good."""
        self._progress.begin(notification.id)
        waiting = [address for address in self.recipients if not self._progress.has(address)]
        if not waiting:
            return
        chart = self.charts(notification)
        message = email_message(notification, self.sender, self.recipients, chart=chart, link=self.link)
        content = message.as_bytes()
        refused = converse(self.server, lambda session: _hand_over(session, self.sender, waiting, content))
        for address in waiting:
            if address not in refused:
                self._progress.took(address)
        if refused:
            self._judge(refused)

    def probe(self) -> str:
        """Connect, encrypt and sign in, and send nothing; raises DeliveryError."""
        converse(self.server, lambda session: session.noop())
        secured = "" if self.server.tls == "none" else ", encrypts"
        signs = " and lets us sign in" if self.server.username else ""
        return f"the mail server answers{secured}{signs}"

    def _judge(self, refused: Mapping[str, int]) -> None:
        """Raise where somebody may yet get the message, or nobody can; otherwise note who does not."""
        reached = any(self._progress.has(address) for address in self.recipients)
        put_off = [address for address, code in refused.items() if not 500 <= code < 600]
        if put_off and not (reached and self._progress.tries >= LAST_TRY):
            count = f"{len(put_off)} of {len(self.recipients)} recipients"
            codes = ", ".join(map(str, sorted({refused[address] for address in put_off})))
            raise DeliveryError(f"the mail server puts off {count} (status {codes})", retryable=True)
        if not reached:
            codes = ", ".join(map(str, sorted(set(refused.values()))))
            raise DeliveryError(f"the mail server refuses every recipient (status {codes})", retryable=False)
        log.warning(
            "receiver %s: the mail server refuses %s; the other recipients have the message",
            self.name,
            ", ".join(f"{address} (status {code})" for address, code in refused.items()),
        )


def _hand_over(session: Session, sender: str, recipients: Sequence[str], content: bytes) -> dict[str, int]:
    """Who was refused, with the status; everybody else has the message."""
    plain = {parseaddr(address)[1]: address for address in recipients}
    try:
        refused = session.sendmail(parseaddr(sender)[1], list(plain), content)
    except smtplib.SMTPRecipientsRefused as error:
        refused = error.recipients
    return {plain[address]: code for address, (code, _answer) in refused.items()}
