"""What is planned is expected, and what somebody called a real incident teaches nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rules import anomaly
from rules.model import AnomalyRule, Names, SpendView
from rules.story import Told
from rules.subjects import Subjects, cut
from tests.rules.traffic import Cost, organization, view_of

RULE = AnomalyRule("spikes")
LEAVES, CALM = organization(keys=12, days=50, seed=1)
STEADY = 1
BEGIN = 44 * 24 + 9


def raised(hours: int, factor: float) -> tuple[SpendView, Subjects]:
    """A key that spends so many times the usual for so long, seen just before the end of it."""
    cost: Cost = CALM.copy()
    cost[STEADY, BEGIN : BEGIN + hours] = np.round(cost[STEADY, BEGIN : BEGIN + hours] * factor)
    view = view_of(LEAVES, cost, min(BEGIN + hours, cost.shape[1]))
    return view, cut(RULE, view, Names())


def of_the_key(told: Told) -> tuple[np.ndarray, np.ndarray]:
    row = told.subjects.first + STEADY
    return told.reading.material[:, row], told.reading.expected[:, row]


def test_hours_planned_to_be_ten_times_the_usual_are_held_against_so_much() -> None:
    view, subjects = raised(24, 10.0)
    factor = np.ones_like(subjects.dollars)
    factor[BEGIN : BEGIN + 24, subjects.first + STEADY] = 10.0
    material, expected = of_the_key(anomaly.read(RULE, view, subjects))
    planned_material, planned_expected = of_the_key(anomaly.read(RULE, view, replace(subjects, factor=factor)))
    assert (material[-24:] >= 1.0).any()
    assert not (planned_material[-24:] >= 1.0).any()
    assert planned_expected[-9:].sum() == pytest.approx(10 * expected[-9:].sum(), rel=0.1)


def test_what_was_planned_trains_as_if_it_had_not_been() -> None:
    view, subjects = raised(4 * 24, 10.0)
    factor = np.ones_like(subjects.dollars)
    factor[BEGIN : BEGIN + 4 * 24, subjects.first + STEADY] = 10.0
    calm_view = view_of(LEAVES, CALM, view.hours)
    _, calm = of_the_key(anomaly.read(RULE, calm_view, cut(RULE, calm_view, Names())))
    _, expected = of_the_key(anomaly.read(RULE, view, replace(subjects, factor=factor)))
    assert expected[-9:] == pytest.approx(10 * calm[-9:], rel=0.01)


def test_an_incident_that_is_real_is_told_on_and_never_the_new_normal() -> None:
    days = 6
    view, subjects = raised(days * 24 - 9, 10.0)
    untaught = np.zeros(subjects.dollars.shape, dtype=np.bool_)
    untaught[BEGIN:, subjects.first + STEADY] = True
    _, adopted = of_the_key(anomaly.read(RULE, view, subjects))
    material, expected = of_the_key(anomaly.read(RULE, view, replace(subjects, untaught=untaught)))
    calm_view = view_of(LEAVES, CALM, BEGIN)
    _, before = of_the_key(anomaly.read(RULE, calm_view, cut(RULE, calm_view, Names())))
    assert adopted[-24:].sum() > 5 * before[-24:].sum()
    assert expected[-24:].sum() < 1.5 * before[-24:].sum()
    assert (material[-24:] >= 1.0).sum() > 12


def test_hours_before_are_judged_as_ever_whatever_is_left_out_of_training_later() -> None:
    view, subjects = raised(24, 10.0)
    untaught = np.zeros(subjects.dollars.shape, dtype=np.bool_)
    untaught[BEGIN:, subjects.first + STEADY] = True
    usual = anomaly.read(RULE, view, subjects)
    taught = anomaly.read(RULE, view, replace(subjects, untaught=untaught))
    at = BEGIN - usual.begin
    assert np.array_equal(usual.reading.material[: at + 15], taught.reading.material[: at + 15])
