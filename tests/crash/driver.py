"""The program under the axe: real cycles and real deliveries in a process that can be killed at any moment.

Run as a program it is a stable of such processes: it reads one errand a line from stdin, forks a child that lives by
it, and answers how the child ended. A rehearsal it lives by itself, and its children find imported and prepared what
they need. The child is the daemon without its threads: the same settings, parts, cycle and outbox, at the moments that
the errand lists; it begins at the first moment whose decision is not committed yet, and ends when no message waits any
more. It dies by SIGKILL, which no `finally` and no `atexit` sees: either by its own hand at a boundary (just before and
just after a commit, before a message is sent, and after it was sent or refused), or from outside after so many seconds.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import re
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.pool import Pool

from notifiers.base import Notifier
from rules.model import Notification
from watcher import logs
from watcher.config import load
from watcher.cycle import World, run_cycle
from watcher.ingest import Plan, organization_of
from watcher.instance import single_instance
from watcher.outbox import deliver
from watcher.store import Store
from watcher.upkeep import tidy_if_due
from watcher.wiring import Parts, assemble

ROUNDS = 40
"""Rounds of delivery, an hour apart, after which a message that still waits will never be delivered."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One life. `clock` is the file that tells the simulator the time; `trace` takes the names of the boundaries."""

    config: str
    moments: Sequence[str]
    clock: str
    trace: str | None = None
    die_at: int | None = None
    """The number, from 1, of the boundary to die at."""
    deaths: str | None = None
    """A file of the boundaries that others have died at: this life dies at the first that is not among them."""
    spare: str | None = None
    """With `deaths`: the sort of boundary not to die at."""
    one_in: int = 1
    """With `deaths`: of how many boundaries one is died at, always the same ones."""
    die_after: float | None = None
    """Real seconds after which the child is killed from outside."""
    rehearsal: bool = False
    """Whether the stable itself lives by it."""


class Clock:
    """The time of one life, which the simulator reads from a file."""

    def __init__(self, path: Path, now: datetime) -> None:
        self._path = path
        self.set(now)

    def now(self) -> datetime:
        return self._now

    def set(self, now: datetime) -> None:
        self._now = now
        fresh = self._path.with_suffix(".new")
        fresh.write_text(now.isoformat())
        fresh.replace(self._path)


