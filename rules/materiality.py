"""Whether an excess is worth telling: in the unit of the values so far and an hour, and for the series itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rules.horizons import HORIZONS, Reals

Floats = npt.NDArray[np.float64]

LEAST_HOURS = 5.0
"""Hours at the floor that any excess must have cost so far: a burst of two hours that cost less is not worth a word."""
ROOT_HOURS = 2.5
"""Times the root of its hours, for longer ones: what sums stray by grows no faster, and so small a rate is worth it."""
DEAR = 4.0
"""Times the floor of a single hour, from which an excess is news, whatever the series is known for."""
CREPT_HOURS = 12.0
"""Hours at the floor that spend which creeps up must have cost so far."""


@dataclass(frozen=True, slots=True)
class Floors:
    """Materiality in the unit of the values: the least excess an hour, and the least excess of one hour that needs no
    second one as evidence. How much several hours must have cost together is `least`."""

    per_hour: float = 0.0
    one_hour: float = float("inf")
    of_usual: float = 4.0
    """How many usual hours of the series each of two or three hours must bring above the expected, for an excess less
    than `one_hour`. The usual hour is the mean one; in quiet hours it lies half-way from there to the expected."""

    def least(self, hours: Floats) -> Floats:
        """The least excess of so many hours together."""
        least: Floats = self.per_hour * np.maximum(LEAST_HOURS, ROOT_HOURS * np.sqrt(hours))
        return least

    def crept(self, excess: Floats) -> Floats:
        """How much of what it must have cost a leak has cost. Nothing, where there is no floor: over weeks everything
        wanders, and only money tells what of that is worth a word."""
        return np.zeros_like(excess) if self.per_hour <= 0 else excess / (CREPT_HOURS * self.per_hour)


def material_scores(scores: Reals, sums: Reals, floors: Floors, level: Floats) -> Reals:
    """The most that any horizon reached of its threshold and of its floor, the lesser of both; hours × rows.

    `scores` is hours × horizons × rows, `sums` are those of `rules.horizons.Totals`, `level` the mean hour of each row.
    """
    hours = np.array(HORIZONS, dtype=np.float64)[:, None]
    total = np.maximum(sums[:, :, 3] - sums[:, :, 1], 0.0)
    least = floors.least(hours)
    least[0] = floors.one_hour
    usual = (level + np.minimum(sums[:, :, 1] / hours, level)) / 2.0
    own = floors.of_usual * np.minimum(hours, 3.0) * usual
    dear = _times(total / hours, np.array(floors.one_hour))
    ratio = np.minimum(_times(total, least), np.maximum(_times(total, own), dear))
    result: Reals = np.minimum(scores, ratio).max(axis=1)
    return result


def _times(total: Reals, least: Floats) -> Reals:
    result: Reals = np.divide(total, least, out=np.where(total > 0, np.inf, 0.0), where=least > 0)
    return result
