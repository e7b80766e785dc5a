"""Where a period will end, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.forecast import Forecast, Group, forecasts
from rules.model import HOUR, UNATTRIBUTED, Leaf, SpendView
from rules.periods import period_of

DOLLAR = 1_000_000_000
MONDAY = datetime(2026, 9, 7, tzinfo=UTC)
MONTH = (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))

Cost = npt.NDArray[np.int64]


def view_of(cost: npt.ArrayLike, complete: int | None = None, start: datetime = MONDAY) -> SpendView:
    """Keys' dollars by hour, of which the first `complete` are complete."""
    nano = np.round(np.atleast_2d(np.asarray(cost, dtype=np.float64)) * DOLLAR).astype(np.int64)
    hours = nano.shape[1]
    until = start + (hours if complete is None else complete) * HOUR
    leaves = tuple(Leaf(f"workspace-{row % 2}", f"key-{row}", "claude") for row in range(len(nano)))
    known = np.arange(hours) < (hours if complete is None else complete)
    return SpendView("org", start, leaves, nano, np.zeros_like(nano), known, until, start + hours * HOUR)


def cut(cost: npt.ArrayLike, now: datetime, start: datetime = MONDAY) -> SpendView:
    """What is known of the whole series at `now`."""
    return view_of(np.atleast_2d(cost)[:, : (now - start) // HOUR], start=start)


def whole(view: SpendView, *dollars: float) -> Group:
    return Group(np.arange(len(view.leaves)), tuple(round(each * DOLLAR) for each in dollars))


def one(
    view: SpendView, period: tuple[datetime, datetime] = MONTH, *dollars: float, off: frozenset[str] = frozenset()
) -> Forecast:
    (told,) = forecasts(view, [whole(view, *dollars)], *period, off)
    return told


def office(hours: int, seed: int = 1, noise: float = 0.1) -> npt.NDArray[np.float64]:
    """Office hours with quiet weekends, from a Monday on, with noise of the hour and the day."""
    random = np.random.default_rng(seed)
    hour, weekday = np.arange(hours) % 24, np.arange(hours) // 24 % 7
    shape = np.where(weekday < 5, 1.0, 0.2) * np.where((hour >= 8) & (hour < 18), 5.0, 0.5)
    days = np.repeat(random.normal(1, noise, hours // 24 + 1), 24)[:hours]
    wobble: npt.NDArray[np.float64] = np.maximum(shape * days * random.normal(1, noise, hours), 0.0)
    return wobble


def spent(cost: npt.ArrayLike, period: tuple[datetime, datetime] = MONTH, start: datetime = MONDAY) -> float:
    first, last = ((moment - start) // HOUR for moment in period)
    return float(np.atleast_2d(cost)[:, first:last].sum())


HOURS = (MONTH[1] - MONDAY) // HOUR


# --------------------------------------------------------------------------------------- what it foretells


def test_steady_spend_ends_where_it_leads() -> None:
    told = one(cut(np.ones(HOURS), datetime(2026, 11, 10, 7, tzinfo=UTC)))
    assert told.total == pytest.approx(720 * DOLLAR, rel=1e-6)
    assert told.low < told.total < told.high
    assert told.basis == "enough"


def test_a_month_that_has_had_one_weekend_is_not_held_to_have_no_other() -> None:
    cost = office(HOURS)
    told = one(cut(cost, datetime(2026, 11, 7, 0, tzinfo=UTC)))
    assert told.total == pytest.approx(spent(cost) * DOLLAR, rel=0.04)
    assert told.low <= spent(cost) * DOLLAR <= told.high


def test_growth_goes_on() -> None:
    cost = np.exp(0.01 * np.arange(HOURS) / 24)
    told = one(cut(cost, datetime(2026, 11, 5, tzinfo=UTC)))
    assert told.total == pytest.approx(spent(cost) * DOLLAR, rel=0.08)
    assert told.total > 1.05 * 720 * DOLLAR * cost[(datetime(2026, 11, 3, tzinfo=UTC) - MONDAY) // HOUR]


def test_the_evening_of_an_office_day_adds_little_to_the_day() -> None:
    cost = office(HOURS, noise=0.02)
    day = (datetime(2026, 11, 5, tzinfo=UTC), datetime(2026, 11, 6, tzinfo=UTC))
    told = one(cut(cost, day[0] + 19 * HOUR), day)
    assert told.total == pytest.approx(spent(cost, day) * DOLLAR, rel=0.02)
    straight = spent(cost, (day[0], day[0] + 19 * HOUR)) * 24 / 19 * DOLLAR
    assert abs(told.total - straight) > 0.1 * told.total


def test_a_burst_of_three_hours_is_not_projected_when_it_is_over() -> None:
    cost = office(HOURS)
    burst = (datetime(2026, 11, 10, 9, tzinfo=UTC) - MONDAY) // HOUR
    cost[burst : burst + 3] += 400.0
    for hours in (9, 24, 48):
        told = one(cut(cost, datetime(2026, 11, 10, 12, tzinfo=UTC) + hours * HOUR))
        assert told.total == pytest.approx(spent(cost) * DOLLAR, rel=0.12), hours


def test_a_burst_that_goes_on_is_projected_for_about_as_long_as_it_has_lasted() -> None:
    cost = office(HOURS, noise=0.05)
    begun = (datetime(2026, 11, 8, tzinfo=UTC) - MONDAY) // HOUR
    usual = spent(cost)
    cost[begun:] += 50.0
    now = datetime(2026, 11, 10, tzinfo=UTC)
    told = one(cut(cost, now))
    so_far, for_ever = 2 * 24 * 50, 22 * 24 * 50
    assert usual + 1.5 * so_far < told.total / DOLLAR < usual + 4 * so_far < usual + for_ever / 2
    assert told.high / DOLLAR > usual + 8 * so_far


def test_a_new_level_is_learned_within_a_week() -> None:
    cost = office(HOURS, noise=0.05)
    cost[(datetime(2026, 11, 2, tzinfo=UTC) - MONDAY) // HOUR :] *= 3.0
    told = one(cut(cost, datetime(2026, 11, 10, tzinfo=UTC)))
    assert told.total == pytest.approx(spent(cost) * DOLLAR, rel=0.1)


def runaway(stopped: datetime) -> npt.NDArray[np.float64]:
    """Ten keys, of which one runs away ten hours before it is stopped."""
    cost = np.stack([office(HOURS, seed) * (1 + seed % 3) for seed in range(10)])
    end = (stopped - MONDAY) // HOUR
    cost[4, end - 10 : end] += 60.0
    cost[4, end:] = 0.0
    return cost


@pytest.mark.parametrize("weekday", range(2, 7))
def test_two_days_after_a_shutoff_the_forecast_is_within_a_tenth_of_the_truth(weekday: int) -> None:
    stopped = datetime(2026, 11, weekday, 16, tzinfo=UTC)
    cost = runaway(stopped)
    view = cut(cost, stopped + 48 * HOUR)
    told = forecasts(view, [whole(view), Group(np.array([4]))], *MONTH, frozenset({"key-4"}))
    for each, rows in zip(told, (cost, cost[4]), strict=True):
        assert each.total == pytest.approx(spent(rows) * DOLLAR, rel=0.1)


def test_a_key_that_is_known_to_be_off_is_not_projected_from_then_on() -> None:
    stopped = datetime(2026, 11, 10, 16, tzinfo=UTC)
    cost = runaway(stopped)
    view = cut(cost, stopped + HOUR)
    told = one(view, off=frozenset({"key-4"}))
    assert told.total == pytest.approx(spent(cost) * DOLLAR, rel=0.05)
    (key,) = forecasts(view, [Group(np.array([4]))], *MONTH, frozenset({"key-4"}))
    assert key.low == key.total == key.high == pytest.approx(spent(cost[4]) * DOLLAR, rel=1e-9)


def test_a_shutoff_that_nobody_told_is_seen_from_the_silence_of_two_days() -> None:
    stopped = datetime(2026, 11, 10, 16, tzinfo=UTC)
    cost = runaway(stopped)
    view = cut(cost, stopped + 48 * HOUR)
    for rows in (np.arange(10), np.array([4])):
        (told,) = forecasts(view, [Group(rows)], *MONTH)
        assert told.total == pytest.approx(spent(cost[rows]) * DOLLAR, rel=0.1)


def test_a_quiet_weekend_is_no_silence() -> None:
    cost = office(HOURS, noise=0.05)
    cost[(np.arange(HOURS) // 24 % 7) >= 5] = 0.0
    told = one(cut(cost, datetime(2026, 11, 9, tzinfo=UTC)))
    assert told.total == pytest.approx(spent(cost) * DOLLAR, rel=0.06)


# --------------------------------------------------------------------------------------- how much it knows


def test_a_scope_that_never_spent_is_expected_to_spend_nothing() -> None:
    told = one(cut(np.zeros(HOURS), datetime(2026, 11, 10, tzinfo=UTC)), MONTH, 10.0)
    assert (told.total, told.low, told.high, told.days, told.basis) == (0, 0, 0, 0.0, "none")
    assert told.crossings[0].early is None


def test_spend_of_the_first_open_hour_has_nothing_to_learn_from() -> None:
    told = one(view_of(np.ones((2, 1)), complete=0, start=MONTH[0]))
    assert (told.total, told.high, told.basis) == (2 * DOLLAR, 2 * DOLLAR, "none")


def test_cost_that_comes_with_the_bill_days_late_is_not_held_to_have_ended() -> None:
    cost = np.stack([office(HOURS, noise=0.05), np.full(HOURS, 0.3)])
    now = datetime(2026, 11, 10, tzinfo=UTC)
    view = cut(cost, now)
    late, late_cost = view.leaves[1], view.cost.copy()
    late_cost[1, -72:] = 0
    leaves = (view.leaves[0], replace(late, api_key=UNATTRIBUTED))
    told = one(replace(view, leaves=leaves, cost=late_cost))
    assert told.total == pytest.approx((spent(cost) - 72 * 0.3) * DOLLAR, rel=0.03)
    (alone,) = forecasts(replace(view, leaves=leaves, cost=late_cost), [Group(np.array([1]))], *MONTH)
    assert alone.total == pytest.approx((720 - 72) * 0.3 * DOLLAR, rel=0.05)


def test_a_view_without_leaves_has_a_forecast_of_nothing() -> None:
    view = cut(np.zeros((0, HOURS)), datetime(2026, 11, 10, tzinfo=UTC))
    assert one(view).total == 0
    assert forecasts(view, [], *MONTH) == []


def test_little_history_is_said_and_widens_the_interval() -> None:
    cost = office(HOURS)
    now = datetime(2026, 11, 10, tzinfo=UTC)
    long = one(cut(cost, now))
    start = now - timedelta(days=4)
    short = one(cut(cost[(start - MONDAY) // HOUR :], now, start=start), (start, MONTH[1]))
    assert (short.basis, short.days) == ("little", pytest.approx(4.0))
    assert short.high - short.low > 2.5 * (long.high - long.low)


def test_three_hours_of_history_have_a_forecast() -> None:
    told = one(view_of(np.ones(3), start=MONTH[0]))
    assert 0.05 * 720 * DOLLAR < told.low < told.total / 2 < told.total < told.high / 2 < 3 * 720 * DOLLAR
    assert told.basis == "little"


def test_a_young_key_has_the_rhythm_of_its_organization() -> None:
    keys = np.stack([office(HOURS, seed, 0.05) for seed in range(6)])
    born = (datetime(2026, 11, 4, 8, tzinfo=UTC) - MONDAY) // HOUR
    keys[5, :born] = 0.0
    view = cut(keys, datetime(2026, 11, 6, 18, tzinfo=UTC))
    (told,) = forecasts(view, [Group(np.array([5]))], *MONTH)
    assert told.total == pytest.approx(spent(keys[5]) * DOLLAR, rel=0.15)


def test_hours_never_read_are_expected_to_have_brought_what_is_usual() -> None:
    view = cut(np.ones(HOURS), datetime(2026, 11, 10, tzinfo=UTC))
    first = (datetime(2026, 11, 3, tzinfo=UTC) - MONDAY) // HOUR
    known, cost = view.known.copy(), view.cost.copy()
    known[first : first + 24] = False
    cost[:, first : first + 24] = 0
    told = one(replace(view, known=known, cost=cost))
    assert told.total == pytest.approx(720 * DOLLAR, rel=0.01)


# --------------------------------------------------------------------------------------- the calendar


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("UTC", (2026, 11, 5), 720),
        ("Europe/Berlin", (2026, 10, 5), 745),
        ("America/New_York", (2026, 3, 5), 743),
        ("Asia/Kolkata", (2026, 11, 5), 720),
        ("Asia/Kathmandu", (2026, 2, 5), 672),
    ],
)
def test_a_period_has_the_hours_that_start_in_it(zone: str, day: tuple[int, int, int], hours: int) -> None:
    now = datetime(*day, 9, tzinfo=UTC)
    start = now - timedelta(days=40)
    period = period_of("month", zone, now)
    view = view_of(np.ones((now - start) // HOUR), start=start)
    told = one(view, (period.start, period.end))
    assert told.total == pytest.approx(hours * DOLLAR, rel=1e-6)


def test_a_day_of_twenty_five_hours_and_one_of_twenty_three() -> None:
    for day, hours in ((datetime(2026, 10, 25, 9, tzinfo=UTC), 25), (datetime(2026, 3, 29, 9, tzinfo=UTC), 23)):
        period = period_of("day", "Europe/Berlin", day)
        start = day - timedelta(days=30)
        told = one(view_of(np.ones((day - start) // HOUR), start=start), (period.start, period.end))
        assert told.total == pytest.approx(hours * DOLLAR, rel=1e-6)


def test_a_period_that_is_over_ended_where_it_ended() -> None:
    cost = office(HOURS)
    october = (datetime(2026, 10, 1, tzinfo=UTC), MONTH[0])
    told = one(cut(cost, datetime(2026, 11, 3, tzinfo=UTC)), october, 1.0)
    assert told.low == told.total == told.high == pytest.approx(spent(cost, october) * DOLLAR, rel=1e-9)


def test_a_period_that_has_only_just_begun_does_not_count_what_came_before() -> None:
    view = view_of(np.ones((MONTH[0] - MONDAY) // HOUR + 1), complete=(MONTH[0] - MONDAY) // HOUR - 1)
    assert one(view).total == pytest.approx(720 * DOLLAR, rel=1e-6)


def test_a_year_has_a_forecast_too() -> None:
    view = cut(np.ones(HOURS), datetime(2026, 11, 5, tzinfo=UTC))
    year = (datetime(2026, 11, 1, tzinfo=UTC), datetime(2027, 11, 1, tzinfo=UTC))
    assert one(view, year).total == pytest.approx(8760 * DOLLAR, rel=1e-6)


# --------------------------------------------------------------------------------------- crossings


def test_steady_spend_crosses_a_limit_in_the_hour_that_reaches_it() -> None:
    view = cut(np.ones(HOURS), datetime(2026, 11, 10, tzinfo=UTC))
    past, ahead, never = one(view, MONTH, 100.0, 500.0, 2000.0).crossings
    assert past.expected == past.early == past.late == MONTH[0] + 99 * HOUR
    assert ahead.expected is not None
    assert abs(ahead.expected - (MONTH[0] + 499 * HOUR)) <= HOUR
    assert never.expected is never.early is never.late is None


def test_what_may_be_crossed_but_is_not_expected_to_be_has_an_early_hour_only() -> None:
    view = cut(office(HOURS), datetime(2026, 11, 10, tzinfo=UTC))
    told = one(view)
    between = (told.total + told.high) / 2 / DOLLAR
    (crossing,) = one(view, MONTH, between).crossings
    assert crossing.expected is crossing.late is None
    assert crossing.early is not None


def test_an_office_crosses_its_limit_in_office_hours() -> None:
    view = cut(office(HOURS, noise=0.02), datetime(2026, 11, 10, tzinfo=UTC))
    limits = [spent(office(HOURS, noise=0.02), (MONTH[0], datetime(2026, 11, day, 14, tzinfo=UTC))) for day in (17, 19)]
    for crossing, day in zip(one(view, MONTH, *limits).crossings, (17, 19), strict=True):
        assert crossing.expected is not None
        assert crossing.expected.day == day
        assert 10 <= crossing.expected.hour <= 17


# --------------------------------------------------------------------------------------- laws


@st.composite
def histories(draw: st.DrawFn) -> SpendView:
    """Up to three keys over up to five weeks, busy or not, with holes and an open hour."""
    days = draw(st.integers(1, 36))
    keys = draw(st.integers(1, 3))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    cost = random.gamma(draw(st.sampled_from([0.1, 1.0, 20.0])), 1.0, (keys, days * 24 + 7))
    cost[:, random.random(days * 24 + 7) < draw(st.sampled_from([0.0, 0.3, 0.9]))] = 0.0
    if draw(st.booleans()):
        cost[0, -draw(st.integers(1, 100)) :] *= draw(st.sampled_from([0.0, 30.0]))
    view = view_of(cost, complete=days * 24 + draw(st.integers(0, 7)))
    known = view.known & (random.random(view.hours) > draw(st.sampled_from([0.0, 0.05])))
    return replace(view, known=known)


def running_month(view: SpendView) -> tuple[datetime, datetime]:
    period = period_of("month", "UTC", view.start + view.hours * HOUR)
    return period.start, period.end


def tell(view: SpendView, limits: Sequence[int] = ()) -> Forecast:
    (told,) = forecasts(view, [Group(np.arange(len(view.leaves)), tuple(limits))], *running_month(view))
    return told


@given(histories(), st.lists(st.integers(1, 2000), min_size=2, max_size=4))
@settings(max_examples=25, deadline=None)
def test_what_is_spent_is_a_floor_and_the_bounds_are_in_order(view: SpendView, limits: list[int]) -> None:
    told = tell(view, sorted(limit * DOLLAR for limit in limits))
    first, last = ((moment - view.start) // HOUR for moment in running_month(view))
    known = int(view.cost[:, max(first, 0) : last].sum())
    assert known <= told.low <= told.total <= told.high
    hours = [datetime.min.replace(tzinfo=UTC)] * 3
    for crossing in told.crossings:
        told_hours = (crossing.early, crossing.expected, crossing.late)
        assert (crossing.expected is not None) == (told.total >= crossing.amount)
        assert (crossing.early is not None) == (told.high >= crossing.amount)
        assert (crossing.late is not None) == (told.low >= crossing.amount)
        reached = [each for each in told_hours if each is not None]
        assert reached == sorted(reached)
        for place, each in enumerate(told_hours):
            if each is not None:
                assert hours[place] <= each
                hours[place] = each


@given(histories(), st.integers(1, 5000))
@settings(max_examples=15, deadline=None)
def test_more_in_an_hour_that_is_not_complete_never_lowers_the_forecast(view: SpendView, dollars: int) -> None:
    more = view.cost.copy()
    open_hours = np.flatnonzero(np.arange(view.hours) >= view.index(view.complete_until))
    if not len(open_hours):
        return
    more[0, open_hours[0]] += dollars * DOLLAR
    before, after = tell(view), tell(replace(view, cost=more))
    assert after.total >= before.total
    assert after.low >= before.low


@given(histories(), st.floats(1.0, 50.0))
@settings(max_examples=12, deadline=None)
def test_more_in_the_newest_hours_lowers_the_forecast_by_a_quarter_at_most(view: SpendView, times: float) -> None:
    # It may: what strays more makes the level noisier, and newer days then weigh less. A search found a sixth at most,
    # in a key that is silent in nine hours of ten.
    until = view.index(view.complete_until)
    more = view.cost.copy()
    more[:, max(until - 24, 0) : until] = (more[:, max(until - 24, 0) : until] * times).astype(np.int64)
    assert tell(replace(view, cost=more)).total >= tell(view).total * 0.75


@given(histories())
@settings(max_examples=12, deadline=None)
def test_a_thousand_times_the_money_is_a_thousand_times_the_forecast(view: SpendView) -> None:
    before, after = tell(view), tell(replace(view, cost=view.cost * 1000))
    for side in ("low", "total", "high"):
        assert getattr(after, side) == pytest.approx(1000 * getattr(before, side), rel=1e-6, abs=2000)


@given(histories())
@settings(max_examples=12, deadline=None)
def test_a_forecast_depends_on_neither_company_nor_chance(view: SpendView) -> None:
    groups = [Group(np.array([row])) for row in range(len(view.leaves))] + [Group(np.arange(len(view.leaves)))]
    together = forecasts(view, groups, *running_month(view))
    assert together == [forecasts(view, [group], *running_month(view))[0] for group in groups]
