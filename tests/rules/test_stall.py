"""When an organization's silence is the source's fault, and when it is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from rules import stall
from rules.model import HOUR, UNATTRIBUTED, Leaf, SpendView
from tests.rules.traffic import MONDAY, Cost, view_of

KEYS = 6
DAYS = 35
LEAVES = tuple(Leaf("workspace", f"key-{key}", "claude") for key in range(KEYS))
HOURS = np.arange(DAYS * 24)
WEDNESDAY = 30 * 24


def round_the_clock() -> Cost:
    return np.full((KEYS, len(HOURS)), 1_000_000_000, dtype=np.int64)


def office_hours() -> Cost:
    busy = (HOURS % 24 >= 8) & (HOURS % 24 < 19) & (HOURS // 24 % 7 < 5)
    return round_the_clock() * busy


def silent_from(cost: Cost, hour: int) -> Cost:
    cost[:, hour:] = 0
    return cost


def judged(view: SpendView) -> stall.Stall | None:
    return stall.judge(view, view.observed_until + timedelta(minutes=20))


def test_an_organization_that_never_sleeps_is_stalled_after_two_silent_hours() -> None:
    cost = silent_from(round_the_clock(), WEDNESDAY)
    assert judged(view_of(LEAVES, cost, WEDNESDAY + 1)) is None
    found = judged(view_of(LEAVES, cost, WEDNESDAY + 2, part=0.5))
    assert found == stall.Stall(MONDAY + WEDNESDAY * HOUR, expected=2 * KEYS * 1_000_000_000, hours=2)


def test_nights_and_weekends_are_no_stall() -> None:
    cost = office_hours()
    for hour in range(21 * 24, 28 * 24):
        assert judged(view_of(LEAVES, cost, hour)) is None, str(MONDAY + hour * HOUR)


def test_an_organization_with_office_hours_stalls_from_the_first_hour_that_should_have_brought_something() -> None:
    cost = silent_from(office_hours(), WEDNESDAY + 1)
    assert judged(view_of(LEAVES, cost, WEDNESDAY + 12)) is None
    found = judged(view_of(LEAVES, cost, WEDNESDAY + 17))
    assert found is not None
    assert found.since == MONDAY + (WEDNESDAY + 9) * HOUR


def test_it_ends_when_spend_comes_back_even_in_the_open_hour() -> None:
    cost = silent_from(round_the_clock(), WEDNESDAY)
    cost[2, WEDNESDAY + 5] = 7
    assert judged(view_of(LEAVES, cost, WEDNESDAY + 5)) is not None
    back = view_of(LEAVES, cost, WEDNESDAY + 6)
    assert judged(replace(back, complete_until=back.complete_until - HOUR)) is None
    assert judged(back) is None


def test_after_three_days_the_silence_is_real() -> None:
    cost = silent_from(round_the_clock(), WEDNESDAY)
    assert judged(view_of(LEAVES, cost, WEDNESDAY + 71)) is not None
    assert judged(view_of(LEAVES, cost, WEDNESDAY + 72)) is None


def test_one_busy_key_that_ends_is_no_stall() -> None:
    cost = round_the_clock()
    cost[1:] = 0
    cost[1:, ::50] = 1
    assert judged(view_of(LEAVES, silent_from(cost, WEDNESDAY), WEDNESDAY + 6)) is None


def test_a_short_history_proves_nothing() -> None:
    cost = silent_from(round_the_clock(), 13 * 24)
    assert judged(view_of(LEAVES, cost, 13 * 24 + 6)) is None


def test_the_time_before_an_organization_existed_is_not_a_silence_it_had() -> None:
    cost = silent_from(round_the_clock(), WEDNESDAY)
    cost[:, : 10 * 24] = 0
    assert judged(view_of(LEAVES, cost, WEDNESDAY + 2)) is not None


def test_hours_that_were_never_read_are_neither_silent_nor_evidence() -> None:
    view = view_of(LEAVES, silent_from(round_the_clock(), WEDNESDAY), WEDNESDAY + 2)
    holes = view.known.copy()
    holes[-1] = False
    assert judged(replace(view, known=holes)) is None


@pytest.mark.parametrize("hours", [6, 30])
def test_cost_that_no_usage_explains_does_not_hide_a_stall(hours: int) -> None:
    leaves = (*LEAVES, Leaf("workspace", UNATTRIBUTED, UNATTRIBUTED))
    cost = np.vstack([silent_from(round_the_clock(), WEDNESDAY), np.ones((1, len(HOURS)), dtype=np.int64)])
    assert judged(view_of(leaves, cost, WEDNESDAY + hours)) is not None


def test_an_empty_view_is_no_stall() -> None:
    assert judged(view_of((), np.zeros((0, 10), dtype=np.int64), 5)) is None
    assert judged(view_of(LEAVES, round_the_clock(), 0)) is None
