"""The drill clock, and how it is asked for."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from watcher.clock import DrillClock, SystemClock, parse_drill


def test_a_drill_clock_begins_where_it_is_told_and_runs_as_fast_as_it_is_told() -> None:
    clock = parse_drill("2026-11-30T22:00:00Z@600")
    first = clock.now()
    time.sleep(0.05)
    assert timedelta(0) <= first - datetime(2026, 11, 30, 22, tzinfo=UTC) < timedelta(hours=5)
    assert clock.now() - first >= timedelta(seconds=29)


def test_waiting_on_a_drill_clock_takes_its_own_seconds() -> None:
    began = time.monotonic()
    assert not DrillClock(datetime(2026, 1, 1, tzinfo=UTC), 600).wait(timedelta(minutes=1), threading.Event())
    assert 0.05 < time.monotonic() - began < 30


def test_a_wait_ends_when_its_event_is_set() -> None:
    event = threading.Event()
    event.set()
    assert SystemClock().wait(timedelta(hours=1), event)


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2026-11-30", "2026-11-30T22:00:00", "2026-11-30T22:00:00Z@", "2026-11-30T22:00:00Z@0",
     "2026-11-30T22:00:00Z@-1", "2026-11-30T22:00:00Z@fast", "2026-11-30T22:00:00Z@9999999999", "@600"],
)  # fmt: skip
def test_a_drill_that_cannot_be_read_is_refused_with_what_would_be_right(text: str) -> None:
    with pytest.raises(ValueError, match="must look like"):
        parse_drill(text)


def test_another_zone_is_read_as_the_same_moment() -> None:
    assert parse_drill("2026-11-30T23:00:00+01:00").start == datetime(2026, 11, 30, 22, tzinfo=UTC)
