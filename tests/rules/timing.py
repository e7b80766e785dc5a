"""Bounds on what a judgement may compute: they catch a step per pair of alerts, not a machine that is busy."""

from __future__ import annotations

from collections.abc import Callable
from time import process_time
from typing import TypeVar

import pytest

Found = TypeVar("Found")

MANY = 10_000
"""As many alerts as are promised; the usual run has half of them and half the time, in which no step per pair fits."""
SIZES = [MANY // 2, pytest.param(MANY, marks=pytest.mark.slow)]


def within(seconds: float, work: Callable[[], Found]) -> Found:
    """What the work finds, which one of three attempts has to find in so many seconds of the processor."""
    taken = []
    for _ in range(3):
        begin = process_time()
        found = work()
        taken.append(process_time() - begin)
        if taken[-1] < seconds:
            return found
    raise AssertionError(f"{min(taken):.2f} s at best, and may take {seconds:.2f}")
