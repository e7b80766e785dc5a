"""One organization under watch: its own reader, ledger and cycle, so that none waits for another.

The daemon has one for each organization and runs each in a thread of its own; `watcher poll` runs each once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self, TypeAlias

from structlog.contextvars import bound_contextvars

from watcher.admin_api import AdminApiError
from watcher.clock import Clock
from watcher.cycle import Outcome, Progress, World, run_cycle
from watcher.ingest import Plan, organization_of
from watcher.ingest.membership import OtherOrganization, SameOrganization
from watcher.logs import logger
from watcher.metrics.tally import Tally
from watcher.settings import Settings
from watcher.store import Store, StoreError
from watcher.telling import log_outcome
from watcher.wiring import Access, Observer, Parts

log = logger(__name__)

Wire: TypeAlias = Callable[[Settings, Store, Observer, Callable[[float], None]], Parts]
"""Makes the parts of a configuration: from settings and store, who hears of requests, and how to wait seconds."""


_LOOK = 0.2  # seconds between looks at whether this one is to end


class Ending(Exception):
    """Raised inside a cycle that waits, when its configuration is no longer in force or the program is to end."""


class Turns:
    """One lock for each organization: under two configurations in a row it may be watched by two for a moment."""

    def __init__(self) -> None:
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def of(self, organization: str) -> threading.Lock:
        """The lock of the organization of this id."""
        with self._guard:
            return self._locks.setdefault(organization, threading.Lock())


class Watched:
    """Runs the cycles of one organization of one configuration, until that is no longer in force."""

    def __init__(self, parts: Parts, access: Access, turns: Turns, ended: threading.Event) -> None:
        """`ended` is set when the configuration is not in force any more. Raises StoreError."""
        self.label = access.label
        self.organization = parts.store.organizations.id_of(access.label)
        """Its id, or None as long as its key has never been asked."""
        self._parts = parts
        self._access = access
        self._turns = turns
        self._ended = ended
        self.unreadable = False
        """Whether its newest cycle could not begin: its key is refused, or of another organization, as status says."""
        self._running = threading.Lock()
        self._world: World | None = None

    def cycle(self, clock: Clock, tally: Tally, progress: Progress | None = None) -> Outcome | None:
        """Run one cycle now, counted and told; None where it failed, which is left to the next one.

        Nothing is done, or told, once the configuration is no longer in force.
        """
        with self._running, bound_contextvars(**self._context()):
            if self._ended.is_set():
                return None
            begun = time.monotonic()
            with tally.in_cycle():
                outcome = self._attempt(clock, progress)
            if self.organization is not None:
                tally.belongs_to(self.organization)
            tally.cycle_ended(time.monotonic() - begun, whole=outcome is not None and outcome.whole)
            if outcome is not None:
                read = outcome.ingested
                tally.polled(read.attempted, read.failures, read.shrunk_hours)
                tally.acted(outcome.acted)
                for source, why in read.failures.items():
                    log.warning("a source could not be read", source=source, why=why)
                log_outcome(outcome)
        if self._ended.is_set():
            self._access.close()
            return None
        return outcome

    def run(self, clock: Clock, progress: Progress | None = None, *, everything: bool = False) -> Outcome:
        """Run one cycle of what is due, or of everything; raises AdminApiError, StoreError and `Ending`.

        After a failure everything is added up anew: what it had read but not yet added up is known to nobody.
        """
        now = clock.now()
        world, self._world = self._world, None
        begins = world is None  # what a key was never offered may be another key's, or a restart's to find
        if world is None:
            access, parts = self._access, self._parts
            organization = organization_of(access.reader, parts.store, now, self.label, parts.settings.labels)
            self.organization = organization
            world = parts.world(access, organization, clock.now, halted=self._ended.is_set)
        with _held(self._turns.of(world.organization), self._ended):
            asked = world.store, world.organization, now, self._parts.settings.poll
            plan = Plan.everything(*asked) if everything else Plan.due(*asked, absent_too=begins)
            outcome = run_cycle(world, plan, now, progress)
            self._parts.remember_grouping(self._access, world.organization)
        self._world = world
        return outcome

    def retire(self) -> None:
        """Close the connection, now or when the cycle that is running has ended."""
        if self._running.acquire(blocking=False):
            self._access.close()
            self._running.release()

    def wait(self, seconds: float) -> bool:
        """Wait that long for a cycle that is running; returns whether none is any more."""
        idle = self._running.acquire(timeout=max(seconds, 0.0))
        if idle:
            self._running.release()
        return idle

    def _attempt(self, clock: Clock, progress: Progress | None) -> Outcome | None:
        self.unreadable = False
        try:
            return self.run(clock, progress)
        except Exception as error:
            self.unreadable = isinstance(error, AdminApiError | OtherOrganization | SameOrganization)
            if self._ended.is_set():
                log.info("the cycle was cut off: its configuration is no longer in force, or the program ends")
            elif isinstance(error, AdminApiError | StoreError):
                log.error("the cycle failed; the next one tries again", why=str(error))
            else:
                log.exception("the cycle failed in a way it should not; the next one tries again")
        return None

    def _context(self) -> dict[str, str]:
        """What every line of the log about it says."""
        return {"organization": self.label} if len(self._parts.accesses) > 1 else {}


class Round:
    """Tells when every organization has had a cycle that counts, each time anew."""

    def __init__(self, labels: Iterable[str]) -> None:
        self._all = frozenset(labels)
        self._had: set[str] = set()
        self._guard = threading.Lock()

    def ended(self, label: str, *, counts: bool) -> bool:
        """Note how one's cycle ended; True once the newest of each counts, and all came since that was last so."""
        with self._guard:
            if not counts:
                self._had.discard(label)
                return False
            self._had.add(label)
            complete = self._had >= self._all
            if complete:
                self._had.clear()
            return complete


@dataclass(frozen=True, slots=True)
class InForce:
    """One configuration, as long as it is in force: its parts, and each organization that it has watched."""

    parts: Parts
    watched: tuple[Watched, ...]
    round: Round
    """Of cycles that left no source failing."""
    finished: Round
    """Of cycles that came to their end, however the API answered."""
    ended: threading.Event
    """Set when it is in force no longer: whoever waits for anything on its behalf then stops waiting."""

    @property
    def organizations(self) -> tuple[str, ...]:
        """The ids of those that are known by now."""
        return tuple(each.organization for each in self.watched if each.organization is not None)

    @classmethod
    def of(cls, settings: Settings, store: Store, wire: Wire, observer: Observer, turns: Turns) -> Self:
        """Make what a configuration calls for. Raises StoreError where the store cannot be read."""
        ended = threading.Event()

        def pause(seconds: float) -> None:
            if ended.wait(seconds):
                raise Ending

        parts = wire(settings, store, observer, pause)
        watched = tuple(Watched(parts, access, turns, ended) for access in parts.accesses)
        return cls(parts, watched, Round(settings.labels), Round(settings.labels), ended)


@contextmanager
def _held(lock: threading.Lock, ended: threading.Event) -> Iterator[None]:
    """Hold a lock; waiting for it ends with `Ending` when `ended` is set."""
    while not lock.acquire(timeout=_LOOK):
        if ended.is_set():
            raise Ending
    try:
        yield
    finally:
        lock.release()
