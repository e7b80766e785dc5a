"""An hour is judged by what came until then: what follows changes nothing, and neither does how much comes at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from rules.materiality import Floors
from rules.seasonal import Baseline, walk
from tests.rules.traffic import DOLLAR, organization

DAYS = 60


def spend(keys: int) -> npt.NDArray[np.float64]:
    """Hours × keys of an organization in which every fifth key runs away once, and whose reports have holes."""
    _, cost = organization(keys=keys, days=DAYS, seed=7)
    values = (cost / DOLLAR).T.copy()
    random = np.random.default_rng(7)
    for key in range(0, keys, 5):
        begin = int(random.integers(14 * 24, (DAYS - 3) * 24))
        values[begin : begin + int(random.integers(2, 60)), key] += 20.0 * values[:, key].mean()
    values[random.integers(0, len(values), 40)] = np.nan
    return values


@pytest.mark.parametrize("keys", [40, pytest.param(500, marks=pytest.mark.slow)])
def test_hour_by_hour_gives_the_verdicts_of_one_pass(keys: int) -> None:
    values = spend(keys)
    whole = walk(Baseline(values.shape[1]), values, 0, Floors()).material
    assert (whole >= 1.0).any()
    baseline = Baseline(values.shape[1])
    for day in range(0, len(values), 24):
        for hours in range(1, 24):
            newest = baseline.read(values[day : day + hours], day, Floors()).material[-1]
            assert np.array_equal(newest >= 1.0, whole[day + hours - 1] >= 1.0)
        baseline.advance(values[day : day + 24], day, Floors())


@pytest.mark.parametrize("cut", [100, 24 * 20, 24 * 33 + 5, 24 * 47 + 23])
def test_the_future_changes_nothing(cut: int) -> None:
    values = spend(60)
    whole = walk(Baseline(values.shape[1]), values, 0, Floors())
    part = walk(Baseline(values.shape[1]), values[:cut], 0, Floors())
    for now, later in zip(part, whole, strict=True):
        assert np.allclose(now, later[:cut])
