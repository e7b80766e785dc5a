"""Detectors from libraries beside this program's: Holt-Winters, STL, AutoETS, S-H-ESD, matrix profile.

    python -m benchmarks.quality_peers [--yardstick FOLDER] [--seeds 1-3] [--series 60]

Each is fed causally, series by series, refit at every midnight as it is commonly run, and its threshold (and whether
it takes one hour or two in a row) is the one of a grid with which it does best on these very series. Slow ones run on
an even sample of the series; this program, its own defaults and values alone, is then scored on the same. What is not
installed is named and left out (`pip install 'claude-watcher[benchmarks]'`).
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.quality_adapter import scores_of
from benchmarks.quality_cases import Case, Outcome, collected, figures, made_up, outcome
from benchmarks.seasonal_esd import newest_is_outlier
from benchmarks.tables import table

Floats = npt.NDArray[np.float64]
DAY, WEEK, MONTH = 24, 168, 28 * 24
LEAST = 2 * WEEK
"""Hours of history that a weekly season needs, and below which nothing is said."""
QUANTILES = 1.0 - np.logspace(-4.5, -1.0, 40)


@dataclass(frozen=True, slots=True)
class Peer:
    """A way to score the hours of a case; what it `needs` is the name of a module."""

    name: str
    needs: str
    raw: Callable[[Case], Floats]
    series: int | None = None
    """On how many series it is run at most; None for all that are asked for."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """The best that a peer's scores give."""

    outcomes: list[Outcome]
    threshold: float
    in_a_row: int


def holt_winters(case: Case) -> Floats:
    """Additive Holt-Winters by the hour of the week, fitted weekly (statsmodels); deviations by Brutlag's band.

    Each hour of the week has its own smoothed absolute error; the score is the error in those.
    """
    from statsmodels.tsa.holtwinters import ExponentialSmoothing  # noqa: PLC0415 — slow to import

    values = _filled(case.values)
    scores, errors = np.zeros(len(values)), np.full(WEEK, np.nan)
    for begin in range(LEAST, len(values), WEEK):
        past = values[max(begin - MONTH, 0) : begin]
        fit = ExponentialSmoothing(past, seasonal="add", seasonal_periods=WEEK, initialization_method="heuristic").fit(
            smoothing_level=0.1, smoothing_seasonal=0.3, optimized=False
        )
        level = float(fit.level[-1])
        season = np.asarray(fit.season)[-WEEK:].copy()
        fitted = np.abs(past - np.asarray(fit.fittedvalues))[-WEEK:]
        errors = np.where(np.isnan(errors), fitted, errors)
        for hour in range(begin, min(begin + WEEK, len(values))):
            at = hour - begin
            told = level + season[at]
            error = values[hour] - told
            scores[hour] = error / max(errors[at], 0.05 * float(past.mean()), 1e-9)
            level += 0.1 * error
            season[at] += 0.3 * (1.0 - 0.1) * error
            errors[at] += 0.3 * (abs(error) - errors[at])
    return _shown(case, scores)


def stl(case: Case) -> Floats:
    """STL by the week, refit daily on six weeks (statsmodels): distance from trend and season in deviations (MAD)."""
    scores = np.zeros(len(case.values))
    values = _filled(case.values)
    for begin in _days(values):
        season, trend, rest = _decomposed(values[max(begin - 6 * WEEK, 0) : begin])
        until = min(begin + DAY, len(values))
        scale = 1.4826 * float(np.median(np.abs(rest - np.median(rest))))
        away = values[begin:until] - trend[-1] - season[-WEEK:][: until - begin]
        scores[begin:until] = away / max(scale, 1e-9)
    return _shown(case, scores)


def seasonal_esd(case: Case) -> Floats:
    """S-H-ESD on four weeks by the hour; the seasonal part is that of the last midnight."""
    scores = np.zeros(len(case.values))
    values = _filled(case.values)
    for begin in _days(values):
        past = values[max(begin - MONTH, 0) : begin]
        season, _, _ = _decomposed(past)
        until = min(begin + DAY, len(values))
        ahead = values[begin:until] - season[-WEEK:][: until - begin]
        rest = past - season
        middle = float(np.median(past))
        for hour in range(until - begin):
            if ahead[hour] > middle:
                scores[begin + hour] = newest_is_outlier(np.concatenate([rest, ahead[: hour + 1]]) - middle)
    return _shown(case, scores)


def auto_ets(case: Case) -> Floats:
    """AutoETS with a season of a day, refit daily on four weeks (statsforecast): distance in its own intervals."""
    from statsforecast.models import AutoETS  # noqa: PLC0415 — may be missing

    scores = np.zeros(len(case.values))
    values = _filled(case.values)
    for begin in _days(values):
        past = values[max(begin - MONTH, 0) : begin]
        if not past.any():
            continue
        until = min(begin + DAY, len(values))
        told: dict[str, Any] = AutoETS(season_length=DAY).forecast(past, until - begin, level=[68.27])
        sigma = np.maximum(told["hi-68.27"] - told["mean"], 1e-9)
        scores[begin:until] = (values[begin:until] - told["mean"]) / sigma
    return _shown(case, scores)


