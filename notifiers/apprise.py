"""apprise, for the long tail: Teams, Discord, Telegram, Opsgenie and some hundred more, each an address of its own.

https://github.com/caronc/apprise. It is an extra, imported when the first message is sent. It says of a failure only
that there was one, so all of them may pass. It connects where the addresses say, by rules of its own: nothing of
`notifiers.http` holds for it. What it and its libraries log is dropped, as they write whole addresses.
"""

from __future__ import annotations

import logging
import queue
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from notifiers.base import DeliveryError
from notifiers.progress import Progress
from notifiers.render import story
from notifiers.story import Story, Tone, plain_text
from notifiers.text import asleep
from rules.model import Notification

if TYPE_CHECKING:
    from apprise import Apprise, NotifyType

EXTRA = 'apprise is not installed here: pip install "claude-watcher[apprise]"'
LONGEST = 1_900
"""Characters of a message: most services take two thousand."""
_TALKATIVE = (
    "apprise",
    "requests",
    "requests_oauthlib",
    "urllib3",
    "urllib3.connection",
    "urllib3.connectionpool",
    "urllib3.util.retry",
    "slixmpp",
)


class _Nothing(logging.Filter):
    """Drops every line: there is none of which it is sure that it holds no address."""

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002
        return False


@dataclass(frozen=True, slots=True)
class AppriseNotifier:
    """Sends each notification to all of `urls`, which are secrets. See `Notifier` for the contract.

    Services that took a message do not get it again in its next try. The id cannot be handed on: what a crash makes
    the program send again, nobody can tell from a new message. `timeout` is seconds for one service.
    """

    name: str
    urls: tuple[str, ...] = field(repr=False)
    timeout: float = 30.0
    _progress: Progress = field(default_factory=Progress, repr=False)

    def send(self, notification: Notification) -> None:
        """Send to one service after the other; raises when one of them did not take it, after all were tried."""
        self._progress.begin(notification.id)
        told = story(notification)
        failed = 0
        for number, service in enumerate(self._services()):
            if self._progress.has(str(number)):
                continue
            if self._hand_over(service, told):
                self._progress.took(str(number))
            else:
                failed += 1
        if failed:
            whom = "the service" if len(self.urls) == 1 else f"{failed} of {len(self.urls)} services"
            raise DeliveryError(f"apprise did not get the message to {whom}, and does not say why", retryable=True)

    def probe(self) -> str:
        """Read the addresses; no service is asked. Raises DeliveryError where one is not understood."""
        count = len(self._services())
        return f"apprise understands {'the address' if count == 1 else f'all {count} addresses'}; no service was asked"

    def _services(self) -> list[Apprise]:
        """One for each address."""
        quieten()
        try:
            from apprise import Apprise, AppriseAsset  # noqa: PLC0415 (it is an extra, and takes a second)
        except ImportError:
            raise DeliveryError(EXTRA, retryable=False) from None
        services = []
        for number, url in enumerate(self.urls, 1):
            service = Apprise(asset=AppriseAsset(app_id="claude-watcher", async_mode=False))
            if not _added(service, url):
                reason = f"apprise does not understand address {number} of {len(self.urls)}"
                raise DeliveryError(reason, retryable=False)
            services.append(service)
        return services

    def _hand_over(self, service: Apprise, told: Story) -> bool:
        """Whether the service took it in time; a thread is left behind when it hangs."""
        outcome: queue.SimpleQueue[bool] = queue.SimpleQueue()

        def run() -> None:
            try:
                taken = _notify(service, told)
            except Exception:  # noqa: BLE001 (what it raises may hold the address, and says nothing we could use)
                taken = False
            outcome.put(taken)

        threading.Thread(target=run, name="apprise", daemon=True).start()
        try:
            return outcome.get(timeout=self.timeout)
        except queue.Empty:
            return False


def quieten() -> None:
    """Drop what apprise and the libraries it sends with log, at whatever level."""
    for name in _TALKATIVE:
        logger = logging.getLogger(name)
        if not any(isinstance(each, _Nothing) for each in logger.filters):
            logger.addFilter(_Nothing())


def _added(service: Apprise, url: str) -> bool:
    try:
        return bool(service.add(url))
    except Exception:  # noqa: BLE001 (as above)
        return False


def _notify(service: Apprise, told: Story) -> bool:
    from apprise import NotifyFormat  # noqa: PLC0415

    text = plain_text(told, LONGEST).removeprefix(told.headline).lstrip("\n")
    title, body = asleep(told.headline), asleep(text)
    return bool(service.notify(body or title, title, notify_type=_kind(told.tone), body_format=NotifyFormat.TEXT))


def _kind(tone: Tone) -> NotifyType:
    from apprise import NotifyType  # noqa: PLC0415

    kinds = {Tone.CRITICAL: NotifyType.FAILURE, Tone.WARNING: NotifyType.WARNING, Tone.RESOLVED: NotifyType.SUCCESS}
    return kinds.get(tone, NotifyType.INFO)
