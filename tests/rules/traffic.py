"""A small organization's spend, hour by hour, for the tests of the anomaly rules: keys of four habits, no incident."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from rules.model import HOUR, Leaf, SpendView

MONDAY = datetime(2026, 9, 7, tzinfo=UTC)
DOLLAR = 1_000_000_000

Cost = npt.NDArray[np.int64]


def organization(keys: int, days: int, seed: int) -> tuple[tuple[Leaf, ...], Cost]:
    """Leaves (one model a key, five workspaces) and their nano-dollars by hour from `MONDAY`.

    Office hours, round the clock with a daily wave, a nightly batch, and rare use; level, growth and size of a request
    are drawn from wide distributions; hours wander together (autocorrelated noise) and so do days.
    """
    random = np.random.default_rng(seed)
    hours = np.arange(days * 24)
    rows = [_key(random, hours, habit=place % 4) for place in range(keys)]
    leaves = tuple(Leaf(f"workspace-{place % 5}", f"key-{place}", "claude") for place in range(keys))
    return leaves, np.round(np.stack(rows) * DOLLAR).astype(np.int64)


def _key(random: np.random.Generator, hours: npt.NDArray[np.int64], habit: int) -> npt.NDArray[np.float64]:
    hour, weekday = hours % 24, hours // 24 % 7
    level = float(np.exp(random.normal(0.5, 1.3)))
    shapes = (
        np.where(weekday < 5, 3.0 * np.exp(-(((hour - 14) / 4.0) ** 2)) + 0.05, 0.05),
        1.0 + 0.8 * np.cos((hour - 15) / 24 * 2 * np.pi),
        np.where(hour == random.integers(24), 12.0, 0.02),
        np.full(len(hours), 0.05),
    )
    wander = np.convolve(random.normal(0, 0.08, len(hours)), 0.8 ** np.arange(24))[: len(hours)]
    days = np.repeat(random.normal(0, 0.1, len(hours) // 24), 24)
    growth = random.uniform(-0.003, 0.008) * hours / 24
    request = float(np.exp(random.normal(-2, 0.7)))
    requests = random.poisson(level * shapes[habit] * np.exp(wander + days + growth) / request)
    spread = np.sqrt(np.maximum(requests, 1))
    sizes = np.maximum(1.0 + random.normal(0, 0.8, len(hours)) / spread, 0.1)
    result: npt.NDArray[np.float64] = requests * request * sizes
    return result


def view_of(leaves: tuple[Leaf, ...], cost: Cost, complete: int, part: float = 0.0) -> SpendView:
    """What is known after `complete` hours and a `part` of the next one, which has brought that part of its cost."""
    shown = cost[:, : complete + (part > 0)].copy()
    if part > 0:
        shown[:, complete] = (shown[:, complete] * part).astype(np.int64)
    return SpendView(
        organization="org",
        start=MONDAY,
        leaves=leaves,
        cost=shown,
        settled=np.zeros_like(shown),
        known=np.ones(shown.shape[1], dtype=np.bool_),
        complete_until=MONDAY + complete * HOUR,
        observed_until=MONDAY + (complete + part) * HOUR,
    )
