"""The ledger's speed and size: a reading into the view, a restart to the first verdict, and `watcher spend`.

    python -m benchmarks.ledger [--series 10000] [--hours 24] [--keys 1000] [--days 60] [--runs 3] [--short]

Every figure comes from a process of its own and is the median of the runs: CPU seconds, as they hold on a machine that
others use too, with wall time where a person waits. A reading is measured from the bytes of its pages to the ledger's
view, in turn with its peer (plain pydantic models and SQLAlchemy Core inserts; the view is not in it, as it has none).
What is read for the other figures comes from the simulator, back-filled by a cycle as the daemon runs it, which also
keeps what settled days came to; `spend` is measured with those kept sums and without them. `--short` is small enough
for a test.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.cycle import CONFIG, backfilled, simulated
from benchmarks.ledger_pages import FIRST_HOUR, GROUPED_BY, usage_bodies
from benchmarks.ledger_peer import decode_and_store
from rules.judgement import decide
from watcher.admin_api.decoding import usage_page
from watcher.clock import SystemClock
from watcher.collecting import collect_rarely
from watcher.config import load
from watcher.cycle import look, recall, rules_of
from watcher.ingest import Ingested
from watcher.ledger import Ledger
from watcher.pricing import PriceBook
from watcher.store import Store
from watcher.wiring import assemble

Figures = dict[str, float]

TARGET_ROWS = 60_000
"""Rows a second from the wire to the view, on one core."""
_HOUR = timedelta(hours=1)
_ORGANIZATION = "benchmark"


def ingest(pages: Path, folder: Path) -> Figures:
    """Decode the pages, store them and bring the view up to date; then read them again, saying the same."""
    files = sorted(pages.iterdir())
    now = FIRST_HOUR + len(files) * _HOUR + timedelta(minutes=30)
    decode = usage_page(GROUPED_BY)
    with Store.open(f"sqlite:///{folder}/ledger.db") as store:
        ledger = Ledger(store, PriceBook(), _ORGANIZATION)
        ledger.refresh(now)
        began = time.process_time()
        buckets = [bucket for file in files for bucket in decode(file.read_bytes()).items]
        decoded = time.process_time()
        changed = store.usage.replace(_ORGANIZATION, buckets, now)
        stored = time.process_time()
        view = ledger.refresh(now, changed, frozenset())
        seen = time.process_time()
        rows = sum(len(bucket.rows) for bucket in buckets)
        figures = {
            "rows": rows,
            "leaves": len(view.leaves),
            "decode": decoded - began,
            "store": stored - decoded,
            "view": seen - stored,
            "peak_mb": _peak_mb(),
        }
        return figures | _again(store, ledger, [bucket for file in files for bucket in decode(file.read_bytes()).items])


def _again(store: Store, ledger: Ledger, buckets: list[Any]) -> Figures:
    """The same reading once more: what it costs, and what it changes."""
    now = FIRST_HOUR + len(buckets) * _HOUR + timedelta(minutes=31)
    with store.database.raw() as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    began = time.process_time()
    changed = store.usage.replace(_ORGANIZATION, buckets, now)
    stored = time.process_time()
    assert store.database.path is not None
    log = Path(f"{store.database.path}-wal").stat().st_size
    ledger.refresh(now, changed, frozenset())
    seen = time.process_time()
    return {
        "again": stored - began,
        "again_view": seen - stored,
        "again_hours": len(changed),
        "again_log_bytes": log,
    }


def peer(pages: Path, folder: Path) -> Figures:
    """The same pages by the peer."""
    began = time.process_time()
    rows = decode_and_store((file.read_bytes() for file in sorted(pages.iterdir())), folder / "peer.db")
    return {"rows": rows, "decode and store": time.process_time() - began, "peak_mb": _peak_mb()}


def restart(config: Path, _folder: Path) -> Figures:
    """Open the store, make the view from nothing, and judge."""
    began, own = time.perf_counter(), time.process_time()
    settings = load(config, {})
    now = SystemClock().now()
    with Store.open(settings.store.url) as store:
        parts = assemble(settings, store)
        organization = store.organizations.id_of("")
        assert organization is not None
        world = parts.world(parts.accesses[0], organization, lambda: now)
        rules = rules_of(world, now)
        snapshot = look(world, rules, Ingested(), now)
        seen = time.process_time()
        decision = decide(snapshot, rules, recall(world, rules, now), now)
        parts.close()
    return {
        "wall": time.perf_counter() - began,
        "view": seen - own,
        "judge": time.process_time() - seen,
        "leaves": len(snapshot.view.leaves),
        "alerts": len(decision.alerts),
        "peak_mb": _peak_mb(),
    }


def backfill(config: Path, _folder: Path) -> Figures:
    """A first start, in a process of its own so that its memory is not taken for that of what follows."""
    backfilled(config)
    return {"peak_mb": _peak_mb()}


PARTS: dict[str, Callable[[Path, Path], Figures]] = {
    "ingest": ingest,
    "peer": peer,
    "backfill": backfill,
    "restart": restart,
}


def run_part(name: str, source: Path) -> Figures:
    """One part in a process and a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.ledger", "--part", name, str(source), folder]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def run_command(compiled: Path, *arguments: str) -> Figures:
    """What a command of the program takes as a whole process, its modules compiled once as they are where installed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(compiled)
    command = [sys.executable, "-m", "watcher", *arguments]
    if not compiled.exists():
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, arguments
    wall = time.perf_counter() - began
    return {"cpu": used.ru_utime + used.ru_stime, "wall": wall, "peak_mb": used.ru_maxrss / 1024}


def median(runs: Iterable[Figures]) -> Figures:
    """The median of each figure."""
    every = list(runs)
    return {name: statistics.median(run[name] for run in every) for name in every[0]}


def reading_figures(series: int, hours: int, runs: int) -> tuple[Figures, Figures]:
    """Ours and the peer's, in turn over the same pages."""
    with tempfile.TemporaryDirectory() as folder:
        for number, body in enumerate(usage_bodies(series, hours)):
            (Path(folder) / f"{number:05}.json").write_bytes(body)
        pairs = [(run_part("ingest", Path(folder)), run_part("peer", Path(folder))) for _ in range(runs)]
    return median(ours for ours, _ in pairs), median(theirs for _, theirs in pairs)


