"""The production baseline behind a yardstick's protocol: `detect(times, values) -> scores`, causal, higher = odder.

    python benchmarks/anomaly_detect.py PATH_OF_THE_YARDSTICK

runs the `score.py` in that folder (or in $ANOMALY_YARDSTICK) on its public set and prints F1, recall, false alarms and
the share of the excess spent before the page. Production code with production defaults, but for two things: the
series know no dollars, so the money floor is set aside, and a silent series counts too.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rules.seasonal import Baseline, Tuning, walk

Series = tuple[npt.NDArray[np.datetime64], npt.NDArray[np.float64]]
MONDAY = np.datetime64("1970-01-05T00", "h")


def batch(series: Sequence[Series], tuning: Tuning | None = None) -> list[npt.NDArray[np.float64]]:
    """Scores of every series, hour by hour; each series is judged alone, whatever else is in the batch."""
    if not series:
        return []
    # All rows step together from a Monday; a series that begins later in the week is missing until then.
    skips = [int((times[0] - MONDAY).astype("timedelta64[h]").astype(int)) % 168 for times, _ in series]
    matrix = np.full(
        (max(skip + len(values) for skip, (_, values) in zip(skips, series, strict=True)), len(series)), np.nan
    )
    for column, (skip, (_, values)) in enumerate(zip(skips, series, strict=True)):
        matrix[skip : skip + len(values), column] = values
    reading = walk(Baseline(len(series), tuning=tuning), matrix, 0)
    scores = np.maximum(reading.score, reading.silence)
    result = [
        scores[skip : skip + len(values), column]
        for column, (skip, (_, values)) in enumerate(zip(skips, series, strict=True))
    ]
    for own in result:
        own[:24] = 0.0
    return result


def detect(times: npt.NDArray[np.datetime64], values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Scores of one series; at 1 and above the hour is flagged."""
    return batch([(times, values)])[0]


detect.batch = batch  # type: ignore[attr-defined]  # the yardstick's protocol: attributes of the function
detect.threshold = 1.0  # type: ignore[attr-defined]


def main(arguments: Sequence[str]) -> int:
    """Print the figures of the public set as JSON; 0 also where there is no yardstick."""
    where = arguments[0] if arguments else os.environ.get("ANOMALY_YARDSTICK", "")
    if not where or not (Path(where) / "score.py").is_file():
        print("skipped: no yardstick; name the folder of its score.py, or set ANOMALY_YARDSTICK")
        return 0
    sys.path.insert(0, where)
    score = importlib.import_module("score")
    report, _ = score.report(detect, "public", root=where)
    print(json.dumps(report, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