class Boundaries:
    """The places where dying matters: counted, named, and died at.

    A boundary's name is the moment on the clock, what happens there to which tables (or to which message), and after a
    `#` a digest of what was written. What a life repeats because an earlier one could not commit it has the same name
    again.
    """

    def __init__(self, clock: Clock, errand: Errand) -> None:
        self.names: list[str] = []
        self._clock = clock
        self._die_at = errand.die_at
        self._spare, self._one_in = errand.spare, errand.one_in
        self._deaths = None if errand.deaths is None else Path(errand.deaths)
        self._known = set(self._deaths.read_text().splitlines()) if self._deaths is not None else set()
        self._written: list[str] | None = None
        self._committed = ""

    def reach(self, what: str, content: str) -> None:
        """Note a boundary; it is the last thing this process does if it is the one to die at."""
        name = f"{self._clock.now().isoformat()} {what} {content}"
        self.names.append(name)
        asked = what != self._spare and int(hashlib.sha256(name.encode()).hexdigest(), 16) % self._one_in == 0
        unheard_of = self._deaths is not None and asked and name not in self._known
        if unheard_of and self._deaths is not None:
            with self._deaths.open("a") as deaths:
                deaths.write(f"{name}\n")
        if unheard_of or len(self.names) == self._die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    @contextmanager
    def watch_commits(self) -> Iterator[None]:
        """Two boundaries for each transaction that writes, of every database of this process, from its first tables on.

        SQLAlchemy tells before a commit. After it, the first that is heard is the connection's return to the pool,
        before the program has its hands on anything again.
        """
        heard: list[tuple[Any, str, Callable[..., None]]] = [
            (Engine, "before_cursor_execute", self._executes),
            (Engine, "commit", self._commits),
            (Pool, "checkin", self._returns),
        ]
        for each in heard:
            event.listen(*each)
        yield
        for each in heard:
            event.remove(*each)

    def _executes(self, _connection: Connection, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement == "BEGIN IMMEDIATE":
            self._written = []
        elif self._written is not None and not statement.startswith(("SELECT", "PRAGMA")):
            self._written.append(f"{statement} {parameters!r}")

    def _commits(self, _connection: Connection) -> None:
        if self._written is not None:
            tables = " ".join(dict.fromkeys(_TABLE.findall("\n".join(self._written))))
            content = hashlib.sha256(_REQUEST.sub("", "\n".join(sorted(self._written))).encode()).hexdigest()[:16]
            self._committed = f"{tables} #{content}"
            self.reach("before commit", self._committed)

    def _returns(self, *_: Any) -> None:
        if self._committed:
            self.reach("after commit", self._committed)
        self._written, self._committed = None, ""


_TABLE = re.compile(r"^(?:INSERT INTO|INSERT OR \w+ INTO|UPDATE|DELETE FROM|CREATE TABLE) (\w+)", re.MULTILINE)
_REQUEST = re.compile(r"req_\w+")  # the simulator counts its requests, and a life that was cut off made some more


class Watched:
    """A notifier with a boundary on either side of each message."""

    def __init__(self, notifier: Notifier, boundaries: Boundaries) -> None:
        self.name = notifier.name
        self._notifier = notifier
        self._boundaries = boundaries

    def send(self, notification: Notification) -> None:
        self._boundaries.reach("before send", notification.id)
        try:
            self._notifier.send(notification)
        except Exception:
            self._boundaries.reach("after refusal", notification.id)
            raise
        self._boundaries.reach("after send", notification.id)


def live(errand: Errand) -> None:
    """Work until nothing is left to do, or die."""
    moments = [datetime.fromisoformat(moment) for moment in errand.moments]
    clock = Clock(Path(errand.clock), moments[0])
    boundaries = Boundaries(clock, errand)
    settings = load(Path(errand.config), {})
    with boundaries.watch_commits(), single_instance(settings.store.url), Store.open(settings.store.url) as store:
        parts = assemble(settings, store, pause=lambda _seconds: None)
        notifiers = [Watched(notifier, boundaries) for notifier in parts.notifiers]
        _work(parts, store, notifiers, clock, moments)
        parts.close()
    if errand.trace is not None:
        Path(errand.trace).write_text("\n".join(boundaries.names))


def _work(parts: Parts, store: Store, notifiers: Sequence[Notifier], clock: Clock, moments: Sequence[datetime]) -> None:
    written = store.cursor.get("last_cycle_at", store.organizations.id_of("") or "")
    done = None if written is None else datetime.fromisoformat(written)
    clock.set(done or moments[0])
    world: World | None = None
    (access,) = parts.accesses
    for notifier in notifiers:
        deliver(store.outbox, notifier, clock.now)
    if done is not None:
        tidy_if_due(store, parts.settings.store.keep, [notifier.name for notifier in parts.notifiers], done)
    for now in moments:
        if done is not None and now <= done:
            continue
        clock.set(now)
        if world is None:
            world = parts.world(access, organization_of(access.reader, store, now), clock.now)
        plan = Plan.due(store, world.organization, now, parts.settings.poll)
        run_cycle(world, plan, now)
        parts.remember_grouping(access, world.organization)
        tidy_if_due(store, parts.settings.store.keep, [notifier.name for notifier in parts.notifiers], now)
        for notifier in notifiers:
            deliver(store.outbox, notifier, clock.now)
    for _ in range(ROUNDS):
        if not store.outbox.pending():
            return
        clock.set(clock.now() + timedelta(hours=1))
        for notifier in notifiers:
            deliver(store.outbox, notifier, clock.now)
    raise AssertionError(f"still waiting: {store.outbox.depth()}")


def lead(life: Callable[[], None], die_after: float | None) -> int:
    """Let a child live, for so many seconds at most; returns what `waitpid` says of its end, as an exit code or minus a
    signal."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            life()
            code = 0
        except BaseException:  # noqa: BLE001 (whatever it was, it must not come back as a second stable)
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    if die_after is not None:
        deadline = time.monotonic() + die_after
        while time.monotonic() < deadline:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.001)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def encode(errand: Errand) -> bytes:
    """An errand as a line of the stable's stdin."""
    return json.dumps(asdict(errand)).encode() + b"\n"


def serve(lives: Callable[[dict[str, Any]], int]) -> None:
    """Serve errands until stdin ends; `lives` leads a child by one and says how that ended."""
    logs.configure("warning")
    gc.freeze()  # the children share these pages as long as no collection writes to them
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what the children say belongs elsewhere
    for line in sys.stdin:
        answers.write(f"{lives(json.loads(line))}\n")
        answers.flush()


def _by(errand: Errand) -> int:
    if errand.rehearsal:
        live(errand)
        assert threading.active_count() == 1, "what forks has one thread"
        gc.freeze()
        return 0
    return lead(partial(live, errand), errand.die_after)


if __name__ == "__main__":
    serve(lambda read: _by(Errand(**read)))
