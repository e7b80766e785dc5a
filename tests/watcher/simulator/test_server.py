"""Serving: ports, starting and ending, the command, and how fast a large organization answers."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from watcher.simulator import Simulator, World, serve

START = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
PROGRAM = """
from datetime import UTC, datetime
from watcher.simulator.command import simulate
class Clock:
    def now(self):
        return datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
simulate(0, 7, 2, 5, 10, "demo", None, Clock())
"""


def test_two_simulators_serve_side_by_side_on_free_ports():
    world = World(started_at=START, keys=2, workspaces=1, days=2)
    with serve(world, lambda: START) as one, serve(world, lambda: START) as other:
        assert one.url != other.url
        assert httpx.get(f"{one.url}/v1/organizations/me", trust_env=False).status_code == 401
    with pytest.raises(httpx.ConnectError):
        httpx.get(one.url, trust_env=False)


def test_a_simulator_can_serve_again_on_its_port_and_not_twice_at_once():
    simulator = Simulator(World(started_at=START, keys=2, workspaces=1, days=2), lambda: START)
    simulator.start()
    url = simulator.url
    with pytest.raises(RuntimeError, match="already serves"):
        simulator.start()
    taken = Simulator(simulator.world, lambda: START, port=int(url.rsplit(":", 1)[1]))
    with pytest.raises(OSError, match="in use"):
        taken.start()
    simulator.stop()
    with simulator:
        assert simulator.url == url
        assert httpx.get(url, trust_env=False).status_code == 401
    simulator.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_says_one_line_and_ends_quietly_on_a_signal(number):
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        line = process.stdout.readline()
        assert line.startswith("simulator serving http://127.0.0.1:")
        assert httpx.get(line.split()[-1], trust_env=False).status_code == 401
        process.send_signal(number)
        rest, errors = process.communicate(timeout=60)
    assert (process.returncode, rest, errors) == (0, "", "")


@pytest.mark.parametrize("switched_on", [True, False])
def test_the_command_offers_analytics_and_limits_when_asked_to(switched_on):
    options = ["--port", "0", "--keys", "2", "--workspaces", "1", "--days", "2"]
    options += ["--analytics", "--limits"] if switched_on else []
    with subprocess.Popen(
        [sys.executable, "-m", "watcher", "simulate", *options],
        env={**os.environ, "WATCHER_CLOCK": "2026-11-16T12:00:00Z@1"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        url = process.stdout.readline().split()[-1] + "/v1/organizations"
        headers = {
            "x-api-key": "sk-ant-admin01-x",
            "anthropic-version": "2023-06-01",
            "anthropic-beta": "analytics-usage-cost-2026-08-24",
        }
        query = {"starting_at": "2026-11-15T00:00:00Z"}
        statuses = [
            httpx.get(f"{url}/analytics/cost", params=query, headers=headers, trust_env=False).status_code,
            httpx.get(f"{url}/rate_limits", headers=headers, trust_env=False).status_code,
        ]
        process.send_signal(signal.SIGTERM)
    assert statuses == ([200, 200] if switched_on else [404, 404])


def processor_seconds(process: int) -> float:
    """What a process has used of the processor so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_day_of_a_thousand_keys_comes_in_under_a_second_and_the_simulator_stays_under_400_megabytes():
    """Thirty days one after the other, each a page of 24 hours by key, workspace and model."""
    command = [sys.executable, "-m", "watcher", "simulate", "--port", "0"]
    command += ["--keys", "1000", "--workspaces", "50", "--days", "60"]
    environment = {**os.environ, "WATCHER_CLOCK": "2026-11-16T12:00:00Z@1"}
    headers = {"x-api-key": "sk-ant-admin01-x", "anthropic-version": "2023-06-01"}
    grouping = [("group_by[]", name) for name in ("api_key_id", "workspace_id", "model")]
    sizes = []
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().split()[-1] + "/v1/organizations/usage_report/messages"
        with httpx.Client(headers=headers, timeout=60, trust_env=False, verify=False) as client:
            for day in range(1, 31):
                query = [("bucket_width", "1h"), ("starting_at", f"2026-10-{day:02d}T00:00:00Z"), *grouping]
                sizes.append(len(client.get(url, params=query).raise_for_status().content))
                if day == 1:
                    begun = processor_seconds(process.pid)
            taken = processor_seconds(process.pid) - begun
        peak = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
        process.send_signal(signal.SIGTERM)
    assert min(sizes) > 5_000_000
    assert taken / 29 < 1.0, "by the processor's time, which is the whole of it on a machine that does nothing else"
    assert int(peak[1]) < 400 * 1024
