"""What an anomaly rule may be given beside its floor: false alarms as a budget, and single numbers.

Readers as in `watcher.config.values`: each returns the value, or raises `Wrong` with a clause that says what is right.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

from watcher.config.problems import Wrong, shown

A_YEAR = {"week": 365.25 / 7, "month": 12.0, "quarter": 4.0, "year": 1.0}
MOST = 10_000
_RATE = re.compile(r"([0-9]{1,6}) (?:per|a|an) (week|month|quarter|year)")
_RIGHT = 'must be a number of alarms such as "1 per week", "2 per month" or "12 per year"'


def a_year(value: object) -> float:
    """So many alarms a year, from "1 per week", "2 per month", "4 per quarter" or "12 per year"."""
    found = _RATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise Wrong(f"{_RIGHT}, not {shown(value)}")
    count = int(found[1])
    if not 1 <= count <= MOST:
        raise Wrong(f"{_RIGHT}: from 1 to {MOST}, not {shown(value)}")
    return count * A_YEAR[found[2]]


def number(least: float, most: float) -> Callable[[object], float]:
    """A reader of plain numbers within these bounds, both allowed."""

    def read(value: object) -> float:
        good = isinstance(value, int | Decimal) and not isinstance(value, bool) and Decimal(value).is_finite()
        if not good or not least <= float(value) <= most:  # type: ignore[arg-type]
            raise Wrong(f"must be a number from {least:g} to {most:g} (without quotation marks), not {shown(value)}")
        return float(value)  # type: ignore[arg-type]

    return read
