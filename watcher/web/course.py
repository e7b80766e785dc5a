"""The hours of one scope: what it cost, the band around what was expected, its alerts, and its budgets.

Figures come from what the newest cycle kept. The band is learnt with the cycle where it is likely to be asked for,
or else at the first request, and kept until the next cycle; of hours that an alert was judged by it is what was
expected then.
"""

from __future__ import annotations

import heapq
import math
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import numpy.typing as npt

from rules.band import Band, band_of, hourly, members_of
from rules.budgets import Line
from rules.dimensions import groups, known_of
from rules.model import (
    HOUR,
    Alert,
    AnomalyEvidence,
    AnomalyRule,
    Dimension,
    HourPoint,
    Names,
    Nano,
    Scope,
    SpendView,
    State,
)
from rules.subjects import complete_hours, seen_hours
from watcher.cycle import Looked
from watcher.web.asking import WINDOWS, Refusal

MOST_BANDS = 64
"""How many scopes' bands are kept until the next cycle."""
AHEAD = 5
"""Of how many anomalies the bands are learnt before anybody asks: those that messages send people to."""
_DAY = 24
_NANO = 1_000_000_000
_KEEP = (max(WINDOWS) + 1) * _DAY
_INSIDE = ("workspace", "api_key", "model")
MOST_INSIDE = 8


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour, nano-dollars; expected and upper are None where the baseline says nothing."""

    begins: datetime
    observed: Nano | None
    """None of an hour that was never read."""
    expected: Nano | None
    upper: Nano | None
    complete: bool
    odd: bool
    """Whether it belongs to an anomaly that fired."""


@dataclass(frozen=True, slots=True)
class DayRow:
    """One UTC day, nano-dollars."""

    day: date
    observed: Nano
    expected: Nano | None
    """None where not every hour of it has one."""
    odd: int
    """How many of its hours belong to an anomaly."""
    complete: bool


@dataclass(frozen=True, slots=True)
class Inside:
    """A part of the scope, and what it cost in the time shown."""

    dimension: Dimension
    id: str
    name: str
    cost: Nano


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which an anomaly of the scope fired."""

    alert: Alert
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Course:
    """A scope over some days."""

    scope: Scope
    parts: tuple[tuple[Dimension, str, str], ...]
    """Dimension, id and name of each part."""
    beside: tuple[tuple[Dimension, str, str], ...]
    """What follows from it: the workspace of a key, say."""
    days: int
    hours: tuple[Hour, ...]
    stretches: tuple[Stretch, ...]
    budgets: tuple[Line, ...]
    """Those in money that are of this very scope."""
    inside: tuple[tuple[Inside, ...], ...]
    """The dearest parts of it, one row of them for each dimension that it leaves open."""
    owner: str
    complete_until: datetime
    data_as_of: datetime

    @property
    def observed(self) -> Nano:
        """What all hours cost."""
        return sum(hour.observed or 0 for hour in self.hours)

    @property
    def latest(self) -> Hour | None:
        """The newest complete hour."""
        return next((hour for hour in reversed(self.hours) if hour.complete), None)

    @property
    def by_day(self) -> tuple[DayRow, ...]:
        """The days, newest first."""
        found: dict[date, list[Hour]] = {}
        for hour in self.hours:
            found.setdefault(hour.begins.date(), []).append(hour)
        return tuple(_day(day, hours) for day, hours in reversed(found.items()))


