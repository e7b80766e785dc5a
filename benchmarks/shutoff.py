"""Who is stopped for nothing, and how soon a runaway key is off, in whole organizations with `mode = "auto"`.

    python -m benchmarks.shutoff [--seeds 1-20] [--keys 150] [--days 90] [--rough] [--list]

Organizations of `benchmarks.organizations` with their harmless events, under an anomaly rule per key at its defaults
and a daily budget of the organization at 1.5 times its usual day, both of which ask for keys to be deactivated, every
guard at its default. Judged hour by hour from the fifth week on: first as they are, when nothing may be stopped; then
with a key every three days that spends 20 times its mean hour for twelve hours, looked at every five minutes
(`shutoff_stage.py`): it has to be off within two polls of passing bound and floor, plus the grace (`shutoff_fates.py`
says from when on that is counted), and no other key may be.

Beside it, over the same spend, what most scripts do: stop the biggest spender of the day as soon as the day's total is
1.5 times the mean of the seven days before; of the organization, and of each workspace.

Then whom a breach of a wider budget would be put down to: eight hours into each runaway, and at the same hours of the
organization without them, for budgets of a day and a month of the workspace and of the organization that are over.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np

from benchmarks.organization_harmless import Ordinary
from benchmarks.organization_traffic import DAY, START
from benchmarks.organizations import calm, rough
from benchmarks.shutoff_fates import Fate, WatchedGuard, fate, show, show_each
from benchmarks.shutoff_peer import Cut, biggest_spenders
from benchmarks.shutoff_stage import Runaway, Stage, directory, hours, runaways
from benchmarks.tables import table
from rules import budgets
from rules.actions import NO_KEY
from rules.judgement import Rules
from rules.model import HOUR, Alert, AnomalyRule, Breach, Budget, Route, Severity, SpendView, State
from rules.offences import ASSUMED_ERROR, Field, Offence, Offender
from rules.policy import KeyAction, Policy
from rules.subjects import DOLLAR
from rules.thresholds import Threshold
from watcher.backtest.guarding import Allowed
from watcher.backtest.replay import Place, replay

SINCE = 28
"""The day from which on it is judged: what comes before is history."""
OVER = 1.5
"""Times the usual day, at which the budget is; and at which the peer stops somebody."""
POLICY = Policy(mode="auto")
INTO = 8
"""Hours into a runaway at which a breach of a wider scope is put down to somebody."""
FULL = Threshold(percent=100.0, action=KeyAction())


@dataclass(slots=True)
class Score:
    """Everything about one organization."""

    wrong: Counter[str] = field(default_factory=Counter)
    """Keys stopped without incidents, by the event that they were in."""
    asked: int = 0
    """Approvals asked for."""
    few: int = 0
    """Anomalies that were too few times the usual."""
    fates: list[Fate] = field(default_factory=list)
    others: int = 0
    """Keys stopped beside those that ran away."""
    peer: list[Cut] = field(default_factory=list)
    peer_incidents: list[tuple[Cut, bool]] = field(default_factory=list)
    """With whether the key was running away."""
    named: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """By scope, "runaway" or "calm", and who was named."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shutoff")
    parser.add_argument("--seeds", default="1-20", help="both ends included")
    parser.add_argument("--keys", type=int, default=150)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--rough", action="store_true", help="long-tailed, wandering traffic")
    parser.add_argument("--list", action="store_true", help="every runaway and its fate, too")
    parser.add_argument("--only", choices=("calm", "runaways"), help="the one half alone")
    asked = parser.parse_args(arguments)
    first, _, last = asked.seeds.partition("-")
    make = rough if asked.rough else calm
    scores = []
    for seed in range(int(first), int(last or first) + 1):
        one = judged(make(seed, asked.keys, asked.days), seed, only=asked.only)
        scores.append(one)
        late = sum(not each.in_time(each.stayed, POLICY) for each in one.fates)
        print(
            f"seed {seed}: {dict(one.wrong)} stopped for nothing, {len(one.fates)} runaways, {late} late, "
            f"{one.others} others; peer {len(one.peer)}",
            file=sys.stderr,
            flush=True,
        )
    if asked.only != "runaways":
        report_calm(scores)
    if asked.only != "calm":
        report_runaways(scores)
    if asked.list:
        show_each(each for score in scores for each in score.fates)
    return 0


