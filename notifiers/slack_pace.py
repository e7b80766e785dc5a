"""About one message a second a channel: what Slack takes without asking to be left alone."""

from __future__ import annotations

import time
from collections.abc import Callable

from notifiers.base import DeliveryError

EVERY = 1.0
"""Seconds between two messages to one channel."""


class Pace:
    """Spaces the messages of one receiver, and keeps away while Slack asks for that."""

    def __init__(
        self, seconds: Callable[[], float] = time.monotonic, pause: Callable[[float], None] = time.sleep
    ) -> None:
        """`seconds` gives time that only moves forward; `pause` waits, never longer than `EVERY`."""
        self._seconds, self._pause = seconds, pause
        self._free_at = 0.0
        self._shut_until = 0.0

    def ask(self) -> None:
        """Raises DeliveryError while Slack wants to be left alone."""
        left = self._shut_until - self._seconds()
        if left > 0:
            raise DeliveryError(
                "Slack asked to be left alone for a while", retryable=True, retry_after=left, untaken=True
            )

    def turn(self) -> None:
        """Wait for the turn of the next message."""
        self.ask()
        wait = self._free_at - self._seconds()
        if wait > 0:
            self._pause(min(wait, EVERY))
        self._free_at = self._seconds() + EVERY

    def heed(self, error: DeliveryError) -> None:
        """Remember for how long Slack asked to be left alone, if it did."""
        if error.retry_after is not None:
            self._shut_until = self._seconds() + error.retry_after
