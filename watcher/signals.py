"""The signals that a daemon listens to, and how it comes to its end."""

from __future__ import annotations

import os
import queue
import signal
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Literal, TypeAlias

from watcher.daemon import Daemon
from watcher.logs import logger
from watcher.notify_socket import NotifySocket
from watcher.settings import Settings

log = logger(__name__)

LONGEST_WAIT = 1.0
"""Seconds."""

UNSUPERVISED = NotifySocket(None)

Asked: TypeAlias = Literal["end", "reload"]


class Signals:
    """SIGTERM and SIGINT ask to end, SIGHUP to read the configuration again.

    What was asked waits in a `SimpleQueue`, whose `put` may come in the middle of any other call of the same thread. A
    `threading.Event` is no place for it: a signal that arrives while the waiting thread holds the event's lock waits
    for that lock for ever.
    """

    def __init__(self) -> None:
        self._asked: queue.SimpleQueue[Asked] = queue.SimpleQueue()

    def listen(self) -> None:
        """Take over the process's signals; only from the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        signal.signal(signal.SIGHUP, self._reload)

    def ask(self, what: Asked) -> None:
        """Ask for it as a signal does; safe anywhere."""
        self._asked.put(what)

    def wait(self) -> Asked:
        """Wait until something is asked: what it is. Of several an end comes first, and reloads are one."""
        asked = {self._first()}
        while not self._asked.empty():
            asked.add(self._asked.get())
        return "end" if "end" in asked else "reload"

    def _first(self) -> Asked:
        """What is asked next.

        Python runs a signal's handler between two of its own steps. A signal that comes just before the wait begins
        does not end it, so the wait is never longer than `LONGEST_WAIT`.
        """
        while True:
            with suppress(queue.Empty):
                return self._asked.get(timeout=LONGEST_WAIT)

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self.ask("end")

    def _reload(self, _number: int, _frame: FrameType | None) -> None:
        self.ask("reload")


def serve_until_told(
    daemon: Daemon,
    signals: Signals,
    read_settings: Callable[[], Settings | str],
    service: NotifySocket = UNSUPERVISED,
) -> None:
    """Wait for signals: a reload is whole or not at all, an end returns. `read_settings` may give a sentence.

    `service` is told of both.
    """
    while signals.wait() != "end":
        service.reloading()
        settings = read_settings()
        refusal = settings if isinstance(settings, str) else daemon.reload(settings)
        if refusal is None:
            log.info("configuration reloaded")
        else:
            daemon.reload_failed(refusal)
        service.reloaded(refused=refusal is not None)
    service.stopping()


def leave_at_once(code: int = 0) -> None:
    """End the process without waiting for threads that hang in a receiver or a socket; everything is committed."""
    os._exit(code)
