"""What becomes of keys that run away, and from when on it is counted whether they were off in time.

Counted from two moments, each two polls and the grace before the latest one that is in time:

- when what had been reported was surely `min_usd` beyond what the key was expected to spend, as the traffic is made;
- when the figures that the guard was handed passed everything that it asks of an anomaly: the rule's own bound (there
  is a breach), `min_usd` of sure excess, and five times the usual. Figures move: where they fell back below one of
  these before the key was off, it is counted from when they had passed all of them again, and told how often that was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from benchmarks.organization_harmless import Ordinary
from benchmarks.organization_replay import LAG, POLL
from benchmarks.organization_traffic import DAY
from benchmarks.shutoff_stage import Runaway, hours
from benchmarks.tables import table
from rules.model import Alert, Names
from rules.offences import ASSUMED_ERROR
from rules.policy import LEAST_MULTIPLE, Policy
from rules.situation import Situation
from rules.subjects import DOLLAR
from watcher.backtest.guarding import Allowed, SimulatedGuard

IN_TIME = 2
"""Polls, beside the grace."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one runaway; moments are hours since the traffic began, None where they never came."""

    run: Runaway
    passed: float | None
    """When the data first showed surely `min_usd` beyond the usual."""
    own: float | None
    """When they first passed everything that an action asks of them."""
    stayed: float | None
    """When they did so and did not fall back until the key was off."""
    off: float | None

    @property
    def fell_back(self) -> bool:
        """Whether the figures fell back below what an action asks of them."""
        return self.own != self.stayed

    def after(self, since: float | None) -> float | None:
        """Minutes from one of these moments until the key was off."""
        return None if since is None or self.off is None else 60 * (self.off - since)

    def in_time(self, since: float | None, policy: Policy) -> bool:
        """Whether the key was off within two polls of one of these moments, plus the grace; it had to be if it came."""
        if since is None:
            return True
        minutes = self.after(since)
        return minutes is not None and minutes <= 60 * IN_TIME * POLL + policy.grace.total_seconds() / 60 + 1e-6


class WatchedGuard(SimulatedGuard):
    """A guard that notes which keys' figures passed, at every look, what an action asks of an anomaly."""

    def __init__(self, allowed: Allowed, names: Names) -> None:
        super().__init__(allowed, names)
        self._policy = allowed.policy
        self._looks: list[tuple[float, frozenset[str]]] = []

    def _plan(self, situation: Situation, alerts: Mapping[str, Alert], now: datetime) -> None:
        anomalies = [each for each in situation.offences if each.cause.kind == "anomaly"]
        enough = [each for each in anomalies if each.amount >= self._policy.min_amount]
        passing = {key.key for each in enough for key in each.offenders if key.multiple >= LEAST_MULTIPLE}
        self._looks.append((hours(now), frozenset(passing)))
        super()._plan(situation, alerts, now)

    def passed(self, key: str, begin: float, off: float) -> tuple[float | None, float | None]:
        """When a key's figures first passed it between two moments, and when they did and did not fall back since."""
        first = stayed = None
        for at, passing in self._looks:
            if not begin <= at <= off:
                continue
            if key not in passing:
                stayed = None
            elif stayed is None:
                stayed = at
                first = at if first is None else first
        return first, stayed


def fate(ordinary: Ordinary, run: Runaway, guard: WatchedGuard, policy: Policy) -> Fate:
    """What became of one runaway."""
    mine = [row for row in guard.journal if row.key == run.key and run.begin <= hours(row.created_at) <= run.end + 1]
    ended = [hours(each.since) for each in guard.off if each.row.key == run.key]
    off = min((at for at in ended if run.begin <= at <= run.end + 2), default=None)
    first = min(mine, key=lambda row: row.created_at, default=None)
    expected = 0.0 if first is None or first.evidence is None else first.evidence.key_expected / DOLLAR
    own, stayed = guard.passed(run.key, run.begin, run.end + 2 if off is None else off)
    return Fate(run, _passed(ordinary, run, expected, policy), own, stayed, off)


def _passed(ordinary: Ordinary, run: Runaway, expected: float, policy: Policy) -> float | None:
    """The first moment at which what had been reported was surely `min_usd` more than its story expected."""
    usual = ordinary.traffic.dollars[ordinary.traffic.rows(run.key)].sum(axis=0)
    for poll in np.arange(run.begin, run.end, 1.0 / 60.0).tolist():
        first = int(run.begin)
        here = float(usual[first : int(poll)].sum()) + float(usual[int(poll)]) * (poll - int(poll))
        excess = run.pace * (poll - run.begin)
        if (1 - ASSUMED_ERROR) * (here + excess) - max(expected, here) >= policy.min_amount / DOLLAR:
            return float(poll) + LAG
    return None


def show(fates: Sequence[Fate], policy: Policy) -> None:
    """How many were off in time, by either count."""
    table("| counted from | runaways | off | in time | median | worst |", _counts(fates, policy))


def _counts(fates: Sequence[Fate], policy: Policy) -> Iterator[Sequence[object]]:
    fell = sum(each.fell_back for each in fates)
    for title, since in (
        ("the alert's: $50 beyond the expected, surely", [each.passed for each in fates]),
        ("the action's own, when first passed", [each.own for each in fates]),
        (f"the action's own, not fallen back below since ({fell} had)", [each.stayed for each in fates]),
    ):
        due = [(each, at) for each, at in zip(fates, since, strict=True) if at is not None]
        minutes = [length for each, at in due if (length := each.after(at)) is not None]
        median, worst = (f"{np.median(minutes):.0f} min", f"{max(minutes):.0f} min") if minutes else ("", "")
        in_time = sum(each.in_time(at, policy) for each, at in due)
        yield title, len(due), sum(each.off is not None for each, _ in due), in_time, median, worst


def show_each(fates: Iterable[Fate]) -> None:
    """Every runaway and what became of it."""
    head = "| runaway | begins on day | dollars an hour | passed after | off after that | after its own | at last |"
    table(head, (_each(fate) for fate in fates))


def _each(fate: Fate) -> Sequence[object]:
    run = fate.run
    passed = "never" if fate.passed is None else f"{fate.passed - run.begin:.2f} h"
    minutes = (fate.after(at) for at in (fate.passed, fate.own, fate.stayed))
    told = ("never" if each is None else f"{each:.0f} min" for each in minutes)
    return run.key[-8:], f"{run.begin / DAY:.2f}", f"{run.pace:.0f}", passed, *told
