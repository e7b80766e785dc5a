"""The schedule keeps its intervals, whatever happens to the clock."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from tests.stage import until
from watcher.clock import DrillClock
from watcher.schedule import Schedule

START = datetime(2026, 11, 20, tzinfo=UTC)


@contextmanager
def running(schedule: Schedule) -> Iterator[None]:
    schedule.start()
    try:
        yield
    finally:
        schedule.stop()


def test_a_job_runs_at_once_and_then_at_its_interval_of_the_programs_clock() -> None:
    runs = threading.Semaphore(0)
    schedule = Schedule(DrillClock(START, speed=600))
    schedule.every("job", timedelta(minutes=3), runs.release)
    with running(schedule):
        assert all(runs.acquire(timeout=60) for _ in range(4))


def test_a_job_asked_for_soon_does_not_wait_for_its_interval() -> None:
    runs = threading.Semaphore(0)
    schedule = Schedule(DrillClock(START))
    schedule.every("job", timedelta(hours=1), runs.release, at_once=False)
    with running(schedule):
        assert not runs.acquire(timeout=0.3)
        schedule.soon("job")
        assert runs.acquire(timeout=60)


def test_a_job_that_fails_runs_again_the_next_time() -> None:
    runs = threading.Semaphore(0)

    def fail() -> None:
        runs.release()
        raise RuntimeError("on purpose")

    schedule = Schedule(DrillClock(START))
    schedule.every("job", timedelta(seconds=0.3), fail)
    with running(schedule):
        assert all(runs.acquire(timeout=60) for _ in range(3))


def test_a_job_never_runs_twice_at_once() -> None:
    inside, most, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        time.sleep(0.7)
        with lock:
            inside -= 1

    schedule = Schedule(DrillClock(START))
    schedule.every("job", timedelta(seconds=0.2), work)
    with running(schedule):
        time.sleep(1.5)
    assert most == 1


def test_a_clock_that_is_set_puts_every_job_back_on_its_interval() -> None:
    offset, jumps = 0.0, []
    looked, told = threading.Event(), threading.Event()

    def look() -> float:
        found = offset
        looked.set()
        return found

    def jumped(seconds: float) -> None:
        jumps.append(seconds)
        told.set()

    schedule = Schedule(DrillClock(START), wall_offset=look, on_jump=jumped)
    runs = threading.Semaphore(0)
    schedule.every("job", timedelta(seconds=1), runs.release, at_once=False)
    with running(schedule):
        assert looked.wait(60)
        offset = -3600.0
        assert told.wait(60)
        assert runs.acquire(timeout=60)
    assert jumps == [-3600.0]


def test_a_forgotten_job_runs_no_more() -> None:
    runs = threading.Semaphore(0)
    schedule = Schedule(DrillClock(START))
    schedule.every("job", timedelta(seconds=0.2), runs.release)
    with running(schedule):
        assert runs.acquire(timeout=60)
        schedule.forget("job")
        assert until(lambda: not runs.acquire(timeout=0.6)), "a run may have begun before"
