"""What a replay's guard would have done, in hindsight: money saved, use that was cut off, who was innocent. Pure.

History knows how each key went on, so nothing has to be guessed of it but until when the key would have been off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from rules.actions import NO_KEY, Action, ActionState
from rules.attribution import WEEK, WEEKS
from rules.judgement import Rules
from rules.model import HOUR, Names, Nano, Selector, SpendView
from rules.money import display_usd
from rules.offences import places
from rules.policy import Policy
from rules.quieted import EXPECTED, Feedback
from watcher.backtest.guarding import Off, SimulatedGuard

BY_ITSELF = timedelta(hours=1)
"""An excess that was gone within the grace and this, from the proposal on, would have ended without anybody."""
CALM = 6
"""So many hours in a row without any of it end an excess."""
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Stop:
    """One key that would have been off. Amounts are nano-dollars."""

    row: Action
    at: datetime
    until: datetime
    """Until when it would have been off: somebody would have noticed otherwise, or the period ended."""
    per_hour: Nano
    estimate: Nano
    """What the daemon would have said is saved."""
    ended: datetime | None
    """The end of its excess; None while that lasted as long as the key would have been off, or longer."""
    saved: Nano
    """What the key spent, in fact, from then until its excess ended or it would have been on again."""
    usual: Nano
    """What it spent beside that while it would have been off: work that the stop would have kept from being done."""
    innocent: str
    """Why it should not have been stopped, as hindsight has it, as a clause; "" where it was right."""


@dataclass(frozen=True, slots=True)
class Acts:
    """What the guard of one replay came to."""

    policy: Policy
    stops: tuple[Stop, ...]
    refused: tuple[Action, ...]
    """What was decided and not done, with why."""

    @property
    def innocent(self) -> tuple[Stop, ...]:
        """The stops that were wrong."""
        return tuple(stop for stop in self.stops if stop.innocent)

    @property
    def saved(self) -> Nano:
        """By the stops that were right."""
        return sum(stop.saved for stop in self.stops if not stop.innocent)


@dataclass(frozen=True, slots=True)
class Hindsight:
    """What is known today: the whole history with its settled figures, the rules, and what people said."""

    view: SpendView
    names: Names
    rules: Rules
    feedback: Sequence[Feedback] = ()

    def acts(self, guard: SimulatedGuard, policy: Policy) -> Acts:
        """Account for everything that a guard did. Where a key was off already, that is no news and left out."""
        done = {each.row.id for each in guard.off}
        refused = tuple(row for row in guard.journal if row.id not in done and not self._off_by_us(row, guard.off))
        return Acts(policy, tuple(self._stop(each, policy) for each in guard.off), refused)

    @staticmethod
    def _off_by_us(row: Action, off: Sequence[Off]) -> bool:
        ended = row.state is ActionState.REFUSED and "inactive already" in row.reason
        return ended and any(each.row.key == row.key and each.since <= row.updated_at < each.until for each in off)

    def _stop(self, off: Off, policy: Policy) -> Stop:
        spent, usual = self._of_key(off.row)
        ended = self._ended(off, spent, usual)
        last = min(off.until, self.view.complete_until)
        worth = self._between(spent, off.since, min(last, max(ended, off.since)))
        return Stop(
            row=off.row,
            at=off.since,
            until=off.until,
            per_hour=off.per_hour,
            estimate=off.estimate,
            ended=None if ended >= last else ended,
            saved=worth,
            usual=max(self._between(spent, off.since, last) - worth, 0),
            innocent=self._innocent(off, policy, ended),
        )

    def _of_key(self, row: Action) -> tuple[Floats, Floats]:
        """What the key spent in each hour, and what is usual in it: the same hour of the week in the weeks before."""
        rows = [place for place, leaf in enumerate(self.view.leaves) if leaf.api_key == row.key]
        spent: Floats = self.view.cost[rows].sum(axis=0).astype(np.float64)
        since = row.created_at if row.evidence is None else row.evidence.since
        first = min(max(self.view.index(since), 0), self.view.hours)
        weeks = min(first // WEEK, WEEKS)
        if not weeks:
            return spent, np.zeros_like(spent)
        past = spent[first - weeks * WEEK : first].reshape(weeks, WEEK).mean(axis=0)
        return spent, past[(np.arange(self.view.hours) - first) % WEEK]

    def _ended(self, off: Off, spent: Floats, usual: Floats) -> datetime:
        """The end of the last hour with at least half of what the key had too much in an hour.

        Of a budget of the key's own that is the end of its period: all that it spends until then is over the limit.
        """
        row = off.row
        if row.cause.kind == "budget" and row.cause.scope.api_key == row.key:
            return off.until
        ended, calm = row.created_at, 0
        last = min(self.view.index(off.until - timedelta(microseconds=1)) + 1, self.view.hours)
        for hour in range(max(self.view.index(row.created_at), 0), last):
            if spent[hour] - usual[hour] >= max(off.per_hour / 2, 1):
                ended, calm = self.view.start + (hour + 1) * HOUR, 0
            elif (calm := calm + 1) > CALM:
                break
        return ended

    def _between(self, spent: Floats, since: datetime, until: datetime) -> Nano:
        """Spend of a stretch, hours that are only partly within it in proportion."""
        total, hour = 0.0, max(self.view.index(since), 0)
        while hour < self.view.hours and (begins := self.view.start + hour * HOUR) < until:
            part = (min(begins + HOUR, until) - max(begins, since)) / HOUR
            total += float(spent[hour]) * max(part, 0.0)
            hour += 1
        return round(total)

    def _innocent(self, off: Off, policy: Policy, ended: datetime) -> str:
        row = off.row
        said = next((each for each in self.feedback if self._is_about(each, off)), None)
        if said is not None:
            return f"{said.by} said that it was expected"
        if row.evidence is not None:
            short = self._settled(row) - row.evidence.bound
            what = "limit" if row.cause.kind == "budget" else "bound"
            if short < 0:
                return f"by what is known now the {what} was not reached"
            if short < policy.min_amount:
                return f"by what is known now it was {display_usd(short)} too much, less than min_usd"
        if ended <= row.created_at + policy.grace + BY_ITSELF:
            return "its excess was gone by itself an hour after the grace"
        return ""

    @staticmethod
    def _is_about(said: Feedback, off: Off) -> bool:
        if said.verdict != EXPECTED or said.taken_back:
            return False
        same = said.subject.rule == off.row.cause.rule and said.subject.scope == off.row.cause.scope
        began = off.row.created_at if off.row.evidence is None else off.row.evidence.since
        return same and said.since <= off.since and (said.until is None or said.until >= began)

    def _settled(self, row: Action) -> Nano:
        """What the scope is known to have spent by now in the hours that the decision rested on."""
        if row.evidence is None:
            return row.amount
        found = places(self.view, self.names, self._selector(row), row.cause.scope)
        first, last = (self.view.index(each) for each in (row.evidence.since, row.evidence.data_as_of))
        if first < 0:
            return row.evidence.observed
        if row.evidence.data_as_of > self.view.start + last * HOUR:  # a part of an open hour is no less than was seen
            return max(row.evidence.observed, int(self.view.cost[found, first:last].sum()))
        return int(self.view.cost[found, first:last].sum())

    def _selector(self, row: Action) -> Selector:
        if row.cause.kind == "budget":
            return next((each.select for each in self.rules.budgets if each.name == row.cause.rule), Selector())
        return next((each.select for each in self.rules.anomalies if each.name == row.cause.rule), Selector())


def why_not(rows: Sequence[Action]) -> list[tuple[str, list[str]]]:
    """The reasons for which nothing was done, and the names of the keys that each kept; the most frequent first."""
    found: dict[str, list[str]] = {}
    for row in rows:
        ended = row.state in {ActionState.REFUSED, ActionState.EXPIRED, ActionState.ABANDONED}
        reason = row.reason if ended else f"It was still waiting when the replay ended: {row.waits}."
        found.setdefault(reason, []).append(named(row))
    return sorted(found.items(), key=lambda each: (-len(each[1]), each[0]))


def named(row: Action) -> str:
    """What people call the key."""
    return "no key" if row.key == NO_KEY else row.key_name or row.key
