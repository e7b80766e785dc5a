"""Rhythms: how each kind of use spreads over the hours of a week, and how unevenly it arrives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HOURS_A_WEEK = 168

_HOURS = np.arange(HOURS_A_WEEK)
_OF_DAY = _HOURS % 24
_WEEKDAY = _HOURS // 24 < 5


@dataclass(frozen=True, slots=True)
class Rhythm:
    """One kind of use.

    `weights` has one entry an hour of the week (Monday 00:00 UTC first), mean 1. `shape` is the gamma shape of the
    hourly rate: the smaller, the burstier. `share` is the relative monthly spend of such a key, `spread` the sigma of
    its lognormal between keys. `prompt` and `output` are mean tokens a request, `read`, `write_5m` and `write_1h` the
    shares of the prompt that are cache reads and writes.
    """

    weights: NDArray[np.float64]
    shape: float
    share: float
    spread: float
    prompt: float
    output: float
    read: float
    write_5m: float
    write_1h: float


def _mean_one(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    scaled: NDArray[np.float64] = weights / weights.mean()
    return scaled


def _bell(centre: float, width: float) -> NDArray[np.float64]:
    distance = np.minimum(np.abs(_OF_DAY - centre), 24 - np.abs(_OF_DAY - centre))
    bell: NDArray[np.float64] = np.exp(-0.5 * (distance / width) ** 2)
    return bell


def _office(start: int, end: int, floor: float) -> NDArray[np.float64]:
    hour = _HOURS % 24
    at_work = (hour >= start) & (hour < end) & _WEEKDAY
    pace = np.where(hour == (start + end) // 2, 0.75, 1.0)
    weights: NDArray[np.float64] = np.where(at_work, pace, floor)
    return weights


_PRODUCTION = (0.35 + 0.9 * _bell(14, 4.0) + 0.45 * _bell(20, 2.5)) * np.where(_WEEKDAY, 1.0, 0.55)
_NIGHTLY = np.where((_OF_DAY >= 1) & (_OF_DAY < 5), 1.0, 0.0) * np.where(_WEEKDAY, 1.0, 0.6)

RHYTHMS: dict[str, Rhythm] = {
    "production": Rhythm(_mean_one(_PRODUCTION), 12.0, 6.0, 0.6, 5200, 480, 0.55, 0.06, 0.01),
    "business": Rhythm(_mean_one(_office(8, 18, 0.04)), 5.0, 2.0, 0.6, 3800, 620, 0.25, 0.05, 0.0),
    "batch": Rhythm(_mean_one(_NIGHTLY), 6.0, 3.0, 0.5, 2600, 700, 0.0, 0.0, 0.0),
    "developer": Rhythm(_mean_one(_office(9, 20, 0.012)), 0.35, 0.45, 0.6, 30000, 900, 0.88, 0.07, 0.01),
    "steady": Rhythm(_mean_one(np.ones(HOURS_A_WEEK)), 20.0, 1.5, 0.4, 2400, 180, 0.4, 0.03, 0.02),
    "console": Rhythm(_mean_one(_office(8, 19, 0.02)), 0.4, 0.4, 0.3, 2200, 700, 0.0, 0.0, 0.0),
}


def shifted(weights: NDArray[np.float64], hours: int) -> NDArray[np.float64]:
    """The same rhythm for people whose day starts `hours` later."""
    return np.roll(weights, hours)
