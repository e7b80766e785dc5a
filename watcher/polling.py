"""One cycle of every organization, side by side, for `watcher poll`: none waits for another, each ends by itself."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from structlog.contextvars import bound_contextvars

from watcher.admin_api import AdminApiError
from watcher.clock import Clock
from watcher.cycle import Outcome, Progress
from watcher.logs import logger
from watcher.store import StoreError
from watcher.telling import log_outcome
from watcher.watched import InForce, Watched

log = logger(__name__)


def poll_all(force: InForce, clock: Clock, progress: Progress) -> tuple[str, ...]:
    """Run a whole cycle of each organization; a sentence for each thing that went wrong, none when all is well.

    `progress` is told of all of them together.
    """
    together = _Together(progress)
    with ThreadPoolExecutor(len(force.watched), thread_name_prefix="poll") as pool:
        polls = [pool.submit(_poll, force, watched, clock, together.of(watched.label)) for watched in force.watched]
        try:
            return tuple(sentence for poll in polls for sentence in poll.result())
        except BaseException:
            force.ended.set()
            raise


def _poll(force: InForce, watched: Watched, clock: Clock, progress: Progress) -> tuple[str, ...]:
    several = len(force.watched) > 1
    context = {"organization": watched.label} if several else {}
    with bound_contextvars(**context):
        found = _attempt(watched, clock, progress)
        if isinstance(found, Outcome):
            log_outcome(found)
            sentences = tuple(f"{source}: {why}" for source, why in found.ingested.failures.items())
        else:
            sentences = (found,)
    return tuple(f"{watched.label}: {sentence}" for sentence in sentences) if several else sentences


def _attempt(watched: Watched, clock: Clock, progress: Progress) -> Outcome | str:
    try:
        return watched.run(clock, progress, everything=True)
    except (AdminApiError, StoreError) as error:
        return str(error)


class _Together:
    """Adds up how far each of several has come."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._known: dict[str, tuple[int, int]] = {}
        self._guard = threading.Lock()

    def of(self, label: str) -> Progress:
        """Where one of them tells how far it is."""

        def tell(done: int, total: int) -> None:
            with self._guard:
                self._known[label] = done, total
                self._progress(*(sum(column) for column in zip(*self._known.values(), strict=True)))

        return tell
