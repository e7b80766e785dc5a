"""Half a day of hours that each exceed nearly all of a month: told, whatever a law makes of a few extreme ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from rules.exceedance import Exceedances, Exceeding
from rules.materiality import Floors
from rules.seasonal import Baseline, walk

Floats = npt.NDArray[np.float64]

DAYS = 42
LEAST, WINDOW = Exceeding().least, Exceeding().window
KNOWN = np.array([1000.0])


def calm(days: int = DAYS) -> Floats:
    return np.random.default_rng(4).gamma(2.0, 0.5, (days * 24, 1))


def taught(days: int = DAYS, values: Floats | None = None) -> Exceedances:
    """What the dearest hours were of a key that spends about a dollar an hour."""
    state = Exceedances(1)
    for day in (calm(days) if values is None else values).reshape(-1, 24, 1):
        state.learn(day, np.ones_like(day, dtype=np.bool_))
    return state


def scores(state: Exceedances, hours: Floats, *, known: Floats = KNOWN, expected: float = 1.0) -> list[float]:
    values = np.asarray(hours, dtype=np.float64).reshape(-1, 1)
    score, _ = state.read(np.nan_to_num(values), np.isfinite(values), np.full_like(values, expected), known)
    return [round(float(one), 3) for one in score[:, 0]]


def test_a_runaway_that_two_extreme_hours_would_hide_is_told_within_half_a_day() -> None:
    values = np.concatenate([calm(), calm(2)])
    values[20 * 24 + 5 : 20 * 24 + 7] = 1000.0
    begin = DAYS * 24 + 3
    values[begin : begin + 22] = 15.0
    material = walk(Baseline(1), values, 0, Floors()).material[:, 0]
    told = np.flatnonzero(material >= 1.0)
    assert begin <= told[told >= DAYS * 24][0] <= begin + LEAST - 1


def test_it_takes_nine_hours_of_twelve_and_the_newest_among_them() -> None:
    dear = [9.0] * 8
    assert max(scores(taught(), dear)) == 0.0
    assert scores(taught(), [*dear, 1.0, 1.0, 1.0, 9.0])[-1] >= 1.0
    assert scores(taught(), [*dear, 1.0, 1.0, 1.0, 1.0, 9.0])[-1] == 0.0
    assert scores(taught(), [*dear, 9.0, 1.0])[-1] == 0.0


def test_the_score_is_how_many_times_the_bar_nine_hours_came_to() -> None:
    bar = float(np.sort(calm()[-35 * 24 :].ravel())[-8])
    assert bar > 3.0, "beyond three times the expected, or the bar would be that"
    assert scores(taught(), [2.0 * bar] * LEAST)[-1] == pytest.approx(2.0, abs=1e-3)
    assert scores(taught(), [1e9] * 8 + [1.5 * bar])[-1] == pytest.approx(1.5, abs=1e-3)


def test_an_hour_must_be_three_times_the_expected_besides() -> None:
    assert scores(taught(), [9.0] * LEAST, expected=4.0)[-1] == pytest.approx(0.75)


def test_a_key_of_less_than_two_weeks_has_no_bar() -> None:
    assert scores(taught(), [9.0] * LEAST, known=np.array([335.0]))[-1] == 0.0


def test_missing_hours_exceed_nothing() -> None:
    hours = np.full(WINDOW, 9.0)
    hours[2:6] = np.nan
    assert scores(taught(), hours)[-1] == 0.0


def test_a_key_that_hardly_ever_spent_exceeds_nothing_with_nothing() -> None:
    silent = taught(values=np.zeros((DAYS * 24, 1)))
    assert max(scores(silent, np.zeros(WINDOW), expected=0.0)) == 0.0
    assert scores(silent, np.full(LEAST, 0.01), expected=0.0)[-1] >= 1.0


def test_hour_by_hour_it_scores_as_all_at_once() -> None:
    hours = np.random.default_rng(2).gamma(2.0, 3.0, (40, 1))
    state, one_by_one = taught(), []
    for hour in hours:
        score, state = state.read(hour[None], np.ones((1, 1), dtype=np.bool_), np.ones((1, 1)), KNOWN)
        one_by_one.append(round(float(score[0, 0]), 3))
    assert max(one_by_one) > 0.0
    assert scores(taught(), hours) == one_by_one


def test_an_hour_that_was_not_usual_raises_no_bar() -> None:
    state = taught()
    before = scores(state, [9.0] * LEAST)[-1]
    state.learn(np.full((24, 1), 9.0), np.zeros((24, 1), dtype=np.bool_))
    assert scores(state, [9.0] * LEAST)[-1] >= before
    state.learn(np.full((24, 1), 9.0), np.ones((24, 1), dtype=np.bool_))
    assert scores(state, [9.0] * LEAST)[-1] == pytest.approx(1.0)


def test_after_five_weeks_what_was_dear_is_forgotten() -> None:
    values = calm(7 * 6)
    values[:24] = 100.0
    assert scores(taught(values=values[: 7 * 5 * 24]), [9.0] * LEAST)[-1] == 0.0
    assert scores(taught(values=values[: (7 * 5 + 1) * 24]), [9.0] * LEAST)[-1] >= 1.0


def test_a_level_that_is_adopted_takes_the_bar_with_it() -> None:
    state = taught()
    state.rescale(np.array([True]), np.array([4.0]))
    assert scores(state, [9.0] * LEAST, expected=0.5)[-1] < 1.0
    assert scores(taught(), [9.0] * LEAST, expected=0.5)[-1] >= 1.0


def test_a_row_takes_its_past_along() -> None:
    two = Exceedances(2)
    for day in calm().reshape(-1, 24):
        two.learn(np.stack([day, 9.0 * day], axis=1), np.ones((24, 2), dtype=np.bool_))
    _, two = two.read(np.full((8, 2), 9.0), np.ones((8, 2), dtype=np.bool_), np.ones((8, 2)), np.full(2, 1000.0))
    assert scores(two.taken(np.array([0])), [9.0])[-1] >= 1.0
    assert scores(two.taken(np.array([1])), [9.0])[-1] < 1.0
