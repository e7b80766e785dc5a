"""How spend came to what it is: the running sum of a period at a few even steps, frozen with an alert for its chart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from rules.scope import HOUR, Nano

MOST = 60
"""Steps, whatever the period's length."""


@dataclass(frozen=True, slots=True)
class Course:
    """The running sum over the first `hours` of a period: after every step, and at the end."""

    hours: int
    spent: tuple[Nano, ...]

    def stands(self, start: datetime) -> Iterator[tuple[datetime, Nano]]:
        """When each sum was reached, of a period that starts then."""
        step = _step(self.hours)
        for number, nano in enumerate(self.spent, start=1):
            yield start + min(number * step, self.hours) * HOUR, nano


def course_of(running: npt.NDArray[np.int64]) -> Course | None:
    """The course of these running sums, one an hour from the period's first; None of none."""
    hours = len(running)
    if not hours:
        return None
    places = np.append(np.arange(_step(hours) - 1, hours - 1, _step(hours)), hours - 1)
    return Course(hours, tuple(running[places].tolist()))


def _step(hours: int) -> int:
    return -(-hours // MOST)
