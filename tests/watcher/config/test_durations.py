"""Durations as people write them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.config.durations import parse_duration, spell_duration, write_duration
from watcher.config.problems import Wrong


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("0s", 0), ("90s", 90), ("5m", 300), ("1h", 3600), ("60d", 5_184_000), ("2w", 1_209_600), ("2h30m", 9000)],
)
def test_durations_are_read(written: str, seconds: int) -> None:
    assert parse_duration(written) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "written", ["", "5", "5 m", "m", "1.5h", "30m2h", "5m5m", "5M", "+5m", "٥m", "1y", "5m\n", 300, 5.0, True, None, []]
)
def test_anything_else_is_refused_with_what_would_be_right(written: object) -> None:
    with pytest.raises(Wrong, match='must be a duration such as "90s"'):
        parse_duration(written)


def test_a_negative_one_and_an_absurd_one_are_told_as_such() -> None:
    with pytest.raises(Wrong, match="must not be negative"):
        parse_duration("-5m")
    with pytest.raises(Wrong, match="longer than any"):
        parse_duration("999999999w999999999d")


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=36_525)))
def test_what_is_written_is_read_back(duration: timedelta) -> None:
    whole = duration - timedelta(microseconds=duration.microseconds)
    assert parse_duration(write_duration(whole)) == whole


def test_durations_are_spelt_in_words() -> None:
    assert spell_duration(timedelta(days=60)) == "60 days"
    assert spell_duration(timedelta(hours=1, seconds=2)) == "1 hour 2 seconds"
    assert spell_duration(timedelta(0)) == "0 seconds"
