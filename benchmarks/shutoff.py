"""Who is stopped for nothing, and how soon a runaway key is off, in whole organizations with `mode = "auto"`.

    python -m benchmarks.shutoff [--seeds 1-20] [--keys 150] [--days 90] [--rough] [--list]

Organizations of `benchmarks.organizations` with their harmless events, under an anomaly rule per key at its defaults
and a daily budget of the organization at 1.5 times its usual day, both of which ask for keys to be deactivated, every
guard at its default. Judged hour by hour from the fifth week on: first as they are, when nothing may be stopped; then
with a key every three days that spends 20 times its mean hour for twelve hours, looked at every five minutes
(`shutoff_stage.py`): it has to be off within two polls of being surely $50 beyond the expected, plus the grace, and no
other key may be.

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
from benchmarks.organization_replay import LAG, POLL
from benchmarks.organization_traffic import DAY, START
from benchmarks.organizations import calm, rough
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
from watcher.backtest.guarding import Allowed, SimulatedGuard
from watcher.backtest.replay import Place, replay

SINCE = 28
"""The day from which on it is judged: what comes before is history."""
OVER = 1.5
"""Times the usual day, at which the budget is; and at which the peer stops somebody."""
POLICY = Policy(mode="auto")
IN_TIME = 2
INTO = 8
"""Hours into a runaway at which a breach of a wider scope is put down to somebody."""
FULL = Threshold(percent=100.0, action=KeyAction())


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one runaway."""

    run: Runaway
    passed: float | None
    """The hour at which the data first showed surely `min_amount` beyond the usual; None where they never did."""
    proposed: float | None
    off: float | None

    @property
    def polls(self) -> float | None:
        """From there to the proposal."""
        return None if self.passed is None or self.proposed is None else max(self.proposed - self.passed, 0.0) / POLL

    @property
    def in_time(self) -> bool:
        """Whether it was off within two polls of that, plus the grace."""
        if self.passed is None or self.off is None:
            return self.passed is None
        return self.off - self.passed <= IN_TIME * POLL + POLICY.grace / HOUR + 1e-6


@dataclass(slots=True)
class Score:
    """Everything about one organization."""

    keys: int = 0
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
    asked = parser.parse_args(arguments)
    first, _, last = asked.seeds.partition("-")
    make = rough if asked.rough else calm
    scores = []
    for seed in range(int(first), int(last or first) + 1):
        scores.append(judged(make(seed, asked.keys, asked.days), seed))
        one = scores[-1]
        late = sum(not fate.in_time for fate in one.fates)
        print(
            f"seed {seed}: {dict(one.wrong)} stopped for nothing, {len(one.fates)} runaways, {late} late, "
            f"{one.others} others; peer {len(one.peer)}",
            file=sys.stderr,
            flush=True,
        )
    report(scores)
    if asked.list:
        table(
            "| runaway | begins on day | dollars an hour | passed after | proposed, polls | off after |", _each(scores)
        )
    return 0


def report(scores: Sequence[Score]) -> None:
    """Print all figures of some organizations."""
    table(
        "| without incidents | organizations | innocent keys stopped | in how many | a year each |", _harmless(scores)
    )
    table("| with runaways | how many | off | in time | median | worst | others stopped |", _incidents(scores))
    table(
        "| budgets of a wider scope | asked | runaway named alone | with others | nobody | others alone |",
        _named(scores),
    )


def judged(ordinary: Ordinary, seed: int, since: int = SINCE * DAY) -> Score:
    """One organization, without incidents and with them."""
    return with_runaways(ordinary, seed, since, without_incidents(ordinary, since))


def without_incidents(ordinary: Ordinary, since: int = SINCE * DAY) -> Score:
    """One organization with its harmless events, in which nothing may be stopped."""
    score = Score(keys=len(ordinary.traffic.homes()))
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
    score = score or Score(keys=len(ordinary.traffic.homes()))
    runs = runaways(ordinary, seed, since)
    guard = _guard(ordinary)
    stage = Stage(ordinary, runs, guard)
    replay(stage.frames(since), _rules(ordinary, since), Place(ordinary.traffic.names), guard=guard)
    score.fates = [_fate(ordinary, run, guard) for run in runs]
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


