"""Which child explains its parent's excess: exactly, in any order, and never because it is big."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.attribution import PAST, WEEK, Cut, Excess, by_habit, explaining
from rules.model import HOUR, Leaf, Names, SpendView

BEGIN = datetime(2026, 9, 7, tzinfo=UTC)
DOLLAR = 1_000_000_000
Cost = npt.NDArray[np.int64]


def view_of(cost: Cost, keys: list[str] | None = None, model: str = "claude") -> SpendView:
    leaves = tuple(Leaf("w", key, model, "standard") for key in keys or [f"key-{row}" for row in range(len(cost))])
    return SpendView(
        organization="org",
        start=BEGIN,
        leaves=leaves,
        cost=cost,
        settled=np.zeros_like(cost),
        known=np.ones(cost.shape[1], dtype=np.bool_),
        complete_until=BEGIN + cost.shape[1] * HOUR,
        observed_until=BEGIN + cost.shape[1] * HOUR,
    )


def cut_of(view: SpendView, hours: int, likely: float | None = None, odd: tuple[int, ...] = ()) -> Cut:
    """The last hours of the view; what is expected of them is what the week before brought, unless it is told."""
    window = slice(view.hours - hours, view.hours)
    whole = view.cost.sum(axis=0).astype(np.float64)
    expected = whole[window.start - WEEK : window.stop - WEEK][:hours]
    if likely is not None:
        expected = np.full(hours, likely / hours)
    return Cut(np.arange(len(view.leaves)), window, expected, round(float(expected.sum())), odd)


def level(keys: int, hours: int, dollars: int = 1) -> Cost:
    return np.full((keys, PAST + hours), dollars * DOLLAR, dtype=np.int64)


@st.composite
def parents(draw: st.DrawFn) -> tuple[SpendView, Cut]:
    hours, past = draw(st.sampled_from([1, 3, 24, 30, 180])), draw(st.sampled_from([0, 5, 200, PAST, PAST + 50]))
    keys = draw(st.integers(1, 6))
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    cost = random.integers(0, 10**12, (keys, past + hours)) * (
        random.random((keys, past + hours)) < draw(st.floats(0, 1))
    )
    view = view_of(cost.astype(np.int64))
    likely = draw(st.integers(0, 10**14))
    odd = tuple(draw(st.lists(st.integers(0, max(past - 1, 0)), max_size=3)))
    expected = np.full(hours, likely / hours)
    return view, Cut(np.arange(keys), slice(past, past + hours), expected, likely, odd)


@given(parents())
def test_the_parts_and_the_rest_sum_to_the_excess_of_the_parent(made: tuple[SpendView, Cut]) -> None:
    view, cut = made
    for dimension in ("api_key", "model", "workspace"):
        found = Excess(view, Names(), cut).by(dimension)
        assert sum(part.observed for part in found.parts) == found.observed == int(view.cost[:, cut.window].sum())
        assert sum(part.excess for part in found.parts) + found.other == found.excess == found.observed - cut.likely
        past = view.cost[:, max(cut.window.start - PAST, 0) : cut.window.start].any()
        assert abs(found.other) <= len(cut.members) + 1e-9 * cut.likely or not past or cut.odd


@settings(max_examples=40, deadline=None)
@given(parents(), st.randoms(use_true_random=False))
def test_the_order_of_the_children_changes_nothing(made: tuple[SpendView, Cut], random: object) -> None:
    view, cut = made
    order = list(range(len(view.leaves)))
    random.shuffle(order)  # type: ignore[attr-defined]
    mixed = replace(view, leaves=tuple(view.leaves[row] for row in order), cost=view.cost[order].copy())
    assert Excess(mixed, Names(), cut).by("api_key") == Excess(view, Names(), cut).by("api_key")


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 30), st.sampled_from([2, 24, 72]), st.integers(1, 1000))
def test_a_calm_big_spender_beside_them_does_not_change_who_explains_it(extra: int, hours: int, big: int) -> None:
    cost = level(4, hours)
    cost[2, -hours:] += extra * DOLLAR
    alone = view_of(cost)
    beside = view_of(np.vstack([cost, level(1, hours, big)]))
    found = [
        explaining(Excess(view, Names(), cut_of(view, hours)).by("api_key"), Fraction(4, 5), 3)
        for view in (alone, beside)
    ]
    assert [[part.ids for part in each.parts] for each in found if each] == [[("key-2",)], [("key-2",)]]


def test_each_child_was_expected_to_take_its_part_of_that_hour_of_the_week() -> None:
    hours = np.arange(PAST + 2)
    night = np.where(hours % 24 < 2, 12, 0)
    day = np.where(hours % 24 < 2, 0, 3)
    view = view_of((np.stack([night, day]) * DOLLAR).astype(np.int64), ["batch", "office"])
    found = Excess(view, Names(), cut_of(view, 2)).by("api_key")
    assert {part.ids[0]: round(part.expected / DOLLAR) for part in found.parts} == {"batch": 24, "office": 0}


def test_a_weekend_key_is_not_expected_on_a_weekday() -> None:
    hours = np.arange(PAST + 3)
    weekend = np.where(hours // 24 % 7 >= 5, 10, 0)
    steady = np.full(len(hours), 4)
    view = view_of((np.stack([weekend, steady]) * DOLLAR).astype(np.int64), ["weekend", "steady"])
    found = Excess(view, Names(), cut_of(view, 3)).by("api_key")
    by_id = {part.ids[0]: part.expected / DOLLAR for part in found.parts}
    assert by_id["steady"] > 10
    assert by_id["weekend"] < 2


def test_a_new_child_was_expected_to_spend_nothing() -> None:
    cost = np.vstack([level(1, 5), np.zeros((1, PAST + 5), dtype=np.int64)])
    cost[1, -5:] = 7 * DOLLAR
    view = view_of(cost, ["old", "new"])
    found = Excess(view, Names(), cut_of(view, 5)).by("api_key")
    first = found.parts[0]
    assert (first.ids, first.expected, first.noise, first.excess) == (("new",), 0, 0.0, 35 * DOLLAR)


def test_a_parent_without_a_past_has_its_expectation_in_the_rest() -> None:
    cost = np.zeros((2, PAST + 3), dtype=np.int64)
    cost[:, -3:] = 5 * DOLLAR
    view = view_of(cost)
    found = Excess(view, Names(), cut_of(view, 3, likely=6 * DOLLAR)).by("api_key")
    assert [part.expected for part in found.parts] == [0, 0]
    assert found.other == -6 * DOLLAR


def test_a_fall_is_told_by_the_child_that_fell() -> None:
    cost = level(3, 4, 10)
    cost[1, -4:] = 0
    view = view_of(cost)
    found = Excess(view, Names(), cut_of(view, 4)).by("api_key")
    assert found.excess == -40 * DOLLAR
    told = explaining(found, Fraction(9, 10), 2)
    assert told is not None
    assert [part.ids for part in told.parts] == [("key-1",)]
    assert told.share == pytest.approx(1.0)


def test_the_hours_of_an_earlier_story_teach_nothing() -> None:
    cost = level(2, 2)
    earlier = tuple(range(PAST - 60, PAST - 40))
    cost[0, earlier] = 500 * DOLLAR
    cost[1, -2:] = 50 * DOLLAR
    view = view_of(cost)
    found = Excess(view, Names(), cut_of(view, 2, likely=4 * DOLLAR, odd=earlier)).by("api_key")
    assert {part.ids[0]: round(part.expected / DOLLAR) for part in found.parts} == {"key-0": 2, "key-1": 2}


@pytest.mark.parametrize(
    ("shares", "least", "most", "expected"),
    [
        ((90, 5, 5), Fraction(4, 5), 3, ["key-0"]),
        ((50, 40, 10), Fraction(4, 5), 3, ["key-0", "key-1"]),
        ((50, 40, 10), Fraction(9, 10), 1, None),
        ((60, 10, 10, 10, 10), Fraction(1, 2), 1, ["key-0"]),
        ((60, 10, 10, 10, 10), Fraction(4, 5), 2, None),
        ((25, 25, 25, 25), Fraction(1, 2), 3, ["key-0", "key-1"]),
        ((0, 0, 0), Fraction(1, 2), 3, None),
    ],
)
def test_the_smallest_set_that_explains_a_stated_share_or_none(
    shares: tuple[int, ...], least: Fraction, most: int, expected: list[str] | None
) -> None:
    cost = level(len(shares), 3)
    for row, dollars in enumerate(shares):
        cost[row, -1] += dollars * DOLLAR
    view = view_of(cost)
    found = explaining(Excess(view, Names(), cut_of(view, 3)).by("api_key"), least, most)
    assert (None if found is None else [part.ids[0] for part in found.parts]) == expected


def test_a_child_within_its_own_noise_explains_nothing() -> None:
    random = np.random.default_rng(5)
    cost = level(2, 3)
    cost[0] = random.choice([0, 200], PAST + 3) * DOLLAR
    cost[0, -3:] = 170 * DOLLAR
    cost[1, -3:] += 40 * DOLLAR
    view = view_of(cost, ["erratic", "odd"])
    excess = Excess(view, Names(), cut_of(view, 3, likely=303 * DOLLAR)).by("api_key")
    found = explaining(excess, Fraction(1, 5), 2)
    assert found is not None
    assert [part.ids[0] for part in found.parts] == ["odd"]


def test_confidence_falls_with_the_noise_of_what_was_expected() -> None:
    calm, wild = level(2, 3, 10), level(2, 3, 10)
    wild[1, :PAST] = np.where(np.arange(PAST) // WEEK % 2, 20, 0) * DOLLAR
    sure = []
    for cost in (calm, wild):
        cost[0, -3:] += 12 * DOLLAR
        view = view_of(cost)
        found = explaining(Excess(view, Names(), cut_of(view, 3, likely=60 * DOLLAR)).by("api_key"), Fraction(1, 2), 2)
        assert found is not None
        sure.append(found.confidence)
    assert sure[0] == 1.0 > sure[1] > 0.5


def test_without_a_baseline_the_same_hours_of_the_weeks_before_are_expected() -> None:
    cost = level(2, 30, 2)
    cost[0, -2:] += 100 * DOLLAR
    view = replace(view_of(cost), observed_until=BEGIN + (PAST + 29.5) * HOUR)
    cut = by_habit(view, np.arange(2), slice(PAST, PAST + 30))
    assert cut.likely == round(29.5 * 4 * DOLLAR)
    found = explaining(Excess(view, Names(), cut).by("api_key"), Fraction(4, 5), 1)
    assert found is not None
    assert [part.ids for part in found.parts] == [("key-0",)]
    assert by_habit(view, np.arange(2), slice(WEEK - 1, WEEK)).likely == 0


def test_a_child_can_be_told_apart_by_what_it_spends_on() -> None:
    leaves = [Leaf("w", key, model, "standard") for key in ("a", "b") for model in ("opus", "haiku")]
    cost = level(4, 3)
    cost[0, -3:] += 30 * DOLLAR
    view = replace(view_of(cost), leaves=tuple(leaves))
    excess = Excess(view, Names(), cut_of(view, 3))
    within = excess.within("api_key", "a", "model")
    assert [part.ids for part in within.parts] == [("opus",), ("haiku",)]
    assert within.excess == within.parts[0].excess + within.parts[1].excess
    pairs = excess.by("api_key", "model")
    assert pairs.parts[0].ids == ("a", "opus")
    assert pairs.parts[0].excess == within.parts[0].excess
