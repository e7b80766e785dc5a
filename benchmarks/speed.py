"""What the anomaly baseline costs: an hour more, the open hour, a day's end, a first fit; beside models fitted anew.

    python -m benchmarks.speed [--series 1000,10000,100000] [--peers 5] [--keys 1000]

Measured is the processor time of one core; every size runs in a process of its own, whose peak memory is told. Series
are made up: overdispersed counts with a daily wave, in an organization of workspaces that they borrow from, 8 weeks of
them, made a day at a time. Rows of the table:

- *tick*: one complete hour is judged (reading included) and carried, the median of a day's hours but the first and the
  last; *open hour*: one hour is judged and not carried; *daily refresh*: the last hour of a day is judged, the day
  is learnt and the next one's expected values are worked out; *first fit*: 56 days are learnt from scratch, which
  the program does at its start and once a day (`rules.carried`).
- *a judgement*: `anomaly.judge` on a view of `--keys` keys and 70 days, first and then with what is carried.
- statsmodels' STL (period 168) and statsforecast's AutoETS (season of 24 hours), fitted to the same 8 weeks of
  single series, as they have to be to know of a further hour; the median of `--peers` series, compiled beforehand.
  statsforecast comes with the extra `benchmarks`.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial

import numpy as np
import numpy.typing as npt

from rules import anomaly
from rules.carried import Carried
from rules.materiality import Floors
from rules.model import HOUR, AnomalyRule, Leaf, Names, SpendView
from rules.profile import DAY, Tier
from rules.seasonal import Baseline

Floats = npt.NDArray[np.float64]
DAYS = 56
VIEW_DAYS = 70
FLOORS = Floors(per_hour=5.0, one_hour=25.0)
START = datetime(2026, 9, 7, tzinfo=UTC)


def spent(level: Floats, random: np.random.Generator) -> Floats:
    """A day of series with these mean hours: 24 × series."""
    wave = 1.0 + 0.8 * np.cos((np.arange(DAY) - 15) / DAY * 2 * np.pi)
    mean = level * wave[:, None] * random.gamma(8.0, 1 / 8, (DAY, 1))
    return random.poisson(4 * mean) / 4


def tiers_of(series: int) -> tuple[Tier, ...]:
    """An organization, a workspace for every twenty of them, and the keys inside."""
    first = 1 + max(series // 20, 1)
    inside = 1 + np.arange(series - first) % (first - 1)
    return Tier(0, 1, None), Tier(1, first, np.zeros(first - 1, dtype=np.intp)), Tier(first, series, inside)


def seconds(what: Callable[[], object]) -> float:
    """Of processor time."""
    began = time.process_time()
    what()
    return time.process_time() - began


def measure(series: int) -> dict[str, float]:
    """Seconds, and megabytes at the peak."""
    random = np.random.default_rng(series)
    level = np.exp(random.normal(0.5, 1.3, series))
    baseline = Baseline(series, tiers_of(series))
    fit = 0.0
    for day in range(DAYS):
        values = spent(level, random)
        fit += seconds(lambda values=values, day=day: baseline.follow(values, day * DAY))  # type: ignore[misc]
    ticks, looks, hour = [], [], DAYS * DAY
    for at in range(DAY):
        now = spent(level, random)[at : at + 1]
        looks.append(seconds(lambda now=now, at=at: baseline.read(now * 0.5, hour + at, FLOORS)))  # type: ignore[misc]
        ticks.append(seconds(lambda now=now, at=at: baseline.advance(now, hour + at, FLOORS)))  # type: ignore[misc]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "tick": statistics.median(ticks[1:-1]),
        "open": statistics.median(looks),
        "refresh": ticks[-1],
        "fit": fit,
        "peak": peak,
    }


def judgements(keys: int) -> tuple[float, float]:
    """Seconds of the first judgement of so many keys, and of one that something was carried to (the median of 20)."""
    random = np.random.default_rng(keys)
    level = np.exp(random.normal(0.5, 1.3, keys))
    dollars = np.concatenate([spent(level, random) for _ in range(VIEW_DAYS)])
    cost = np.round(dollars.T * 1e9).astype(np.int64)
    leaves = tuple(Leaf(f"workspace-{place % 50}", f"key-{place}", "claude") for place in range(keys))
    rule, names, carried, taken = AnomalyRule("spend"), Names(), Carried(), []
    for hour in range((VIEW_DAYS - 1) * DAY + 1, VIEW_DAYS * DAY - 1):
        at = START + hour * HOUR
        shown = cost[:, : hour + 1]
        known = np.ones(hour + 1, dtype=np.bool_)
        view = SpendView("org", START, leaves, shown, np.zeros_like(shown), known, at, at + HOUR / 2)
        taken.append(
            seconds(partial(anomaly.judge, rule, view, names, frozenset(), view.observed_until, carried=carried))
        )
    return taken[0], statistics.median(taken[1:])


def peers(count: int) -> Iterator[tuple[str, float | None]]:
    """What it costs a model of others to know of one hour more of one series; None where it is not installed."""
    random = np.random.default_rng(0)
    level = np.exp(random.normal(0.5, 1.3, count + 1))
    first, *others = np.concatenate([spent(level, random) for _ in range(DAYS)]).T
    for name, model in (("statsmodels' STL(168)", _stl), ("statsforecast's AutoETS(24)", _auto_ets)):
        try:
            model(first)
        except ModuleNotFoundError:
            yield name, None
            continue
        yield name, statistics.median(seconds(lambda one=one, model=model: model(one)) for one in others)  # type: ignore[misc]


def _stl(values: Floats) -> None:
    from statsmodels.tsa.seasonal import STL  # noqa: PLC0415

    STL(values, period=168).fit()


def _auto_ets(values: Floats) -> None:
    from statsforecast.models import AutoETS  # noqa: PLC0415

    AutoETS(season_length=24).fit(values).predict(1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed")
    parser.add_argument("--series", default="1000,10000,100000", help="how many, for each row of the table")
    parser.add_argument("--peers", type=int, default=5, help="series that other models are fitted to; 0 for none")
    parser.add_argument("--keys", type=int, default=1000, help="of the organization that is judged; 0 for none")
    parser.add_argument("--only", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.only:
        print(json.dumps(measure(asked.only)))
        return 0
    print("| series × 8 weeks | tick | open hour | daily refresh | first fit | peak memory |")
    print("| --- | --- | --- | --- | --- | --- |")
    tick = 0.0
    for series in map(int, asked.series.split(",")):
        command = [sys.executable, "-m", "benchmarks.speed", "--only", str(series)]
        told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        tick = told["tick"] / series
        print(
            f"| {series:,} | {told['tick']:.4f} s | {told['open']:.4f} s | {told['refresh']:.3f} s "
            f"| {told['fit']:.1f} s | {told['peak']:.0f} MB |",
            flush=True,
        )
    if asked.keys:
        first, later = judgements(asked.keys)
        print(f"\na judgement of {asked.keys:,} keys: the first {first:.2f} s, later ones {later:.4f} s", flush=True)
    if asked.peers:
        print("\n| one hour more of one series | seconds | times a tick |\n| --- | --- | --- |")
        print(f"| this program, among the most series above | {tick:.7f} | 1 |")
        for name, cost in peers(asked.peers):
            cells = "not installed: skipped | " if cost is None else f"{cost:.3f} | {cost / tick:,.0f}"
            print(f"| {name} | {cells} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
