"""How well incidents are told apart from ordinary traffic, beside rules that people run.

    python -m benchmarks.quality [--seeds 1-3] [--yardstick FOLDER] [--variations]

On the simulator's keys with made-up incidents, or with `--yardstick` on a labelled folder of real arrival patterns
(`series.npz`, `labels.json`, `truth.npz`). Tables: this program with and without the number of requests, and rivals,
with 95 % intervals from drawing whole series a thousand times; what is found by kind of incident, by source, by how
many hours have spend, and by kind of harmless event; the threshold chosen on all sources but one and applied to that
one. `--variations` runs this program again with each of its numbers 30 % lower and higher.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from benchmarks.quality_adapter import scores_of
from benchmarks.quality_cases import Case, Figures, Outcome, collected, figures, made_up, outcome
from benchmarks.quality_rivals import RIVALS
from rules.bursts import Known
from rules.exceedance import Exceeding
from rules.materiality import Floors
from rules.profile import Memory
from rules.seasonal import Tuning
from rules.unit_price import Shift

Floats = npt.NDArray[np.float64]
DRAWS = 1000
THRESHOLDS = (0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.35, 1.5)
Numbers = TypeVar("Numbers", Exceeding, Known, Memory, Shift, Tuning)
DENSITIES = (("fewer than one in four", 0.0, 0.25), ("up to three in four", 0.25, 0.75), ("more", 0.75, 1.1))
SINGLE = "single_hour_spike"
OURS, ALONE = "this program, requests known", "this program, values alone"


def outcomes_of(cases: Sequence[Case], scores: Sequence[Floats], threshold: float = 1.0) -> list[Outcome]:
    """The outcome of every case, flagged where its score reaches the threshold."""
    return [outcome(case, own >= threshold) for case, own in zip(cases, scores, strict=True)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality")
    parser.add_argument("--seeds", default="1-3", help="of the simulator, both ends included")
    parser.add_argument("--yardstick", type=Path, help="folder of series.npz, labels.json and truth.npz")
    parser.add_argument("--variations", action="store_true", help="also with each number 30 % lower and higher")
    asked = parser.parse_args(arguments)
    first, _, last = asked.seeds.partition("-")
    cases = list(collected(asked.yardstick) if asked.yardstick else made_up(range(int(first), int(last or first) + 1)))
    scores = {
        OURS: scores_of([(case.times, case.values, case.requests) for case in cases]),
        ALONE: scores_of([(case.times, case.values) for case in cases]),
    }
    scores |= {name: [rule(case) for case in cases] for name, rule in RIVALS}
    told = {name: outcomes_of(cases, own) for name, own in scores.items()}
    _print("| | F1 | recall | false alarms a series-week | spent before the page |", _overall(told))
    _print("| better than the first rival by | F1 |", _ahead(told))
    _print("| incident | how many | found | hours until then | spent |", _by_kind(told[OURS]))
    _print("| source | series | F1 | found | false alarms a series-week |", _by_source(told[OURS]))
    _print("| hours with spend | series | F1 | without requests | of the first rival |", _by_density(cases, told))
    _print("| harmless event | how many | began a false alarm | per 1,000 hours |", _harmless(cases, told[OURS]))
    _print("| single dear hours that began one | and do without the hour |", iter([_without(cases, told[OURS])]))
    _print("| left out | threshold chosen on the others | F1 there | F1 at 1.0 |", _left_out(cases, scores[OURS]))
    if asked.variations:
        _print("| varied | F1 at 0.7 times | F1 at 1.3 times |", _variations(cases))
    return 0


def _print(head: str, rows: Iterator[Sequence[object]]) -> None:
    print(f"\n{head}\n{'| --- ' * (head.count('|') - 1)}|", flush=True)
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |", flush=True)


def _draws(count: int) -> npt.NDArray[np.intp]:
    return np.random.default_rng(1).integers(0, count, (DRAWS, count))


def _interval(values: Sequence[float]) -> str:
    low, high = np.quantile(values, (0.025, 0.975))
    return f"{low:.2f} … {high:.2f}"


def _overall(told: dict[str, list[Outcome]]) -> Iterator[Sequence[object]]:
    for name, outcomes in told.items():
        whole = figures(outcomes)
        drawn = [figures([outcomes[at] for at in draw]).f1 for draw in _draws(len(outcomes)).tolist()]
        yield (
            name,
            f"{whole.f1:.3f} ({_interval(drawn)})",
            f"{whole.recall:.2f}",
            f"{whole.per_week:.3f}",
            f"{whole.wasted:.2f}",
        )


def _ahead(told: dict[str, list[Outcome]]) -> Iterator[Sequence[object]]:
    rival = told[RIVALS[0][0]]
    for name in (OURS, ALONE):
        own = told[name]
        drawn = [
            figures([own[at] for at in draw]).f1 - figures([rival[at] for at in draw]).f1
            for draw in _draws(len(own)).tolist()
        ]
        yield name, f"{figures(own).f1 - figures(rival).f1:.3f} ({_interval(drawn)})"


def _by_kind(outcomes: Sequence[Outcome]) -> Iterator[Sequence[object]]:
    kinds: dict[str, list[tuple[int | None, float | None]]] = defaultdict(list)
    for kind, delay, spent in (each for one in outcomes for each in one.found):
        kinds[kind].append((delay, spent))
    for kind, found in sorted(kinds.items()):
        delays = [delay for delay, _ in found if delay is not None]
        spent_by_then = [spent for _, spent in found if spent is not None]
        yield (
            kind,
            len(found),
            f"{len(delays) / len(found):.2f}",
            f"{np.median(delays):.0f}" if delays else "",
            f"{np.mean(spent_by_then):.2f}" if spent_by_then else "",
        )


def _grouped(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for one in outcomes:
        groups[one.source].append(one)
    return groups


def _by_source(outcomes: Sequence[Outcome]) -> Iterator[Sequence[object]]:
    for source, own in _grouped(outcomes).items():
        whole = figures(own)
        yield source, len(own), f"{whole.f1:.2f}", f"{whole.recall:.2f}", f"{whole.per_week:.3f}"


def _by_density(cases: Sequence[Case], told: dict[str, list[Outcome]]) -> Iterator[Sequence[object]]:
    density = np.array([np.mean(case.values[np.isfinite(case.values)] > 0) for case in cases])
    for name, low, high in DENSITIES:
        places = np.flatnonzero((density >= low) & (density < high)).tolist()
        if not places:
            continue
        each = [figures([told[who][at] for at in places]) for who in (OURS, ALONE, RIVALS[0][0])]
        yield name, len(places), *(f"{one.f1:.2f} ({one.per_week:.3f})" for one in each)


def _harmless(cases: Sequence[Case], outcomes: Sequence[Outcome]) -> Iterator[Sequence[object]]:
    """Every kind, and first all other hours: none may begin more false alarms an hour than those."""
    hours: dict[str, int] = defaultdict(int)
    for case in cases:
        for kind, begin, end in case.harmless:
            hours[kind] += end + 2 - begin if begin >= case.since else 0
    counts = {
        kind: np.array([one.in_harmless.get(kind, (0, 0)) for one in outcomes]).sum(axis=0) for kind in sorted(hours)
    }
    wrong = sum(one.false for one in outcomes) - sum(int(hit) for _, hit in counts.values())
    ordinary = sum(one.hours for one in outcomes) - sum(hours.values())
    yield "none: ordinary hours", "", wrong, f"{1000 * wrong / ordinary:.2f}"
    for kind, (count, hit) in counts.items():
        if count:
            yield kind, count, hit, f"{1000 * hit / hours[kind]:.2f}"


def _without(cases: Sequence[Case], outcomes: Sequence[Outcome]) -> tuple[int, int]:
    """How many single dear hours began a false alarm, and how many of these where the hour is as its neighbours are."""
    hit = [case for case, one in zip(cases, outcomes, strict=True) if one.in_harmless.get(SINGLE, (0, 0))[1]]
    began = also = 0
    for case in hit:
        for kind, begin, end in case.harmless:
            only = dataclasses.replace(case, harmless=((kind, begin, end),))
            if kind == SINGLE and begin >= case.since and _begins_one(only):
                began += 1
                values, requests = case.values.copy(), case.requests.copy()
                for channel in (values, requests):
                    channel[begin] = (channel[begin - 1] + channel[end]) / 2.0
                also += _begins_one(dataclasses.replace(only, values=values, requests=requests))
    return began, also


def _begins_one(case: Case) -> bool:
    """Whether a false alarm begins in the harmless event of the case."""
    (one,) = outcomes_of([case], scores_of([(case.times, case.values, case.requests)]))
    return any(hits for _, hits in one.in_harmless.values())


def _left_out(cases: Sequence[Case], scores: Sequence[Floats]) -> Iterator[Sequence[object]]:
    told = {threshold: _grouped(outcomes_of(cases, scores, threshold)) for threshold in THRESHOLDS}
    together: list[Outcome] = []
    for source in told[1.0]:
        others = {
            threshold: figures([one for other, own in groups.items() if other != source for one in own]).f1
            for threshold, groups in told.items()
        }
        chosen = max(others, key=lambda threshold: others[threshold])
        together += told[chosen][source]
        yield source, chosen, f"{figures(told[chosen][source]).f1:.2f}", f"{figures(told[1.0][source]).f1:.2f}"
    whole = [one for own in told[1.0].values() for one in own]
    yield "all of these", "", f"{figures(together).f1:.3f}", f"{figures(whole).f1:.3f}"


def _variations(cases: Sequence[Case]) -> Iterator[Sequence[object]]:
    series = [(case.times, case.values, case.requests) for case in cases]

    def f1(tuning: Tuning | None = None, floors: Floors | None = None, shift: Shift | None = None) -> Figures:
        return figures(outcomes_of(cases, scores_of(series, tuning, floors, shift)))

    known = _numbers(Known(), lambda changed: f1(Tuning(known=changed)))
    exceeding = _numbers(Exceeding(), lambda changed: f1(Tuning(exceeding=changed)))
    usual = {"Floors.of_usual": lambda times: f1(floors=Floors(of_usual=Floors().of_usual * times))}
    tuning = _numbers(Tuning(), f1)
    memory = _numbers(Tuning().memory, lambda changed: f1(Tuning(memory=changed)))
    shift = _numbers(Shift(), lambda changed: f1(shift=changed))
    for name, run in (known | exceeding | usual | tuning | memory | shift).items():
        low, high = run(0.7), run(1.3)
        yield name, f"{low.f1:.3f} ({low.per_week:.3f})", f"{high.f1:.3f} ({high.per_week:.3f})"


def _numbers(default: Numbers, run: Callable[[Numbers], Figures]) -> dict[str, Callable[[float], Figures]]:
    """Of every real number of a dataclass, how to run with so many times its default."""
    names = [each.name for each in dataclasses.fields(default) if isinstance(getattr(default, each.name), float)]
    kind = type(default).__name__

    def varied(name: str) -> Callable[[float], Figures]:
        value = getattr(default, name)
        return lambda times: run(dataclasses.replace(default, **{name: value * times}))

    return {f"{kind}.{name}": varied(name) for name in names}


if __name__ == "__main__":
    sys.exit(main())
