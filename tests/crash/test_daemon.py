"""The installed program itself: `watcher run` told to end while it works."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from tests.crash.evidence import contradicted, damage, lost, out_of_order
from tests.crash.receiver import Receiver
from tests.crash.stage import BEGINS, SCENARIO
from tests.stage import PROMPT

SPEED = 120
CONFIG = """\
[anthropic]
base_url = "{api}"
admin_key = "sk-ant-admin01-crash"
[store]
url = "sqlite:///watcher.db"
[http]
listen = "127.0.0.1:0"
[poll]
backfill = "40d"
[[budget]]
name = "day"
period = "day"
limit_usd = 20
thresholds = [50, 100]
[[anomaly]]
name = "key spend"
min_excess_usd = 2
[[receiver]]
name = "ops"
type = "webhook"
url = "{receiver}/unreliable/ops"
allow_private = true
[[route]]
receiver = "ops"
"""


@dataclass
class Installed:
    """The program as it is installed, on a clock that goes on while it is down."""

    folder: Path
    receiver: Receiver
    simulator: subprocess.Popen[str]
    began: float

    @property
    def database(self) -> Path:
        return self.folder / "watcher.db"

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        passed = timedelta(seconds=(time.monotonic() - self.began) * SPEED)
        clock = f"{(BEGINS + passed).isoformat()}@{SPEED}"
        return _start(self.folder, clock, *arguments, "-c", "watcher.toml")

    def hours(self) -> int:
        """How many hours of usage are stored."""
        try:
            connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)
        except sqlite3.OperationalError:
            return 0
        try:
            return int(connection.execute("SELECT count(*) FROM usage_buckets").fetchone()[0])
        except sqlite3.OperationalError:
            return 0
        finally:
            connection.close()


def _start(folder: Path, clock: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "watcher", *arguments],
        cwd=folder,
        env=os.environ | {"WATCHER_CLOCK": clock},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def running(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """See to it that a process does not outlive the test."""
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ends_well(process: subprocess.Popen[str]) -> float:
    """Ask a daemon to end; returns the seconds it took."""
    asked = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    took = time.monotonic() - asked
    assert process.returncode == 0, said
    assert "Traceback" not in said
    return took


def until(holds: Callable[[], bool], process: subprocess.Popen[str], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.01)


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Installed]:
    # The key has been running away for half an hour when the program is started for the first time.
    (tmp_path / "scenario.toml").write_text(SCENARIO.replace('after = "30m"', 'after = "-90m"'))
    options = ("--port", "0", "--workspaces", "2", "--keys", "3", "--days", "45", "--scenario", "scenario.toml")
    simulator = _start(tmp_path, f"{BEGINS.isoformat()}@{SPEED}", "simulate", *options)
    with running(simulator), Receiver().serving() as receiver:
        assert simulator.stdout is not None
        address = re.search(r"http://\S+", simulator.stdout.readline())
        assert address is not None
        began = time.monotonic()
        (tmp_path / "watcher.toml").write_text(CONFIG.format(api=address.group(), receiver=receiver.url))
        yield Installed(tmp_path, receiver, simulator, began)


def messages(installed: Installed) -> tuple[str, ...]:
    return tuple(request.body["id"] for request in installed.receiver.requests("/unreliable/ops"))


def test_a_daemon_told_to_end_ends_within_ten_seconds_and_loses_nothing(installed: Installed) -> None:
    with running(installed.start("run")) as daemon:
        until(lambda: installed.hours() > 48, daemon)
        assert installed.hours() < 40 * 24, "it is in the middle of the back-fill"
        assert ends_well(daemon) < PROMPT
    assert damage(installed.database) == []
    with running(installed.start("run")) as daemon:
        until(lambda: bool(messages(installed)), daemon)
        assert ends_well(daemon) < PROMPT
    assert damage(installed.database) == []
    with running(installed.start("poll")) as poll:
        _, said = poll.communicate(timeout=60)
        assert poll.returncode == 0, said
    check(installed)


@pytest.mark.slow
def test_a_daemon_whose_api_hangs_is_cut_off_in_time_and_goes_on_where_it_was(installed: Installed) -> None:
    with running(installed.start("run")) as daemon:
        until(lambda: installed.hours() > 48, daemon)
        installed.simulator.send_signal(signal.SIGSTOP)
        try:
            assert ends_well(daemon) < PROMPT
        finally:
            installed.simulator.send_signal(signal.SIGCONT)
    assert 48 < installed.hours() < 40 * 24
    assert damage(installed.database) == []
    with running(installed.start("poll")) as poll:
        _, said = poll.communicate(timeout=240)
        assert poll.returncode == 0, said
    assert installed.hours() > 40 * 24
    check(installed)


def check(installed: Installed) -> None:
    """Fail unless everything is whole and everything reached was told."""
    requests = installed.receiver.requests("/unreliable/ops")
    assert damage(installed.database) == []
    assert lost(installed.database, requests) == []
    assert contradicted(requests) == []
    assert out_of_order(requests) == []
    connection = sqlite3.connect(installed.database)
    written = {row[0] for row in connection.execute("SELECT id FROM outbox")}
    connection.close()
    assert set(messages(installed)) == written


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_daemon_killed_thirty_times_over_loses_nothing(installed: Installed) -> None:
    for number in range(30):
        with running(installed.start("run")) as daemon:
            time.sleep(0.7 + 0.1 * number)
            assert daemon.poll() is None, daemon.communicate()[1]
            daemon.kill()
            daemon.wait()
        assert damage(installed.database) == []
    for _ in range(20):
        with running(installed.start("poll")) as poll:
            _, said = poll.communicate(timeout=240)
            assert poll.returncode == 0, said
        connection = sqlite3.connect(installed.database)
        waiting = connection.execute("SELECT count(*) FROM outbox WHERE delivered_at IS NULL").fetchone()[0]
        connection.close()
        if not waiting:
            break
    check(installed)
