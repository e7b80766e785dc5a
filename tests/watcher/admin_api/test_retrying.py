"""How long the waits are, and when they end."""

import pytest

from watcher.admin_api.errors import BadRequest, Unavailable
from watcher.admin_api.retrying import RetryPolicy, TimeBudget, ask_until_answered


class Passing:
    """Time that passes only by pausing."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def budget(self, seconds: float) -> TimeBudget:
        return TimeBudget(seconds, lambda: sum(self.pauses))


def always_failing(retry_after: float | None = None):
    def ask() -> None:
        raise Unavailable("/v1/x", 503, None, "down", retry_after=retry_after)

    return ask


def test_waits_double_up_to_their_maximum_with_a_little_chance_on_top() -> None:
    time = Passing()
    policy = RetryPolicy(attempts=9, wait_initial=1, wait_max=20)
    with pytest.raises(Unavailable):
        ask_until_answered(always_failing(), policy=policy, budget=time.budget(1000), pause=time.pause)
    expected = [1, 2, 4, 8, 16, 20, 20, 20]
    assert len(time.pauses) == len(expected)
    assert all(base <= pause <= base * 1.25 for base, pause in zip(expected, time.pauses, strict=True))


def test_what_the_api_asks_to_wait_is_waited_up_to_a_limit() -> None:
    time = Passing()
    policy = RetryPolicy(attempts=3, retry_after_max=60)
    with pytest.raises(Unavailable):
        ask_until_answered(always_failing(3600), policy=policy, budget=time.budget(1000), pause=time.pause)
    assert time.pauses == [60, 60]


def test_no_wait_begins_that_would_outlast_the_budget() -> None:
    time = Passing()
    with pytest.raises(Unavailable):
        ask_until_answered(always_failing(30), policy=RetryPolicy(), budget=time.budget(70), pause=time.pause)
    assert time.pauses == [30, 30]


def test_an_error_that_is_not_worth_it_is_raised_at_once() -> None:
    time = Passing()
    calls = []

    def ask() -> None:
        calls.append(1)
        raise BadRequest("/v1/x", 400, None, "no")

    with pytest.raises(BadRequest):
        ask_until_answered(ask, policy=RetryPolicy(), budget=time.budget(70), pause=time.pause)
    assert (len(calls), time.pauses) == (1, [])


def test_errors_of_the_program_itself_are_not_hidden_by_retries() -> None:
    time = Passing()
    calls = []

    def ask() -> None:
        calls.append(1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ask_until_answered(ask, policy=RetryPolicy(), budget=time.budget(70), pause=time.pause)
    assert len(calls) == 1
