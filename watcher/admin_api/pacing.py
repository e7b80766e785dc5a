"""Asking no oftener than allowed: so many requests in any stretch of so many seconds."""

from collections import deque
from collections.abc import Callable


class Pacer:
    """Lets `requests` through at once, then makes the next wait until the oldest is `seconds` ago.

    It knows only the clock and the pause it is given. Not thread-safe: one reader, one pacer.
    """

    def __init__(
        self, requests: int, seconds: float, *, pause: Callable[[float], None], monotonic: Callable[[], float]
    ) -> None:
        self._seconds = seconds
        self._pause = pause
        self._monotonic = monotonic
        self._passed: deque[float] = deque(maxlen=requests)

    def delay(self) -> float:
        """Seconds until the next may pass; zero when it may now."""
        if len(self._passed) < (self._passed.maxlen or 0):
            return 0.0
        return max(0.0, self._passed[0] + self._seconds - self._monotonic())

    def take_turn(self) -> float:
        """Wait as long as needed, count one as passed, and say how long the wait was.

        Whatever the pause raises ends it, and nothing is counted.
        """
        delay = self.delay()
        if delay > 0:
            self._pause(delay)
        self._passed.append(self._monotonic())
        return delay
