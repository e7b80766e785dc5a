"""The daemon: the cycle and the deliveries by the clock, the pages beside them, and the signals it listens to."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from types import FrameType
from typing import TypeAlias

import structlog

from notifiers.base import Notifier
from watcher import health
from watcher.admin_api import AdminApiError, RequestObservation
from watcher.clock import Clock
from watcher.cycle import Outcome, Progress, World, run_cycle
from watcher.ingest import Plan, organization_of
from watcher.metrics import Board, Metrics
from watcher.outbox import deliver
from watcher.schedule import Schedule
from watcher.settings import Settings
from watcher.status import read_status
from watcher.store import Store, StoreError
from watcher.telling import log_outcome
from watcher.upkeep import tidy_if_due
from watcher.wiring import Parts, assemble, waiting_by_receiver

log = structlog.get_logger(__name__)

DELIVER_EVERY = timedelta(seconds=1)
LAST_CALL = 6.0
"""Seconds after a signal to end within which running work may finish; what has not committed by then is done again."""
THREADS = 64
"""Most jobs at once: the cycle, and as many receivers that hang without delaying one that does not."""
_LOOK = 0.2  # seconds between looks at whether the program is to end

Wire: TypeAlias = Callable[
    [Settings, Store, Callable[[RequestObservation], None], Callable[[float], None]],
    Parts,
]
"""Makes the parts of a configuration: from settings and store, who hears of requests, and how to wait seconds."""


class Ending(Exception):
    """Raised inside a cycle that waits to try a request again, when the program is told to end."""


class Daemon:
    """Runs cycles and deliveries until it is told to stop.

    One thread runs cycles, one a receiver delivers, so that a hanging receiver holds up nobody else. Settings are
    replaced whole by `reload`.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        clock: Clock,
        metrics: Metrics,
        *,
        on_outcome: Callable[[Outcome], None] = lambda _outcome: None,
        progress: Progress | None = None,
        wire: Wire = assemble,
    ) -> None:
        """`on_outcome` and `progress` let a terminal show what goes on; both are called from the cycle's thread.

        `wire` makes the parts of each configuration; the program's own is `watcher.wiring.assemble`.
        """
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._on_outcome = on_outcome
        self._progress = progress
        self._stopping = threading.Event()
        self._cycling = threading.Lock()
        self._cycled = threading.Event()
        self._schedule = Schedule(clock, threads=THREADS, on_jump=lambda _seconds: metrics.clock_jumps.inc())
        self._wire = wire
        self._parts = wire(settings, store, self._observe, self._pause)
        self._world: World | None = None

    @property
    def receivers(self) -> tuple[str, ...]:
        """The names of the receivers that the configuration in force has."""
        return tuple(notifier.name for notifier in self._parts.notifiers)

    @property
    def ready(self) -> bool:
        """Whether a first cycle has ended."""
        return self._cycled.is_set()

    def start(self) -> None:
        """Begin: a cycle at once, deliveries of what an earlier run left.

        Until that cycle has ended, the metrics show what the last one of an earlier run found.
        """
        self._metrics.board = _left_over(self._store, self._clock.now())
        self._metrics.waiting = waiting_by_receiver(self._parts)
        self._plan_jobs()
        self._schedule.start()

    def stop(self) -> None:
        """Start nothing more, wait a little for what runs, and close the connections."""
        self._stopping.set()
        self._schedule.stop()
        deadline = time.monotonic() + LAST_CALL
        if self._cycling.acquire(timeout=max(deadline - time.monotonic(), 0)):
            self._cycling.release()
        else:
            log.warning("a cycle is cut off; the next start takes up where its last commit left off")
        self._parts.close()

    def reload(self, settings: Settings, ending: threading.Event) -> str | None:
        """Take over a new configuration, whole, once no cycle runs. Returns why not, if it cannot be taken over.

        Once `ending` is set it waits no longer for the cycle: the new configuration then counts at the next start.
        """
        before = self._parts.settings
        if settings.store.url != before.store.url:
            return "store.url cannot change while the daemon runs: restart it"
        if settings.http != before.http:
            return "http.listen cannot change while the daemon runs: restart it"
        parts = self._wire(settings, self._store, self._observe, self._pause)
        while not self._cycling.acquire(timeout=_LOOK):
            if ending.is_set():
                parts.close()
                return "the program is ending"
        try:
            retired, self._parts, self._world = self._parts, parts, None
            for notifier in retired.notifiers:
                self._schedule.forget(_delivery(notifier))
            self._metrics.expect_receivers(notifier.name for notifier in parts.notifiers)
            self._plan_jobs()
        finally:
            self._cycling.release()
        retired.close()
        return None

    def reload_failed(self, why: str) -> None:
        """Tell and count that a configuration was not taken over."""
        self._metrics.reload_failures.inc()
        log.error("the configuration was not reloaded; the old one stays in force", why=why)

    def _plan_jobs(self) -> None:
        self._schedule.every("cycle", self._parts.settings.poll.usage_every, self.cycle)
        for notifier in self._parts.notifiers:
            self._schedule.every(_delivery(notifier), DELIVER_EVERY, partial(self._deliver, notifier))

    def cycle(self) -> None:
        """Run one cycle now; a failure is told, counted, and left to the next one."""
        with self._cycling:
            if self._stopping.is_set():
                return
            self._metrics.cycles.inc()
            begun = time.monotonic()
            with self._metrics.in_cycle.track_inprogress():
                outcome = self._attempt()
            self._metrics.cycle_seconds.observe(time.monotonic() - begun)
        if outcome is None or not outcome.whole:
            self._metrics.cycle_failures.inc()
        if outcome is not None:
            self._show(outcome)

    def _attempt(self) -> Outcome | None:
        now = self._clock.now()
        begins = self._world is None  # what a key was never offered may be another key's, or a restart's to find
        try:
            world = self._present_world()
            plan = Plan.due(world.store, world.organization, now, self._parts.settings.poll, absent_too=begins)
            outcome = run_cycle(world, plan, now, self._progress)
            self._parts.remember_grouping()
            tidy_if_due(self._store, self._parts.settings.store.keep, self.receivers, now)
        except (AdminApiError, StoreError) as error:
            log.error("the cycle failed; the next one tries again", why=str(error))
            self._world = None  # what it had read but not yet added up is known to nobody: add up all again
            return None
        except Exception:
            if self._stopping.is_set():
                log.info("the cycle was cut off by the end of the program")
            else:
                log.exception("the cycle failed in a way it should not; the next one tries again")
            self._world = None
            return None
        return outcome

    def _present_world(self) -> World:
        if self._world is None:
            organization = organization_of(self._parts.reader, self._store, self._clock.now())
            self._world = self._parts.world(organization)
        return self._world

    def _show(self, outcome: Outcome) -> None:
        for source, why in outcome.ingested.failures.items():
            log.warning("a source could not be read", source=source, why=why)
        log_outcome(outcome)
        metrics = self._metrics
        for source in outcome.ingested.attempted:
            metrics.polls.labels(source).inc()
        for source in outcome.ingested.failures:
            metrics.poll_failures.labels(source).inc()
        metrics.shrinkings.inc(outcome.ingested.shrunk_hours)
        self._post(outcome)
        self._cycled.set()
        for notifier in self._parts.notifiers:
            self._schedule.soon(_delivery(notifier))
        self._on_outcome(outcome)
        heartbeat = self._parts.settings.heartbeat
        if outcome.whole and heartbeat is not None:
            health.ping(self._parts.http, heartbeat)

    def _post(self, outcome: Outcome) -> None:
        board = self._metrics.board
        self._metrics.board = Board(
            overview=outcome.overview,
            alerts=self._store.alerts.open(),
            sources=outcome.sources,
            last_success=outcome.overview.at if outcome.whole else board.last_success,
        )
        self._metrics.waiting = waiting_by_receiver(self._parts)

    def _deliver(self, notifier: Notifier) -> None:
        if self._stopping.is_set():
            return
        try:
            done = deliver(self._store.outbox, notifier, self._clock.now)
            if done.sent or done.failed:
                self._metrics.waiting = waiting_by_receiver(self._parts)
        except StoreError as error:
            log.error("deliveries wait: the store cannot be read or written", why=str(error))
            return
        self._metrics.deliveries.labels(notifier.name).inc(done.sent)
        self._metrics.delivery_failures.labels(notifier.name).inc(done.failed)

    def _pause(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise Ending

    def _observe(self, request: RequestObservation) -> None:
        self._metrics.request(request.outcome, request.seconds)


def _left_over(store: Store, now: datetime) -> Board:
    """What an earlier run left to be shown; empty on a new database."""
    status = read_status(store, now)
    return Board(status.overview, status.alerts, status.sources, status.last_success_at)


def _delivery(notifier: Notifier) -> str:
    return f"deliver:{notifier.name}"


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
            refusal = settings if isinstance(settings, str) else daemon.reload(settings, signals.end)
            if refusal is None:
                log.info("configuration reloaded")
            else:
                daemon.reload_failed(refusal)


def leave_at_once(code: int = 0) -> None:
    """End the process without waiting for threads that hang in a receiver or a socket; everything is committed."""
    os._exit(code)
