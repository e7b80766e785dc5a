"""What a budget's triggers tell: how often falsely, and how soon rightly. On organizations of the simulator.

    python -m benchmarks.triggers [--seeds 6-8]

Every scope (organization, workspaces, keys) that spends at least $20 in the month has a budget a tenth above, or a
tenth below, what the month truly came to. Above, whatever is told is false: of the forecast and the pace, since the
month ends within its limit; of the burn rate, since nothing is wrong, in months without incidents and in those with a
launch. Below, it is right. A runaway is a key at ten times its pace from the beginning of an hour, its data five
minutes behind, polled every five. What triggers do was chosen on seeds 0 to 2.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from benchmarks.forecast import STARTED, UNTIL
from benchmarks.forecast_cases import Panel, months, simulated
from rules import burn, foreseen, pace
from rules.members import Field, Members, before
from rules.model import HOUR, Budget, Dimension, Names, Nano, SpendView, Subject, Verdict
from rules.periods import period_of
from rules.triggers import ForecastMark, PaceMark, usual_pairs

MONTH = timedelta(days=30)
LEAST = 20 * 10**9
SIZES = (12, 40)
SCOPES: dict[str, tuple[Dimension, ...]] = {"organization": (), "workspace": ("workspace",), "key": ("api_key",)}
DAYS = (1, 2, 3, 5, 10, 20, 31)
BEHIND = timedelta(minutes=5)
RUNAWAYS = 40
LASTING = 6
BURSTS = (
    (2.5, "up to 2.5 times its mean"),
    (4.0, "up to 4 times"),
    (8.0, "up to 8 times"),
    (np.inf, "more"),
)
"""How bursty a key is."""

Judge = Callable[[Field], Iterator[Verdict]]


def budget_of(per: tuple[Dimension, ...]) -> Budget:
    """A month's budget with every trigger; the limits are given apart."""
    return Budget("measured", "month", "UTC", 1, (), per, burn=usual_pairs(MONTH), pace=(PaceMark(120),))


def field_of(budget: Budget, members: Members, limits: Sequence[Nano | None], now: datetime) -> Field:
    """The budget in the month that runs at `now`, with these limits of its scopes."""
    period = period_of("month", "UTC", now - timedelta(microseconds=1))
    return Field(budget, period, members, limits, before(budget, members, Names(), period), now)


class Months:
    """The Novembers of some organizations, with the scopes that spend enough."""

    def __init__(self, seeds: Sequence[int], scenario: str) -> None:
        self.panels: list[tuple[int, Panel, int, int]] = []
        for seed in seeds:
            for keys in SIZES:
                _, panel = simulated(seed, keys, scenario, STARTED, UNTIL)
                ((first, last),) = months(panel, 11, 11)
                self.panels.append((seed, panel, first, last))

    def told(self, judge: Judge, budget: Budget, part: float, every: int) -> tuple[int, dict[Subject, list[int]]]:
        """How many scopes have such a budget, and for each that something is told of, in which hours of the month."""
        scopes, told = 0, dict[Subject, list[int]]()
        for number, (_, panel, first, last) in enumerate(self.panels):
            whole = Members(budget, panel.seen(last), Names())
            truth = dict(
                zip(whole.scopes, whole.hours(0, whole.shown)[:, first - last :].sum(axis=1).tolist(), strict=True)
            )
            scopes += sum(total >= LEAST for total in truth.values())
            for hour in range(1, last - first, every):
                view = panel.seen(first + hour)
                members = Members(budget, view, Names())
                limits = [int(part * truth[scope]) if truth[scope] >= LEAST else None for scope in members.scopes]
                for verdict in judge(field_of(budget, members, limits, view.observed_until)):
                    subject = replace(verdict.subject, rule=str(number))
                    told.setdefault(subject, []).append(hour)
        return scopes, told


def stretches(hours: Sequence[int]) -> int:
    """How many pages that is: hours with at most two quiet ones between are one."""
    return 1 + int((np.diff(hours) > 3).sum())


def false_burns(calm: Months, launch: Months) -> None:
    """Pages a thousand weeks of budgets."""
    print("| scope | pair | without incidents | with a launch |\n| --- | --- | --- | --- |")
    for kind, per in SCOPES.items():
        cells: dict[str, list[str]] = {}
        for found in (calm, launch):
            scopes, told = found.told(lambda field: burn.judge(field, {}), budget_of(per), 1.1, 1)
            pages: Counter[str] = Counter()
            for subject, hours in told.items():
                pages[subject.instance] += stretches(hours)
            for pair in usual_pairs(MONTH):
                rate = 1000 * pages[burn.pair_id(pair)] / (scopes * MONTH / timedelta(days=7))
                cells.setdefault(burn.pair_id(pair), []).append(f"{rate:.0f}")
        for pair_id, rates in cells.items():
            print(f"| {kind} | {pair_id} | {' | '.join(rates)} |")


