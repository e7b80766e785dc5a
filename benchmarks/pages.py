"""How long the pages and `/metrics` take, asked over HTTP of a daemon that watches 1,000 keys.

    python -m benchmarks.pages [--keys 1000] [--days 60] [--times 20]

Simulator, daemon and peers are processes of their own; the daemon is `watcher run`, which has read the history and
judged it by a cycle of its own before anything is asked. Printed is the median and the worst of so many requests over
one connection on loopback, and the processor time that the daemon used for each, its cycles included. *First* is
another key each time, whose expected band has to be worked out; *again* is the same key. Beside them:
prometheus_client's own application with as many series, and a bare Starlette page with as many rows of a table.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.cycle import CONFIG, simulated
from benchmarks.tables import table

PATIENCE = 1800.0
"""Seconds that the first cycle may take."""
TARGETS = {"`/metrics`": 100, "overview": 200, "series": 300}
"""Milliseconds, by the first word of a page."""
_HEAD = "| {} | median | worst | processor | target | KB |"


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking for pages of one kind."""

    milliseconds: Sequence[float]
    processor: float
    """Milliseconds of processor time for each, of whoever answers."""
    body: str

    @property
    def median(self) -> float:
        """In milliseconds."""
        return statistics.median(self.milliseconds)

    @property
    def rows(self) -> int:
        """Rows of tables in it."""
        return self.body.count("<tr")

    @property
    def series(self) -> int:
        """Samples in it, of an exposition."""
        return sum(not line.startswith("#") for line in self.body.splitlines())


@dataclass(frozen=True, slots=True)
class Answering:
    """A process that answers, and a connection to it."""

    client: httpx.Client
    pid: int

    def ask(self, paths: Sequence[str]) -> Asked:
        """Ask for each in turn, every one of which has to be there."""
        taken, body, used = [], "", processor_seconds(self.pid)
        for path in paths:
            began = time.perf_counter()
            answer = self.client.get(path)
            taken.append(1000 * (time.perf_counter() - began))
            body = answer.raise_for_status().text
        return Asked(taken, 1000 * (processor_seconds(self.pid) - used) / len(paths), body)


def processor_seconds(pid: int) -> float:
    """What a process has used of the processor, as Linux tells."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def asked_of(url: str, pid: int) -> Iterator[Answering]:
    """One connection, kept open."""
    with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
        yield Answering(client, pid)


@contextmanager
def running(config: Path) -> Iterator[Answering]:
    """The daemon, once its first cycle has ended."""
    command = [sys.executable, "-m", "watcher", "--log-format", "json", "run", "-c", str(config)]
    log = config.with_name("log")
    with log.open("wb") as written, subprocess.Popen(command, stdout=written, stderr=written) as daemon:
        try:
            url = _ready(log, daemon)
            with asked_of(url, daemon.pid) as found:
                yield found
        finally:
            daemon.kill()


def _ready(log: Path, daemon: subprocess.Popen[bytes]) -> str:
    ends = time.monotonic() + PATIENCE
    url = None
    while time.monotonic() < ends and daemon.poll() is None:
        url = url or re.search(r"http://127\.0\.0\.1:\d+", log.read_text())
        if url and httpx.get(f"{url[0]}/-/ready", trust_env=False, timeout=60).status_code == httpx.codes.OK:
            return url[0]
        time.sleep(0.5)
    raise SystemExit(f"the daemon is not ready:\n{log.read_text()[-2000:]}")


@contextmanager
def peers(series: int, rows: int) -> Iterator[Answering]:
    """The peers, with so many series and rows."""
    command = [sys.executable, "-m", "benchmarks.pages_peer", str(series), str(rows)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as peer:
        try:
            assert peer.stdout is not None
            with asked_of(peer.stdout.readline().strip(), peer.pid) as found:
                yield found
        finally:
            peer.kill()


def measure(daemon: Answering, times: int) -> None:
    """Ask a daemon and then the peers, and print the tables."""
    listed = daemon.client.get("/api/v1/keys?sort=month").raise_for_status().json()
    dearest, *others = [key["id"] for key in listed["keys"]]
    by_key = [f"/series?api_key={key}" for key in others[:times]]
    kinds = {
        "`/metrics`": ["/metrics"] * times,
        "overview": ["/"] * times,
        "series of a key, first": by_key,
        "series of a key, again": [f"/series?api_key={dearest}"] * times,
        "series of it all, 60 days": ["/series?days=60"] * times,
        "alerts": ["/alerts"] * times,
        "keys": [f"/keys?page={page % listed['pages'] + 1}" for page in range(times)],
        "prices": ["/prices"] * times,
        "`/api/v1/overview`": ["/api/v1/overview"] * times,
    }
    found = {kind: daemon.ask(paths) for kind, paths in kinds.items()}
    metrics, overview = found["`/metrics`"], found["overview"]
    table(
        _HEAD.format("page"), (_row(kind, asked, TARGETS.get(kind.partition(" ")[0])) for kind, asked in found.items())
    )
    print(f"\n{listed['found']} keys; `/metrics` has {metrics.series} series, the overview {overview.rows} rows.")
    with peers(metrics.series, overview.rows) as peer:
        beside = {
            f"prometheus_client, {metrics.series} series": peer.ask(["/metrics/"] * times),
            f"Starlette and Jinja2, {overview.rows} rows": peer.ask(["/rows"] * times),
        }
    table(_HEAD.format("peer"), (_row(kind, asked, None) for kind, asked in beside.items()))


def _row(kind: str, asked: Asked, most: int | None) -> tuple[str, ...]:
    times = (f"{figure:.1f} ms" for figure in (asked.median, max(asked.milliseconds), asked.processor))
    return (kind, *times, "" if most is None else f"{most} ms", f"{len(asked.body.encode()) / 1024:.0f}")


def main(arguments: list[str] | None = None) -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--keys", type=int, default=1000)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--times", type=int, default=20)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, simulated(asked.keys, asked.days) as simulator:
        config = Path(folder) / "config.toml"
        config.touch(0o600)
        text = CONFIG.format(url=simulator, days=asked.days, store="sqlite:///pages.db")
        config.write_text(f'{text}\n[http]\nlisten = "127.0.0.1:0"\n')
        began = time.perf_counter()
        with running(config) as daemon:
            print(f"first cycle: {time.perf_counter() - began:.0f} s; load of the machine: {os.getloadavg()[0]:.1f}")
            measure(daemon, asked.times)


if __name__ == "__main__":
    main()
