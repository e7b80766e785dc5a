"""Where a month will end: the forecast against the truth, at day 5, 10 and 20, beside what people use instead.

    python -m benchmarks.forecast [--seeds 6-11] [--yardstick FOLDER] [--classics N] [--incidents]

Organizations, workspaces and keys of the simulator over five months, and, if the folder of the anomaly yardstick's
public set is named, its real arrival patterns. Printed for each: MdAPE (median absolute percentage error of the total),
how many totals the 80 % interval held, and its median width in percent of the total. The straight line is spend so far
by elapsed time; the last week repeats; ETS (additive errors, damped trend, weekly season) and Holt-Winters (damped
trend, weekly season) are statsmodels', on daily sums, for N cases of a row (of organizations and the yardstick), and
seasonless below two weeks.
The model was chosen on seeds 0 to 5 and on the yardstick; seeds from 6 on were held out.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from benchmarks.forecast_cases import Case, cases, collected, months, panel_of, simulated
from benchmarks.forecast_rivals import SEED, Guess, classics, forecast, last_week, straight_line
from rules.forecast import forecasts
from rules.model import HOUR
from watcher.simulator import World

STARTED = datetime(2026, 11, 4, 9, tzinfo=UTC)
UNTIL = datetime(2027, 1, 1, tzinfo=UTC)
CALM = ("calm", "launch", "holiday", "spike")
SIZES = (6, 40, 120)
STOPPED = ("runaway", "leaked-key", "slow-leak", "cache-regression", "model-switch")
STOPPED_AFTER = timedelta(hours=10)


def simulator_cases(
    seeds: Sequence[int], sizes: Sequence[int] = SIZES, scenarios: Sequence[str] = CALM
) -> Iterator[Case]:
    """August to December of organizations without incidents; the harmless events are in November."""
    for seed in seeds:
        for keys in sizes:
            for scenario in scenarios:
                _, panel = simulated(seed, keys, scenario, STARTED, UNTIL)
                yield from cases(
                    "simulator", panel, months(panel, 8, 12) if scenario == "calm" else months(panel, 11, 11)
                )


def yardstick_cases(folder: Path) -> Iterator[Case]:
    """The yardstick's series, periods without and with incidents apart."""
    for clean, panel, periods in collected(folder):
        yield from cases("yardstick" if clean else "yardstick with incidents", panel, periods)


def measures(found: Sequence[Case], most: int) -> Iterator[tuple[str, int, str, str, str, str]]:
    """One row for each source, day and way to forecast."""
    ways: list[tuple[str, Callable[[Case], Guess | None]]] = [
        ("this program", forecast),
        ("straight line", straight_line),
        ("last week repeats", last_week),
    ]
    for source in dict.fromkeys(case.source for case in found):
        for day in sorted({case.day for case in found}):
            some = [case for case in found if (case.source, case.day) == (source, day)]
            slow = [("this program, on these", forecast), *classics()] if most and _whole(source) else []
            for name, way in ways + slow:
                few = _spread(some, most) if (name, way) in slow else some
                guesses = [(case, guess) for case in few if (guess := way(case)) is not None]
                if guesses:
                    yield (f"{source}, day {day}", len(guesses), name, *_scores(guesses))


def _whole(source: str) -> bool:
    """Whether the cases are of organizations or of the yardstick's series: few enough for what takes long."""
    return not source.endswith(("workspace", "key"))


def _spread(some: Sequence[Case], most: int) -> Sequence[Case]:
    """At most so many of them, drawn with a fixed seed."""
    return [some[place] for place in np.random.default_rng(SEED).permutation(len(some))[:most].tolist()]


def _scores(guesses: Sequence[tuple[Case, Guess]]) -> tuple[str, str, str]:
    truth = np.array([case.truth for case, _ in guesses], dtype=np.float64)
    total = np.array([guess.total for _, guess in guesses], dtype=np.float64)
    error = f"{100 * np.median(np.abs(total - truth) / truth):.1f} %"
    if any(guess.low is None for _, guess in guesses):
        return error, "", ""
    low, high = (np.array([getattr(guess, side) for _, guess in guesses], dtype=np.float64) for side in ("low", "high"))
    held = ((low <= truth * (1 + 1e-9)) & (truth * (1 - 1e-9) <= high)).mean()
    return error, f"{100 * held:.0f} %", f"{100 * np.median((high - low) / truth):.0f} %"


def after_shutoff(seed: int, keys: int, scenario: str, *, told: bool) -> dict[str, list[float]]:
    """Signed error in percent of a month's total at 0, 6, 24, 48 and 72 hours after the key was stopped, by scope.

    `told` says whether the forecast knows that the key is off, as the directory tells within minutes.
    """
    started = datetime(2026, 11, 6, 9, tzinfo=UTC)
    world = World(started_at=started, seed=seed, keys=keys, days=90, scenario=scenario, workspaces=4)
    (incident,) = world.incidents
    key = incident.api_key_id or ""
    off = incident.starts_at + (timedelta(days=5) if scenario == "slow-leak" else STOPPED_AFTER)
    world.set_key_status(key, "inactive", off)
    first, last = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    panel = panel_of(world, datetime(2026, 8, 9, tzinfo=UTC), last)
    begin = (first - panel.start) // HOUR
    groups = [
        group
        for kind, group in panel.scopes
        if kind == "organization" or (kind == "key" and panel.leaves[int(group.rows[0])].api_key == key)
    ]
    errors: dict[str, list[float]] = {"organization": [], "key": []}
    for hours in (0, 6, 24, 48, 72):
        view = panel.seen((off - panel.start) // HOUR + 1 + hours)
        found = forecasts(view, groups, first, last, frozenset({key} if told else ()))
        for scope, group, each in zip(errors, groups, found, strict=True):
            truth = int(panel.cost[group.rows, begin:].sum())
            errors[scope].append(100 * (each.total / truth - 1))
    return errors


def _incidents(seeds: Sequence[int]) -> None:
    print("\nAfter a key was stopped: median absolute error of the month's total, and the worst, by hours since")
    print("| incident | scope | the key is known to be off | at once | 6 h | 24 h | 48 h | 72 h |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for scenario in STOPPED:
        for told in (True, False):
            runs = [after_shutoff(seed, keys, scenario, told=told) for seed in seeds for keys in (6, 40)]
            for scope in ("organization", "key"):
                errors = np.abs([run[scope] for run in runs])
                cells = [f"{np.median(at):.1f} %, {at.max():.0f} %" for at in errors.T]
                print(f"| {scenario} | {scope} | {'yes' if told else 'no'} | {' | '.join(cells)} |")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forecast")
    parser.add_argument("--seeds", default="6-11", help="of the simulator, both ends included")
    parser.add_argument("--yardstick", type=Path, help="folder of series.npz and labels.json")
    parser.add_argument("--classics", type=int, default=0, help="fit ETS and Holt-Winters to so many cases of a row")
    parser.add_argument("--incidents", action="store_true", help="also what is left after a key was stopped")
    asked = parser.parse_args(arguments)
    first, _, last = asked.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    found = list(simulator_cases(seeds))
    if asked.yardstick is not None:
        found += yardstick_cases(asked.yardstick)
    print("| scope and day | cases | forecast | MdAPE | the interval held | its width |")
    print("| --- | --- | --- | --- | --- | --- |")
    for row in measures(found, asked.classics):
        print("| " + " | ".join(map(str, row)) + " |", flush=True)
    if asked.incidents:
        _incidents(seeds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
