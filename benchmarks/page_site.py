"""The pages of a daemon that has watched a simulated organization for some hours, for pictures and for a browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from rules.model import Notification
from rules.policy import KeyAction, Policy, Protect
from watcher.config import load
from watcher.daemon import Daemon
from watcher.ingest import SOURCES
from watcher.metrics import Metrics
from watcher.outbox import deliver
from watcher.settings import Settings, ShutoffSettings
from watcher.simulator import Simulator, World
from watcher.store import Store
from watcher.web.app import build_app
from watcher.web.course import Courses
from watcher.web.facts import Facts
from watcher.web.server import PageServer, bind

BEGINS = datetime(2026, 11, 18, 12, 40, tzinfo=UTC)
HOUR = timedelta(hours=1)
WATCHED = 9
"""Hours that are watched: the demo's key runs away in the second one."""

_CONFIG = """\
[anthropic]
base_url = "{base_url}"
admin_key = "sk-ant-admin01-pages"
[store]
url = "sqlite:///pages.db"
[poll]
backfill = "{backfill}d"
[[budget]]
name = "organization"
period = "month"
limit_usd = {limit}
thresholds = [80, 100]
[[budget]]
name = "each workspace"
period = "month"
limit_usd = {share}
thresholds = [100]
per = ["workspace"]
[[anomaly]]
name = "key spend"
per = ["api_key"]
min_excess_usd = 5
[[anomaly]]
name = "workspace spend"
per = ["workspace"]
min_excess_usd = 10
[[receiver]]
name = "on-call"
type = "console"
[[route]]
receiver = "on-call"
"""


@dataclass
class HandClock:
    """Stands where it is put."""

    moment: datetime
    speed: float = 1.0

    def now(self) -> datetime:
        """The moment."""
        return self.moment

    def wait(self, _duration: timedelta, until: threading.Event) -> bool:
        """Nothing waits on it."""
        return until.is_set()


@dataclass
class Accepting:
    """A receiver that accepts everything."""

    name: str
    messages: list[Notification] = field(default_factory=list)

    def send(self, notification: Notification) -> None:
        """Keep it."""
        self.messages.append(notification)


@dataclass(frozen=True)
class Served:
    """Where the pages are, and what is behind them."""

    url: str
    facts: Facts
    clock: HandClock
    key: str
    """The id of the key that runs away."""


@contextmanager
def watched_site(world: World, *, limit: int = 8_100, share: int = 2_600, hours: int = WATCHED) -> Iterator[Served]:
    """Watch a world for some hours, then serve what there is to see."""
    clock = HandClock(world.started_at)
    with Simulator(world, clock.now) as simulator, TemporaryDirectory() as folder:
        settings = _settings(Path(folder), simulator.url, world.days, limit, share)
        with Store.open(settings.store.url) as store:
            metrics = Metrics([receiver.name for receiver in settings.receivers], SOURCES)
            courses = Courses()
            daemon = Daemon(settings, store, clock, metrics, on_outcome=lambda outcome: courses.learn(outcome.looked))
            receiver = Accepting("on-call")
            for _ in range(hours + 1):
                daemon.cycle()
                deliver(store.outbox, receiver, clock.now)
                clock.moment += HOUR
            clock.moment -= HOUR - timedelta(minutes=3)
            facts = Facts.of(daemon, store, clock, courses)
            app = build_app(facts.status, metrics, lambda: daemon.ready, facts=facts)
            pages = PageServer(app, bind("127.0.0.1", 0))
            pages.start()
            try:
                yield Served(pages.url, facts, clock, str(world.incidents[0].api_key_id) if world.incidents else "")
            finally:
                pages.stop()
                daemon.stop()


def _settings(folder: Path, base_url: str, days: int, limit: int, share: int) -> Settings:
    path = folder / "config.toml"
    path.touch(0o600)
    path.write_text(_CONFIG.format(base_url=base_url, backfill=days, limit=limit, share=share))
    settings = load(path, {})
    shutoff = ShutoffSettings(Policy("approve", Protect(api_key=("price-watch-*",)), grace=timedelta(0)))
    first, *others = settings.anomalies
    return replace(settings, shutoff=shutoff, anomalies=(replace(first, action=KeyAction()), *others))
