"""How many requests an endpoint takes in a stretch of simulated time."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from http import HTTPStatus

from watcher.simulator.errors import ApiError
from watcher.simulator.moments import seconds


class Quota:
    """Takes `requests` in any stretch of `length` seconds, and refuses the others."""

    def __init__(self, requests: int, length: float) -> None:
        self._length = length
        self._taken: deque[float] = deque(maxlen=requests)

    def take(self, now: datetime) -> None:
        """Count one request. Raises ApiError (429, which says nothing of when to come back) for one too many."""
        moment = seconds(now)
        if len(self._taken) == self._taken.maxlen and moment - self._taken[0] < self._length:
            raise ApiError(HTTPStatus.TOO_MANY_REQUESTS, "This request would exceed the rate limit of this endpoint.")
        self._taken.append(moment)
