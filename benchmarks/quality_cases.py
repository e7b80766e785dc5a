"""What `benchmarks.quality` is measured on, and how: labelled series and the rules of scoring.

An episode is flagged hours with gaps of at most `GAP`. One that begins in an ordinary hour is a false alarm, and every
further day of ordinary hours in an episode is one more. An incident is found when it is flagged before it has to be, by
an episode that did not begin more than a day before it; `wasted` is the part of its excess that was spent by then.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.forecast_cases import EPOCH, simulated
from rules.model import HOUR

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.datetime64]

GAP = 6
WEEK = 168
NEUTRAL = 48
"""Hours after an incident of the made-up set that count neither way."""


@dataclass(frozen=True, slots=True)
class Incident:
    """Hours `begin … end` of a series; found after `due` it counts as missed, and until `over` no alarm is false."""

    kind: str
    begin: int
    end: int
    due: int
    over: int


@dataclass(frozen=True, slots=True)
class Case:
    """One labelled series; what comes before `since` is not scored."""

    source: str
    times: Times
    values: Floats
    requests: Floats
    normal: Floats
    """What the values would have been."""
    since: int
    incidents: tuple[Incident, ...] = ()
    harmless: tuple[tuple[str, int, int], ...] = ()
    """(kind, begin, end)."""
    neutral: tuple[tuple[int, int], ...] = ()

    def ordinary(self) -> npt.NDArray[np.bool_]:
        """The hours in which an alarm is a false one."""
        result = np.ones(len(self.values), dtype=np.bool_)
        for begin, end in (*self.neutral, *((each.begin, each.over) for each in self.incidents)):
            result[begin:end] = False
        return result


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one series."""

    source: str
    found: tuple[tuple[str, int | None, float | None], ...]
    """Of each incident its kind, the hours until it was found, and what was spent of its excess by then."""
    false: int
    hours: int
    """Ordinary hours that were scored."""
    in_harmless: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Of each kind of harmless event: how many there were, and how many began a false alarm."""


def outcome(case: Case, flags: npt.NDArray[np.bool_]) -> Outcome:
    """Score one series' flags."""
    flagged = np.flatnonzero(flags)
    flagged = flagged[flagged >= case.since]
    episodes = np.split(flagged, np.flatnonzero(np.diff(flagged) > GAP) + 1) if flagged.size else []
    ordinary = case.ordinary()
    begins = np.array([each[0] for each in episodes], dtype=np.intp)
    false = 0
    for each in episodes:
        odd = int(ordinary[each].sum())
        false += 1 + (odd - 1) // 24 if ordinary[each[0]] else odd // 24
    found = tuple(_found(case, each, flagged, begins) for each in case.incidents)
    wrong = begins[ordinary[begins]] if begins.size else begins
    harmless: dict[str, tuple[int, int]] = {}
    for kind, begin, end in case.harmless:
        if begin >= case.since:
            count, hit = harmless.get(kind, (0, 0))
            harmless[kind] = count + 1, hit + int(((wrong >= begin) & (wrong < end + 2)).any())
    return Outcome(case.source, found, false, int(ordinary[case.since :].sum()), harmless)


def _found(
    case: Case, incident: Incident, flagged: npt.NDArray[np.intp], begins: npt.NDArray[np.intp]
) -> tuple[str, int | None, float | None]:
    inside = flagged[(flagged >= incident.begin) & (flagged < incident.due)]
    first = None
    for hour in inside.tolist():
        if begins[np.searchsorted(begins, hour, side="right") - 1] >= incident.begin - 24:
            first = hour
            break
    hours = slice(incident.begin, incident.end)
    excess = np.maximum(np.nan_to_num(case.values[hours]) - case.normal[hours], 0.0)
    if incident.kind == "drop_to_zero" or excess.sum() <= 0:
        spent = None
    else:
        spent = 1.0 if first is None else float(excess[: first - incident.begin + 1].sum() / excess.sum())
    return incident.kind, None if first is None else first - incident.begin + 1, spent


