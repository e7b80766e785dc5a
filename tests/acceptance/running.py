"""The whole program against the simulator, on a clock that a test moves by hand.

Nothing of the program is replaced but its clock, its receiver, the place of its database and what carries a request:
the client asks a simulator in the same process, the daemon's own cycle runs, and messages leave through the outbox.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from notifiers.http import OutgoingHttp
from rules.digest import DigestRule
from rules.drift import DriftRule
from rules.model import Alert, AnomalyRule, Budget, Notification, Route, Transition
from rules.policy import Policy
from rules.prices import PriceRule
from tests.acceptance.nearby import ADDRESS, Nearby, Neighbour
from watcher.admin_api import (
    AdminReader,
    Connection,
    ConnectionSettings,
    KeyAdministrator,
    RequestObservation,
    RetryPolicy,
    connect,
)
from watcher.cycle import Outcome, run_cycle
from watcher.daemon import Daemon
from watcher.guarding import Hands
from watcher.ingest import SOURCES, Plan
from watcher.ledger import SpendReport, spend_report
from watcher.metrics import Metrics
from watcher.outbox import deliver
from watcher.pricing import PriceBook
from watcher.secret import Secret
from watcher.settings import OrganizationSettings, PollSettings, Settings, ShutoffSettings, StoreSettings
from watcher.simulator import World
from watcher.status import Status, read_status
from watcher.store import Store
from watcher.wiring import Access, Parts

DOLLAR = 1_000_000_000
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
KEY = Secret("sk-ant-admin01-acceptance")
RECEIVER = "ops"

KEY_SPEND = AnomalyRule("key spend", per=("api_key",))
WORKSPACE_SPEND = AnomalyRule("workspace spend", per=("workspace",))
ORGANIZATION_SPEND = AnomalyRule("organization spend", per=())
ANOMALIES = (KEY_SPEND, WORKSPACE_SPEND, ORGANIZATION_SPEND)


def dollars(amount: float) -> int:
    """Nano-dollars."""
    return round(amount * DOLLAR)


def monthly(limit_usd: float, *thresholds: float) -> Budget:
    """The organization's budget for a UTC month."""
    return Budget("organization", "month", "UTC", dollars(limit_usd), thresholds or (50.0, 80.0, 100.0))


@dataclass
class HandClock:
    """Stands still until a test moves it."""

    moment: datetime
    speed: float = 1.0
    at_each_look: timedelta = timedelta(0)
    """So much time passes whenever somebody asks what time it is."""

    def now(self) -> datetime:
        self.moment += self.at_each_look
        return self.moment

    def wait(self, _duration: timedelta, _until: threading.Event) -> bool:
        raise AssertionError("nothing waits on a clock that stands still")


@dataclass
class Recorder:
    """A receiver that accepts everything and remembers it."""

    name: str = RECEIVER
    messages: list[Notification] = field(default_factory=list)

    def send(self, notification: Notification) -> None:
        self.messages.append(notification)


@dataclass(frozen=True)
class Asked:
    """What the owner configured, and how patient the client is."""

    budgets: tuple[Budget, ...] = ()
    anomalies: tuple[AnomalyRule, ...] = ANOMALIES
    receivers: tuple[str, ...] = (RECEIVER,)
    drift: DriftRule = DriftRule()  # noqa: RUF009 - frozen
    price_changes: PriceRule = PriceRule()  # noqa: RUF009 - frozen
    digests: tuple[DigestRule, ...] = ()
    backfill: timedelta = timedelta(days=21)
    timeout_seconds: float = 10.0
    budget_seconds: float = 20.0
    attempts: int = 6
    key: Secret = KEY
    policy: Policy | None = None
    """What may be done to keys."""
    action_key: Secret | None = None
    """What they are changed with, if not with `key`."""
    paced: bool = False
    """Whether what the client waits passes on the clock, as for limits by the minute."""