def report_calm(scores: Sequence[Score]) -> None:
    """Print whom organizations without incidents had stopped."""
    table(
        "| without incidents | organizations | innocent keys stopped | in how many | a year each |", _harmless(scores)
    )


def report_runaways(scores: Sequence[Score]) -> None:
    """Print what became of keys that ran away, and whom a wider breach was put down to."""
    show([each for score in scores for each in score.fates], POLICY)
    table("| with runaways | how many | off | others stopped |", _incidents(scores))
    table(
        "| budgets of a wider scope | asked | runaway named alone | with others | nobody | others alone |",
        _named(scores),
    )


def judged(ordinary: Ordinary, seed: int, since: int = SINCE * DAY, only: str | None = None) -> Score:
    """One organization, without incidents and with them, or one of both."""
    score = Score() if only == "runaways" else without_incidents(ordinary, since)
    return score if only == "calm" else with_runaways(ordinary, seed, since, score)


def without_incidents(ordinary: Ordinary, since: int = SINCE * DAY) -> Score:
    """One organization with its harmless events, in which nothing may be stopped."""
    score = Score()
    guard = _guard(ordinary)
    stage = Stage(ordinary, (), guard)
    replay(stage.frames(since), _rules(ordinary, since), Place(ordinary.traffic.names), guard=guard)
    for each in guard.off:
        score.wrong[_event(ordinary, each.row.key, hours(each.since))] += 1
    score.asked = sum(row.mode == "approve" for row in guard.journal)
    score.few = sum(row.key == NO_KEY for row in guard.journal)
    score.peer = list(biggest_spenders(ordinary.traffic.leaves, _dollars(ordinary, ()), since, OVER))
    return score


def with_runaways(ordinary: Ordinary, seed: int, since: int = SINCE * DAY, score: Score | None = None) -> Score:
    """The same with a runaway key every three days; added to a score."""
    score = score or Score()
    runs = runaways(ordinary, seed, since)
    guard = _guard(ordinary)
    stage = Stage(ordinary, runs, guard)
    replay(stage.frames(since), _rules(ordinary, since), Place(ordinary.traffic.names), guard=guard)
    score.fates = [fate(ordinary, run, guard, POLICY) for run in runs]
    mine = {run.key for run in runs}
    score.others = sum(each.row.key not in mine for each in guard.off)
    for cut in biggest_spenders(ordinary.traffic.leaves, _dollars(ordinary, runs), since, OVER):
        right = any(run.key == cut.key and run.begin <= cut.hour + 1 and cut.hour <= run.end for run in runs)
        score.peer_incidents.append((cut, right))
    _put_down(ordinary, runs, score)
    return score


def _rules(ordinary: Ordinary, since: int) -> Rules:
    day = float(ordinary.traffic.dollars[:, max(since - 28 * DAY, 0) : since].sum()) / min(since / DAY, 28)
    budget = Budget("organization's day", "day", "UTC", round(OVER * day * DOLLAR), (FULL,))
    return Rules((budget,), (AnomalyRule("key spend", action=KeyAction()),), (Route("ops"),))


def _guard(ordinary: Ordinary) -> WatchedGuard:
    keys = directory(ordinary)
    return WatchedGuard(Allowed(POLICY, lambda _now: keys), ordinary.traffic.names)


def _event(ordinary: Ordinary, key: str, at: float) -> str:
    """The harmless event of the key that was last before a moment, within three hours of its end."""
    kinds = [each.kind for each in ordinary.events if key in each.keys and each.begin - 1 <= at <= each.end + 3]
    return kinds[-1] if kinds else "ordinary hours"


def _dollars(ordinary: Ordinary, runs: Sequence[Runaway]) -> np.ndarray:
    """Spend by leaf and hour if nobody stops anything."""
    dollars = ordinary.traffic.dollars.copy()
    for run in runs:
        row = ordinary.traffic.rows(run.key)[0]
        for hour in range(int(run.begin), min(int(run.end) + 1, dollars.shape[1])):
            dollars[row, hour] += run.pace * max(min(hour + 1.0, run.end) - max(float(hour), run.begin), 0.0)
    return dollars


