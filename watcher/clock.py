"""The one place that reads the time. Everything else is given a `Clock`, or a `now`."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Time as the program sees it: aware UTC, and waiting in the same measure."""

    @property
    def speed(self) -> float:
        """How many of this clock's seconds pass in a real second; 1 outside drills."""

    def now(self) -> datetime:
        """The present moment, timezone-aware UTC."""

    def wait(self, duration: timedelta, until: threading.Event) -> bool:
        """Wait that long on this clock, or until the event is set; returns whether it was set."""


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's clock."""

    speed: float = 1.0

    def now(self) -> datetime:
        """The present moment, timezone-aware UTC."""
        return datetime.now(UTC)

    def wait(self, duration: timedelta, until: threading.Event) -> bool:
        """Wait that long, or until the event is set; returns whether it was set."""
        return until.wait(max(duration.total_seconds(), 0.0))


@dataclass(frozen=True, slots=True)
class DrillClock:
    """A clock for drills: it begins at `start` when it is made, and runs `speed` times as fast as the machine's."""

    start: datetime
    speed: float = 1.0
    began: float = field(default_factory=time.monotonic)

    def now(self) -> datetime:
        """The present moment on this clock, timezone-aware UTC."""
        return self.start + timedelta(seconds=(time.monotonic() - self.began) * self.speed)

    def wait(self, duration: timedelta, until: threading.Event) -> bool:
        """Wait that long on this clock, or until the event is set; returns whether it was set."""
        return until.wait(max(duration.total_seconds() / self.speed, 0.0))


def wall_minus_monotonic() -> float:
    """Seconds by which the machine's wall clock is ahead of its monotonic one; it changes only when a clock is set."""
    return time.time() - time.monotonic()


def wall_now() -> datetime:
    """The machine's wall clock, aware UTC, whatever clock the program runs on: for what is scheduled in real time."""
    return datetime.now(UTC)


_DRILL = re.compile(r"(?P<start>[^@]+)(?:@(?P<speed>[0-9.]+))?")


def parse_drill(text: str) -> DrillClock:
    """Read `WATCHER_CLOCK`: a UTC time, and after an `@` how fast to run ("2026-11-30T22:00:00Z@600").

    Raises ValueError with a sentence that says what would be right.
    """
    right = 'WATCHER_CLOCK must look like "2026-11-30T22:00:00Z@600" (a UTC time, then how many times faster)'
    match = _DRILL.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{right}, not {text!r}")
    try:
        start = datetime.fromisoformat(match["start"])
        speed = float(match["speed"] or 1)
    except ValueError:
        raise ValueError(f"{right}, not {text!r}") from None
    if start.tzinfo is None or not 0 < speed <= 1_000_000:
        raise ValueError(f"{right}, not {text!r}")
    return DrillClock(start.astimezone(UTC), speed)