class Watcher:
    """The daemon on one database, watching one simulator; its clock is the simulator's too."""

    def __init__(self, world: World, simulator: Neighbour, clock: HandClock, database: Path, asked: Asked) -> None:
        self.world = world
        self.clock = clock
        self.simulator = simulator
        self.asked = asked
        self.database = database
        self.brake_file = database.with_name(f"{database.name}.brake")
        self.recorders = {name: Recorder(name) for name in asked.receivers}
        self.transitions: list[Transition] = []
        """Every change of state since the beginning."""
        self.metrics = Metrics(asked.receivers, SOURCES)
        self._open()

    def _open(self) -> None:
        self.store = Store.open(f"sqlite:///{self.database}")
        self.daemon = Daemon(
            self._settings(),
            self.store,
            self.clock,
            self.metrics,
            on_outcome=self._note,
            wire=self._parts,
        )

    def _note(self, outcome: Outcome) -> None:
        self.last = outcome
        self.transitions += outcome.decision.transitions

    def close(self) -> None:
        self.daemon.stop()
        self.store.close()

    def restart(self) -> None:
        """End, and begin anew on the same database: all that memory held is gone."""
        self.close()
        self._open()

    def _settings(self) -> Settings:
        url = f"sqlite:///{self.database}"
        return Settings(
            path=self.database.with_name("watcher.toml"),
            organizations=(OrganizationSettings(ADDRESS, self.asked.key),),
            store=StoreSettings(url, path=self.database),
            poll=PollSettings(backfill=self.asked.backfill),
            budgets=self.asked.budgets,
            anomalies=self.asked.anomalies,
            drift=self.asked.drift,
            price_changes=self.asked.price_changes,
            routes=tuple(Route(name) for name in self.asked.receivers),
            digests=self.asked.digests,
            shutoff=None if self.asked.policy is None else ShutoffSettings(self.asked.policy, self.brake_file),
        )

    def _parts(
        self,
        settings: Settings,
        store: Store,
        observer: Callable[[str, RequestObservation], None],
        _pause: Callable[[float], None],
    ) -> Parts:
        """The parts of the program, with a client that does not sleep between tries and a receiver that records."""
        (organization,) = settings.organizations
        connection = self._connection(organization.admin_key, partial(observer, organization.label))
        notifiers = tuple(self.recorders.values())
        reader = AdminReader(connection)
        access = Access(organization, connection, reader, PriceBook())
        if settings.shutoff is not None:
            own = self.asked.action_key
            writing = None if own is None else self._connection(own, partial(observer, organization.label))
            over = AdminReader(writing) if writing is not None else reader
            hands = Hands(
                settings.shutoff.policy,
                over,
                KeyAdministrator(writing or connection),
                settings.shutoff.brake_file,
                lister=None if writing is None else over,
            )
            access = replace(access, hands=hands, writing=writing)
        return Parts(settings, store, (access,), notifiers, OutgoingHttp())

    def _connection(self, key: Secret, observer: Callable[[RequestObservation], None]) -> Connection:
        return connect(
            ConnectionSettings(
                base_url=ADDRESS,
                admin_key=key,
                timeout_seconds=self.asked.timeout_seconds,
                budget_seconds=self.asked.budget_seconds,
                retries=RetryPolicy(attempts=self.asked.attempts),
            ),
            transport=Nearby(self.simulator),
            observer=observer,
            pause=self._wait,
            monotonic=self._seconds if self.asked.paced else time.monotonic,
        )

    def _wait(self, seconds: float) -> None:
        if self.asked.paced:
            self.clock.moment += timedelta(seconds=seconds)

    def _seconds(self) -> float:
        return self.clock.moment.timestamp()

    # ------------------------------------------------------------------------------------------ time

    @property
    def now(self) -> datetime:
        return self.clock.moment

    def cycle(self) -> list[Notification]:
        """One cycle and the deliveries after it, at the present moment; what the first receiver was sent."""
        first = next(iter(self.recorders.values()))
        heard = len(first.messages)
        self.daemon.cycle()
        for recorder in self.recorders.values():
            deliver(self.store.outbox, recorder, self.clock.now)
        return first.messages[heard:]

    def poll(self) -> list[Notification]:
        """What `watcher poll` does at the present moment: every source is read again, whatever is due."""
        first = next(iter(self.recorders.values()))
        heard = len(first.messages)
        organization = self.store.organizations.id_of("") or ""
        parts = self._parts(self._settings(), self.store, lambda _label, _request: None, lambda _seconds: None)
        plan = Plan.everything(self.store, organization, self.now, parts.settings.poll)
        self._note(run_cycle(parts.world(parts.accesses[0], organization, self.clock.now), plan, self.now))
        parts.close()
        for recorder in self.recorders.values():
            deliver(self.store.outbox, recorder, self.clock.now)
        return first.messages[heard:]

    def run(self, until: datetime, every: timedelta = HOUR) -> list[Notification]:
        """Cycles at this interval after the present moment, up to and with `until`; all that was sent."""
        sent: list[Notification] = []
        while self.clock.moment + every <= until:
            self.clock.moment += every
            sent += self.cycle()
        return sent

    # ------------------------------------------------------------------------------------------ what it shows

    @property
    def alerts(self) -> tuple[Alert, ...]:
        return self.store.alerts.open()

    def firing(self, kind: str) -> list[Alert]:
        """What fires of one kind, the story-tellers and those inside their stories."""
        return [alert for alert in self.alerts if alert.subject.kind == kind and alert.state == "firing"]

    @property
    def status(self) -> Status:
        return read_status(self.store, self.now)

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples whose labels include these."""
        text, _ = self.metrics.render("text/plain")
        about = "".join(line for line in text.decode().splitlines(keepends=True) if line.startswith(name))
        families = text_string_to_metric_families(about)
        samples = (sample for family in families for sample in family.samples if sample.name == name)
        return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())

    def spend(self, start: datetime, end: datetime, by: Sequence[str] = (), bucket: str = "total") -> SpendReport:
        organization = self.store.organizations.id_of("")
        return spend_report(self.store, PriceBook(), organization, by, start, end, bucket, self.now)

    def name_of(self, key: str) -> str:
        return self.world.organization.keys[key].name


def incident_file(directory: Path, *incidents: str) -> Path:
    """A scenario file of these events, each written like `runaway after=-4h for=9h key=checkout-*`."""
    tables = []
    for incident in incidents:
        kind, *settings = incident.split()
        pairs = [setting.split("=", 1) for setting in settings]
        lines = [f"{name} = {value}" if name == "factor" else f'{name} = "{value}"' for name, value in pairs]
        tables.append("\n".join(["[[incident]]", f'kind = "{kind}"', *lines]))
    path = directory / "scenario.toml"
    path.write_text("\n\n".join(tables), encoding="utf-8")
    return path


def at(text: str) -> datetime:
    """A UTC moment, as in "2026-11-17 09:30"."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
