"""What creeps up, by its rule alone: how soon leaks are told, how often what is none, and what each number does to it.

    python -m benchmarks.leaks [--seeds 1-3] [--keys 1000] [--days 90]

The organizations of `benchmarks.organizations`, with harmless events and rough ones; `rules.leak` is given their whole
days as they came, not limited to what is no outlier. A leak is told at the first midnight at which its key reaches
threshold and floor. Told in time is one that has not cost five normal days by then. Pages are stretches of days
on which a key of an organization without incidents is told. Hourly sums, which tell of steep leaks and of launches
sooner, are not judged.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.organization_harmless import Ordinary
from benchmarks.organization_incidents import Incident, with_incidents
from benchmarks.organization_replay import view_of
from benchmarks.organization_scores import LEAK_DAYS
from benchmarks.organization_traffic import DAY, WEEK
from benchmarks.organizations import KINDS, RULE, SCORED
from benchmarks.tables import table
from rules.leak import Creep, Leak
from rules.materiality import Floors
from rules.shared_growth import parents_of
from rules.subjects import DOLLAR, Subjects, cut

Flags = npt.NDArray[np.bool_]
FLOORS = Floors(per_hour=RULE.min_excess / DOLLAR)


@dataclasses.dataclass(frozen=True, slots=True)
class Run:
    """One organization without incidents, and with them."""

    quiet: Subjects
    hit: Subjects
    leaks: tuple[tuple[Incident, float], ...]
    """With what their keys spend in a day otherwise."""
    since: int
    """The first day that counts."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.leaks")
    parser.add_argument("--seeds", default="1-3", help="both ends included")
    parser.add_argument("--keys", type=int, default=1000)
    parser.add_argument("--days", type=int, default=90)
    asked = parser.parse_args(arguments)
    first, _, last = asked.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    runs = {name: [_run(make(seed, asked.keys, asked.days), seed) for seed in seeds] for name, make in KINDS[1:]}
    columns = " | ".join(f"{name}: in time | pages a week" for name in runs)
    table(f"| number | {columns} |", _rows(runs))
    return 0


def _run(made: Ordinary, seed: int) -> Run:
    since = made.traffic.hours // DAY - SCORED
    hit, incidents = with_incidents(made, seed, since + 1)
    quiet, told = (cut(RULE, view_of(each), each.traffic.names) for each in (made, hit))
    leaks = []
    for each in incidents:
        rows = np.concatenate([hit.traffic.rows(key) for key in each.keys])
        normal = float(hit.traffic.dollars[rows, max(each.first - 4 * WEEK, 0) : each.first].sum() / 28.0)
        if each.kind == "slow leak" and each.by_hour().sum() >= LEAK_DAYS * normal:
            leaks.append((each, normal))
    return Run(quiet, told, tuple(leaks), since)


def _rows(runs: dict[str, list[Run]]) -> Iterator[Sequence[object]]:
    usual = Creep()
    yield "as it is", *_figures(runs, usual)
    for name, value in dataclasses.asdict(usual).items():
        if isinstance(value, float):
            for times in (0.7, 1.3):
                changed: dict[str, Any] = {name: value * times}
                yield f"`Creep.{name}` × {times}", *_figures(runs, dataclasses.replace(usual, **changed))
    for breadth in (usual.breadth - 1, usual.breadth + 1):
        yield f"`Creep.breadth` {breadth}", *_figures(runs, dataclasses.replace(usual, breadth=breadth))


def _figures(runs: dict[str, list[Run]], creep: Creep) -> Iterator[str]:
    for own in runs.values():
        in_time = [ok for run in own for ok in _in_time(run, creep)]
        yield f"{np.mean(in_time):.2f}"
        yield f"{np.mean([_pages(run, creep) for run in own]):.2f}"


def _told(subjects: Subjects, creep: Creep) -> Flags:
    """At which midnights which subject is told, days × subjects; the first midnight ends the first day."""
    rows = subjects.dollars.shape[1]
    leak, found = Leak(parents_of(subjects.tiers, rows), creep), []
    for day in subjects.dollars.reshape(-1, DAY, rows):
        leak.close(np.nan_to_num(day), np.isfinite(day).astype(np.float64))
        found.append((leak.score >= 1.0) & (FLOORS.crept(leak.excess) >= 1.0))
    return np.array(found)[:, subjects.first :]


def _pages(run: Run, creep: Creep) -> float:
    told = _told(run.quiet, creep)
    begins = told[run.since :] & ~told[run.since - 1 : -1]
    return float(begins.sum()) * 7.0 / (len(told) - run.since)


def _in_time(run: Run, creep: Creep) -> Iterator[bool]:
    told = _told(run.hit, creep)
    places = {scope.api_key: place for place, scope in enumerate(run.hit.scopes)}
    for leak, normal in run.leaks:
        midnights = np.flatnonzero(told[:, places[leak.keys[0]]])
        after = midnights[(midnights + 1) * DAY > leak.begin]
        spent = leak.by_hour()[: (int(after[0]) + 1) * DAY - leak.first].sum() if after.size else np.inf
        yield bool(spent < LEAK_DAYS * normal)


if __name__ == "__main__":
    sys.exit(main())
