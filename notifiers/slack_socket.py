"""Socket Mode: a connection of our own to Slack, over which it says which buttons were pressed.

slack-sdk's builtin client keeps one connection; a thread here opens it, and opens the next one when it is gone. A press
is acknowledged to Slack once it has been taken; what was not, Slack sends again, or says so to who pressed.
"""

from __future__ import annotations

import logging
import select
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from notifiers.base import DeliveryError
from notifiers.slack_api import SlackApi, quiet
from notifiers.slack_buttons import Press, read_press

if TYPE_CHECKING:
    from slack_sdk.socket_mode.client import BaseSocketModeClient

log = logging.getLogger(__name__)

WAITS = (1.0, 5.0, 15.0, 60.0)
"""Seconds before the next try to connect, after so many that failed in a row; the last holds for every further one."""
LAST_CALL = 0.3
"""Seconds that a stop waits for the connection to be closed."""
_LOOK = 0.2
_CLOSED = select.POLLHUP | select.POLLERR | select.POLLNVAL | getattr(select, "POLLRDHUP", 0)
_STEADY = 60.0
"""After so many seconds a connection counts as a good one."""


class SlackSocket:
    """Listens for one receiver, in a thread of its own, until it is stopped.

    `take` is called with each press, one after the other, and has to be quick: Slack waits three seconds. It returns
    what is to be done once Slack knows that the press was taken. What it raises leaves the press untaken.
    """

    def __init__(
        self,
        receiver: str,
        api: SlackApi,
        app_token: str,
        take: Callable[[Press], Callable[[], None]],
        proxy: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._receiver, self._api, self._token, self._take = receiver, api, app_token, take
        self._proxy, self._tls = proxy, tls
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"slack:{receiver}", daemon=True)

    def start(self) -> None:
        """Begin to listen; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Listen no more; the connection is closed soon, and waited for only a little."""
        self._stopping.set()
        self._thread.join(LAST_CALL)

    def _run(self) -> None:
        failed = 0
        while not self._stopping.is_set():
            try:
                steady = self._listen()
            except DeliveryError as error:
                failed, why, wait = failed + 1, error.reason, error.retry_after or 0.0
            except Exception as error:  # noqa: BLE001 (the library's are many, and their texts hold addresses)
                failed, why, wait = failed + 1, f"the connection failed: {type(error).__name__}", 0.0
            else:
                failed, why, wait = (0 if steady else failed + 1), "", 0.0
            wait = max(wait, WAITS[min(max(failed, 1), len(WAITS)) - 1])
            if why and failed in {1, len(WAITS)}:
                log.warning("receiver %s: Slack's buttons are not listened for: %s", self._receiver, why)
            self._stopping.wait(wait)

    def _listen(self) -> bool:
        """Connect, and listen until the connection is gone; whether it lasted."""
        url = self._api.call(lambda client: client.apps_connections_open(app_token=self._token)).get("url")
        if not isinstance(url, str) or not url.startswith(("wss://", "ws://") if self._api.allow_private else "wss://"):
            raise DeliveryError("Slack's answer does not say where to connect to", retryable=True)
        client = SocketModeClient(
            self._token, logger=quiet, web_client=self._api.client, auto_reconnect_enabled=False, concurrency=1
        )
        try:
            client.proxy = self._proxy  # it has just taken one of the environment
            client.web_client.ssl = self._tls
            client.wss_uri = url
            client.socket_mode_request_listeners.append(self._heard)
            client.connect()
            log.info("receiver %s: listening for Slack's buttons", self._receiver)
            return self._wait(client)
        finally:
            with suppress(Exception):
                client.close()

    def _wait(self, client: SocketModeClient) -> bool:
        """Until it has not been connected at two looks in a row: in between it may change its connection."""
        lasted, gone = 0.0, 0
        while gone < 2 and not self._stopping.wait(_LOOK):
            lasted += _LOOK
            gone = gone + 1 if _is_gone(client) else 0
        return lasted >= _STEADY

    def _heard(self, client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        """One envelope. Whatever is no press of ours is acknowledged and left alone."""
        if self._stopping.is_set():
            return  # Slack says to who pressed that nobody took it
        press = read_press(request.payload, request.envelope_id) if request.type == "interactive" else None
        after: Callable[[], None] | None = None
        if press is not None:
            try:
                after = self._take(press)
            except Exception as error:  # noqa: BLE001 (Slack sends it again)
                log.warning("receiver %s: a press was not taken: %s", self._receiver, type(error).__name__)
                return
        client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))
        if after is not None:
            after()


def _is_gone(client: SocketModeClient) -> bool:
    """Whether the other side has closed it. The library itself reads on for 20 seconds, without a pause."""
    session = client.current_session
    sock = None if session is None else session.sock
    if sock is None:
        return True
    poll = select.poll()
    try:
        poll.register(sock, select.POLLIN | _CLOSED)
        return any(event & _CLOSED for _, event in poll.poll(0))
    except (OSError, ValueError):  # closed just now
        return True
