"""The picture of docs/anomaly.md: what the baseline makes of a key that is made up, by the rules' own code.

    python -m benchmarks.anomaly_pictures [FOLDER]

A key that works office hours, and grows, burns for four hours at six times its usual.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt

from notifiers.chart import Chart, Point, png
from rules.materiality import Floors
from rules.profile import DAY
from rules.seasonal import Baseline, walk

Floats = npt.NDArray[np.float64]

MONDAY = datetime(2026, 9, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)
NANO = 1e9
FLOORS = Floors(per_hour=5.0, one_hour=25.0)
WEEKS = 7


def office(rng: np.random.Generator) -> Floats:
    """Dollars an hour of a key that works from eight to six on weekdays, and grows by a twentieth a week."""
    hour = np.arange(WEEKS * 7 * DAY)
    busy = (hour % DAY >= 8) & (hour % DAY < 18) & (hour // DAY % 7 < 5)
    mean = np.where(busy, 14.0, 1.0) * 1.05 ** (hour / (7 * DAY))
    dollars: Floats = mean * rng.gamma(8.0, 1 / 8.0, len(hour))
    return dollars


def chart(title: str, subtitle: str, dollars: Floats, shown: slice) -> Chart:
    """The hours shown, with what was expected of them, and what was told."""
    reading = walk(Baseline(1), dollars[:, None], 0, FLOORS)
    told = np.flatnonzero(reading.material[:, 0] >= 1.0)
    told = told[(told >= shown.start) & (told < shown.stop)]
    points = tuple(
        Point(
            MONDAY + at * HOUR,
            round(dollars[at] * NANO),
            round(float(reading.expected[at, 0]) * NANO),
            round(float(reading.upper[at, 0]) * NANO),
        )
        for at in range(shown.start, shown.stop)
    )
    begins, ends = MONDAY + int(told[0]) * HOUR, MONDAY + (int(told[-1]) + 1) * HOUR
    return Chart(title, points, subtitle, marked=(begins, ends), told=begins + HOUR)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the picture."""
    folder = Path((arguments or sys.argv[1:] or ["docs"])[0])
    rng = np.random.default_rng(4)
    runaway = office(rng)
    at = 5 * 7 * DAY + 2 * DAY + 13
    runaway[at : at + 4] *= 6.0
    pictures = {
        "anomaly-runaway.png": chart(
            "A key of office hours that burns for four hours",
            "made up",
            runaway,
            slice(at - 5 * DAY - 13, at + 2 * DAY),
        ),
    }
    for name, drawn in pictures.items():
        (folder / name).write_bytes(png(drawn, scale=1.5))
        print(folder / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
