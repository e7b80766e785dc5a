"""Whether an excess is worth telling: in the unit of the values, and for the series itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rules.horizons import HORIZONS, Reals

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Floors:
    """Materiality in the unit of the values: the least excess an hour, on average over the horizon, and the least
    excess of one hour that needs no second one as evidence."""

    per_hour: float = 0.0
    one_hour: float = float("inf")
    of_usual: float = 4.0
    """How many usual hours of the series each of two or three hours must bring above the expected, for an excess less
    than `one_hour`. The usual hour is the mean one; in quiet hours it lies half-way from there to the expected."""


def material_scores(scores: Reals, sums: Reals, floors: Floors, level: Floats) -> Reals:
    """The most that any horizon reached of its threshold and of its floor, the lesser of both; hours × rows.

    `scores` is hours × horizons × rows, `sums` are those of `rules.horizons.Totals`, `level` the mean hour of each row.
    """
    hours = np.array(HORIZONS, dtype=np.float64)[:, None]
    total = np.maximum(sums[:, :, 3] - sums[:, :, 1], 0.0)
    least = np.array([floors.one_hour] + [floors.per_hour] * (len(HORIZONS) - 1))[:, None]
    usual = (level + np.minimum(sums[:, :, 1] / hours, level)) / 2.0
    own = floors.of_usual * np.minimum(hours, 3.0) * usual
    dear = _times(total / hours, np.array(floors.one_hour))
    ratio = np.minimum(_times(total / hours, least), np.maximum(_times(total, own), dear))
    result: Reals = np.minimum(scores, ratio).max(axis=1)
    return result


def _times(total: Reals, least: Floats) -> Reals:
    result: Reals = np.divide(total, least, out=np.where(total > 0, np.inf, 0.0), where=least > 0)
    return result
