"""Usage as it would be without incidents: drawn for a whole day and all series at once, the same in any order."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from watcher.simulator.moments import DAY
from watcher.simulator.series import MEASURES, WEB_SEARCH, Catalogue

CACHE_BYTES = 96 * 2**20

Amounts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DayOfTraffic:
    """One UTC day. `amounts[hour, series, measure]` are counts; `lag[hour, series]` says how many seconds after it
    was used an amount appears in the usage report."""

    amounts: Amounts
    lag: NDArray[np.float32]

    @property
    def size(self) -> int:
        """Bytes held."""
        return self.amounts.nbytes + self.lag.nbytes


class Traffic:
    """Draws days of traffic for a catalogue, and keeps the last ones within a bound of memory.

    Requests of an hour are Poisson with a gamma-distributed rate around rhythm × growth × a factor of the day, tokens a
    request are lognormal. The generator of a day is keyed by (seed, stream, day): what a day holds depends on nothing
    else, so that no order of questions changes an answer.
    """

    def __init__(self, catalogue: Catalogue, *, seed: int, stream: int, from_second: float, started: float) -> None:
        self.catalogue = catalogue
        self._seed = seed
        self._stream = stream
        self._from = from_second
        self._started = started
        self._days: OrderedDict[int, DayOfTraffic] = OrderedDict()
        self._held = 0
        self._lock = Lock()
        count = len(catalogue)
        self._nothing = DayOfTraffic(
            np.zeros((24, count, MEASURES), dtype=np.int64), np.zeros((24, count), dtype=np.float32)
        )

    def day(self, day: int) -> DayOfTraffic:
        """The traffic of the UTC day `day` (days since 1970). Safe to ask from several threads."""
        if (day + 1) * DAY <= self._from:
            return self._nothing
        with self._lock:
            known = self._days.get(day)
            if known is not None:
                self._days.move_to_end(day)
                return known
            drawn = self._draw(day)
            self._days[day] = drawn
            self._held += drawn.size
            while self._held > CACHE_BYTES and len(self._days) > 1:
                self._held -= self._days.popitem(last=False)[1].size
            return drawn

    def _draw(self, day: int) -> DayOfTraffic:
        habits = self.catalogue
        count = len(habits)
        rng = np.random.Generator(np.random.Philox(key=[self._seed, (self._stream << 32) + day]))
        hour_of_week = (day + 3) % 7 * 24
        months = (day * DAY - self._started) / (30 * DAY)
        of_day = rng.lognormal(-0.005, 0.1, size=count)
        mean = habits.weights[:, hour_of_week : hour_of_week + 24].T * (habits.rate * of_day * habits.growth**months)
        rate = rng.standard_gamma(np.broadcast_to(habits.shape, (24, count))) / habits.shape * mean
        requests = rng.poisson(rate).astype(float)
        spread = 0.6 / np.sqrt(np.maximum(requests, 1.0))
        z = rng.standard_normal((3, 24, count))
        prompt = requests * habits.sizes[:, 0] * np.exp(spread * z[0] - spread**2 / 2)
        output = requests * habits.sizes[:, 1] * np.exp(spread * z[1] - spread**2 / 2)
        shares = np.minimum(habits.shares * (1 + 0.04 * z[2])[..., None], 0.95)
        amounts = np.zeros((24, count, MEASURES), dtype=np.int64)
        amounts[..., 1:4] = prompt[..., None] * shares
        amounts[..., 0] = np.maximum(prompt - amounts[..., 1:4].sum(axis=2), 0)
        amounts[..., 4] = output
        searching = np.flatnonzero(habits.web_rate)
        amounts[..., searching, WEB_SEARCH] = rng.poisson(requests[:, searching] * habits.web_rate[searching])
        first = np.ceil((self._from - day * DAY) / 3600)
        if first > 0:
            amounts[: int(min(first, 24))] = 0
        chance, extra = rng.random((2, 24, count), dtype=np.float32)
        lag = 150 + 210 * extra + np.where(chance > 0.995, 660 * extra, 0)
        return DayOfTraffic(amounts, lag.astype(np.float32))