def matrix_profile(case: Case, hours: int = 12) -> Floats:
    """The left matrix profile (stumpy, not normalized): how far the newest half day is from all that came before it.

    In deviations of its own last four weeks; only where the half day is above the usual one.
    """
    import stumpy  # noqa: PLC0415 — may be missing

    values = _filled(case.values)
    profile = np.zeros(len(values))
    nearest = np.asarray(stumpy.aamp(values, hours)[:, 2], dtype=np.intp)
    windows = np.lib.stride_tricks.sliding_window_view(values, hours)
    away = np.linalg.norm(windows - windows[np.maximum(nearest, 0)], axis=1)
    profile[hours - 1 :] = np.where(nearest >= 0, away, 0.0)
    sums = np.convolve(values, np.ones(hours))[: len(values)]
    scores = np.zeros(len(values))
    for begin in _days(values):
        past = slice(max(begin - MONTH, 0), begin)
        until = min(begin + DAY, len(values))
        middle, scale = float(profile[past].mean()), float(profile[past].std())
        high = sums[begin:until] > float(np.median(sums[past]))
        scores[begin:until] = (profile[begin:until] - middle) / max(scale, 1e-9) * high
    return _shown(case, scores)


PEERS = (
    Peer("Holt-Winters band, weekly season (statsmodels)", "statsmodels", holt_winters),
    Peer("STL(168), refit daily, MAD (statsmodels)", "statsmodels", stl),
    Peer("S-H-ESD (own port, STL by statsmodels)", "statsmodels", seasonal_esd, series=60),
    Peer("AutoETS, refit daily (statsforecast)", "statsforecast", auto_ets, series=10),
    Peer("left matrix profile (stumpy)", "stumpy", matrix_profile),
)


def tuned(cases: Sequence[Case], raw: Sequence[Floats]) -> Tuned:
    """The threshold, and the hours in a row, with which these scores do best on these cases."""
    every = np.concatenate([own[case.since :] for case, own in zip(cases, raw, strict=True)])
    best: tuple[float, Tuned] | None = None
    for in_a_row in (1, 2):
        for threshold in np.unique(np.quantile(every, QUANTILES)).tolist():
            if threshold <= 0:
                continue
            flags = [_in_a_row(own >= threshold, in_a_row) for own in raw]
            found = [outcome(case, own) for case, own in zip(cases, flags, strict=True)]
            f1 = figures(found).f1
            if best is None or f1 > best[0]:
                best = f1, Tuned(found, threshold, in_a_row)
    if best is None:
        raise ValueError("no score is above zero")
    return best[1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality_peers")
    parser.add_argument("--seeds", default="1-3", help="of the simulator, both ends included")
    parser.add_argument("--yardstick", type=Path, help="folder of series.npz, labels.json and truth.npz")
    parser.add_argument("--series", type=int, default=60, help="how many series at most")
    parser.add_argument("--peer", default="", help="only those whose name has this in it")
    asked = parser.parse_args(arguments)
    first, _, last = asked.seeds.partition("-")
    cases = list(collected(asked.yardstick) if asked.yardstick else made_up(range(int(first), int(last or first) + 1)))
    warnings.simplefilter("ignore")
    table(
        "| detector | series | F1 | recall | false alarms a series-week | spent | F1 of this program | seconds each |",
        _rows(cases, asked.series, asked.peer),
    )
    return 0


def _rows(cases: Sequence[Case], most: int, named: str) -> Iterator[Sequence[object]]:
    for peer in PEERS:
        if named not in peer.name:
            continue
        if find_spec(peer.needs) is None:
            yield f"{peer.name}: skipped, {peer.needs} is not installed", "", "", "", "", "", "", ""
            continue
        own = _sample(cases, min(most, peer.series or most))
        peer.raw(own[0])  # what is compiled on first use is not counted
        begin = time.perf_counter()
        raw = [peer.raw(case) for case in own]
        seconds = (time.perf_counter() - begin) / len(own)
        best = tuned(own, raw)
        whole = figures(best.outcomes)
        ours = scores_of([(case.times, case.values) for case in own])
        here = figures([outcome(case, score >= 1.0) for case, score in zip(own, ours, strict=True)])
        times = "" if best.in_a_row == 1 else ", two hours in a row"
        yield (
            f"{peer.name}, from {best.threshold:.1f} on{times}",
            len(own),
            f"{whole.f1:.2f}",
            f"{whole.recall:.2f}",
            f"{whole.per_week:.3f}",
            f"{whole.wasted:.2f}",
            f"{here.f1:.2f}",
            f"{seconds:.2f}",
        )


def _sample(cases: Sequence[Case], count: int) -> list[Case]:
    long = [case for case in cases if len(case.values) > LEAST + WEEK]
    places = np.unique(np.linspace(0, len(long) - 1, min(count, len(long))).astype(int))
    return [long[place] for place in places.tolist()]


def _days(values: Floats) -> range:
    return range(LEAST, len(values), DAY)


def _decomposed(past: Floats) -> tuple[Floats, Floats, Floats]:
    """(season, trend, rest) of the past, by the week."""
    from statsmodels.tsa.seasonal import STL  # noqa: PLC0415 — slow to import

    fit = STL(past, period=WEEK, seasonal_jump=DAY, trend_jump=DAY, low_pass_jump=DAY).fit()
    return np.asarray(fit.seasonal), np.asarray(fit.trend), np.asarray(fit.resid)


def _filled(values: Floats) -> Floats:
    """Missing hours as the same hour of the week before, or nothing."""
    result = values.copy()
    for hour in np.flatnonzero(~np.isfinite(result)).tolist():
        result[hour] = result[hour - WEEK] if hour >= WEEK else 0.0
    return result


def _shown(case: Case, scores: Floats) -> Floats:
    """Nothing is said of hours that are missing."""
    shown: Floats = np.where(np.isfinite(case.values), np.nan_to_num(scores), 0.0)
    return shown


def _in_a_row(flags: npt.NDArray[np.bool_], count: int) -> npt.NDArray[np.bool_]:
    return flags if count == 1 else flags & np.concatenate([[False], flags[:-1]])


if __name__ == "__main__":
    sys.exit(main())
