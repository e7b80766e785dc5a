"""A whole organization's spend, hour by hour, drawn in seconds: what `benchmarks.organizations` is measured on.

Keys, workspaces, models, prices and rhythms are the simulator's. The calendar is real: 90 days from Monday 5 January
2026, with summer time from 8 March on for a third of the people and from 29 March on for the others, three ends of a
month, and Easter. Tempers:

- `calm` draws as the simulator does: gamma-Poisson requests around rhythm × growth × a factor of the day;
- `rough` is what its writer fears: key sizes with a long tail (a few keys spend most), levels that wander from day to
  day and from hour to hour, sessions of several hours, trends up to twice as much a month.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from rules.model import CONSOLE, DEFAULT_WORKSPACE, Leaf, Names
from watcher.simulator.founding import Founded, found
from watcher.simulator.patterns import RHYTHMS, shifted
from watcher.simulator.series import Series, catalogue, populate
from watcher.simulator.tariff import FEMTO_PER_USD

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

START = datetime(2026, 1, 5, tzinfo=UTC)
"""A Monday, 00:00."""
DAY, WEEK = 24, 168
SUMMER_TIME = (62, 83)
"""The days on which clocks go forward: for every third key, and for the others."""
PEOPLE = frozenset({"production", "business", "developer", "console"})
"""Archetypes that follow people's clocks and holidays; the others are machines that run by UTC."""

WANDER = {"production": 0.12, "business": 0.25, "batch": 0.25, "developer": 0.6, "steady": 0.08, "console": 0.5}
"""Of a rough organization: how far a key's level strays from day to day, as the sigma of its logarithm."""
RESTLESS = {"production": 0.1, "business": 0.2, "batch": 0.3, "developer": 0.6, "steady": 0.05, "console": 0.5}
"""The same from hour to hour."""
DAY_TO_DAY, HOUR_TO_HOUR = 0.8, 0.7
"""How much of it stays the next day, the next hour."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Dollars and requests of every leaf by hour (leaves × hours)."""

    leaves: tuple[Leaf, ...]
    archetypes: tuple[str, ...]
    """Of each leaf."""
    dollars: Floats
    requests: Floats
    names: Names

    @property
    def hours(self) -> int:
        """How many hours it lasts."""
        return int(self.dollars.shape[1])

    def rows(self, key: str) -> Ints:
        """The leaves of a key."""
        return np.array([row for row, leaf in enumerate(self.leaves) if leaf.api_key == key], dtype=np.intp)

    def homes(self) -> dict[str, str]:
        """The workspace of every key."""
        return {leaf.api_key: leaf.workspace for leaf in self.leaves}


