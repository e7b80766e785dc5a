"""What was heard of an organization, held against what happened in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.organization_harmless import Ordinary
from benchmarks.organization_incidents import Incident
from benchmarks.organization_replay import LAG, POLL, Heard, Page, listen, when
from benchmarks.organization_traffic import WEEK
from rules.anomaly_channels import CALM, CALM_HOURS
from rules.model import AnomalyRule
from rules.subjects import DOLLAR

DEAR = 20.0
"""Dollars of excess an hour from which a runaway has to be told at once."""
LEAK_DAYS = 5.0
"""Days of a key's normal spend, before a leak has cost which it has to be told."""
BURST_HOURS, BURST_TIMES, BURST_DEAR = 4, 2.5, 4.0
"""What is more than a burst that a key is known for: longer than so many hours, so many times as high, or within three
hours so many times as dear as an hour alone must be."""
AFTER = 24
"""Hours after an incident in which a page may still be about it."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one incident."""

    incident: Incident
    told_at: float | None
    """When the poll ran that told of it, in hours since the traffic began."""
    dollars: float
    spent: float
    """Of its dollars, those that were gone by then; all of them if nothing was told."""
    pages: int
    polls: float | None
    """How many polls after the data had passed bound and floor; None where they never did, infinite if not told."""
    already: bool
    """Whether an alert of one of its keys was firing when it began."""
    normal_day: float
    """What its keys spend in a day otherwise."""

    @property
    def in_time(self) -> bool:
        """For a leak, whether it was told before it had cost `LEAK_DAYS` normal days."""
        return self.spent < LEAK_DAYS * self.normal_day


@dataclass(frozen=True, slots=True)
class Week:
    """False pages of one organization, counted over so many weeks."""

    weeks: float
    pages: int
    alerts: int
    ends: int
    by_event: Counter[str]
    """How many began within a harmless event of that kind on one of their keys; "ordinary hours" for the others."""
    hours: Counter[str]
    """Key-hours of each kind, and of ordinary hours."""


def quiet_weeks(ordinary: Ordinary, rule: AnomalyRule, since: int, until: int | None = None) -> Week:
    """What is heard of an organization without incidents, from one hour to another."""
    heard = listen(ordinary, [rule], since)
    until = until or ordinary.traffic.hours
    return week_of(ordinary, heard, [page for page in heard.pages if page.hour < until], since, until)


def week_of(ordinary: Ordinary, heard: Heard, pages: Sequence[Page], since: int, until: int) -> Week:
    """Count these pages."""
    hours: Counter[str] = Counter()
    keys = len(ordinary.traffic.homes())
    for event in ordinary.events:
        within = max(min(event.end, until) - max(event.begin, since), 0)
        hours[event.kind] += within * (len(event.keys) or keys)
    hours["ordinary hours"] = keys * (until - since) - sum(hours.values())
    return Week(
        weeks=(until - since) / WEEK,
        pages=len(pages),
        alerts=sum(len(page.keys) for page in pages),
        ends=heard.ends,
        by_event=Counter(_event(ordinary, page) for page in pages),
        hours=hours,
    )


def _event(ordinary: Ordinary, page: Page) -> str:
    own = [each for each in ordinary.events if each.keys and set(each.keys) & set(page.keys)]
    for each in sorted(own, key=lambda event: event.end - event.begin):
        if each.begin <= page.hour < each.end + 2:
            return each.kind
    for each in ordinary.events:
        if not each.keys and each.begin <= page.hour < each.end + 2:
            return each.kind
    return "ordinary hours"


def fates(ordinary: Ordinary, incidents: Sequence[Incident], rule: AnomalyRule, since: int) -> tuple[list[Fate], Week]:
    """What became of each incident, and the pages that were about none."""
    heard = listen(ordinary, [rule], since)
    about = {place: _about(incident, heard.pages) for place, incident in enumerate(incidents)}
    asked = [(pages[0], incidents[place]) for place, pages in about.items() if pages]
    moments = iter(when(rule, heard.told, asked, ordinary.arrived))
    result = []
    for place, incident in enumerate(incidents):
        dollars = float(np.maximum(incident.by_hour(), 0.0).sum())
        told_at, spent = None, dollars
        if about[place]:
            told_at = next(moments)
            spent = _spent(incident, told_at)
        result.append(
            Fate(
                incident,
                told_at,
                dollars,
                spent,
                len(about[place]),
                _polls(ordinary, heard, incident, rule, told_at),
                _fires_already(heard, incident),
                _normal_day(ordinary, incident),
            )
        )
    explained = {id(page) for pages in about.values() for page in pages}
    wrong = [page for page in heard.pages if id(page) not in explained]
    return result, week_of(ordinary, heard, wrong, since, ordinary.traffic.hours)


