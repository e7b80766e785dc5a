"""A back-test of 60 days and 1,000 keys: from the store to the last judgement.

    python -m benchmarks.backtest [--keys 1000] [--days 60] [--judgements N]

The simulator's history (with four weeks more for the baseline) is read into a store as a first start of the daemon
does, which is not measured. Printed: reading the history out of the store, the judgements, and peak memory, as this
process's own (CPU) time and as wall time; and what the models of others (`benchmarks.speed`) would take if each was
only fitted once a day to each key. `--judgements` stops after so many and says what all would take.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from itertools import islice
from pathlib import Path

from benchmarks.cycle import CONFIG, backfilled, simulated
from benchmarks.speed import peers
from rules.model import HOUR
from watcher.asked_rules import rules_asked
from watcher.backtest import Place, hourly, replay
from watcher.backtest.history import stored_history
from watcher.backtest.running import GOOD_LEAD
from watcher.clock import SystemClock
from watcher.collecting import collect_rarely
from watcher.config import load
from watcher.ledger.days import DAY
from watcher.pricing import PriceBook
from watcher.store import Store

LEAD = GOOD_LEAD // DAY
PEERS = 3
"""Series that the models of others are fitted to; their median counts."""


def main(arguments: list[str] | None = None) -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--keys", type=int, default=1000)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--judgements", type=int, default=None)
    asked = parser.parse_args(arguments)
    collect_rarely()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.toml"
        with simulated(asked.keys, asked.days + LEAD) as url:
            config.write_text(CONFIG.format(url=url, days=asked.days + LEAD, store=f"sqlite:///{folder}/bench.db"))
            backfilled(config)
        measure(config, asked.days, asked.judgements)
    for name, fitted in peers(PEERS):
        if fitted is not None:
            print(f"{name}, fitted once a day to each key: {fitted * asked.keys * asked.days:,.0f} s")


def measure(config: Path, days: int, most: int | None) -> None:
    """Time one back-test of the store of a configuration."""
    settings = load(config, {})
    now = SystemClock().now()
    start = now.replace(minute=0, second=0, microsecond=0) - days * DAY
    with Store.open(settings.store.url, read_only=True) as store:
        organization = store.organizations.id_of("") or ""
        rules = rules_asked(settings)
        names = store.directory.names(organization)
        wall, own = time.perf_counter(), time.process_time()
        history = stored_history(store, PriceBook(settings.prices), organization, [rules], (start, now))
        wall, own = time.perf_counter() - wall, time.process_time() - own
    leaves, hours = history.view.cost.shape
    print(f"history of {hours // 24} days, {leaves} series: {own:.1f} s own CPU, {wall:.1f} s wall")
    frames = hourly(history.view, start, now, counted=history.counted, settling=history.settling)
    began, begun = time.perf_counter(), time.process_time()
    found = replay(islice(frames, most), rules, Place(names))
    judged, spent = time.perf_counter() - began, time.process_time() - begun
    step = spent / max(found.judgements, 1)
    every = max((history.view.complete_until - start) // HOUR, 1)
    print(f"{found.judgements} judgements: {spent:.1f} s own CPU, {judged:.1f} s wall, {1000 * step:.1f} ms each")
    print(f"{days} days ({every} judgements): {own + every * step:.1f} s own CPU; {len(found.alerts)} alerts")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
