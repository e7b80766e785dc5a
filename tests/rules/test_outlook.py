"""The lines of a budget with their forecasts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np

from benchmarks.forecast import simulator_cases
from benchmarks.forecast_cases import DAYS
from benchmarks.forecast_rivals import forecast, last_week, straight_line
from rules.budgets import lines
from rules.forecast import Group, forecasts
from rules.model import Budget, EarlierSpend, Leaf, Names, Selector, SpendView
from rules.outlook import BURN_HOURS, MOST, amounts, outlook
from tests.rules.traffic import DOLLAR, MONDAY, organization, view_of

LEAVES, COST = organization(keys=8, days=70, seed=3)
VIEW = view_of(LEAVES, COST, 24 * 66)
NOW = MONDAY + timedelta(days=66)
WHOLE = Budget("all", "month", "UTC", 1000 * DOLLAR, (50, 80, 100))


def test_every_line_is_that_of_the_budget_with_a_forecast() -> None:
    keys = replace(WHOLE, per=("api_key",))
    plain, told = lines(keys, VIEW, Names(), NOW), outlook(keys, VIEW, Names(), NOW)
    assert [replace(line, forecast=None, burn=None) for line in told] == plain
    assert all(line.forecast is not None and line.forecast.total >= line.spent for line in told)


def test_a_budget_that_matches_nothing_has_its_line_and_nothing_to_come() -> None:
    (line,) = outlook(replace(WHOLE, select=Selector(api_key="nobody")), VIEW, Names(), NOW)
    assert line.forecast is not None
    assert (line.spent, line.forecast.total, line.forecast.basis) == (0, 0, "none")


def test_a_budget_for_each_of_what_is_not_there_has_no_lines() -> None:
    assert outlook(replace(WHOLE, per=("api_key",), select=Selector(api_key="nobody")), VIEW, Names(), NOW) == []


def test_the_forecast_of_a_selection_is_of_that_selection() -> None:
    (line,) = outlook(replace(WHOLE, select=Selector(api_key="key-1")), VIEW, Names(), NOW)
    (each,) = [
        line for line in outlook(replace(WHOLE, per=("api_key",)), VIEW, Names(), NOW) if line.scope.api_key == "key-1"
    ]
    assert line.forecast == each.forecast


def test_crossings_are_those_of_the_thresholds_and_the_limit() -> None:
    assert amounts(WHOLE, 1000 * DOLLAR) == (500 * DOLLAR, 800 * DOLLAR, 1000 * DOLLAR)
    assert amounts(replace(WHOLE, thresholds=(33.3,)), 1000 * DOLLAR) == (333 * DOLLAR, 1000 * DOLLAR)
    (line,) = outlook(WHOLE, VIEW, Names(), NOW)
    assert line.forecast is not None
    assert tuple(each.amount for each in line.forecast.crossings) == amounts(WHOLE, 1000 * DOLLAR)
    assert amounts(WHOLE, None) == ()


def test_a_key_that_is_off_is_expected_to_spend_nothing() -> None:
    told = outlook(replace(WHOLE, per=("api_key",)), VIEW, Names(), NOW, frozenset({"key-1"}))
    (off,) = [line.forecast for line in told if line.scope.api_key == "key-1"]
    (spent,) = [line.spent for line in told if line.scope.api_key == "key-1"]
    assert off is not None
    assert off.total == off.high == spent


def with_a_spring(view: SpendView, *spent: tuple[Leaf, int]) -> SpendView:
    """The view with what some leaves spent on each of the hundred days before it."""
    days = tuple(view.start - timedelta(days=back) for back in range(100, 0, -1))
    cost = np.repeat(np.array([[amount] for _, amount in spent], dtype=np.int64), len(days), axis=1)
    earlier = EarlierSpend(tuple(leaf for leaf, _ in spent), days, cost, cost // 2, np.zeros(len(days), dtype=np.int64))
    return replace(view, earlier=earlier)


def test_what_was_spent_before_the_view_is_in_the_line_and_under_the_forecast() -> None:
    gone = Leaf("workspace", "key-gone", "claude")
    year = replace(WHOLE, period="year", limit=10_000 * DOLLAR)
    plain = outlook(year, VIEW, Names(), NOW)[0]
    (told,) = outlook(year, with_a_spring(VIEW, (LEAVES[0], DOLLAR), (gone, 2 * DOLLAR)), Names(), NOW)
    assert told.spent == plain.spent + 300 * DOLLAR
    assert told.settled == plain.settled + 150 * DOLLAR
    assert told.forecast is not None
    assert plain.forecast is not None
    assert told.forecast.total == plain.forecast.total + 300 * DOLLAR
    assert told.forecast.high - told.forecast.low == plain.forecast.high - plain.forecast.low


def test_an_amount_that_was_reached_before_the_view_was_reached_on_that_day() -> None:
    year = replace(WHOLE, period="year", limit=100 * DOLLAR, thresholds=(50.0,))
    view = with_a_spring(VIEW, (LEAVES[0], DOLLAR))
    (told,) = outlook(year, view, Names(), NOW)
    assert told.forecast is not None
    half, whole = told.forecast.crossings
    assert half.early == half.expected == half.late == view.start - timedelta(days=51)
    assert whole.expected == view.start - timedelta(days=1)


def test_a_key_that_spent_nothing_since_the_view_begins_has_its_line_and_nothing_to_come() -> None:
    gone = Leaf("workspace", "key-gone", "claude")
    year = replace(WHOLE, period="year", per=("api_key",))
    told = outlook(year, with_a_spring(VIEW, (gone, 2 * DOLLAR)), Names(), NOW)
    (line,) = [line for line in told if line.scope.api_key == "key-gone"]
    assert line.forecast is not None
    assert (line.spent, line.forecast.total, line.forecast.basis) == (200 * DOLLAR, 200 * DOLLAR, "none")
    assert len(told) == len(outlook(year, VIEW, Names(), NOW)) + 1


def test_a_month_looks_at_nothing_before_the_view() -> None:
    assert outlook(WHOLE, with_a_spring(VIEW, (LEAVES[0], DOLLAR)), Names(), NOW) == outlook(WHOLE, VIEW, Names(), NOW)


def test_only_the_dearest_lines_are_forecast() -> None:
    leaves = tuple(Leaf("workspace", f"key-{place}", "claude") for place in range(MOST + 3))
    cost = np.repeat(np.arange(1, MOST + 4)[:, None] * DOLLAR, 24 * 9, axis=1)
    told = outlook(replace(WHOLE, per=("api_key",)), view_of(leaves, cost, 24 * 9), Names(), MONDAY + timedelta(days=9))
    assert [line.forecast is not None for line in told] == [True] * MOST + [False] * 3
    assert [line.spent for line in told] == sorted((line.spent for line in told), reverse=True)


def test_a_short_backtest_on_traffic_of_another_kind_holds_loosely() -> None:
    """A generator that the model was not chosen on: office, round the clock, nightly batch, rare use."""
    errors, held = [], []
    for seed in range(4):
        leaves, cost = organization(keys=12, days=70, seed=seed)
        for day in (45, 50, 55):
            now = MONDAY + timedelta(days=day)
            start, end = MONDAY + timedelta(days=40), MONDAY + timedelta(days=70)
            view = view_of(leaves, cost, 24 * day)
            groups = [Group(np.array([row])) for row in range(len(leaves))]
            for row, told in enumerate(forecasts(view, groups, start, end)):
                total = int(cost[row, 24 * 40 :].sum())
                assert view.complete_until == now
                errors.append(abs(told.total - total) / total)
                held.append(told.low <= total <= told.high)
    assert float(np.median(errors)) < 0.08
    assert 0.65 < float(np.mean(held)) < 0.97


def test_the_simulators_organizations_end_nearer_to_the_forecast_than_to_what_people_use_instead() -> None:
    """The short form of `python -m benchmarks.forecast`, with loose bounds."""
    found = list(simulator_cases([11], sizes=[6, 40], scenarios=["calm"]))
    for day in DAYS:
        some = [case for case in found if case.day == day]
        errors = {
            way: np.median([abs(way(case).total - case.truth) / case.truth for case in some])
            for way in (forecast, straight_line, last_week)
        }
        assert errors[forecast] < min(errors[straight_line], errors[last_week])
        assert 0.7 < np.mean([case.told.low <= case.truth <= case.told.high for case in some]) < 0.95


def test_the_burn_rate_is_that_of_the_last_complete_hours_over_the_even_share() -> None:
    end = VIEW.index(VIEW.complete_until)
    spent = int(VIEW.cost[:, end - BURN_HOURS : end].sum())
    even = 1000 * DOLLAR * BURN_HOURS / (30 * 24)
    (line,) = outlook(WHOLE, VIEW, Names(), NOW)
    assert line.burn is not None
    assert abs(line.burn - spent / even) < 1e-9
    (rolls,) = outlook(replace(WHOLE, period="rolling", window=timedelta(hours=24)), VIEW, Names(), NOW)
    assert rolls.burn is not None
    assert abs(rolls.burn - line.burn / 30) < 1e-9


def test_no_burn_rate_is_told_of_hours_that_were_not_read_or_of_no_limit() -> None:
    known = VIEW.known.copy()
    known[VIEW.index(VIEW.complete_until) - 2] = False
    (line,) = outlook(WHOLE, replace(VIEW, known=known), Names(), NOW)
    assert line.burn is None
    (line,) = outlook(replace(WHOLE, limit=None), VIEW, Names(), NOW)
    assert line.burn is None