def _about(incident: Incident, pages: Iterable[Page]) -> list[Page]:
    keys = set(incident.keys)
    return [page for page in pages if incident.first <= page.hour < incident.end + AFTER and keys & set(page.keys)]


def _fires_already(heard: Heard, incident: Incident) -> bool:
    """Whether an alert of one of its keys was firing in the hour before it."""
    told, keys = heard.told, set(incident.keys)
    rows = [told.subjects.first + at for at, scope in enumerate(told.subjects.scopes) if scope.api_key in keys]
    return any(_fires(told.reading.material[: incident.first - told.begin, row]) for row in rows)


def _fires(material: npt.NDArray[np.floating[Any]]) -> bool:
    """Whether what fired once has gone on to the last of these hours."""
    for until in range(len(material), 0, -1):
        if material[until - 1] >= 1.0:
            return True
        if material[max(until - CALM_HOURS, 0) : until].max() < CALM:
            return False
    return False


def _spent(incident: Incident, moment: float) -> float:
    """What it had cost by then."""
    own = np.maximum(incident.by_hour(), 0.0)
    return float(sum(amount * incident.gone(incident.first + at, moment) for at, amount in enumerate(own.tolist())))


def _normal_day(ordinary: Ordinary, incident: Incident) -> float:
    rows = np.concatenate([ordinary.traffic.rows(key) for key in incident.keys])
    return float(ordinary.traffic.dollars[rows, max(incident.first - 4 * WEEK, 0) : incident.first].sum() / 28.0)


def _polls(
    ordinary: Ordinary, heard: Heard, incident: Incident, rule: AnomalyRule, told_at: float | None
) -> float | None:
    """Polls between the data passing bound and floor on one of its keys, and the poll that told of it."""
    moments = [_passes(ordinary, heard, incident, key, rule) for key in incident.keys]
    passed = min((at for at in moments if at is not None), default=None)
    if passed is None:
        return None
    return float("inf") if told_at is None else max((told_at - passed - LAG) / POLL, 0.0)


def _passes(ordinary: Ordinary, heard: Heard, incident: Incident, key: str, rule: AnomalyRule) -> float | None:
    """When the data pass bound and floor, to the minute.

    The hour that fills has passed its bound, and its excess what a first hour must have cost; or the hour before had
    passed its own, too, and both together cost so much. Only what was read by then counts. Of a key that had burst
    twice before, the bound is that of `docs/anomaly.md`: it lasts longer than such a burst does, is so many times as
    high, or so dear within three hours.
    """
    told = heard.told
    places = [at for at, scope in enumerate(told.subjects.scopes) if scope.api_key == key]
    if not places:
        return None
    row = told.subjects.first + places[0]
    floor = rule.tuning.one_hour * rule.min_excess / DOLLAR
    over: list[float] = []
    """What each hour had too much, as long as they lie above their bounds one after the other."""
    for at, extra in enumerate(incident.excess[key].tolist()):
        hour = incident.first + at
        place = hour - told.begin
        if place < 0 or not ordinary.known[hour]:
            over = []
            continue
        whole = float(np.nan_to_num(told.subjects.dollars[hour, row]))
        expected, upper = float(told.reading.expected[place, row]), float(told.reading.upper[place, row])
        arrived = extra * float(ordinary.arrived[hour])
        usual = max(whole - arrived, 0.0)
        for minute in range(1, 61):
            moment = hour + minute / 60.0
            seen = usual * minute / 60.0 + arrived * incident.gone(hour, moment)
            excess = seen - expected
            if seen > upper and excess + sum(over[-1:]) >= floor and _is_news(incident.burst, [*over, excess], floor):
                return moment
        over = [*over, whole - expected] if whole > upper else []
    return None


def _is_news(burst: float, over: Sequence[float], floor: float) -> bool:
    """Whether it is more than what the key is known for: bursts that bring so much an hour; 0 if for none."""
    longer, higher = len(over) > BURST_HOURS, max(over[-2:]) >= BURST_TIMES * burst
    return longer or higher or sum(over[-3:]) >= BURST_DEAR * floor