class Courses:
    """Puts courses together. Safe to use from several threads."""

    def __init__(self, most: int = MOST_BANDS) -> None:
        self._most = most
        self._kept: OrderedDict[Scope, Band | None] = OrderedDict()
        self._of: dict[str, Looked] = {}
        self._guard = threading.Lock()

    @property
    def kept(self) -> int:
        """How many bands are kept."""
        return len(self._kept)

    def course(
        self, looked: Looked, parts: Mapping[Dimension, str], days: int, alerts: Iterable[Alert], lines: Iterable[Line]
    ) -> Course:
        """The course of a scope over `days`, the present one the last of them. Raises Refusal (404)."""
        view, names = looked.snapshot.view, looked.snapshot.names
        scope = Scope.of(view.organization, parts)
        members = members_of(view, names, parts)
        if parts and not members.size:
            raise Refusal(404, "Nothing of this scope was used in the last 70 days.")
        spent = hourly(view, members)
        end = seen_hours(view)
        begin = max((end - 1) // _DAY * _DAY - (days - 1) * _DAY, 0)
        band = self._band(looked, scope)
        complete = complete_hours(view)
        stretches = _stretches(scope, alerts, view.start + begin * HOUR, view.start + end * HOUR)
        judged = {point.hour: (point.expected, point.upper) for each in stretches for point in _points(each.alert)}
        odd = {at for each in stretches for at in _hours(each, view.start)}
        hours = tuple(
            Hour(
                view.start + at * HOUR,
                int(spent[at]) if at >= complete or view.known[at] else None,
                *judged.get(view.start + at * HOUR, _around(band, at)),
                complete=at < complete,
                odd=at in odd,
            )
            for at in range(begin, end)
        )
        follows = known_of(scope, names)
        return Course(
            scope,
            _named(names, scope.parts()),
            _named(names, {dimension: ident for dimension, ident in follows.items() if dimension not in parts}),
            days,
            hours,
            stretches,
            tuple(line for line in lines if line.scope == scope and line.measure.is_money),
            tuple(_inside(view, names, members, slice(begin, end), scope)),
            names.whom_to_ask(scope),
            view.complete_until,
            view.observed_until,
        )

    def learn(self, looked: Looked, alerts: Iterable[Alert] = ()) -> None:
        """Learn the bands that are asked for first, so that nobody waits for them: that of the whole organization, and
        those of the dearest anomalies among the open alerts."""
        self._band(looked, Scope(looked.snapshot.organization))
        firing = [
            (alert.evidence.per_hour, number, alert.subject.scope)
            for number, alert in enumerate(alerts)
            if alert.state is State.FIRING and isinstance(alert.evidence, AnomalyEvidence)
        ]
        for _, _, scope in heapq.nlargest(AHEAD, firing):
            self._band(looked, scope)

    def _band(self, looked: Looked, scope: Scope) -> Band | None:
        organization = looked.snapshot.organization
        with self._guard:
            if self._of.get(organization) is not looked:
                self._of[organization] = looked
                self._kept = OrderedDict(
                    (other, band) for other, band in self._kept.items() if other.organization != organization
                )
            if scope in self._kept:
                self._kept.move_to_end(scope)
                return self._kept[scope]
        band = band_of(looked.snapshot.view, looked.snapshot.names, scope, _rule(looked, scope), _KEEP)
        with self._guard:
            if self._of.get(organization) is looked:
                self._kept[scope] = band
                while len(self._kept) > self._most:
                    self._kept.popitem(last=False)
        return band


def _named(names: Names, parts: Mapping[Dimension, str]) -> tuple[tuple[Dimension, str, str], ...]:
    return tuple((dimension, ident, names.of(ident)) for dimension, ident in parts.items())


def _rule(looked: Looked, scope: Scope) -> AnomalyRule:
    """The first rule that judges scopes of this kind, or else one as it comes."""
    wanted = set(scope.parts())
    return next((rule for rule in looked.rules.anomalies if set(rule.per) == wanted), AnomalyRule("as shown"))


def _around(band: Band | None, at: int) -> tuple[Nano | None, Nano | None]:
    """What was expected of an hour of the view, and the upper bound."""
    if band is None or not 0 <= at - band.begin < len(band.expected):
        return None, None
    expected, upper = float(band.expected[at - band.begin]), float(band.upper[at - band.begin])
    return _nano(expected), _nano(upper)


def _nano(dollars: float) -> Nano | None:
    return round(dollars * _NANO) if math.isfinite(dollars) else None


def _stretches(scope: Scope, alerts: Iterable[Alert], begin: datetime, end: datetime) -> tuple[Stretch, ...]:
    found = [
        Stretch(alert, max(alert.starts_at, begin), min(alert.ends_at or end, end))
        for alert in alerts
        if alert.subject.kind == "anomaly" and alert.subject.scope == scope and alert.state is not State.PENDING
    ]
    return tuple(sorted((each for each in found if each.begins < each.ends), key=lambda each: each.begins))


def _points(alert: Alert) -> tuple[HourPoint, ...]:
    """The hours that an alert was judged by: what was expected of them then is what it says."""
    return alert.evidence.points if isinstance(alert.evidence, AnomalyEvidence) else ()


def _hours(stretch: Stretch, start: datetime) -> range:
    return range((stretch.begins - start) // HOUR, math.ceil((stretch.ends - start) / HOUR))


def _inside(
    view: SpendView, names: Names, members: npt.NDArray[np.intp], window: slice, scope: Scope
) -> Iterator[tuple[Inside, ...]]:
    """The dearest workspaces, keys and models inside, of those dimensions of which there is more than one."""
    cost = view.cost[members, window].sum(axis=1)
    spent = np.flatnonzero(cost)
    leaves = [view.leaves[place] for place in members[spent].tolist()]
    for dimension in _INSIDE:
        of, values = groups((dimension,), leaves, names)
        if dimension in scope.parts() or len(values) < 2:
            continue
        sums = np.zeros(len(values), dtype=np.int64)
        np.add.at(sums, of, cost[spent])
        ranked = sorted(zip(sums.tolist(), values, strict=True), key=lambda pair: (-pair[0], pair[1]))
        yield tuple(Inside(dimension, ident, names.of(ident), cost) for cost, (ident,) in ranked[:MOST_INSIDE])


def _day(day: date, hours: list[Hour]) -> DayRow:
    expected = [hour.expected for hour in hours]
    return DayRow(
        day,
        sum(hour.observed or 0 for hour in hours),
        sum(filter(None, expected)) if None not in expected else None,
        sum(hour.odd for hour in hours),
        len(hours) == _DAY and all(hour.complete for hour in hours),
    )


def even_pace(line: Line) -> Nano | None:
    """A budget's limit shared out evenly over the hours of its period; None where it has none."""
    hours = (line.end - line.start) / HOUR
    return None if line.limit is None or hours <= 0 else round(line.limit / hours)


def recent(alerts: Iterable[Alert], now: datetime) -> list[Alert]:
    """The alerts that a series may show."""
    since = now - timedelta(days=max(WINDOWS) + 1)
    return [alert for alert in alerts if alert.ends_at is None or alert.ends_at >= since]


def dollars(amounts: Iterable[Nano | None]) -> list[float | None]:
    """Amounts as a chart takes them: dollars with six decimals at most."""
    return [None if amount is None else round(amount / _NANO, 6) for amount in amounts]


def as_seconds(hours: Iterable[Hour]) -> list[int]:
    """The beginnings of hours in seconds since 1970."""
    return [int(hour.begins.timestamp()) for hour in hours]
