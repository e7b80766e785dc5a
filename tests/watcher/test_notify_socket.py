"""What a service manager is told, over a real datagram socket, and when."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.stage import ADMIN_KEY, BUDGET, NOW, PATIENCE, Running, environment, until, write_config
from watcher.notify_socket import NotifySocket
from watcher.simulator import Simulator, World

AT = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
FIVE = timedelta(minutes=5)
STATUS = "STATUS=watching; the last cycle ended at 2026-11-20 12:20 UTC"


class Manager:
    """The socket of a service manager."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)

    def heard(self) -> list[list[str]]:
        """The lines of each datagram that has come since it was last asked."""
        self._socket.setblocking(False)
        found = []
        while True:
            try:
                found.append(self._socket.recv(4096).decode().splitlines())
            except BlockingIOError:
                return found

    def hears(self, line: str, seconds: float = PATIENCE) -> list[list[str]]:
        """All datagrams up to the first that has a line which begins so."""
        found: list[list[str]] = []
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                found.append(self._socket.recv(4096).decode().splitlines())
            except TimeoutError:
                break
            if any(each.startswith(line) for each in found[-1]):
                return found
        raise AssertionError(f"{line} was not heard; {found}")

    def close(self) -> None:
        self._socket.close()


@contextmanager
def listening(address: str | None = None) -> Iterator[Manager]:
    """A manager that listens at an address, or in a folder whose path is short enough for a socket's."""
    with TemporaryDirectory(prefix="w-") as folder:
        manager = Manager(address or f"{folder}/notify")
        try:
            yield manager
        finally:
            manager.close()


@pytest.fixture
def manager() -> Iterator[Manager]:
    with listening() as found:
        yield found


def service(manager: Manager, **more: str) -> NotifySocket:
    return NotifySocket.of({"NOTIFY_SOCKET": manager.address, **more})


def test_ready_is_told_once_when_the_first_cycles_have_ended(manager: Manager) -> None:
    told = service(manager)
    told.cycles_ended(FIVE, AT)
    told.cycles_ended(FIVE, AT)
    assert manager.heard() == [["READY=1", STATUS], [STATUS]]


def test_a_watchdog_is_fed_by_finished_cycles_and_by_nothing_else(manager: Manager) -> None:
    told = service(manager, WATCHDOG_USEC="1800000000")
    told.history(3, 60)
    told.cycles_ended(FIVE, AT)
    told.history(4, 60)
    told.reloading()
    told.reloaded(refused=False)
    told.cycles_ended(FIVE, AT)
    told.stopping()
    heard = manager.heard()
    assert ["WATCHDOG=1" in lines for lines in heard] == [False, True, False, False, True, False]
    assert "WATCHDOG_USEC=1800000000" in heard[1]


def test_a_watchdog_that_is_less_patient_than_three_intervals_gets_three_intervals(manager: Manager) -> None:
    service(manager, WATCHDOG_USEC="1800000000").cycles_ended(timedelta(hours=1), AT)
    assert manager.heard() == [["READY=1", "WATCHDOG_USEC=10800000000", "WATCHDOG=1", STATUS]]


@pytest.mark.parametrize("given", ["", "soon", "-5", "٣"])
def test_a_watchdog_without_a_time_is_none(manager: Manager, given: str) -> None:
    service(manager, WATCHDOG_USEC=given).cycles_ended(FIVE, AT)
    assert manager.heard() == [["READY=1", STATUS]]


def test_every_step_of_the_first_reading_asks_for_more_time(manager: Manager) -> None:
    service(manager).history(3, 60)
    assert manager.heard() == [["EXTEND_TIMEOUT_USEC=900000000", "STATUS=reading the history: 3 of 60 days"]]


def test_a_reload_says_when_it_began_and_that_it_is_over_whether_taken_over_or_not(manager: Manager) -> None:
    told = service(manager)
    told.cycles_ended(FIVE, AT)
    before = time.monotonic_ns() // 1000
    told.reloading()
    told.reloaded(refused=True)
    _, (reloading, moment), (ready, status) = manager.heard()
    assert (reloading, ready) == ("RELOADING=1", "READY=1")
    assert before <= int(moment.removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000
    assert "refused" in status


def test_a_reload_before_the_first_cycle_has_ended_makes_nothing_ready(manager: Manager) -> None:
    told = service(manager)
    told.reloading()
    told.reloaded(refused=False)
    assert manager.heard() == [["STATUS=watching"]]


def test_an_address_that_begins_with_an_at_is_in_the_abstract_namespace() -> None:
    with listening(f"@claude-watcher-{time.monotonic_ns()}") as manager:
        service(manager).stopping()
        assert manager.heard() == [["STOPPING=1", "STATUS=ending"]]


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "@"}, {"NOTIFY_SOCKET": "x"}])
def test_without_a_socket_nothing_is_told_to_anybody(
    environment: Mapping[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    NotifySocket.of(environment).stopping()
    assert not caplog.records


def test_a_manager_that_is_gone_is_logged_once_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told = NotifySocket(str(tmp_path / "gone"))
    told.cycles_ended(FIVE, AT)
    told.stopping()
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_the_daemon_is_ready_after_its_first_cycle_and_tells_of_reload_and_end(
    manager: Manager, tmp_path: Path
) -> None:
    world = World(started_at=NOW - timedelta(hours=5), keys=6, days=4)
    env = environment(NOTIFY_SOCKET=manager.address, WATCHDOG_USEC="1800000000")
    with Simulator(world, lambda: NOW) as served:
        config = write_config(tmp_path, served.url, BUDGET)
        with Running(config, env=env) as daemon:
            start = manager.hears("READY=1")
            assert daemon.get("/-/ready").status_code == 200
            assert all(line.startswith(("EXTEND_TIMEOUT_USEC=", "STATUS=")) for lines in start[:-1] for line in lines)
            assert "WATCHDOG=1" in start[-1]

            daemon.tell(signal.SIGHUP)
            again = [*manager.hears("RELOADING=1"), *manager.hears("READY=1")]
            assert again[-1] == ["READY=1", "STATUS=watching"]

            config.write_text(config.read_text() + "[unknown]\n")
            daemon.tell(signal.SIGHUP)
            assert "refused" in manager.hears("READY=1")[-1][-1]

            daemon.tell(signal.SIGTERM)
            end = manager.hears("STOPPING=1")
            assert until(lambda: daemon.process.poll() == 0)
        assert not any(ADMIN_KEY in line for lines in [*start, *again, *end] for line in lines)
