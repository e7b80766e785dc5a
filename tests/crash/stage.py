"""What the kill loops play on: a simulated organization, a receiver, a scripted clock, and processes to kill."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import certifi

from tests.crash.driver import Errand, encode
from tests.crash.receiver import Receiver, Request
from watcher.simulator import Simulator, World

BEGINS = datetime(2026, 11, 18, 12, 40, tzinfo=UTC)
KILLED = -signal.SIGKILL
ROOT = Path(__file__).resolve().parents[2]

# A key runs away and stops again; the list of users fails for a while.
SCENARIO = '[[incident]]\nkind = "runaway"\nafter = "30m"\nfor = "70m"\nfactor = 60\n'
FAULTS = '[[fault]]\nkind = "500"\npath = "*/users"\nafter = "45m"\nfor = "1h"\n'

MOMENTS = tuple(BEGINS + timedelta(minutes=minutes) for minutes in (0, 50, 70, 285, 410))
"""When the cycles run: before the incident, twice while it lasts, when it is over, and when that has lasted."""

CONFIG = """\
[anthropic]
base_url = "{api}"
admin_key = "sk-ant-admin01-crash"
ca_file = "{certificates}"
[store]
url = "sqlite:///watcher.db"
[poll]
backfill = "{days}d"
[[budget]]
name = "day"
period = "day"
limit_usd = {limit}
thresholds = [50, 100]
[[anomaly]]
name = "key spend"
per = ["api_key"]
min_excess_usd = 2
[[receiver]]
name = "ops"
type = "webhook"
url = "{receiver}"
allow_private = true
[[route]]
receiver = "ops"
[[digest]]
name = "daily"
at = "00:15"
timezone = "Asia/Kolkata"
receiver = ["ops"]
"""


class Stable:
    """A process that forks the ones to be killed; it has imported the program once for all of them."""

    def __init__(self, log: Path, program: str = "tests.crash.driver") -> None:
        self._log = log
        self._stderr = log.open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", program],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
        )

    def lead(self, errand: Errand) -> int:
        """Let a child live by an errand; returns its exit code, or minus the signal that killed it."""
        return self.lead_by(encode(errand))

    def lead_by(self, line: bytes) -> int:
        """Let a child live by an errand as a line."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line)
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"the stable is gone: {self.said()}"
        return int(answer)

    def said(self) -> str:
        """The end of what the children said on stderr."""
        return self._log.read_text(errors="replace")[-4000:]

    def close(self) -> None:
        self._process.communicate(timeout=60)
        self._stderr.close()


@dataclass
class Plot:
    """One database and one address of the receiver, through any number of lives."""

    folder: Path
    stage: Stage
    reliable: bool = False
    address: str = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        kind = "reliable" if self.reliable else "unreliable"
        self.address = f"/{kind}/{self.folder.name}"
        (self.folder / "watcher.toml").write_text(
            CONFIG.format(
                api=self.stage.simulator.url,
                certificates=self.stage.certificates,
                days=self.stage.days,
                limit=self.stage.limit_usd,
                receiver=f"{self.stage.receiver.url}{self.address}",
            )
        )

    @property
    def database(self) -> Path:
        return self.folder / "watcher.db"

    @property
    def requests(self) -> tuple[Request, ...]:
        return self.stage.receiver.requests(self.address)

    def live(
        self,
        moments: Sequence[datetime] = MOMENTS,
        *,
        trace: Path | None = None,
        die_at: int | None = None,
        die_after: float | None = None,
        deaths: Path | None = None,
        spare: str | None = None,
        one_in: int = 1,
        rehearsal: bool = False,
    ) -> int:
        """One life; returns its exit code, or -9 where it was killed."""
        return self.stage.stable.lead(
            Errand(
                config=str(self.folder / "watcher.toml"),
                moments=[moment.isoformat() for moment in moments],
                clock=str(self.stage.clock),
                trace=None if trace is None else str(trace),
                die_at=die_at,
                die_after=die_after,
                deaths=None if deaths is None else str(deaths),
                spare=spare,
                one_in=one_in,
                rehearsal=rehearsal,
            )
        )


@dataclass
class Stage:
    """The organization's API, the receiver and the stable, shared by the plots of a test module."""

    folder: Path
    simulator: Simulator
    receiver: Receiver
    stable: Stable
    clock: Path
    days: int
    certificates: Path
    limit_usd: int = 24

    def plot(self, name: str, *, reliable: bool = False) -> Plot:
        return Plot(self.folder / name, self, reliable)


@contextmanager
def stage(folder: Path, *, keys: int = 3, days: int = 2) -> Iterator[Stage]:
    """Set the stage in a folder for the length of a block."""
    scenario, faults, clock = folder / "scenario.toml", folder / "faults.toml", folder / "clock"
    scenario.write_text(SCENARIO)
    faults.write_text(FAULTS)
    clock.write_text(BEGINS.isoformat())
    world = World(
        started_at=BEGINS, seed=7, workspaces=2, keys=keys, days=days + 2, scenario=str(scenario), faults=str(faults)
    )
    stable = Stable(folder / "stable.log")
    try:
        with (
            Receiver().serving() as receiver,
            Simulator(world, lambda: datetime.fromisoformat(clock.read_text())) as simulator,
        ):
            found = Stage(folder, simulator, receiver, stable, clock, days, _one_certificate(folder))
            assert found.plot("rehearsal", reliable=True).live(rehearsal=True) == 0, stable.said()
            yield found
    finally:
        stable.close()


def _one_certificate(folder: Path) -> Path:
    """A bundle of one: nothing here speaks TLS, and to read the usual hundreds takes a third of a short life."""
    bundle = Path(certifi.where()).read_text()
    path = folder / "certificate.pem"
    begin, end = bundle.index("-----BEGIN"), bundle.index("-----END CERTIFICATE-----")
    path.write_text(f"{bundle[begin:end]}-----END CERTIFICATE-----\n")
    return path
