"""What happens in every organization and is nobody's fault: written onto the traffic, and nothing of it may page.

Launches, holidays, single dear hours, batches at the end of a month, keys that are rotated, new ones that start to
work, others that end; hours that were never read, and hours that came late.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from benchmarks.organization_traffic import DAY, PEOPLE, Traffic
from rules.model import CONSOLE, Leaf, Names

MONTH_ENDS = (26, 54, 85)
"""31 January, 28 February, 31 March."""
HOLIDAYS = (42, 87, 88)
"""16 February, Good Friday and the day after."""
SINCE = 14
"""The first day on which something happens: before that nothing is known of anybody."""


@dataclass(frozen=True, slots=True)
class Harmless:
    """One event: whom it concerns, and in which hours."""

    kind: str
    keys: tuple[str, ...]
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Ordinary:
    """Traffic without incidents, and how it comes to be known."""

    traffic: Traffic
    events: tuple[Harmless, ...]
    known: npt.NDArray[np.bool_]
    """By hour: False for those that were never read."""
    arrived: npt.NDArray[np.float64]
    """By hour: what part of it is there when it is first taken for complete."""


def ordinary(traffic: Traffic, seed: int) -> Ordinary:
    """The traffic with everything harmless that happens to it; the same for the same seed."""
    random = np.random.default_rng([seed, 1])
    keys = [key for key in traffic.homes() if key != CONSOLE]
    scale = len(keys) / 1000.0
    events: list[Harmless] = []
    pool = iter(random.permutation(np.array(keys)).tolist())

    def some(count: float) -> Iterator[str]:
        return (next(pool) for _ in range(max(round(count * scale), 1)))

    dollars, requests = traffic.dollars.copy(), traffic.requests.copy()
    traffic = replace(traffic, dollars=dollars, requests=requests)
    last = traffic.hours // DAY
    traffic, rotated = _rotate(traffic, list(some(25)), random, last)
    events += rotated
    events += _begin(traffic, list(some(40)), random, last)
    for key in some(20):
        _times(traffic, traffic.rows(key), int(random.integers(SINCE * DAY, traffic.hours)), traffic.hours, 0.0)
    events += _launches(traffic, random, last, max(round(6 * scale), 1))
    events += _holidays(traffic, last)
    events += _month_ends(traffic, list(some(25)), random, last)
    events += _spikes(traffic, random, keys, round(200 * scale))
    known = np.ones(traffic.hours, dtype=np.bool_)
    arrived = np.ones(traffic.hours)
    for _ in range(6):
        begin = int(random.integers(SINCE * DAY, traffic.hours - 6))
        length = int(random.integers(1, 5))
        known[begin : begin + length] = False
        events.append(Harmless("missing hours", (), begin, begin + length))
    for _ in range(8):
        begin = int(random.integers(SINCE * DAY, traffic.hours - 8))
        length = int(random.integers(1, 6))
        arrived[begin : begin + length] = random.uniform(0.3, 0.9)
        events.append(Harmless("late hours", (), begin, begin + length))
    return Ordinary(traffic, tuple(events), known, arrived)


def _times(traffic: Traffic, rows: npt.NDArray[np.intp], begin: int, end: int, factor: float) -> None:
    traffic.dollars[rows, begin:end] *= factor
    traffic.requests[rows, begin:end] *= factor


def _rotate(
    traffic: Traffic, keys: list[str], random: np.random.Generator, days: int
) -> tuple[Traffic, list[Harmless]]:
    """Keys whose work goes over to a new key of the same workspace, at once or over two days."""
    events, leaves, archetypes = [], list(traffic.leaves), list(traffic.archetypes)
    dollars, requests = [traffic.dollars], [traffic.requests]
    called, homes = dict(traffic.names.by_id), dict(traffic.names.workspace_of_key)
    for key in keys:
        begin = int(random.integers(SINCE * DAY, (days - 1) * DAY))
        over = int(random.choice([1, 48]))
        part = np.clip((np.arange(traffic.hours) - begin + 1) / over, 0.0, 1.0)
        new = f"{key}-rotated"
        called[new] = f"{called.get(key, key)}-v2"
        for row in traffic.rows(key).tolist():
            leaves.append(Leaf(leaves[row].workspace, new, leaves[row].model, leaves[row].service_tier))
            archetypes.append(archetypes[row])
            homes[new] = leaves[row].workspace
            for parts, of in ((dollars, traffic.dollars), (requests, traffic.requests)):
                parts.append((of[row] * part)[None])
                of[row] *= 1.0 - part
        events.append(Harmless("key rotated", (new,), begin, begin + 7 * DAY))
    names = Names(by_id=called, workspace_of_key=homes)
    made = Traffic(tuple(leaves), tuple(archetypes), np.concatenate(dollars), np.concatenate(requests), names)
    return made, events


def _begin(traffic: Traffic, keys: list[str], random: np.random.Generator, days: int) -> Iterator[Harmless]:
    """Keys that are made within the time, and work as they always would have."""
    for key in keys:
        begin = int(random.integers(SINCE * DAY, (days - 1) * DAY))
        _times(traffic, traffic.rows(key), 0, begin, 0.0)
        yield Harmless("new key", (key,), begin, begin + 7 * DAY)


def _launches(traffic: Traffic, random: np.random.Generator, days: int, count: int) -> Iterator[Harmless]:
    """A product in production is used 1.5 to 2.5 times as much for two to four days, at the weekend, too."""
    production = {
        leaf.workspace for leaf, kind in zip(traffic.leaves, traffic.archetypes, strict=True) if kind == "production"
    }
    homes = sorted(production)
    for _ in range(count):
        home = homes[int(random.integers(len(homes)))]
        rows = np.array(
            [
                row
                for row, leaf in enumerate(traffic.leaves)
                if leaf.workspace == home and traffic.archetypes[row] == "production"
            ],
            dtype=np.intp,
        )
        begin = int(random.integers(SINCE, days - 4)) * DAY + int(random.integers(6, 18))
        end = begin + int(random.integers(2 * DAY, 4 * DAY))
        _times(traffic, rows, begin, end, float(random.uniform(1.5, 2.5)))
        yield Harmless("launch", tuple(sorted({traffic.leaves[row].api_key for row in rows.tolist()})), begin, end)


def _holidays(traffic: Traffic, days: int) -> Iterator[Harmless]:
    rows = np.flatnonzero([kind in PEOPLE for kind in traffic.archetypes])
    for day in HOLIDAYS:
        if day < days:
            _times(traffic, rows, day * DAY, (day + 1) * DAY, 0.3)
            yield Harmless("holiday", (), day * DAY, (day + 2) * DAY)


def _month_ends(traffic: Traffic, keys: list[str], random: np.random.Generator, days: int) -> Iterator[Harmless]:
    """Some keys run a report on the last evening of each month: three to eight hours at several times their mean."""
    for key in keys:
        rows = traffic.rows(key)
        begin, length = int(random.integers(17, 23)), int(random.integers(3, 9))
        mean, asked = traffic.dollars[rows].mean(axis=1), traffic.requests[rows].mean(axis=1)
        factor = float(random.uniform(2.0, 8.0))
        for day in MONTH_ENDS:
            if day < days:
                hours = slice(day * DAY + begin, min(day * DAY + begin + length, traffic.hours))
                traffic.dollars[rows, hours] += factor * mean[:, None]
                traffic.requests[rows, hours] += np.round(factor * asked)[:, None]
                yield Harmless("end of month", (key,), hours.start, hours.stop)


def _spikes(traffic: Traffic, random: np.random.Generator, keys: list[str], count: int) -> Iterator[Harmless]:
    """Single hours, on no particular key: five to thirty mean hours, and not over thirty dollars."""
    for key in random.choice(np.array(keys), count).tolist():
        rows = traffic.rows(key)
        hour = int(random.integers(SINCE * DAY, traffic.hours))
        mean, asked = traffic.dollars[rows].mean(axis=1), traffic.requests[rows].mean(axis=1)
        factor = min(float(random.uniform(5.0, 30.0)), 30.0 / max(float(mean.sum()), 1e-9))
        traffic.dollars[rows, hour] += factor * mean
        traffic.requests[rows, hour] += np.round(factor * asked)
        yield Harmless("single hour", (key,), hour, hour + 1)
