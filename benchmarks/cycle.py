"""Back-fill and a cycle afterwards, with 1,000 keys and 60 days from the simulator.

    python -m benchmarks.cycle [--keys 1000] [--days 60]

The simulator runs as a process of its own. Printed: the back-fill's wall time, the part of it that was waiting for the
simulator, peak memory, and the daemon's own (CPU) time of later cycles, beside the bare cost of fetching and decoding
the same pages with httpx and the standard library's json.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx

from watcher.clock import SystemClock
from watcher.config import load
from watcher.cycle import run_cycle
from watcher.ingest import Plan, organization_of
from watcher.store import Store
from watcher.wiring import assemble

CONFIG = """
[anthropic]
base_url = "{url}"
admin_key = "sk-ant-admin01-benchmark"
[store]
url = "{store}"
[poll]
backfill = "{days}d"
[[budget]]
name = "organization"
period = "month"
limit_usd = 1000000
thresholds = [50, 80, 100]
[[budget]]
name = "keys"
period = "day"
per = ["api_key"]
limit_usd = 5000
thresholds = [100]
[[anomaly]]
name = "key spend"
per = ["api_key"]
[[anomaly]]
name = "workspace spend"
per = ["workspace"]
[[receiver]]
name = "nobody"
type = "webhook"
url = "http://127.0.0.1:9/"
allow_private = true
[[route]]
receiver = "nobody"
"""
_GROUPS = ("api_key_id", "workspace_id", "model")


def bare(url: str, pages: int) -> float:
    """Median seconds to fetch and decode one day's page with httpx and json, judging and storing nothing."""
    headers = {"x-api-key": "sk-ant-admin01-benchmark", "anthropic-version": "2023-06-01"}
    end = SystemClock().now().replace(minute=0, second=0, microsecond=0)
    taken = []
    with httpx.Client(timeout=60, headers=headers) as client:
        for day in range(1, pages + 1):
            parameters: list[tuple[str, str | int | float | bool | None]] = [
                ("starting_at", (end - timedelta(days=day)).isoformat().replace("+00:00", "Z")),
                ("ending_at", (end - timedelta(days=day - 1)).isoformat().replace("+00:00", "Z")),
                ("bucket_width", "1h"),
                ("limit", "24"),
                *(("group_by[]", group) for group in _GROUPS),
            ]
            began = time.perf_counter()
            client.get(f"{url}/v1/organizations/usage_report/messages", params=parameters).raise_for_status().json()
            taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def main(arguments: list[str] | None = None) -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--keys", type=int, default=1000)
    parser.add_argument("--days", type=int, default=60)
    asked = parser.parse_args(arguments)
    with simulated(asked.keys, asked.days) as url:
        measure(url, asked.days)


@contextmanager
def simulated(keys: int, days: int) -> Iterator[str]:
    """The address of a simulator, in a process of its own, that has a history of so many days."""
    command = [sys.executable, "-m", "watcher", "simulate", "--port", "0", "--workspaces", "50"]
    command += ["--keys", str(keys), "--days", str(days + 10)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as simulator:
        try:
            assert simulator.stdout is not None
            yield simulator.stdout.readline().split()[-1]
        finally:
            simulator.terminate()


def backfilled(config: Path) -> None:
    """Read everything once, as a first start of the daemon does."""
    settings = load(config, {})
    with Store.open(settings.store.url) as store:
        parts = assemble(settings, store)
        now = SystemClock().now()
        (access,) = parts.accesses
        organization = organization_of(access.reader, store, now)
        world = parts.world(access, organization, SystemClock().now)
        run_cycle(world, Plan.everything(store, organization, now, settings.poll), now)
        parts.close()


def measure(url: str, days: int) -> None:
    """Time a first cycle and five later ones against a running simulator."""
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.toml"
        path.write_text(CONFIG.format(url=url, days=days, store="sqlite:///bench.db"))
        settings = load(path, {})
        store = Store.open(settings.store.url)
        waited = [0.0]

        def observe(_label: str, request: object) -> None:
            waited[0] += getattr(request, "seconds", 0.0)

        parts = assemble(settings, store, observe)
        (access,) = parts.accesses
        organization = organization_of(access.reader, store, clock.now())
        world = parts.world(access, organization, clock.now)
        now = clock.now()
        began, own = time.perf_counter(), time.process_time()
        run_cycle(world, Plan.everything(store, organization, now, settings.poll), now)
        wall, own = time.perf_counter() - began, time.process_time() - own
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"back-fill of {days} days: {wall:.1f} s wall, {own:.1f} s own CPU, "
            f"{waited[0]:.1f} s in requests, peak {peak:.0f} MB"
        )
        for title, plan in (("due", Plan.due), ("everything", Plan.everything)):
            times = []
            for _ in range(5):
                now = clock.now()
                own = time.process_time()
                run_cycle(world, plan(store, organization, now, settings.poll), now)
                times.append(time.process_time() - own)
            print(f"cycle ({title}): median {statistics.median(times):.2f} s own CPU, worst {max(times):.2f} s")
        parts.close()
        store.close()
        page = bare(url, 5)
        print(f"peer: one bare page of 24 hours with httpx and json {page:.2f} s; {days} of them {page * days:.0f} s")


if __name__ == "__main__":
    main()
