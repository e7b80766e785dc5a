"""How long it takes to say which parts explain the excess of an organization.

    python -m benchmarks.attribution [--keys 1000] [--models 10] [--runs 9]

CPU milliseconds, the median of the runs, for every dimension that the organization leaves open and the models of its
first key, beside numpy's plain sum of the same four weeks: what only to read the figures takes.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np

from rules.attribution import PAST, Cut, Excess
from rules.driven import CHILDREN
from rules.model import HOUR, Leaf, Names, SpendView

BEGIN = datetime(2026, 9, 7, tzinfo=UTC)
WINDOWS = (3, 24, 72, 192)


def organization(keys: int, models: int, hours: int) -> SpendView:
    """Every key on every model, in fifty workspaces, with something in every hour."""
    leaves = tuple(
        Leaf(f"workspace-{key % 50}", f"key-{key}", f"model-{model}", "standard")
        for key in range(keys)
        for model in range(models)
    )
    cost = np.arange(len(leaves) * hours, dtype=np.int64).reshape(len(leaves), hours) % 1_000_003
    end = BEGIN + hours * HOUR
    return SpendView("org", BEGIN, leaves, cost, np.zeros_like(cost), np.ones(hours, dtype=np.bool_), end, end)


def attributed(view: SpendView, window: int) -> None:
    """The organization's excess over the last hours, by everything it leaves open."""
    where = slice(view.hours - window, view.hours)
    excess = Excess(view, Names(), Cut(np.arange(len(view.leaves)), where, np.full(window, 1e9), window * 10**9))
    for dimension in CHILDREN:
        excess.by(dimension)
    excess.within("api_key", "key-0", "model")


def summed(view: SpendView, window: int) -> None:
    """Only the sum of the four weeks before."""
    view.cost[:, view.hours - window - PAST : view.hours - window].sum(axis=1)


def milliseconds(run: Callable[[], None], runs: int) -> float:
    """CPU time, the median."""
    taken = []
    for _ in range(runs):
        began = time.process_time()
        run()
        taken.append(time.process_time() - began)
    return 1000 * statistics.median(taken)


def main(arguments: list[str] | None = None) -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--keys", type=int, default=1000)
    parser.add_argument("--models", type=int, default=10)
    parser.add_argument("--runs", type=int, default=9)
    asked = parser.parse_args(arguments)
    view = organization(asked.keys, asked.models, PAST + max(WINDOWS))
    print(f"{len(view.leaves):,} leaves")
    for window in WINDOWS:
        ours = milliseconds(lambda window=window: attributed(view, window), asked.runs)  # type: ignore[misc]
        plain = milliseconds(lambda window=window: summed(view, window), asked.runs)  # type: ignore[misc]
        print(f"a story of {window:3} h: {ours:5.1f} ms; the plain sum {plain:5.1f} ms")


if __name__ == "__main__":
    main()
