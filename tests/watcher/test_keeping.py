from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from notifiers.base import DeliveryError
from rules.model import Notification
from tests.stage import NOW
from watcher.keeping import MOST_ROUNDS, Keeping, keep_current
from watcher.store import StoreError


@dataclass
class Shown:
    """A receiver that answers each round as the list says, and then that nothing is left."""

    answers: list[bool | Exception] = field(default_factory=list)
    name: str = "ops"
    rounds: int = 0

    def send(self, notification: Notification) -> None:
        raise AssertionError

    def keep_current(self, _now: object) -> bool:
        self.rounds += 1
        answer = self.answers.pop(0) if self.answers else False
        if isinstance(answer, Exception):
            raise answer
        return answer


class Plain:
    name = "plain"

    def send(self, notification: Notification) -> None:
        raise AssertionError


def down(after: float | None = None) -> DeliveryError:
    return DeliveryError("down", retryable=True, retry_after=after)


def at(seconds: Sequence[float]) -> Callable[[], float]:
    times = iter(seconds)
    return lambda: next(times)


def test_a_receiver_whose_messages_cannot_be_changed_is_left_alone() -> None:
    assert Keeping().tend(Plain(), NOW)
    keep_current(Plain(), NOW)


def test_one_that_fails_is_asked_again_later_and_later(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    keeping, receiver = Keeping(lambda: now[0]), Shown([down(), down(), down(40.0), RuntimeError()])
    asked = []
    for second in range(200):
        now[0] = float(second)
        keeping.tend(receiver, NOW)
        asked += [second] * (receiver.rounds - len(asked))
    assert asked[:4] == [0, 5, 35, 155]
    assert "do not show yet" in caplog.text


def test_what_fails_is_told_and_what_succeeds_begins_anew() -> None:
    keeping, receiver = Keeping(at(range(0, 1000, 100))), Shown([down(), False])
    assert [keeping.tend(receiver, NOW) for _ in range(3)] == [False, True, True]


def test_a_store_that_fails_is_the_callers_to_tell() -> None:
    for run in (Keeping().tend, keep_current):
        with pytest.raises(StoreError):
            run(Shown([StoreError("full")]), NOW)  # type: ignore[operator]


def test_a_single_poll_goes_on_until_nothing_is_left() -> None:
    receiver = Shown([True, True, False])
    keep_current(receiver, NOW)
    assert receiver.rounds == 3
    endless = Shown([True] * 1000)
    keep_current(endless, NOW)
    assert endless.rounds == MOST_ROUNDS + 1
    keep_current(Shown([down()]), NOW)
