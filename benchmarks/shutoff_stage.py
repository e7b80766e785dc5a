"""An organization as a daemon sees it that may stop its keys: what a key spends ends when the guard has it off.

Looks are hourly, twenty minutes after an hour's end, and every five minutes around an incident, each on data that are
six minutes old. A day is settled 48 hours after its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from benchmarks.organization_harmless import Ordinary
from benchmarks.organization_replay import LAG, POLL, SETTLED
from benchmarks.organization_traffic import DAY, START, Ints
from rules.keys import Key, Keys
from rules.model import CONSOLE, HOUR, SpendView
from rules.subjects import DOLLAR
from watcher.backtest.frames import Frame
from watcher.backtest.guarding import SimulatedGuard

FACTOR = 20.0
"""Times the mean hour of a key that ran away."""
LASTS = 12.0
"""Hours for which it does, if nobody stops it."""
WATCHED = 10
"""Hours from an incident's on in which there is a look every poll."""
_SETTLES = 72


@dataclass(frozen=True, slots=True)
class Runaway:
    """One key that spends `FACTOR` times its mean hour, from `begin` on (hours since the traffic began)."""

    key: str
    begin: float
    pace: float
    """Dollars an hour on top of what is usual."""

    @property
    def end(self) -> float:
        """When it would end by itself."""
        return self.begin + LASTS


def runaways(ordinary: Ordinary, seed: int, since: int, least: float = 10.0, every: int = 3) -> tuple[Runaway, ...]:
    """One on another key every so many days from hour `since` on, each of at least so many dollars an hour."""
    random = np.random.default_rng([seed, 7])
    traffic = ordinary.traffic
    means: dict[str, float] = {}
    alive = traffic.dollars[:, -3 * DAY :].any(axis=1) & traffic.dollars[:, since - 14 * DAY : since - 7 * DAY].any(
        axis=1
    )
    for row in np.flatnonzero(alive).tolist():
        key = traffic.leaves[row].api_key
        if key != CONSOLE:
            means[key] = means.get(key, 0.0) + float(traffic.dollars[row, since - 28 * DAY : since].mean())
    fit = sorted(key for key, mean in means.items() if (FACTOR - 1) * mean >= least)
    slots = range(since + DAY, traffic.hours - 2 * DAY, every * DAY)
    chosen = random.permutation(np.array(fit)).tolist()[: len(slots)]
    return tuple(
        Runaway(key, slot + float(random.uniform(0, DAY)), (FACTOR - 1) * means[key])
        for key, slot in zip(chosen, slots, strict=False)
    )


@dataclass(slots=True)
class Stage:
    """The organization as time goes on."""

    ordinary: Ordinary
    incidents: Sequence[Runaway] = ()
    guard: SimulatedGuard | None = None
    cost: npt.NDArray[np.int64] = field(init=False)
    _rows: dict[str, Ints] = field(init=False)

    def __post_init__(self) -> None:
        traffic = self.ordinary.traffic
        self.cost = np.round(traffic.dollars * DOLLAR).astype(np.int64)
        self._rows = {run.key: traffic.rows(run.key) for run in self.incidents}

    def frames(self, since: int) -> Iterator[Frame]:
        """Every look from the end of hour `since` on."""
        settled = np.zeros_like(self.cost)
        for hour in range(since + 1):
            self._write(hour, float(hour + 1))
        settled[:, : max(since - _SETTLES, 0)] = self.cost[:, : max(since - _SETTLES, 0)]
        for hour in range(since + 1, self.ordinary.traffic.hours):
            if hour % DAY == 0 and hour > _SETTLES:
                done = slice(hour - _SETTLES - DAY, hour - _SETTLES)
                settled[:, max(done.start, 0) : done.stop] = self.cost[:, max(done.start, 0) : done.stop]
            if any(run.begin - 1 <= hour <= run.begin + WATCHED for run in self.incidents):
                yield from self._polls(hour, settled)
            else:
                yield self._look(hour, hour + SETTLED / HOUR, float(hour), settled)
            self._write(hour, float(hour + 1))

    def _polls(self, hour: int, settled: npt.NDArray[np.int64]) -> Iterator[Frame]:
        for poll in np.arange(hour, hour + 1, POLL).tolist():
            seen = poll - LAG
            complete = hour - 1 if poll - hour < SETTLED / HOUR else hour
            for open_hour in range(complete, hour + 1):
                self._write(open_hour, seen)
            yield self._look(complete, poll, seen, settled)

    def _look(self, complete: int, now: float, seen: float, settled: npt.NDArray[np.int64]) -> Frame:
        """`complete`: how many hours are."""
        width = max(int(np.ceil(seen - 1e-9)), complete)
        arrived = self.ordinary.arrived[complete - 1]
        whole = self.cost[:, complete - 1].copy()
        self.cost[:, complete - 1] = np.round(whole * arrived)
        view = SpendView(
            "org",
            START,
            self.ordinary.traffic.leaves,
            self.cost[:, :width].copy(),
            settled[:, :width],
            self.ordinary.known[:width],
            _moment(complete),
            max(_moment(seen), _moment(complete)),
        )
        self.cost[:, complete - 1] = whole
        return Frame(_moment(now), view)

    def _write(self, hour: int, seen: float) -> None:
        """What is there of an hour by then, without what keys that were off did not spend."""
        traffic = self.ordinary.traffic
        until = min(seen, hour + 1.0)
        self.cost[:, hour] = np.round(traffic.dollars[:, hour] * DOLLAR * max(until - hour, 0.0))
        for key, spans in self._off().items():
            rows = traffic.rows(key)
            gone = sum(max(min(until, end) - max(begin, hour), 0.0) for begin, end in spans)
            self.cost[rows, hour] = np.round(traffic.dollars[rows, hour] * DOLLAR * max(until - hour - gone, 0.0))
        for run in self.incidents:
            end = min([run.end, *(begin for begin, _ in self._off().get(run.key, ()) if begin >= run.begin)])
            part = min(until, end) - max(float(hour), run.begin)
            if part > 0:
                self.cost[self._rows[run.key][0], hour] += round(run.pace * part * DOLLAR)

    def _off(self) -> dict[str, list[tuple[float, float]]]:
        found: dict[str, list[tuple[float, float]]] = {}
        for each in () if self.guard is None else self.guard.off:
            found.setdefault(each.row.key, []).append((hours(each.since), hours(each.until)))
        return found


def directory(ordinary: Ordinary) -> Keys:
    """Every key of the traffic, at work."""
    homes, names = ordinary.traffic.homes(), ordinary.traffic.names
    every = {
        key: Key(key, names.by_id.get(key, key), home, "active", START) for key, home in homes.items() if key != CONSOLE
    }
    return Keys(every, workspaces={home: names.by_id.get(home, home) for home in homes.values()})


def hours(moment: datetime) -> float:
    """Since the traffic began."""
    return (moment - START) / HOUR


def _moment(at: float) -> datetime:
    return START + timedelta(hours=at)
