"""No more requests in any stretch of time than are allowed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.admin_api.pacing import Pacer


class Clock:
    """Time that passes by waiting, and by what happens in between."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[float] = []

    def pause(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


def pacer(clock: Clock, requests: int = 3, seconds: float = 60.0) -> Pacer:
    return Pacer(requests, seconds, pause=clock.pause, monotonic=lambda: clock.now)


def test_what_is_allowed_passes_at_once_and_the_next_waits_for_the_oldest() -> None:
    clock = Clock()
    paced = pacer(clock)
    assert [paced.take_turn() for _ in range(3)] == [0.0, 0.0, 0.0]
    clock.now += 10
    assert paced.delay() == 50.0
    assert paced.take_turn() == 50.0
    assert clock.waits == [50.0]


def test_time_that_passes_by_itself_is_not_waited_for_again() -> None:
    clock = Clock()
    paced = pacer(clock, requests=1)
    paced.take_turn()
    clock.now += 61
    assert paced.take_turn() == 0.0
    assert clock.waits == []


def test_a_pause_that_was_broken_off_counts_nothing() -> None:
    def told_to_stop(_: float) -> None:
        raise InterruptedError

    clock = Clock()
    paced = Pacer(1, 60.0, pause=told_to_stop, monotonic=lambda: clock.now)
    paced.take_turn()
    for _ in range(2):
        with pytest.raises(InterruptedError):
            paced.take_turn()
    clock.now += 60
    assert paced.take_turn() == 0.0


@given(
    requests=st.integers(1, 5),
    seconds=st.floats(1, 100),
    gaps=st.lists(st.floats(0, 50), min_size=1, max_size=40),
)
def test_no_stretch_of_time_ever_holds_more_than_is_allowed(requests: int, seconds: float, gaps: list[float]) -> None:
    clock = Clock()
    paced = pacer(clock, requests, seconds)
    passed = []
    for gap in gaps:
        clock.now += gap
        paced.take_turn()
        passed.append(clock.now)
    for first, later in zip(passed, passed[requests:], strict=False):
        assert later - first >= seconds - 1e-6
