"""The daemon: the cycles of every organization and the deliveries, by the clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from notifiers.base import Notifier
from watcher import health
from watcher.actions.standing import read_shutoff
from watcher.admin_api import RequestObservation
from watcher.clock import Clock
from watcher.cycle import Looked, Outcome, Progress
from watcher.incidents import acknowledge_incidents, close_incidents
from watcher.keeping import Keeping
from watcher.listening import Listening
from watcher.logs import logger
from watcher.metrics import Board, Metrics, left_over
from watcher.outbox import deliver
from watcher.refreshing import Refreshing
from watcher.schedule import Schedule
from watcher.settings import HttpSettings, Settings, ShutoffSettings
from watcher.status import read_standing
from watcher.store import Store, StoreError
from watcher.underway import UnderWay, let_end
from watcher.upkeep import look_after
from watcher.watched import InForce, Turns, Watched, Wire
from watcher.wiring import assemble, waiting_by_receiver

log = logger(__name__)

DELIVER_EVERY = timedelta(seconds=1)
LAST_CALL = 6.0
"""Seconds after a signal to end within which running work may finish; what has not committed by then is done again."""
THREADS = 64
"""Most jobs at once: a cycle for each organization, and as many receivers that hang without delaying one that does
not."""


class Daemon:
    """Runs cycles and deliveries until it is told to stop.

    One thread an organization runs its cycles, one a receiver delivers, so that what hangs holds up nobody else.
    Settings are replaced whole by `reload`.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        clock: Clock,
        metrics: Metrics,
        *,
        on_outcome: Callable[[Outcome], None] = lambda _outcome: None,
        on_round: Callable[[timedelta, datetime], None] = lambda _every, _now: None,
        progress: Progress | None = None,
        wire: Wire = assemble,
    ) -> None:
        """`on_outcome`, `on_round` and `progress` let others show what goes on; the cycles' threads call them.

        `on_round` hears that each organization has had another cycle to its end, in what time the next ones are due,
        and what time it is.

        `wire` makes the parts of each configuration; the program's own is `watcher.wiring.assemble`.
        """
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._on_outcome = on_outcome
        self._on_round = on_round
        self._progress = progress
        self._cycled = threading.Event()
        self._looked: Mapping[str, Looked] = {}
        self._showing = threading.Lock()
        self._tending = threading.Lock()
        self._schedule = Schedule(clock, threads=THREADS, on_jump=lambda _seconds: metrics.clock_jumps.inc())
        self._wire = wire
        self._turns = Turns()
        self._deliveries = UnderWay()
        self._refreshing = Refreshing()
        self._keeping = Keeping()
        self._listening = Listening(store, clock)
        metrics.now = clock.now
        self._force = self._prepare(settings)

    @property
    def labels(self) -> tuple[str, ...]:
        """What the configuration in force calls the organizations."""
        return self._force.parts.settings.labels

    @property
    def receivers(self) -> tuple[str, ...]:
        """The names of the receivers that the configuration in force has."""
        return tuple(notifier.name for notifier in self._force.parts.notifiers)

    @property
    def http(self) -> HttpSettings:
        """Who may read the pages, as the configuration in force says it."""
        return self._force.parts.settings.http

    @property
    def shutoff(self) -> ShutoffSettings | None:
        """What the configuration in force allows to be done to keys."""
        return self._force.parts.settings.shutoff

    @property
    def settings(self) -> Settings:
        """The configuration in force."""
        return self._force.parts.settings

    @property
    def looked(self) -> Mapping[str, Looked]:
        """What the newest cycle of each organization was made from, by label; those that had one in this run."""
        return self._looked

    @property
    def ready(self) -> bool:
        """Whether a first cycle has ended."""
        return self._cycled.is_set()

    def start(self) -> None:
        """Begin: a cycle of each organization at once, deliveries of what an earlier run left.

        Until those cycles have ended, the metrics show what the last ones of an earlier run found.
        """
        self._show_left_over()
        self._plan_jobs()
        self._schedule.start()
        force = self._force
        self._listening.begin(force.parts.settings, force.parts.http, lambda: force.organizations)

    def stop(self) -> None:
        """Start nothing more, wait a little for what runs, and close the connections."""
        force = self._force
        force.ended.set()
        self._schedule.stop()
        self._listening.stop()
        let_end(force.watched, self._deliveries, LAST_CALL)
        force.parts.close()

    def reload(self, settings: Settings) -> str | None:
        """Take over a new configuration, whole. Returns why not, if it cannot be taken over.

        A cycle that is running ends under the old one, and nothing is told of it; the organization's next one follows
        at once. The others do not wait for it.
        """
        before = self._force
        if settings.store.url != before.parts.settings.store.url:
            return "store.url cannot change while the daemon runs: restart it"
        for key, named in (("listen", "listen"), ("tls", "tls_certificate_file")):
            if getattr(settings.http, key) != getattr(before.parts.settings.http, key):
                return f"http.{named} cannot change while the daemon runs: restart it"
        try:
            after = self._prepare(settings)
        except StoreError as error:
            return str(error)
        before.ended.set()
        with self._showing:
            self._force = after
            self._looked = {label: each for label, each in self._looked.items() if label in settings.labels}
        for name in _jobs(before):
            self._schedule.forget(name)
        for watched in before.watched:
            watched.retire()
        self._metrics.expect_receivers(self.receivers)
        self._show_left_over()
        self._plan_jobs()
        self._listening.begin(after.parts.settings, after.parts.http, lambda: after.organizations)
        return None

    def reload_failed(self, why: str) -> None:
        """Tell and count that a configuration was not taken over."""
        self._metrics.reload_failures.inc()
        log.error("the configuration was not reloaded; the old one stays in force", why=why)

    def _prepare(self, settings: Settings) -> InForce:
        force = InForce.of(settings, self._store, self._wire, self._observe, self._turns)
        for watched in force.watched:
            self._metrics.tally(watched.label, watched.organization)
        self._metrics.shown = settings.metrics
        return force

    def _plan_jobs(self) -> None:
        force = self._force
        runs = [partial(self._cycle, watched) for watched in force.watched]
        runs += [partial(self._deliver, notifier) for notifier in force.parts.notifiers]
        everies = [force.parts.settings.poll.usage_every] * len(force.watched)
        everies += [DELIVER_EVERY] * len(force.parts.notifiers)
        for name, every, run in zip(_jobs(force), everies, runs, strict=True):
            self._schedule.every(name, every, run)

    def cycle(self) -> None:
        """Run one cycle of each organization now, one after the other."""
        for watched in self._force.watched:
            self._cycle(watched)

    def _cycle(self, watched: Watched) -> None:
        """Run one cycle now; a failure is told, counted, and left to the next one."""
        outcome = watched.cycle(self._clock, self._metrics.tally(watched.label), self._progress)
        force = self._force
        if watched not in force.watched or force.ended.is_set():
            return
        tended = self._acknowledge(force, watched) and self._tend(force)
        if outcome is not None:
            self._show(force, watched, outcome)
        whole = tended and outcome is not None and outcome.whole
        heartbeat = force.parts.settings.heartbeat
        if force.round.ended(watched.label, counts=whole) and heartbeat is not None:
            health.ping(force.parts.http, heartbeat)
        finished = tended and (outcome is not None or watched.unreadable)
        if force.finished.ended(watched.label, counts=finished):
            self._on_round(force.parts.settings.poll.usage_every, self._clock.now())

    def _acknowledge(self, force: InForce, watched: Watched) -> bool:
        """Tell who has taken what of this organization, in the thread of its cycles, so that no end is overtaken."""
        settings, organizations = force.parts.settings, [each for each in [watched.organization] if each is not None]
        try:
            keep, now = settings.store.keep, self._clock.now()
            acknowledge_incidents(self._store, settings.incident_trackers, organizations, keep, now)
        except StoreError as error:
            log.error("acknowledgements wait for the next cycle", why=str(error))
            return False
        return True

    def _tend(self, force: InForce) -> bool:
        """Look after the database, unless another thread is at it; returns False where that failed."""
        if not self._tending.acquire(blocking=False):
            return True
        settings = force.parts.settings
        try:
            now, keep = self._clock.now(), settings.store.keep
            look_after(self._store, keep, self.receivers, settings.labels, now)
            close_incidents(self._store, settings.incident_trackers, force.organizations, keep, now)
        except StoreError as error:
            log.error("the database could not be looked after; the next cycle tries again", why=str(error))
            return False
        finally:
            self._tending.release()
        return True

    def _show(self, force: InForce, watched: Watched, outcome: Outcome) -> None:
        organization = outcome.overview.organization
        alerts = self._store.alerts.open(organization)
        acting = None
        if (shutoff := force.parts.settings.shutoff) is not None:
            acting = read_shutoff(self._store, shutoff, organization, self._clock.now())
        with self._showing:
            if force is not self._force:
                return
            boards = self._metrics.boards
            before = boards.get(watched.label)
            last_success = outcome.overview.at if outcome.whole else before.last_success if before else None
            board = Board(organization, watched.label, outcome.overview, alerts, outcome.sources, last_success, acting)
            self._metrics.boards = {**boards, watched.label: board}
            self._looked = {**self._looked, watched.label: outcome.looked}
        self._metrics.waiting = waiting_by_receiver(force.parts)
        self._cycled.set()
        for notifier in force.parts.notifiers:
            self._schedule.soon(_delivery(notifier))
        self._on_outcome(outcome)

    def _show_left_over(self) -> None:
        """Show what an earlier run, or an earlier configuration, found; nothing on a new database."""
        asked = self._clock.now(), self._force.parts.settings.shutoff
        boards = {each.label: left_over(read_standing(self._store, each.label, *asked)) for each in self._force.watched}
        with self._showing:
            self._metrics.boards = boards
        self._metrics.waiting = waiting_by_receiver(self._force.parts)

    def _deliver(self, notifier: Notifier) -> None:
        with self._deliveries.one():
            force = self._force
            if force.ended.is_set():
                return
            try:
                done = deliver(self._store.outbox, notifier, self._clock.now)
                if done.sent or done.failed or done.refused:
                    self._metrics.waiting = waiting_by_receiver(force.parts)
                refreshed = self._refreshing.tend(self._store, notifier, force.organizations, self._clock.now())
                kept = self._keeping.tend(notifier, self._clock.now())
            except StoreError as error:
                if not force.ended.is_set():
                    log.error("deliveries wait: the store cannot be read or written", why=str(error))
                return
        self._metrics.delivered(notifier.name, done.reasons, done.failed + (not refreshed) + (not kept), done.refused)

    def _observe(self, label: str, request: RequestObservation) -> None:
        self._metrics.tally(label).request(request.outcome, request.seconds)


def _jobs(force: InForce) -> list[str]:
    """The names of its jobs, the cycles first; those are new each time, as one of an earlier time may still run."""
    return [*(f"cycle:{id(watched)}" for watched in force.watched), *map(_delivery, force.parts.notifiers)]


def _delivery(notifier: Notifier) -> str:
    return f"deliver:{notifier.name}"