def by_day(calm: Months, judge: Judge, per: tuple[Dimension, ...], budget: Budget, part: float) -> list[str]:
    """What part of the scopes is told of at all, and first within each stretch of days."""
    scopes, told = calm.told(judge, replace(budget, per=per), part, 6)
    first: dict[object, int] = {}
    for subject, hours in told.items():
        place = (subject.rule, subject.scope)
        first[place] = min(first.get(place, hours[0]), hours[0])
    days = np.array([hour / 24 for hour in first.values()])
    cells, begin = [f"{100 * len(days) / scopes:.1f} %"], 0
    for day in DAYS:
        cells.append(f"{100 * ((days >= begin) & (days < day)).sum() / scopes:.1f}")
        begin = day
    return cells


def ways() -> Iterator[tuple[str, Judge, Budget]]:
    """The forecast in both certainties, and the pace."""
    for when in ("likely", "expected"):
        marks = (ForecastMark(100.0, when),)
        yield f"forecast, {when}", lambda field: foreseen.judge(field, {}), replace(budget_of(()), forecast=marks)
    yield "pace 120", lambda field: pace.judge(field, {}), budget_of(())


def runaways(calm: Months) -> dict[str, list[int]]:
    """In how many minutes a key at ten times its pace is told of, by how bursty it is; 999 for not while it lasts."""
    rng = np.random.default_rng(7)
    found: dict[str, list[int]] = {}
    for _, panel, first, last in calm.panels:
        keys = [group for kind, group in panel.scopes if kind == "key"]
        dear = [group for group in keys if panel.cost[group.rows, first:last].sum() >= LEAST]
        for _ in range(RUNAWAYS):
            rows = dear[rng.integers(len(dear))].rows
            past = panel.cost[rows, first - 672 : first].sum(axis=0)
            pace_of = past.mean()
            burst = float(np.median(past.reshape(4, 168).max(axis=1)) / pace_of)
            kind = next(name for most, name in BURSTS if burst <= most)
            hours = panel.cost[rows, first:last].sum(axis=0)
            usual = np.flatnonzero((hours >= pace_of) & (hours <= 2 * pace_of))
            usual = usual[(usual > 48) & (usual < last - first - 24)]
            if len(usual):
                begins = first + int(rng.choice(usual))
                found.setdefault(kind, []).append(_minutes(panel, rows, begins, first, last))
    return found


def _minutes(panel: Panel, rows: np.typing.NDArray[np.intp], begins: int, first: int, last: int) -> int:
    truth = panel.cost.copy()
    limit = int(1.1 * truth[rows, first:last].sum())
    truth[rows, begins : begins + LASTING] *= 10
    budget = budget_of(("api_key",))
    for minutes in range(5, 60 * LASTING + 5, 5):
        elapsed = timedelta(minutes=minutes)
        now = panel.start + begins * HOUR + elapsed
        shown = begins + minutes // 60 + (1 if minutes % 60 else 0)
        start = max(shown - 71 * 24, 0)
        cost = truth[rows, start:shown].copy()
        part = max((minutes % 60 or 60) / 60 - BEHIND / HOUR, 0.0)
        cost[:, -1] = (cost[:, -1] * part).astype(np.int64)
        complete = panel.start + (shown - 1) * HOUR
        leaves = tuple(panel.leaves[row] for row in rows.tolist())
        known = panel.known[start:shown]
        view = SpendView("org", panel.start + start * HOUR, leaves, cost, np.zeros_like(cost), known, complete, now)
        if any(burn.judge(field_of(budget, Members(budget, view, Names()), [limit], now), {})):
            return minutes
    return 999


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.triggers")
    parser.add_argument("--seeds", default="6-8")
    first, _, last = parser.parse_args(arguments).seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    calm, launch = Months(seeds, "calm"), Months(seeds, "launch")
    print("Pages of the usual burn pairs a thousand weeks of a budget, all of them false\n")
    false_burns(calm, launch)
    delays = runaways(calm)
    print(f"\nA key at ten times its pace for {LASTING} hours: in percent of the runaways, how soon it is told\n")
    print("| the dearest hour of a usual week is | runaways | in 10 min | 20 min | 1 h | 2 h | 6 h |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for _, name in BURSTS:
        took = np.array(delays.get(name, [999]))
        cells = " | ".join(f"{100 * (took <= within).mean():.0f}" for within in (10, 20, 60, 120, 360))
        print(f"| {name} | {len(delays.get(name, []))} | {cells} |")
    for part, what in ((1.1, "a tenth above what the month came to: false"), (0.9, "a tenth below: right")):
        print(f"\nThe limit is {what}. Scopes that are told of, in percent, and on which day first\n")
        heads = " | ".join(f"to day {day}" for day in DAYS)
        print(f"| trigger | scope | at all | {heads} |\n| --- | --- | --- |{' --- |' * len(DAYS)}")
        for name, judge, budget in ways():
            for kind, per in SCOPES.items():
                print(f"| {name} | {kind} | {' | '.join(by_day(calm, judge, per, budget, part))} |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
