from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from watcher.watermark import (
    GIVEN_UP_AFTER,
    LONGEST_SETTLING,
    REMEMBERED,
    SETTLING,
    LateChange,
    cost_watermark,
    settling_time,
    usage_watermark,
)

T0 = datetime(2026, 11, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def late(by: timedelta, *, before: timedelta | None = None, share: float = 0.5) -> LateChange:
    end = T0 + HOUR
    return LateChange(T0, end + (by - 5 * MINUTE if before is None else before), end + by, share)


def read_at(age: timedelta, *hours: int) -> dict[datetime, datetime]:
    return {T0 + hour * HOUR: T0 + (hour + 1) * HOUR + age for hour in hours}


def test_nothing_read_is_nothing_complete() -> None:
    assert usage_watermark({}, T0).complete_until is None
    assert cost_watermark({}, T0).complete_until is None


def test_an_hour_is_complete_once_it_ended_a_settling_time_ago_and_was_read_since() -> None:
    believed = read_at(SETTLING, 0, 1)
    assert usage_watermark(believed, T0 + HOUR + SETTLING - MINUTE).complete_until == T0
    assert usage_watermark(believed, T0 + HOUR + SETTLING).complete_until == T0 + HOUR
    assert usage_watermark(believed, T0 + 9 * HOUR).complete_until == T0 + 2 * HOUR
    early = believed | read_at(SETTLING - MINUTE, 1)
    assert usage_watermark(early, T0 + 9 * HOUR).complete_until == T0 + HOUR


def test_a_hole_stops_the_watermark_and_is_told() -> None:
    watermark = usage_watermark(read_at(DAY, 0, 1, 4), T0 + 9 * HOUR)
    assert watermark.complete_until == T0 + 2 * HOUR
    assert watermark.holes == ((T0 + 2 * HOUR, T0 + 4 * HOUR),)


def test_an_hour_that_answers_leave_out_for_three_days_is_passed_over_and_stays_a_hole() -> None:
    believed, now = read_at(DAY, 0, 2), T0 + 9 * DAY
    missing = T0 + HOUR
    patient = {missing: missing + HOUR + GIVEN_UP_AFTER - MINUTE}
    assert usage_watermark(believed, now, asked=patient).complete_until == missing
    watermark = usage_watermark(believed, now, asked={missing: missing + HOUR + GIVEN_UP_AFTER})
    assert watermark.complete_until == T0 + 3 * HOUR
    assert watermark.holes == ((missing, missing + HOUR),)


def test_what_was_complete_stays_so_when_the_settling_time_grows_or_the_clock_is_set_back() -> None:
    believed, previous = read_at(SETTLING, 0, 1, 2), T0 + 3 * HOUR
    now = T0 + 4 * HOUR
    assert usage_watermark(believed, now, LONGEST_SETTLING, previous=previous).complete_until == previous
    assert usage_watermark(believed, T0, previous=previous).complete_until == previous


def test_a_hole_behind_the_watermark_moves_it_back() -> None:
    watermark = usage_watermark(read_at(DAY, 0, 2, 3), T0 + 9 * HOUR, previous=T0 + 4 * HOUR)
    assert watermark.complete_until == T0 + HOUR


def test_lateness_counts_only_when_it_is_material_and_the_hour_had_counted_as_complete() -> None:
    now = T0 + 3 * HOUR
    assert settling_time([], now) == SETTLING
    assert settling_time([late(50 * MINUTE, share=0.001)], now) == SETTLING
    assert settling_time([late(50 * MINUTE, before=10 * MINUTE)], now) == SETTLING
    assert settling_time([late(50 * MINUTE)], T0 + HOUR + 50 * MINUTE) == 50 * MINUTE


def test_lateness_is_bounded_and_fades_within_a_week() -> None:
    seen = T0 + HOUR + 30 * HOUR
    change = late(30 * HOUR)
    assert settling_time([change], seen) == LONGEST_SETTLING
    assert settling_time([change], seen + REMEMBERED / 2) == SETTLING + (LONGEST_SETTLING - SETTLING) / 2
    assert settling_time([change], seen + REMEMBERED) == SETTLING


def test_where_nobody_looked_for_long_lateness_is_an_hour_after_the_last_look() -> None:
    change = late(5 * HOUR, before=30 * MINUTE)
    assert settling_time([change], T0 + HOUR + 5 * HOUR) == 90 * MINUTE


def test_a_cost_day_is_complete_once_it_was_read_after_its_end() -> None:
    first = date(2026, 11, 2)
    read = {first: T0 + DAY, first + DAY: T0 + 2 * DAY - MINUTE}
    assert cost_watermark(read, T0 + 5 * DAY).complete_until == T0 + DAY
    read[first + DAY] = T0 + 2 * DAY
    assert cost_watermark(read, T0 + 2 * DAY).complete_until == T0 + 2 * DAY
    assert cost_watermark(read, T0, previous=T0 + 2 * DAY).complete_until == T0 + 2 * DAY


def test_a_cost_day_that_is_missing_holds_the_watermark_for_three_days() -> None:
    first = date(2026, 11, 2)
    read = {first: T0 + 9 * DAY, first + 2 * DAY: T0 + 9 * DAY}
    assert (
        cost_watermark(read, T0 + 2 * DAY + GIVEN_UP_AFTER - MINUTE, previous=T0 + 3 * DAY).complete_until == T0 + DAY
    )
    assert cost_watermark(read, T0 + 9 * DAY).complete_until == T0 + 3 * DAY


def test_a_stall_that_ends_is_not_lateness_but_for_the_latest_hour_it_fills() -> None:
    seen, before = T0 + 6 * HOUR + 30 * MINUTE, T0 + 6 * HOUR + 20 * MINUTE
    half = LateChange(T0, before, seen, 0.5)
    filled = [LateChange(T0 + hour * HOUR, before, seen, 1.0, from_nothing=True) for hour in range(1, 5)]
    assert settling_time([half, *filled], seen) == 90 * MINUTE
    assert settling_time([half], seen) > 5 * HOUR
    for hour in range(3):
        at = T0 + hour * HOUR + 150 * MINUTE
        one_by_one = LateChange(T0 + hour * HOUR, at - 5 * MINUTE, at, 1.0, from_nothing=True)
        assert settling_time([one_by_one], at) == 90 * MINUTE, "hours that come one by one are late"


READ = st.dictionaries(
    st.integers(0, 12).map(lambda hour: T0 + hour * HOUR),
    st.integers(0, 20 * 60).map(lambda minutes: T0 + minutes * MINUTE),
)
NOW = st.integers(0, 24 * 60).map(lambda minutes: T0 + minutes * MINUTE)
SETTLE = st.integers(0, 6 * 60).map(lambda minutes: minutes * MINUTE)


@given(believed=READ, now=NOW, settling=SETTLE)
def test_every_hour_before_the_watermark_was_read_a_settling_time_after_its_end(
    believed: dict[datetime, datetime], now: datetime, settling: timedelta
) -> None:
    watermark = usage_watermark(believed, now, settling)
    if watermark.complete_until is None:
        assert not believed
        return
    hour = min(believed)
    assert watermark.complete_until <= max(now - settling, hour)
    while hour < watermark.complete_until:
        assert believed[hour] >= hour + HOUR + settling
        hour += HOUR
    assert hour + HOUR + settling > now or believed.get(hour, T0) < hour + HOUR + settling


@given(believed=READ, earlier=NOW, later=NOW, settling=SETTLE, longer=SETTLE)
def test_without_a_hole_the_watermark_never_moves_back(
    believed: dict[datetime, datetime], earlier: datetime, later: datetime, settling: timedelta, longer: timedelta
) -> None:
    before = usage_watermark(believed, earlier, settling).complete_until
    after = usage_watermark(believed, later, longer, previous=before)
    assert before is None or (after.complete_until is not None and after.complete_until >= before)


@given(
    changes=st.lists(
        st.builds(late, st.integers(0, 3000).map(lambda m: m * MINUTE), share=st.floats(0, 1)), max_size=5
    ),
    more=st.integers(0, 3000),
    now=st.integers(0, 20000),
)
def test_the_settling_time_stays_in_its_bounds_and_more_lateness_never_shortens_it(
    changes: list[LateChange], more: int, now: int
) -> None:
    at = T0 + now * MINUTE
    found = settling_time(changes, at)
    assert SETTLING <= found <= LONGEST_SETTLING
    assert settling_time([*changes, late(more * MINUTE)], at) >= found
