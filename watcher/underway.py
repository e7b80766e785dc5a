"""What runs in other threads just now, so that who ends the program can wait for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from watcher.logs import logger
from watcher.watched import Watched

log = logger(__name__)


class UnderWay:
    """Counts runs of a thing, which may overlap."""

    def __init__(self) -> None:
        self._runs = 0
        self._changed = threading.Condition()

    @contextmanager
    def one(self) -> Iterator[None]:
        """One run, as long as the block."""
        with self._changed:
            self._runs += 1
        try:
            yield
        finally:
            with self._changed:
                self._runs -= 1
                self._changed.notify_all()

    def wait(self, seconds: float) -> bool:
        """Wait that long for an instant at which none runs; returns whether it came."""
        with self._changed:
            return self._changed.wait_for(lambda: self._runs == 0, max(seconds, 0.0))


def let_end(watched: Iterable[Watched], deliveries: UnderWay, seconds: float) -> None:
    """Give the cycles and deliveries that run so many seconds, all together, to come to their end; tell which do not.

    A message that was sent is then also marked as sent, and is not sent once more after the next start.
    """
    deadline = time.monotonic() + seconds
    idle = [each.wait(deadline - time.monotonic()) for each in watched]
    if not all(idle):
        log.warning("a cycle is cut off; the next start takes up where its last commit left off")
    if not deliveries.wait(deadline - time.monotonic()):
        log.warning("a delivery is cut off; the next start tries it again, under the same id")