def collected(folder: Path) -> Iterator[Case]:
    """The series of a labelled folder (`series.npz`, `labels.json`, `truth.npz`)."""
    arrays = np.load(folder / "series.npz")
    labels = json.loads((folder / "labels.json").read_text())["series"]
    normal = np.load(folder / "truth.npz")["baseline"].astype(np.float64)
    offsets = arrays["offsets"]
    for place, label in enumerate(labels):
        part = slice(offsets[place], offsets[place + 1])
        length = int(offsets[place + 1] - offsets[place])
        begin = np.datetime64(int(arrays["start_hour"][place]), "h")
        yield Case(
            source=label["family"],
            times=begin + np.arange(length).astype("timedelta64[h]"),
            values=arrays["values"][part].astype(np.float64),
            requests=arrays["requests"][part].astype(np.float64),
            normal=normal[part],
            since=label["eval_start"],
            incidents=tuple(
                Incident(each["type"], each["start"], each["end"], each["detect_end"], each["neutral_end"])
                for each in label["incidents"]
            ),
            harmless=tuple(
                (each["type"], each["start"], each["end"]) for each in label["benign"] if each["type"] != "growth"
            ),
            neutral=tuple((begin, end) for begin, end in label["ignore"]),
        )


def made_up(seeds: Iterable[int], keys: int = 40, days: int = 63) -> Iterator[Case]:
    """Keys of the simulator's calm organizations, every third with one incident, every second with a lone dear hour.

    Their requests are not simulated: the dollars of an hour over the key's mean dollars of a request, which strays.
    """
    for seed in seeds:
        random = np.random.default_rng(seed)
        until = EPOCH + (20_600 + 7 * seed) * 24 * HOUR
        _, panel = simulated(seed, keys, "calm", until - 24 * HOUR, until)
        first = np.datetime64(int((panel.start - EPOCH) / HOUR), "h")
        for place, (_, group) in enumerate(scope for scope in panel.scopes if scope[0] == "key"):
            values = panel.cost[group.rows].sum(axis=0)[-days * 24 :] / 1e9
            if np.count_nonzero(values) < WEEK:
                continue
            times = first + np.arange(panel.cost.shape[1]).astype("timedelta64[h]")[-days * 24 :]
            yield _with_events(f"seed {seed}", times, values, random, place)


def _with_events(source: str, times: Times, normal: Floats, random: np.random.Generator, place: int) -> Case:
    mean = float(normal.mean())
    size = random.gamma(20.0, 1 / 20.0, len(normal))
    values, requests = normal.copy(), np.round(normal / (0.01 * mean) * size)
    harmless: list[tuple[str, int, int]] = []
    incidents: list[Incident] = []
    if place % 2 == 0:
        hour = int(random.integers(15 * 24, 30 * 24))
        values[hour] += 12.0 * mean
        requests[hour] += 1200.0
        harmless.append(("single_hour_spike", hour, hour + 1))
    if place % 3 == 0:
        begin = int(random.integers(35 * 24, 50 * 24))
        kind = ("runaway_loop", "level_shift_up", "cache_miss", "slow_leak")[place // 3 % 4]
        length = int(random.integers(3, 40) if kind == "runaway_loop" else random.integers(96, 240))
        factor = float(random.uniform(2.0, 3.5))
        hours = slice(begin, begin + length)
        if kind == "runaway_loop":
            added = np.full(length, float(random.uniform(5.0, 40.0)) * mean)
        else:
            ramp = np.linspace(0.0, 1.0, length) if kind == "slow_leak" else 1.0
            added = normal[hours] * (factor - 1.0) * ramp
        values[hours] += added
        if kind != "cache_miss":
            requests[hours] += np.round(added / (0.01 * mean))
        due = begin + (min(length, 72) if kind in {"level_shift_up", "cache_miss"} else length)
        incidents.append(Incident(kind, begin, begin + length, due, begin + length + NEUTRAL))
    return Case(source, times, values, requests, normal, 14 * 24, tuple(incidents), tuple(harmless))


@dataclass(frozen=True, slots=True)
class Figures:
    """What the outcomes of many series come to."""

    f1: float
    recall: float
    per_week: float
    """False alarms per series and week."""
    wasted: float


def figures(outcomes: Sequence[Outcome]) -> Figures:
    """F1 counts incidents found against incidents found plus false alarms."""
    found = [each for one in outcomes for each in one.found]
    hits = sum(delay is not None for _, delay, _ in found)
    false = sum(one.false for one in outcomes)
    weeks = sum(one.hours for one in outcomes) / WEEK
    wasted = [spent for *_, spent in found if spent is not None]
    recall = hits / len(found) if found else 0.0
    precision = hits / (hits + false) if hits + false else 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return Figures(f1, recall, false / weeks if weeks else 0.0, float(np.mean(wasted)) if wasted else 0.0)