# ------------------------------------------------------------------------------------------ whom it is put down to


def _put_down(ordinary: Ordinary, runs: Sequence[Runaway], score: Score) -> None:
    with_them, without = _dollars(ordinary, runs), ordinary.traffic.dollars
    homes = ordinary.traffic.homes()
    for run in runs:
        hour = int(run.begin) + INTO
        for title, dollars in (("runaway", with_them), ("calm", without)):
            for offence in _offences(ordinary, dollars, hour):
                scope = offence.cause.scope
                if scope.workspace not in {None, homes[run.key]}:
                    continue
                name = f"{offence.cause.rule}"
                keys = {each.key for each in offence.offenders if _is_acted_on(each)}
                who = "nobody" if not keys else "others"
                if run.key in keys:
                    who = "alone" if keys == {run.key} else "with others"
                score.named[name, title, who] += 1


def _is_acted_on(each: Offender) -> bool:
    return each.known and each.goes_on and each.observed - each.expected >= POLICY.min_amount


def _offences(ordinary: Ordinary, dollars: np.ndarray, hour: int) -> Iterator[Offence]:
    until = START + hour * HOUR
    cost = np.round(dollars[:, :hour] * DOLLAR).astype(np.int64)
    known, leaves = ordinary.known[:hour], ordinary.traffic.leaves
    view = SpendView("org", START, leaves, cost, np.zeros_like(cost), known, until, until)
    now = until + timedelta(minutes=20)
    names = ordinary.traffic.names
    for period in ("day", "month"):
        for per, of in (((), "organization"), (("workspace",), "workspace")):
            rule = Budget(f"{period} of the {of}", period, "UTC", DOLLAR, (FULL,), per=per)  # type: ignore[arg-type]
            breaches = [each for each in budgets.judge(rule, view, names, now) if isinstance(each, Breach)]
            alerts = [
                Alert(f"a{at}", each.subject, Severity.CRITICAL, State.FIRING, now, now, each.evidence, summary="")
                for at, each in enumerate(breaches)
            ]
            yield from Field(view, names, [rule], [], ASSUMED_ERROR).offences(breaches, alerts)


# ------------------------------------------------------------------------------------------ tables


def _harmless(scores: Sequence[Score]) -> Iterator[Sequence[object]]:
    years = 62.0 / 365.0
    for name, counts in (
        ("this guard", [sum(score.wrong.values()) for score in scores]),
        ("biggest spender of the organization", [sum(not cut.workspace for cut in score.peer) for score in scores]),
        ("biggest spender of the workspace", [sum(bool(cut.workspace) for cut in score.peer) for score in scores]),
    ):
        yield name, len(counts), sum(counts), sum(map(bool, counts)), f"{sum(counts) / len(counts) / years:.1f}"
    events: Counter[str] = sum((score.wrong for score in scores), Counter())
    for kind, count in events.items():
        yield f"· of these, this guard in: {kind}", "", count, "", ""
    yield "· approvals asked for", len(scores), sum(score.asked for score in scores), "", ""
    yield "· anomalies of too few times the usual", len(scores), sum(score.few for score in scores), "", ""


def _incidents(scores: Sequence[Score]) -> Iterator[Sequence[object]]:
    fates = [each for score in scores for each in score.fates]
    yield "this guard", len(fates), sum(each.off is not None for each in fates), sum(score.others for score in scores)
    for name, of in (("biggest spender of the organization", False), ("biggest spender of the workspace", True)):
        cuts = [(cut, right) for score in scores for cut, right in score.peer_incidents if bool(cut.workspace) is of]
        found = sum(fits for _, fits in cuts)
        yield name, len(fates), found, len(cuts) - found


def _named(scores: Sequence[Score]) -> Iterator[Sequence[object]]:
    named: Counter[tuple[str, str, str]] = sum((score.named for score in scores), Counter())
    for rule, title in dict.fromkeys((rule, title) for rule, title, _ in named):
        counts = [named[rule, title, who] for who in ("alone", "with others", "nobody", "others")]
        yield (f"{rule}, {title}", sum(counts), *counts)


if __name__ == "__main__":
    sys.exit(main())
