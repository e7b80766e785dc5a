"""What a day's usage costs by tokens times price, while no report has replaced it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from watcher.ledger.days import DayUsage
from watcher.ledger.reading import IntArray
from watcher.pricing import Rates, Traffic

_PICO_PER_NANO = 1000
_BEYOND = 2**63


@dataclass(frozen=True, slots=True)
class Estimate:
    """Nano-dollars of each row, and whether part of it rests on a price that stands in for an unknown one."""

    nano: IntArray
    stand_in: npt.NDArray[np.bool_]


def estimate(usage: DayUsage, rates_of: Callable[[Traffic, date], Rates]) -> Estimate:
    """Each row's tokens times price, rounded once, half to even to the nano-dollar."""
    rates = [rates_of(traffic, usage.day) for traffic in usage.table.traffics]
    traffic = usage.table.traffic_of[usage.series]
    shape = (len(rates), usage.counts.shape[1])
    pico = np.array([rate.pico for rate in rates], dtype=np.int64).reshape(shape)
    guessed = np.array([[q.source == "unpriced" for q in rate.quotes] for rate in rates], dtype=bool).reshape(shape)
    whole, rest = _priced(usage.counts, pico, traffic)
    half = _PICO_PER_NANO // 2
    up = (rest > half) | ((rest == half) & (whole % 2 == 1))
    rounded: IntArray = whole + up.astype(np.int64)
    stand_in: npt.NDArray[np.bool_] = np.zeros(len(usage), dtype=bool)
    if guessed.any():
        stand_in = np.logical_or.reduce(guessed[traffic] & (usage.counts > 0), axis=1)
    return Estimate(rounded, stand_in)


def _priced(counts: IntArray, pico: IntArray, traffic: IntArray) -> tuple[IntArray, IntArray]:
    """Each row's cost in whole nano-dollars, and the pico-dollars below them."""
    most = int(counts.max(initial=0)) * int(pico.max(initial=0)) * counts.shape[1]
    if most < _BEYOND:
        whole, rest = np.divmod(np.einsum("ij,ij->i", counts, pico[traffic]), _PICO_PER_NANO)
        return whole, rest
    # Apart, so that products of large counts stay within 64 bits.
    nano, below = np.divmod(pico, _PICO_PER_NANO)
    carry, rest = np.divmod((counts * below[traffic]).sum(axis=1), _PICO_PER_NANO)
    return (counts * nano[traffic]).sum(axis=1) + carry, rest
