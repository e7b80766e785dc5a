"""How soon tokens that have become dearer are told, by the rules' own threshold and floors.

    python -m benchmarks.price_shifts [--seeds 1-2] [--keys 120]

Every key of the simulator's calm organizations becomes `TIMES` as dear for three days, its tokens as they were. Counted
are keys whose shift costs at least twice the floor an hour; the floor is set to what such small organizations spend.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from benchmarks.calibration import traffic
from rules.model import AnomalyRule
from rules.price_fit import UNIT_TOKENS
from rules.profile import DAY
from rules.sensitivity import PRICE, threshold
from rules.unit_price import UnitPrice

TIMES = (1.5, 2.0, 3.0, 5.0)
FLOOR = 0.1
"""Dollars an hour."""
BEGIN = 100 * DAY + 10
HOURS = 72


@dataclass(slots=True)
class Told:
    """What came of one shift: hours until each key was told, and the part of the excess that was spent by then."""

    delays: list[int] = field(default_factory=list)
    spent: list[float] = field(default_factory=list)


def measure(times: float, seeds: Iterable[int], keys: int) -> Told:
    """All keys of all seeds, become so many times as dear."""
    told = Told()
    for seed in seeds:
        dollars, output, hour = traffic(seed, keys)
        usual = np.nan_to_num(dollars[BEGIN - 28 * DAY : BEGIN]).mean(axis=0)
        dollars[BEGIN : BEGIN + HOURS] *= times
        least = threshold(AnomalyRule("r"), keys, PRICE)
        prices, units = UnitPrice(dollars.shape[1]), output / UNIT_TOKENS
        days = [slice(at, at + DAY) for at in range(0, BEGIN + HOURS, DAY)]
        read = [prices.advance(dollars[day], units[day], hour + day.start, FLOOR / least).material for day in days]
        flagged = np.concatenate(read)[BEGIN : BEGIN + HOURS] >= least
        for key in np.flatnonzero(usual * (times - 1.0) >= 2.0 * FLOOR).tolist():
            excess = np.nan_to_num(dollars[BEGIN : BEGIN + HOURS, key])
            first = int(flagged[:, key].argmax()) if flagged[:, key].any() else HOURS - 1
            told.spent.append(float(excess[: first + 1].sum() / excess.sum()) if excess.any() else 1.0)
            told.delays += [first + 1] if flagged[:, key].any() else []
    return told


def main(arguments: list[str] | None = None) -> None:
    """Print one row a size of shift."""
    parser = argparse.ArgumentParser(description="How soon dearer tokens are told.")
    parser.add_argument("--seeds", default="1-2")
    parser.add_argument("--keys", type=int, default=120)
    given = parser.parse_args(arguments)
    first, _, last = given.seeds.partition("-")
    print("| times as dear | keys | told | hours until then, median and 90 % | spent before |")
    print("| --- | --- | --- | --- | --- |")
    for times in TIMES:
        told = measure(times, range(int(first), int(last or first) + 1), given.keys)
        middle, late = np.quantile(told.delays, [0.5, 0.9]) if told.delays else (np.nan, np.nan)
        share = len(told.delays) / max(len(told.spent), 1)
        cells = f"{share:.2f} | {middle:.0f}, {late:.0f} | {np.mean(told.spent):.2f}"
        print(f"| {times:g} | {len(told.spent)} | {cells} |")


if __name__ == "__main__":
    main()
