"""Asking again: which failures are worth it, how long to wait, and when to stop.

stamina decides how often and grows the waits; the waiting itself is done by `pause`, so that a daemon that
is told to stop does not sit in a sleep, and tests wait for nothing.
"""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import stamina
from stamina.instrumentation import set_on_retry_hooks

from watcher.admin_api.errors import AdminApiError

log = logging.getLogger(__name__)

T = TypeVar("T")

# Each retry is told below and to the connection's observer. stamina's own hook would say it a second time, with a wait
# of zero, and on standard output where structlog is not configured.
set_on_retry_hooks(())


class TimeBudget:
    """The seconds that one call, with all its pages and retries, may take."""

    def __init__(self, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._ends = monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, not below zero."""
        return max(0.0, self._ends - self._monotonic())

    def postpone(self, seconds: float) -> None:
        """Move the end: for waiting that was this program's own choice, and not the API's slowness."""
        self._ends += seconds


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently a request is repeated; all times in seconds.

    Waits double from `wait_initial` to `wait_max`, with up to a quarter on top at random so that several
    watchers do not ask in step. A `retry-after` of the API is followed up to `retry_after_max`.
    """

    attempts: int = 6
    wait_initial: float = 0.5
    wait_max: float = 30.0
    retry_after_max: float = 120.0


def ask_until_answered(
    ask: Callable[[], T], *, policy: RetryPolicy, budget: TimeBudget, pause: Callable[[float], None]
) -> T:
    """What `ask` returns, after as many tries as policy and budget allow.

    Only an AdminApiError that is `worth_retrying` is tried again, and only if the wait before it ends
    inside the budget; otherwise the last error is raised as it came. Whatever `pause` raises ends the
    retries.
    """
    wait = backoff = 0.0
    cause: AdminApiError | None = None

    def judge(error: Exception) -> bool | float:
        nonlocal wait, cause
        if not isinstance(error, AdminApiError) or not error.worth_retrying:
            return False
        cause = error
        if error.retry_after is None:
            wait = backoff * (1 + random.random() / 4)  # noqa: S311 (jitter, not cryptography)
        else:
            wait = min(error.retry_after, policy.retry_after_max)
        return 0.0 if wait < budget.remaining() else False

    for attempt in stamina.retry_context(
        on=judge,
        attempts=policy.attempts,
        timeout=None,  # the budget spans all pages of a call, so it is kept here
        wait_initial=policy.wait_initial,
        wait_max=policy.wait_max,
        wait_jitter=0,
    ):
        backoff = attempt.next_wait
        with attempt:
            if cause is not None:
                log.info("asking again in %.1f s, try %d: %s", wait, attempt.num, cause)
                pause(wait)
            return ask()
    raise AssertionError("stamina neither returned nor raised")
