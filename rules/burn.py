"""Burn rate: a limit that is used up several times as fast as it can be sustained, as SRE knows it of error budgets.

A pair of windows is in breach when **both** have cost at least `factor` times what is sustainable: the long one says
that it matters, the short one that it goes on. Sustainable for a window is the larger of the even share of the limit
(limit / hours of the period) and what hours like these are entitled to by the scope's own week (`rules.entitled`), so
that a Monday after a quiet weekend is no fire. Beyond that

- the long window has cost at least `LEAST` hours' even share of the limit: it matters in money;
- and at least `HABIT` times what the dearest window of that length costs the scope in a usual week (the median of the
  four weeks before): a key that works in bursts is not told of each of them.

**Windows end** with the newest complete hour, or with a later one. What is known of later hours is a lower bound: the
sum so far, over the time that has passed of the open hour and never scaled up. So it can prove a breach and never a
recovery. The rhythm and the habit are learned from before the windows: more spend never ends a breach.

**It ends** when complete data from after the newest hour in breach have the short window at `BELOW` of the factor.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from rules.entitled import Weeks, batches
from rules.habits import Floats
from rules.members import Field, Longs
from rules.model import HOUR, Alert, Breach, BurnEvidence, Clear, Nano, Subject, Verdict
from rules.triggers import BurnPair

LEAST = 0.5
"""Hours of the even share of the limit that the long window must have cost."""
HABIT = 2.0
OPEN = 1 / 6
"""The part of the open hour that has passed at least: its first minutes, or a clock that is behind the API's, make no
rate of a single batch."""
WEEKS = 4
BELOW = 0.9
KEEP_FIRING_FOR = timedelta(hours=1)
_WEEK = 168
_LONGEST = 10_000
"""Hours beyond which no end of the limit is worked out."""


def pair_id(pair: BurnPair) -> str:
    """The pair as it stands in identifiers: "6h/1h"."""
    return f"{pair.long // HOUR}h/{pair.short // HOUR}h"


def judge(field: Field, held: Mapping[Subject, Alert]) -> Iterator[Verdict]:
    """A `Breach` for each scope and pair that holds, a `Clear` for each alert in `held` (open ones) that is over."""
    members = field.members
    if not members.scopes or not members.shown:
        return
    hours = _Hours(field)
    chosen = sorted(field.held(held) | set(hours.candidates().tolist()))
    if not chosen:
        return
    weeks = Weeks(members, hours.first)
    for some in batches(chosen):
        closer = _Closer(hours, weeks, some)
        for at, place in enumerate(some):
            for pair in field.budget.burn:
                subject = field.subject("burn", place, pair_id(pair))
                end = closer.breach(at, pair)
                if end is not None:
                    yield closer.told(at, pair, end, subject)
                elif subject in held and closer.is_over(at, pair, held[subject]):
                    yield Clear(subject, closer.present(at, pair))


class _Hours:
    """The hours of all windows, for every scope: cheap figures that tell which scopes are worth a closer look."""

    __slots__ = ("complete", "ends", "even", "field", "first", "limits", "members", "running", "seen", "shown")

    def __init__(self, field: Field) -> None:
        members, period = field.members, field.period
        self.field, self.members = field, members
        view = members.view
        self.complete, self.shown = members.complete, members.shown
        self.first = max(self.complete - max(pair.long // HOUR for pair in field.budget.burn), 0)
        """The first column of the longest window; everything before it is what is learned from."""
        self.ends = range(max(self.complete, 1), self.shown + 1)
        self.seen = max((field.as_of - view.start) / HOUR, self.shown - 1 + OPEN)
        self.limits = np.array([limit or 0 for limit in field.limits], dtype=np.int64)
        self.even: Floats = self.limits / ((period.end - period.start) / HOUR)
        cost = members.hours(self.first, self.shown)
        self.running: Longs = np.concatenate([np.zeros((len(cost), 1), dtype=np.int64), cost.cumsum(axis=1)], axis=1)

    def spent(self, end: int, length: int) -> Longs:
        """What the window that ends with the column before `end` has cost, by scope."""
        result: Longs = self.running[:, end - self.first] - self.running[:, max(end - length - self.first, 0)]
        return result

    def lasting(self, end: int, length: int) -> float:
        """How many hours of the window have passed."""
        return length - max(end - self.seen, 0.0) if end == self.shown else float(length)

    def candidates(self) -> npt.NDArray[np.intp]:
        """The scopes that have a pair of windows beyond `factor` times the even rate."""
        found = np.zeros(len(self.members.scopes), dtype=np.bool_)
        for pair in self.field.budget.burn:
            long, short = pair.long // HOUR, pair.short // HOUR
            for end in self.ends:
                whole = self.spent(end, long)
                found |= (
                    (whole >= pair.factor * self.even * self.lasting(end, long))
                    & (self.spent(end, short) >= pair.factor * self.even * self.lasting(end, short))
                    & (whole >= LEAST * self.even)
                )
        return np.flatnonzero(found & (self.limits > 0))


@dataclass(frozen=True, slots=True)
class _Window:
    """One window of the chosen scopes: what it cost, and what it could have."""

    spent: Longs
    sustainable: Floats
    lasting: float


class _Closer:
    """The candidates, held against their own week."""

    __slots__ = ("_chosen", "_entitled", "_habits", "_hours", "_windows")

    def __init__(self, hours: _Hours, weeks: Weeks, chosen: Sequence[int]) -> None:
        self._hours, self._chosen = hours, chosen
        self._windows: dict[tuple[int, int], _Window] = {}
        self._habits: dict[int, Floats] = {}
        start, period = hours.members.view.start, hours.field.period
        begin, end = -((start - period.start) // HOUR), -((start - period.end) // HOUR)
        first, last = min(begin, hours.first), max(end, hours.shown)
        weight = weeks.weights(chosen, first, last)
        whole = weight[:, begin - first : end - first].sum(axis=1)
        limits = hours.limits[list(chosen)]
        share = np.divide(limits, whole, out=np.zeros(len(chosen)), where=whole > 0)
        self._entitled = weight[:, hours.first - first : hours.shown - first] * share[:, None]

    def window(self, end: int, length: int) -> _Window:
        """The window that ends with the column before `end`."""
        if (end, length) not in self._windows:
            hours, chosen = self._hours, list(self._chosen)
            lasting = hours.lasting(end, length)
            entitled = self._entitled[:, max(end - length - hours.first, 0) : end - hours.first]
            own = entitled.sum(axis=1) - entitled[:, -1] * (length - lasting)
            even = hours.even[chosen] * lasting
            self._windows[end, length] = _Window(hours.spent(end, length)[chosen], np.maximum(own, even), lasting)
        return self._windows[end, length]

    def habit(self, length: int) -> Floats:
        """What the dearest window of this length costs each scope in a usual week; 0 where there is no week yet."""
        if length not in self._habits:
            hours = self._hours
            weeks = min(hours.first // _WEEK, WEEKS)
            begin = max(hours.first - weeks * _WEEK - length, 0)
            cost = hours.members.hours(begin, hours.first, self._chosen)
            running = np.concatenate([np.zeros((len(cost), 1), dtype=np.int64), cost.cumsum(axis=1)], axis=1)
            sums = running[:, length:] - running[:, :-length]
            highest = np.full((len(cost), max(weeks, 1)), np.nan)
            for week in range(weeks):
                stop = sums.shape[1] - week * _WEEK
                highest[:, week] = sums[:, max(stop - _WEEK, 0) : stop].max(axis=1)
            highest[highest <= 0] = np.nan  # a week in which it spent nothing tells nothing of its bursts
            told = np.isfinite(highest).any(axis=1)
            habit = np.zeros(len(cost))
            habit[told] = np.nanmedian(highest[told], axis=1)
            self._habits[length] = habit
        return self._habits[length]

    def breach(self, at: int, pair: BurnPair) -> int | None:
        """The newest end of the pair's windows that are in breach."""
        hours, place = self._hours, self._chosen[at]
        if hours.limits[place] <= 0:
            return None
        length = pair.long // HOUR
        for end in reversed(hours.ends):
            long, short = self.window(end, length), self.window(end, pair.short // HOUR)
            spent = int(long.spent[at])
            burns = all(each.spent[at] >= pair.factor * each.sustainable[at] for each in (long, short))
            matters = burns and spent >= LEAST * hours.even[place]
            if matters and spent >= HABIT * self.habit(length)[at] * long.lasting / length:
                return end
        return None

    def is_over(self, at: int, pair: BurnPair, alert: Alert) -> bool:
        """Whether complete data say that the short window is clearly below the factor."""
        hours = self._hours
        view, length = hours.members.view, pair.short // HOUR
        proven = alert.evidence.proven_until if isinstance(alert.evidence, BurnEvidence) else view.complete_until
        begin = hours.complete - length
        if begin < 0 or view.complete_until < proven or not view.known[begin : hours.complete].all():
            return False
        short = self.window(hours.complete, length)
        return bool(short.spent[at] < BELOW * pair.factor * short.sustainable[at])

    def present(self, at: int, pair: BurnPair) -> Nano:
        """What an hour of the newest complete short window has cost."""
        short = self.window(self._hours.complete, pair.short // HOUR)
        return int(short.spent[at] / short.lasting)

    def told(self, at: int, pair: BurnPair, end: int, subject: Subject) -> Breach:
        """The breach of the windows that end there, with its evidence."""
        hours, place, field = self._hours, self._chosen[at], self._hours.field
        length = pair.long // HOUR
        long, short = self.window(end, length), self.window(end, pair.short // HOUR)
        per_hour = int(short.spent[at] / short.lasting)
        figures = field.figures(place, slice(max(end - length, 0), end))
        left = figures["limit"] - figures["spent"]
        gone = field.as_of + left / per_hour * HOUR if left > 0 and left < per_hour * _LONGEST else None
        since = self._since(at, end, per_hour // 2)
        evidence = BurnEvidence(
            **figures,
            per_hour=per_hour,
            proven_until=hours.members.view.start + end * HOUR,
            since=since,
            long_hours=length,
            short_hours=pair.short // HOUR,
            factor=pair.factor,
            burnt=int(long.spent[at]),
            sustainable=int(short.sustainable[at] / short.lasting),
            long_per_hour=int(long.spent[at] / long.lasting),
            long_sustainable=int(long.sustainable[at] / long.lasting),
            exhausted_at=gone if gone is not None and gone < field.period.end else None,
        )
        return Breach(
            subject=subject,
            severity=pair.severity,
            starts_at=since,
            value=per_hour,
            expected=evidence.sustainable,
            limit=evidence.limit,
            evidence=evidence,
            keep_firing_for=KEEP_FIRING_FOR,
        )

    def _since(self, at: int, end: int, least: Nano) -> datetime:
        """The first hour of the stretch, within the longest window, that costs so much and is not sustainable."""
        hours, place = self._hours, self._chosen[at]
        first = end - 1
        for column in range(end - 1, hours.first - 1, -1):
            passed = max(min(hours.seen - column, 1.0), 0.0)
            entitled = max(self._entitled[at, column - hours.first], hours.even[place], least) * passed
            cost = hours.running[place, column + 1 - hours.first] - hours.running[place, column - hours.first]
            if cost < entitled:
                break
            first = column
        return hours.members.view.start + first * HOUR