def print_reading(series: int, hours: int, runs: int) -> None:
    """A reading, and its peer."""
    ours, theirs = reading_figures(series, hours, runs)
    stored = ours["decode"] + ours["store"]
    whole, rows = stored + ours["view"], ours["rows"]
    print(f"a reading of {rows:,.0f} rows ({series:,} series, {hours} hours), CPU seconds:")
    print(f"  decode {ours['decode']:.2f}, store {ours['store']:.2f}, view {ours['view']:.2f}")
    print(f"  wire to view  {rows / whole:9,.0f} rows/s   (target {TARGET_ROWS:,}), peak {ours['peak_mb']:.0f} MB")
    print(f"  wire to store {rows / stored:9,.0f} rows/s")
    peer_rate = theirs["rows"] / theirs["decode and store"]
    print(f"  peer, pydantic models and Core inserts, wire to store {peer_rate:,.0f} rows/s, ", end="")
    print(f"peak {theirs['peak_mb']:.0f} MB: ours is {rows / stored / peer_rate:.1f} times as fast")
    print(
        f"  the same reading again: store {ours['again']:.2f} s, view {ours['again_view']:.2f} s; "
        f"{ours['again_hours']:.0f} hours changed, {ours['again_log_bytes'] / 1024:.0f} KiB written"
    )


def print_history(keys: int, days: int, runs: int) -> None:
    """A restart and `spend`, over a history from the simulator."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.toml"
        with simulated(keys, days) as url:
            config.write_text(CONFIG.format(url=url, days=days, store=f"sqlite:///{folder}/bench.db"))
            run_part("backfill", config)
        size = (Path(folder) / "bench.db").stat().st_size / 1e6
        print(f"{days} days of {keys:,} keys, {size:.0f} MB in the database:")
        again = median(run_part("restart", config) for _ in range(runs))
        print(
            f"  restart to first verdict {again['wall']:.1f} s wall (target 5): view {again['view']:.2f}, judge "
            f"{again['judge']:.2f} s CPU, {again['leaves']:,.0f} key x model leaves, peak {again['peak_mb']:.0f} MB"
        )
        # As many days before it are stored, so that the table has them too.
        month = (SystemClock().now() - timedelta(days=days // 2 - 1)).date().isoformat()
        base = ("--log-level", "warning", "spend", "-c", str(config), "--by", "api_key", "--from", month)
        commands = (("with as many before and the trend", base), ("--csv", (*base, "--csv")))
        for state in ("", " where no sums are kept"):
            for title, command in commands:
                spent = median(run_command(Path(folder) / "compiled", *command) for _ in range(runs))
                print(
                    f"  spend --by api_key over {days // 2 - 1} days, {title}{state}: {spent['wall']:.2f} s wall "
                    f"(target 1), {spent['cpu']:.2f} s CPU, peak {spent['peak_mb']:.0f} MB"
                )
            with closing(sqlite3.connect(Path(folder) / "bench.db")) as connection, connection:
                connection.execute("DELETE FROM day_sums")


def main(arguments: list[str] | None = None) -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser()
    for name, value in (("series", 10_000), ("hours", 24), ("keys", 1000), ("days", 60), ("runs", 3)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--part", nargs=3)
    asked = parser.parse_args(arguments)
    if asked.part:
        collect_rarely()
        name, source, folder = asked.part
        print(json.dumps(PARTS[name](Path(source), Path(folder))))
        return
    if asked.short:
        asked.series, asked.hours, asked.keys, asked.days, asked.runs = 1000, 6, 30, 10, 1
    print_reading(asked.series, asked.hours, asked.runs)
    print_history(asked.keys, asked.days, asked.runs)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