def _guard(ordinary: Ordinary) -> SimulatedGuard:
    keys = directory(ordinary)
    return SimulatedGuard(Allowed(POLICY, lambda _now: keys), ordinary.traffic.names)


def _event(ordinary: Ordinary, key: str, at: float) -> str:
    """The harmless event of the key that was last before a moment, within three hours of its end."""
    kinds = [each.kind for each in ordinary.events if key in each.keys and each.begin - 1 <= at <= each.end + 3]
    return kinds[-1] if kinds else "ordinary hours"


def _fate(ordinary: Ordinary, run: Runaway, guard: SimulatedGuard) -> Fate:
    rows = [row for row in guard.journal if row.key == run.key and run.begin <= hours(row.created_at) <= run.end + 1]
    off = [
        each.since for each in guard.off if each.row.key == run.key and run.begin <= hours(each.since) <= run.end + 2
    ]
    proposed = min((hours(row.created_at) for row in rows), default=None)
    first = min(rows, key=lambda row: row.created_at, default=None)
    expected = 0.0 if first is None or first.evidence is None else first.evidence.key_expected / DOLLAR
    return Fate(run, _passed(ordinary, run, expected), proposed, hours(min(off)) if off else None)


def _passed(ordinary: Ordinary, run: Runaway, expected: float) -> float | None:
    """The first moment at which what had been reported was surely `min_amount` more than its story expected."""
    usual = ordinary.traffic.dollars[ordinary.traffic.rows(run.key)].sum(axis=0)
    for poll in np.arange(run.begin, run.end, 1.0 / 60.0).tolist():
        first = int(run.begin)
        here = float(usual[first : int(poll)].sum()) + float(usual[int(poll)]) * (poll - int(poll))
        excess = run.pace * (poll - run.begin)
        if (1 - ASSUMED_ERROR) * (here + excess) - max(expected, here) >= POLICY.min_amount / DOLLAR:
            return float(poll) + LAG
    return None


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
    fates = [fate for score in scores for fate in score.fates]
    due = [fate for fate in fates if fate.passed is not None]
    lengths = np.array(
        [60 * (fate.off - fate.passed) for fate in due if fate.off is not None and fate.passed is not None]
    )
    off = sum(fate.off is not None for fate in due)
    middle, worst = (f"{np.median(lengths):.0f} min", f"{lengths.max():.0f} min") if len(lengths) else ("", "")
    in_time = sum(fate.in_time for fate in due)
    yield "this guard", len(due), off, in_time, middle, worst, sum(score.others for score in scores)
    for name, of in (("biggest spender of the organization", False), ("biggest spender of the workspace", True)):
        cuts = [(cut, right) for score in scores for cut, right in score.peer_incidents if bool(cut.workspace) is of]
        found = sum(fits for _, fits in cuts)
        yield name, len(due), found, "", "", "", len(cuts) - found


def _named(scores: Sequence[Score]) -> Iterator[Sequence[object]]:
    named: Counter[tuple[str, str, str]] = sum((score.named for score in scores), Counter())
    for rule, title in dict.fromkeys((rule, title) for rule, title, _ in named):
        counts = [named[rule, title, who] for who in ("alone", "with others", "nobody", "others")]
        yield (f"{rule}, {title}", sum(counts), *counts)


def _each(scores: Sequence[Score]) -> Iterator[Sequence[object]]:
    for fate in (fate for score in scores for fate in score.fates):
        passed = "never" if fate.passed is None else f"{fate.passed - fate.run.begin:.2f} h"
        off = "never" if fate.off is None or fate.passed is None else f"{60 * (fate.off - fate.passed):.0f} min"
        polls = "" if fate.polls is None else f"{fate.polls:.1f}"
        yield fate.run.key[-8:], f"{fate.run.begin / DAY:.2f}", f"{fate.run.pace:.0f}", passed, polls, off


if __name__ == "__main__":
    sys.exit(main())
