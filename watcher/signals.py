"""The signals that a daemon listens to, and how it comes to its end."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

from watcher.daemon import Daemon
from watcher.logs import logger
from watcher.settings import Settings

log = logger(__name__)


class Signals:
    """SIGTERM and SIGINT ask to end, SIGHUP to read the configuration again."""

    def __init__(self) -> None:
        self.end = threading.Event()
        self.reload = threading.Event()
        self.any = threading.Event()

    def listen(self) -> None:
        """Take over the process's signals; only from the main thread."""
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGINT, self._end)
        signal.signal(signal.SIGHUP, self._reload)

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self.end.set()
        self.any.set()

    def _reload(self, _number: int, _frame: FrameType | None) -> None:
        self.reload.set()
        self.any.set()


def serve_until_told(daemon: Daemon, signals: Signals, read_settings: Callable[[], Settings | str]) -> None:
    """Wait for signals: a reload is whole or not at all, an end returns. `read_settings` may give a sentence."""
    while not signals.end.is_set():
        signals.any.wait()
        signals.any.clear()
        if signals.reload.is_set() and not signals.end.is_set():
            signals.reload.clear()
            settings = read_settings()
            refusal = settings if isinstance(settings, str) else daemon.reload(settings)
            if refusal is None:
                log.info("configuration reloaded")
            else:
                daemon.reload_failed(refusal)


def leave_at_once(code: int = 0) -> None:
    """End the process without waiting for threads that hang in a receiver or a socket; everything is committed."""
    os._exit(code)
