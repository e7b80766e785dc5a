from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from rules.course import MOST, course_of

START = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize("hours", [1, 2, 59, 60, 61, 120, 121, 455, 744])
def test_a_period_is_told_by_a_few_even_steps_and_its_end(hours: int) -> None:
    course = course_of(np.arange(1, hours + 1))
    assert course is not None
    stands = list(course.stands(START))
    assert len(stands) <= MOST
    assert stands[-1] == (START + timedelta(hours=hours), hours)
    assert all(moment == START + timedelta(hours=spent) for moment, spent in stands)
    gaps = {int((b - a) / timedelta(hours=1)) for (a, _), (b, _) in pairwise(stands[:-1])}
    assert len(gaps) <= 1


def test_of_nothing_there_is_no_course() -> None:
    assert course_of(np.zeros(0, dtype=np.int64)) is None
