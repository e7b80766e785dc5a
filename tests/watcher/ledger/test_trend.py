from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.ledger.trend import MOST_BARS, trend_of

FIRST = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("hours", "length", "bars"),
    [(2, 1, 2), (14, 1, 14), (15, 2, 8), (24, 2, 12), (168, 12, 14), (169, 24, 8), (467, 48, 10)],
)
def test_bars_are_parts_of_a_day_or_whole_days(hours: int, length: int, bars: int) -> None:
    trend = trend_of(FIRST, FIRST + hours * HOUR)
    assert trend is not None
    assert (trend.hours, trend.bars) == (length, bars)


def test_a_single_hour_has_no_trend() -> None:
    assert trend_of(FIRST, FIRST + HOUR) is None


@given(st.lists(st.integers(-(10**12), 10**15), min_size=2, max_size=3000), st.data())
def test_every_hour_is_in_one_bar_and_no_bar_is_empty(hours: list[int], data: st.DataObject) -> None:
    trend = trend_of(FIRST, FIRST + len(hours) * HOUR)
    assert trend is not None
    assert trend.bars <= MOST_BARS
    assert (trend.bars - 1) * trend.hours + trend.last == len(hours)
    assert 1 <= trend.last <= trend.hours
    cut = data.draw(st.integers(0, len(hours)))
    money = np.array([hours], dtype=np.int64)
    sums = trend.sums(FIRST, money[:, :cut]) + trend.sums(FIRST + cut * HOUR, money[:, cut:])
    length = trend.hours
    assert sums.tolist() == [[sum(hours[at * length : (at + 1) * length]) for at in range(trend.bars)]]


def test_a_short_last_bar_is_scaled_to_the_length_of_the_others() -> None:
    trend = trend_of(FIRST, FIRST + 27 * HOUR)
    assert trend is not None
    assert (trend.hours, trend.last) == (2, 1)
    assert trend.evened((8,) * 13 + (4,)) == (8,) * 14
