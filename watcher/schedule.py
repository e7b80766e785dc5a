"""When things run: APScheduler, with what it lacks for a clock that is set back.

APScheduler 3.11 goes by the wall clock: set back an hour, an interval job stays silent for an hour and no event says
so, whatever the misfire setting. A watch compares wall and monotonic time and puts every job back on its interval.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Any

from apscheduler.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
    JobEvent,
)
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from watcher.clock import Clock, wall_minus_monotonic, wall_now
from watcher.logs import logger

log = logger(__name__)

_JUMP = 2.0  # seconds by which wall and monotonic time may drift apart between two looks
_LOOK = 0.5  # seconds between looks
_SHORTEST = 0.2  # real seconds: an accelerated clock must not turn a schedule into a busy loop


class Schedule:
    """Named jobs at intervals measured on the program's clock; at most one run of each at a time, none forgotten."""

    def __init__(
        self,
        clock: Clock,
        *,
        threads: int = 8,
        wall_offset: Callable[[], float] = wall_minus_monotonic,
        on_jump: Callable[[float], None] = lambda _seconds: None,
    ) -> None:
        """`wall_offset` gives wall minus monotonic seconds; a change of it between two looks is a clock jump."""
        self._clock = clock
        self._wall_offset = wall_offset
        self._on_jump = on_jump
        self._stopping = threading.Event()
        self._watch = threading.Thread(target=self._watch_clock, name="clock-watch", daemon=True)
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(threads)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._scheduler.add_listener(self._report, EVENT_JOB_ERROR | EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)

    def every(self, name: str, interval: timedelta, run: Callable[[], Any], *, at_once: bool = True) -> None:
        """Run a function at this interval of the program's clock; the first run comes at once unless told otherwise."""
        options: dict[str, Any] = {"next_run_time": wall_now()} if at_once else {}
        self._scheduler.add_job(run, self._trigger(interval), id=name, name=name, replace_existing=True, **options)

    def forget(self, name: str) -> None:
        """Take a job away; nothing happens if there is none of that name."""
        if self._scheduler.get_job(name) is not None:
            self._scheduler.remove_job(name)

    def soon(self, name: str) -> None:
        """Run a job now rather than when its interval has passed."""
        if not self._stopping.is_set() and (job := self._scheduler.get_job(name)) is not None:
            job.modify(next_run_time=wall_now())

    def start(self) -> None:
        """Begin to run jobs, in threads of the scheduler's own."""
        self._scheduler.start()
        self._watch.start()

    def stop(self) -> None:
        """Start nothing more; what is running is left to end by itself."""
        self._stopping.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def _trigger(self, interval: timedelta) -> IntervalTrigger:
        real = max(interval.total_seconds() / self._clock.speed, _SHORTEST)
        return IntervalTrigger(seconds=real, timezone=UTC)

    def _watch_clock(self) -> None:
        before = self._wall_offset()
        while not self._stopping.wait(_LOOK):
            offset = self._wall_offset()
            if abs(offset - before) > _JUMP:
                self._put_back(offset - before)
            before = offset

    def _put_back(self, seconds: float) -> None:
        log.warning("the clock jumped; every job is put back on its interval", seconds=round(seconds, 1))
        self._on_jump(seconds)
        for job in self._scheduler.get_jobs():
            job.reschedule(job.trigger)

    def _report(self, event: JobEvent) -> None:
        if event.code == EVENT_JOB_ERROR:
            log.error("a job failed", job=event.job_id, error=repr(event.exception))
        elif event.code == EVENT_JOB_MISSED:
            log.warning("a job ran late", job=event.job_id)
        else:
            log.debug("a job is still running; its next turn is skipped", job=event.job_id)
