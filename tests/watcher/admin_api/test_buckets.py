"""Bounds are widened to whole buckets, whatever the zone they come in."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.admin_api.buckets import DAY, HOUR, BucketSequence

moments = st.datetimes(
    min_value=datetime(2020, 1, 1),  # noqa: DTZ001 (the strategy adds the zone)
    max_value=datetime(2030, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-8))]),
)


@given(
    start=moments, length=st.timedeltas(timedelta(seconds=1), timedelta(days=40)), width=st.sampled_from([HOUR, DAY])
)
def test_the_widened_range_holds_the_asked_one_and_little_more(
    start: datetime, length: timedelta, width: timedelta
) -> None:
    sequence = BucketSequence("/v1/x", width, start, start + length)
    assert sequence.ending_at is not None
    assert sequence.starting_at <= start < sequence.starting_at + width
    assert sequence.ending_at - width < start + length <= sequence.ending_at
    assert sequence.starting_at.tzinfo is UTC
    assert (sequence.ending_at - sequence.starting_at) % width == timedelta(0)
    assert sequence.starting_at.minute == sequence.starting_at.second == sequence.starting_at.microsecond == 0
    assert width is HOUR or sequence.starting_at.hour == 0


def test_a_range_without_an_end_is_never_complete() -> None:
    sequence = BucketSequence("/v1/x", DAY, datetime(2026, 11, 1, 5, tzinfo=UTC), None)
    assert sequence.starting_at == datetime(2026, 11, 1, tzinfo=UTC)
    assert (sequence.ending_at, sequence.complete) == (None, False)


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="with a zone"):
        BucketSequence("/v1/x", DAY, datetime(2026, 11, 1), None)  # noqa: DTZ001 (the mistake under test)
