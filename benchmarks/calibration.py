"""How often alarms come on clean data, by the height of their score: the law of `rules.sensitivity`.

    python -m benchmarks.calibration [--seeds 1-8] [--keys 150]

Keys of the simulator's calm organizations, each with 19 weeks of truth of which the last 15 count, and no incident in
them. Every alarm is a false one; hours with gaps of at most six belong to one. The floors in money are set aside, so
that in production there are fewer. For each multiple of the usual threshold it prints alarms per series and week, of
spend and of the price of an output token, beside what the law says, and at the end the law that fits best: log-linear,
by least squares over the multiples with at least `LEAST_ALARMS` alarms.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.forecast_cases import EPOCH, simulated
from benchmarks.quality_cases import GAP, WEEK
from rules.materiality import Floors
from rules.model import HOUR
from rules.price_fit import UNIT_TOKENS
from rules.profile import DAY
from rules.seasonal import Baseline, walk
from rules.sensitivity import LEAST, PRICE, SPEND, FalseAlarms
from rules.unit_price import UnitPrice
from watcher.simulator import World

Floats = npt.NDArray[np.float64]

MULTIPLES = (0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2.0, 2.25, 2.5)
WARM_UP = 4 * WEEK
LEAST_ALARMS = 5
OUTPUT = 4
"""The place of output tokens among what the simulator counts."""


@dataclass(slots=True)
class Counted:
    """Alarms by multiple of the threshold, and over how many series-weeks."""

    alarms: npt.NDArray[np.int64]
    weeks: float = 0.0

    def add(self, scores: Floats, present: npt.NDArray[np.bool_]) -> None:
        """Count the episodes of scores (hours × series)."""
        self.weeks += float(present.sum()) / WEEK
        for place, least in enumerate(MULTIPLES):
            for column in scores.T:
                flagged = np.flatnonzero(column >= least)
                self.alarms[place] += int(flagged.size > 0) + int((np.diff(flagged) > GAP).sum())


def traffic(seed: int, keys: int) -> tuple[Floats, Floats, int]:
    """(dollars, output tokens, hour of the week of the first row) of every key with usage; hours × keys."""
    until = EPOCH + (20_600 + 7 * seed) * 24 * HOUR
    world, panel = simulated(seed, keys, "calm", until - 24 * HOUR, until)
    groups = [group.rows for kind, group in panel.scopes if kind == "key"]
    tokens = output_of(world, panel.cost.shape[1], (panel.start - EPOCH).total_seconds())
    dollars = np.stack([panel.cost[rows].sum(axis=0) for rows in groups], axis=1) / 1e9
    output = np.stack([tokens[rows].sum(axis=0) for rows in groups], axis=1)
    used = dollars.any(axis=0)
    dollars, output = dollars[:, used], output[:, used]
    missing = ~np.maximum.accumulate(dollars > 0, axis=0)
    dollars[missing], output[missing] = np.nan, np.nan
    return dollars, output, int((panel.start - EPOCH) / HOUR) - 4 * DAY


def output_of(world: World, hours: int, begin: float) -> Floats:
    """The output tokens of every series of the world; series × hours."""
    window = world.amounts(begin, begin + hours * 3600)
    return np.concatenate([each[:, :, OUTPUT] for _, each in window]).T.astype(np.float64)


def measure(seeds: range, keys: int) -> tuple[Counted, Counted]:
    """The alarms of spend and of prices over all seeds."""
    spend, price = (Counted(np.zeros(len(MULTIPLES), dtype=np.int64)) for _ in range(2))
    for seed in seeds:
        dollars, output, hour = traffic(seed, keys)
        present = np.isfinite(dollars)[WARM_UP:]
        reading = walk(Baseline(dollars.shape[1]), dollars, hour % WEEK, Floors())
        spend.add(reading.material[WARM_UP:].astype(np.float64), present)
        prices, units = UnitPrice(dollars.shape[1]), output / UNIT_TOKENS
        days = [slice(at, at + DAY) for at in range(0, len(dollars), DAY)]
        scores = np.concatenate([prices.advance(dollars[day], units[day], hour + day.start).material for day in days])
        price.add(scores[WARM_UP:], present)
    return spend, price


def fitted(counted: Counted) -> FalseAlarms:
    """The log-linear law through the rates that rest on enough alarms."""
    enough = (counted.alarms >= LEAST_ALARMS) & (np.array(MULTIPLES) >= LEAST)
    multiples = np.array(MULTIPLES)[enough]
    slope, at_zero = np.polyfit(multiples, np.log(counted.alarms[enough] / counted.weeks), 1)
    return FalseAlarms(round(float(np.exp(at_zero + slope)), 4), round(-float(slope), 2), float(multiples[-1]))


def main(arguments: list[str] | None = None) -> None:
    """Print the table and the laws."""
    parser = argparse.ArgumentParser(description="How often alarms come on clean data.")
    parser.add_argument("--seeds", default="1-8")
    parser.add_argument("--keys", type=int, default=150)
    given = parser.parse_args(arguments)
    first, _, last = given.seeds.partition("-")
    both = measure(range(int(first), int(last or first) + 1), given.keys)
    print(f"{both[0].weeks:,.0f} series-weeks\n")
    print("| times the threshold | spend, alarms a series-week | law | price, alarms a series-week | law |")
    print("| --- | --- | --- | --- | --- |")
    for place, multiple in enumerate(MULTIPLES):
        cells = [
            f"{counted.alarms[place] / counted.weeks:.5f} ({counted.alarms[place]}) | {law.a_week(multiple):.5f}"
            for counted, law in zip(both, (SPEND, PRICE), strict=True)
        ]
        print(f"| {multiple} | {' | '.join(cells)} |")
    for name, counted in zip(("SPEND", "PRICE"), both, strict=True):
        print(f"{name}: {fitted(counted)}" if (counted.alarms >= LEAST_ALARMS).sum() > 1 else f"{name}: too few alarms")


if __name__ == "__main__":
    main()
