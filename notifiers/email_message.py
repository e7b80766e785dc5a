"""A notification as an e-mail: text, HTML, and the chart inside the HTML; the same, byte for byte, on every try."""

from __future__ import annotations

from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from notifiers.email_html import html_page
from notifiers.render import story
from notifiers.story import plain_text
from rules.model import Notification

LONGEST_TEXT = 100_000


def email_message(
    notification: Notification, sender: str, recipients: Sequence[str], *, chart: bytes | None = None, link: str = ""
) -> EmailMessage:
    """The message. `sender` and `recipients` are addresses that the configuration has checked; `chart` is a PNG.

    No header holds a text from elsewhere but the subject, which is one line that the library encodes. Auto-replies are
    declined in every way that is understood somewhere (RFC 3834, and Exchange's own). What is said of one alert hangs
    in one thread.
    """
    told = story(notification)
    domain = sender.rpartition("@")[2].rstrip(">")
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = ", ".join(recipients)
    message["Subject"] = told.headline
    message["Date"] = format_datetime(notification.created_at)
    message["Message-ID"] = f"<{notification.id}@{domain}>"
    if len(notification.alerts) == 1:
        message["References"] = f"<alert-{notification.alerts[0].id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message["X-Watcher-Notification-Id"] = notification.id
    footer = f"\n\n{link}" if link else ""
    message.set_content(plain_text(told, LONGEST_TEXT) + footer, cte="quoted-printable")
    cid = None if chart is None else f"chart-{notification.id}@{domain}"
    message.add_alternative(html_page(told, chart=cid, link=link), subtype="html", cte="quoted-printable")
    if chart is not None:
        _text, page = message.iter_parts()
        page.add_related(chart, "image", "png", cid=f"<{cid}>", filename="chart.png", disposition="inline")
        page.set_boundary(f"=_related_{notification.id}")
    message.set_boundary(f"=_parts_{notification.id}")
    return message
