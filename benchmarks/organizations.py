"""How often a whole organization is paged for nothing, and what its incidents cost before somebody hears of them.

    python -m benchmarks.organizations [--seeds 1-3] [--keys 1000] [--days 90] [--processes 2] [--list]

Organizations of a thousand keys over 90 days, judged hour by hour with the rule that the example configuration has, its
floor in money, life cycle and routing; the last five weeks count. Once as the simulator draws them, once with the
harmless events of every organization (`organization_harmless.py`), once rough as well (`organization_traffic.py`), each
without incidents; then the last two with incidents (`organization_incidents.py`). `--list` prints every incident and
its fate.

A page is a message that something fires. It is false if none of its alerts is about a key in an incident, while that
lasts or within a day after it. Money spent before the page is counted to the minute: data are six minutes old, and
polls are five minutes apart. What is never told of counts as spent. That whole judgements, hour by hour, send the same
pages is a test's matter. Late hours are judged and learnt as they were when
they first came.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np

from benchmarks.organization_harmless import Ordinary, ordinary
from benchmarks.organization_incidents import with_incidents
from benchmarks.organization_replay import POLL
from benchmarks.organization_scores import DEAR, Fate, Week, fates, quiet_weeks
from benchmarks.organization_traffic import DAY, draw
from benchmarks.tables import table
from rules.model import AnomalyRule

SCORED = 35
"""Days at the end that count: what comes before is history."""
RULE = AnomalyRule("key spend")
IN_TIME = 2
"""Polls within which a dear runaway has to be told."""


def plain(seed: int, keys: int, days: int) -> Ordinary:
    """As the simulator draws it, and nothing happens."""
    traffic = draw(seed, keys, days, rough=False)
    return Ordinary(traffic, (), np.ones(traffic.hours, dtype=np.bool_), np.ones(traffic.hours))


def calm(seed: int, keys: int, days: int) -> Ordinary:
    """The same with harmless events."""
    return ordinary(draw(seed, keys, days, rough=False), seed)


def rough(seed: int, keys: int, days: int) -> Ordinary:
    """Long-tailed, wandering traffic with harmless events."""
    return ordinary(draw(seed, keys, days, rough=True), seed)


KINDS: tuple[tuple[str, Callable[[int, int, int], Ordinary]], ...] = (
    ("as the simulator draws it", plain),
    ("with harmless events", calm),
    ("rough, with harmless events", rough),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.organizations")
    parser.add_argument("--seeds", default="1-3", help="both ends included")
    parser.add_argument("--keys", type=int, default=1000)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="every incident and its fate, too")
    asked = parser.parse_args(arguments)
    first, _, last = asked.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    quiet: dict[str, list[Week]] = {name: [] for name, _ in KINDS}
    stormy: dict[str, list[tuple[list[Fate], Week]]] = {name: [] for name, _ in KINDS}
    with ProcessPoolExecutor(asked.processes) as pool:
        for weeks, storms in pool.map(partial(_of_seed, keys=asked.keys, days=asked.days), seeds):
            for name, week in weeks.items():
                quiet[name].append(week)
            for name, storm in storms.items():
                stormy[name].append(storm)
    table(
        "| without incidents | organization-weeks | pages a week | worst organization | pages of what ended |",
        _pages(quiet),
    )
    for name, own in quiet.items():
        if name != KINDS[0][0]:
            table(f"| {name}, pages within | how many | per 1,000 key-weeks |", _by_event(own))
    table(
        "| with incidents | how many | dollars told of | spent before, of all | of those told of | false pages a week |"
        " pages an incident |",
        _overall(stormy),
    )
    every = [fate for runs in stormy.values() for own, _ in runs for fate in own]
    table("| incident | how many | found | dollars told of | spent before | hours until then |", by_kind(every))
    for name, runs in stormy.items():
        told = [fate for own, _ in runs for fate in own]
        table(f"| {name}, to be told in time | how many | in time | median | worst |", promises(told))
    if asked.list:
        table("| incident | begins on day | hours | dollars | told after | spent |", _each(every))
    return 0


def _of_seed(seed: int, keys: int, days: int) -> tuple[dict[str, Week], dict[str, tuple[list[Fate], Week]]]:
    """What is heard of the organizations of one seed without incidents, and with them."""
    since = (days - SCORED) * DAY
    quiet: dict[str, Week] = {}
    stormy: dict[str, tuple[list[Fate], Week]] = {}
    for name, make in KINDS:
        made = make(seed, keys, days)
        quiet[name] = quiet_weeks(made, RULE, since)
        hit, incidents = with_incidents(made, seed, since // DAY + 1)
        stormy[name] = fates(hit, incidents, RULE, since)
    return quiet, stormy


def _pages(quiet: dict[str, list[Week]]) -> Iterator[Sequence[object]]:
    for name, weeks in quiet.items():
        time = sum(week.weeks for week in weeks)
        worst = max(week.pages / week.weeks for week in weeks)
        pages, ends = sum(week.pages for week in weeks), sum(week.ends for week in weeks)
        yield name, f"{time:.0f}", f"{pages / time:.2f}", f"{worst:.1f}", f"{ends / time:.2f}"


def _by_event(weeks: Sequence[Week]) -> Iterator[Sequence[object]]:
    pages: Counter[str] = sum((week.by_event for week in weeks), Counter())
    hours: Counter[str] = sum((week.hours for week in weeks), Counter())
    for kind in sorted(hours, key=lambda kind: (kind != "ordinary hours", kind)):
        if hours[kind]:
            yield kind, pages[kind], f"{pages[kind] / hours[kind] * 168_000:.2f}"


def _overall(stormy: dict[str, list[tuple[list[Fate], Week]]]) -> Iterator[Sequence[object]]:
    for name, runs in stormy.items():
        own = [fate for each, _ in runs for fate in each]
        weeks = [week for _, week in runs]
        whole, told = sum(fate.dollars for fate in own), [fate for fate in own if fate.told_at is not None]
        known = sum(fate.dollars for fate in told)
        yield (
            name,
            len(own),
            f"{known / whole:.1%}",
            f"{sum(fate.spent for fate in own) / whole:.1%}",
            f"{sum(fate.spent for fate in told) / known:.1%}",
            f"{sum(week.pages for week in weeks) / sum(week.weeks for week in weeks):.2f}",
            f"{sum(fate.pages for fate in told) / len(told):.1f}",
        )


def by_kind(every: Sequence[Fate]) -> Iterator[Sequence[object]]:
    """One row a kind of incident, and one a variety of runaways."""
    groups: dict[str, list[Fate]] = defaultdict(list)
    for fate in every:
        groups[fate.incident.kind].append(fate)
    for fate in every:
        if fate.incident.kind == "runaway":
            groups[f"· {fate.incident.variety}"].append(fate)
    for kind, own in groups.items():
        told = [fate for fate in own if fate.told_at is not None]
        dollars = sum(fate.dollars for fate in own)
        delays = [fate.told_at - fate.incident.begin for fate in own if fate.told_at is not None]
        yield (
            kind,
            len(own),
            f"{len(told) / len(own):.2f}",
            f"{sum(fate.dollars for fate in told) / dollars:.2f}",
            f"{sum(fate.spent for fate in own) / dollars:.2f}",
            f"{np.median(delays):.1f}" if delays else "",
        )


def promises(every: Sequence[Fate]) -> Iterator[Sequence[object]]:
    """Runaways by the polls after the data had passed bound and floor, leaks by the days of normal spend they cost."""
    dear = [fate for fate in every if fate.incident.kind == "runaway" and fate.incident.by_hour().max() >= DEAR]
    first = [fate for fate in dear if "again" not in fate.incident.variety]
    words = f"runaways of {DEAR:.0f} dollars an hour and more, within {IN_TIME} polls"
    for name, own in ((words, dear), ("· without those that came again a week later", first)):
        polls = np.array([fate.polls for fate in own if fate.polls is not None and not fate.already])
        if len(polls):
            middle = f"{np.median(polls) * POLL * 3600:.0f} s"
            worst = "never" if np.isinf(polls.max()) else f"{polls.max():.0f} polls"
            yield name, len(polls), f"{np.mean(polls <= IN_TIME):.2f}", middle, worst
    yield "· those that never pass bound and floor", sum(fate.polls is None for fate in dear), "", "", ""
    yield "· those whose key was firing already", sum(fate.already for fate in dear), "", "", ""
    leaks = [fate for fate in every if fate.incident.kind == "slow leak"]
    due = [fate for fate in leaks if fate.dollars >= 5.0 * fate.normal_day]
    if due:
        days = np.array([fate.spent / fate.normal_day for fate in due])
        yield (
            "leaks that cost five normal days and more, before they have",
            len(due),
            f"{np.mean([fate.in_time for fate in due]):.2f}",
            f"{np.median(days):.1f} days",
            f"{days.max():.1f} days",
        )


def _each(every: Sequence[Fate]) -> Iterator[Sequence[object]]:
    for fate in every:
        incident = fate.incident
        told = "never" if fate.told_at is None else f"{fate.told_at - incident.begin:.1f} h"
        name = f"{incident.kind} {incident.variety}".strip()
        hours = f"{incident.end - incident.begin:.0f}"
        yield (
            name,
            f"{incident.begin / DAY:.2f}",
            hours,
            f"{fate.dollars:.0f}",
            told,
            f"{fate.spent / fate.dollars:.2f}",
        )


if __name__ == "__main__":
    sys.exit(main())