def draw(seed: int, keys: int = 1000, days: int = 90, *, rough: bool = True) -> Traffic:
    """An organization that costs about 280 dollars a month for each key; the same for the same arguments."""
    founded = found(seed, name="Northwind", workspaces=min(keys // 25 + 2, 60), keys=keys, days=days, started_at=START)
    series = populate(founded, seed, active_keys=keys, unknown_model=False)
    random = np.random.default_rng([seed, keys, days])
    if rough:
        series = _long_tailed(series, random)
    habits = catalogue(series, Fraction(0))
    price = (habits.mean * np.array(habits.femto, dtype=float)).sum(axis=1) / FEMTO_PER_USD
    each = np.divide(price, habits.rate, out=np.zeros_like(price), where=habits.rate > 0)
    level = _levels(series, habits.growth, days, random, rough=rough)
    rhythm = _rhythms(series, days)
    count = len(series)
    shape = np.repeat(habits.shape[:, None], days * DAY, axis=1)
    requests = random.poisson(random.standard_gamma(shape) / shape * rhythm * level * habits.rate[:, None]).astype(
        np.float64
    )
    sizes = 0.6 / np.sqrt(np.maximum(requests, 1.0))
    dollars = requests * each[:, None] * np.exp(sizes * random.standard_normal((count, days * DAY)) - sizes**2 / 2)
    leaves = tuple(
        Leaf(one.workspace_id or DEFAULT_WORKSPACE, one.api_key_id or CONSOLE, one.model, one.terms.service_tier)
        for one in series
    )
    merged, at = _merge(leaves)
    return Traffic(
        leaves=merged,
        archetypes=tuple(series[int(np.flatnonzero(at == row)[0])].archetype for row in range(len(merged))),
        dollars=_add_up(dollars, at, len(merged)),
        requests=_add_up(requests, at, len(merged)),
        names=_names(founded),
    )


def _long_tailed(series: list[Series], random: np.random.Generator) -> list[Series]:
    factor: dict[str | None, float] = {}
    for one in series:
        factor.setdefault(one.api_key_id, float(random.lognormal(0.0, 1.0)))
    total = sum(one.usd_per_month for one in series)
    grown = sum(one.usd_per_month * factor[one.api_key_id] for one in series)
    return [replace(one, usd_per_month=one.usd_per_month * factor[one.api_key_id] * total / grown) for one in series]


def _levels(series: list[Series], growth: Floats, days: int, random: np.random.Generator, *, rough: bool) -> Floats:
    """How many times its usual rate each series has, leaves × hours, beside its rhythm."""
    months = (np.arange(days) - days) / 30.0
    trend = growth[:, None] ** months
    level = trend * random.lognormal(-0.005, 0.1, (len(series), days))
    if not rough:
        return np.repeat(level, DAY, axis=1)
    place = {key: index for index, key in enumerate(dict.fromkeys(one.api_key_id for one in series))}
    of = np.array([place[one.api_key_id] for one in series])
    steep = np.where(random.random(len(place)) < 0.1, random.uniform(0.6, 2.0, len(place)), 1.0)
    days_sigma, hours_sigma = (np.array([table[one.archetype] for one in series]) for table in (WANDER, RESTLESS))
    daily = _wandering(random, (len(place), days), DAY_TO_DAY)[of] * days_sigma[:, None]
    hourly = _wandering(random, (len(place), days * DAY), HOUR_TO_HOUR)[of] * hours_sigma[:, None]
    level *= steep[of][:, None] ** months * np.exp(daily - days_sigma[:, None] ** 2 / 2)
    result: Floats = np.repeat(level, DAY, axis=1) * np.exp(hourly - hours_sigma[:, None] ** 2 / 2)
    return result


def _wandering(random: np.random.Generator, shape: tuple[int, int], stays: float) -> Floats:
    """A first-order autoregression with deviation 1."""
    news: Floats = random.standard_normal(shape) * np.sqrt(1.0 - stays**2)
    news[:, 0] /= np.sqrt(1.0 - stays**2)
    for at in range(1, shape[1]):
        news[:, at] += stays * news[:, at - 1]
    return news


def _rhythms(series: list[Series], days: int) -> Floats:
    """Weights by hour, mean 1: people's days begin an hour earlier, by UTC, from their summer time on."""
    hours = np.arange(days * DAY) % WEEK
    result = np.empty((len(series), days * DAY))
    for row, one in enumerate(series):
        weights = shifted(RHYTHMS[one.archetype].weights, one.offset)
        result[row] = weights[hours]
        if one.archetype in PEOPLE:
            begin = SUMMER_TIME[0 if row % 3 == 0 else 1] * DAY
            result[row, begin:] = shifted(weights, -1)[hours[begin:]]
    return result


def _merge(leaves: tuple[Leaf, ...]) -> tuple[tuple[Leaf, ...], Ints]:
    places = {leaf: index for index, leaf in enumerate(dict.fromkeys(leaves))}
    return tuple(places), np.array([places[leaf] for leaf in leaves], dtype=np.intp)


def _add_up(values: Floats, at: Ints, count: int) -> Floats:
    result = np.zeros((count, values.shape[1]))
    np.add.at(result, at, values)
    return result


def _names(founded: Founded) -> Names:
    organization = founded.organization
    homes = {key.id: organization.reported_workspace_id(key) or DEFAULT_WORKSPACE for key in organization.keys.values()}
    called = {key.id: key.name for key in organization.keys.values()}
    called |= {workspace.id: workspace.name for workspace in organization.workspaces.values()}
    return Names(by_id=called, workspace_of_key=homes)
