"""What a receiver hears of an organization, hour by hour: the rules' own reading, life cycle and routing.

Every hour is judged once, when it is first taken for complete, on what is there by then (`Ordinary.arrived`); the
baseline reads all of it in one causal pass. When within its hour a message would have left is worked out afterwards,
poll by poll (`when`): what had come of the hour that was still filling is held against the whole hour's bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from benchmarks.organization_harmless import Ordinary
from benchmarks.organization_incidents import Incident
from benchmarks.organization_traffic import DAY, START, Floats
from rules import lifecycle, routing
from rules.anomaly import read
from rules.anomaly_channels import CALM, CALM_HOURS
from rules.configured import AnomalyTuning
from rules.hearing import Audience
from rules.materiality import Floors
from rules.model import HOUR, Alert, AnomalyRule, Clear, Reason, Route, SpendView, State, Subject, Verdict
from rules.seasonal import Baseline, Reading
from rules.story import Told, breach
from rules.subjects import DOLLAR, cut

POLL = 5.0 / 60.0
"""Hours between two polls."""
LAG = 6.0 / 60.0
"""How far a report is behind: at most six minutes, in all but half a percent of hours."""
SETTLED = timedelta(minutes=20)
LOOK_BACK = 8 * DAY


@dataclass(frozen=True, slots=True)
class Page:
    """One message that something fires; `hour` is the newest one it rests on."""

    hour: int
    keys: tuple[str, ...]
    first: int
    """The hour since which the earliest of its alerts was odd."""
    rows: tuple[int, ...]
    """The keys' columns in the reading."""


@dataclass(frozen=True, slots=True)
class Heard:
    """All messages of an organization: what fires, and how many there were besides of what ended."""

    pages: tuple[Page, ...]
    ends: int
    told: Told


def view_of(ordinary: Ordinary) -> SpendView:
    """The traffic as the ledger has it when its last hour is complete."""
    traffic = ordinary.traffic
    cost = np.round(traffic.dollars * ordinary.arrived * DOLLAR).astype(np.int64)
    until = START + traffic.hours * HOUR
    return SpendView("org", START, traffic.leaves, cost, np.zeros_like(cost), ordinary.known, until, until)


def listen(ordinary: Ordinary, rules: Sequence[AnomalyRule], since: int) -> Heard:
    """Every message from hour `since` on to one receiver who hears of everything."""
    view, names = view_of(ordinary), ordinary.traffic.names
    rule = rules[0]
    subjects = cut(rule, view, names)
    told = read(rule, view, subjects, keep=view.hours)
    material = told.reading.material[:, subjects.first :]
    latest = [Subject(rule.name, "anomaly", scope) for scope in subjects.scopes]
    fingerprints = {subject.fingerprint: place for place, subject in enumerate(latest)}
    alerts: tuple[Alert, ...] = ()
    pages: list[Page] = []
    ends = 0
    for hour in range(since, view.hours):
        at = hour - told.begin
        places = set(np.flatnonzero(material[at] >= 1.0).tolist())
        opened = {fingerprints[alert.subject.fingerprint] for alert in alerts}
        if not places and not opened:
            continue
        now = START + (hour + 1) * HOUR + SETTLED
        verdicts: list[Verdict] = []
        for place in sorted(places | opened):
            lingers = material[max(at - CALM_HOURS + 1, 0) : at + 1, place].max() >= CALM
            if not ordinary.known[hour]:
                continue
            if place in places or lingers:
                verdicts.append(breach(rule, view, names, latest[place], _until(told, hour), place))
            else:
                verdicts.append(Clear(latest[place]))
        advance = lifecycle.advance(alerts, verdicts, [("anomaly", rule.name)], names, now)
        routed = routing.notifications(
            advance,
            alerts,
            Audience((Route("ops"),)),
            organization_name="Northwind",
            first_judgement=False,
            now=now,
            names=names,
        )
        for message in routed.notifications:
            if message.reason is Reason.RESOLVED:
                ends += 1
                continue
            named = [fingerprints[alert.subject.fingerprint] for alert in message.alerts]
            pages.append(
                Page(
                    hour,
                    tuple(subjects.scopes[place].api_key or "" for place in named),
                    min((alert.starts_at - START) // HOUR for alert in message.alerts),
                    tuple(subjects.first + place for place in named),
                )
            )
        changed = lifecycle.applied(alerts, routed.alerts)
        alerts = tuple(alert for alert in changed if alert.state is not State.RESOLVED)
    return Heard(tuple(pages), ends, told)


def _until(told: Told, hour: int) -> Told:
    """The same as it was when this hour was the newest one."""
    at = hour - told.begin + 1
    low = max(at - LOOK_BACK, 0)
    reading = Reading._make(part[low:at] for part in told.reading)
    subjects = replace(told.subjects, dollars=told.subjects.dollars[: hour + 1], complete=hour + 1)
    return Told(subjects, reading, told.begin + low, at - low)


def when(rule: AnomalyRule, told: Told, asked: Sequence[tuple[Page, Incident]], arrived: Floats) -> list[float]:
    """Of each page about an incident, when the poll ran that told of it, in hours since the traffic began.

    `arrived` is what part of each hour was there when it was first taken for complete.
    """
    dollars = told.subjects.dollars
    begin = _first_day(dollars)
    floor = rule.min_excess / DOLLAR
    floors = _floors(floor)
    baseline = Baseline(dollars.shape[1], told.subjects.tiers)
    found: dict[int, float] = {}
    by_day: dict[int, list[int]] = {}
    for place, (page, _) in enumerate(asked):
        by_day.setdefault(page.hour // DAY, []).append(place)
    for day in range(begin // DAY, max(by_day, default=0) + 1):
        values = dollars[day * DAY : (day + 1) * DAY]
        for place in by_day.get(day, ()):
            page, incident = asked[place]
            extra = np.array([_excess(incident, key, page.hour) for key in page.keys]) * arrived[page.hour]
            found[place] = _poll(baseline, values, day, asked[place], extra, floors)
        baseline.advance(values, day * DAY, floors)
    return [found[place] for place in range(len(asked))]


def _poll(
    baseline: Baseline, values: Floats, day: int, asked: tuple[Page, Incident], extra: Floats, floors: Floors
) -> float:
    """The first poll at which what had come of the page's newest hour was enough, found by halving.

    `extra` is what the incident brings each of the page's keys in this hour.
    """
    page, incident = asked
    hour, at = page.hour, page.hour % DAY
    offset = float(np.modf(incident.begin)[0]) % POLL
    polls = np.arange(hour + offset, hour + 1.0 + LAG + POLL, POLL)
    rows = list(page.rows)

    def enough(poll: float) -> bool:
        seen = poll - LAG
        partial = values[: at + 1].copy()
        usual = np.maximum(partial[at, rows] - extra, 0.0)
        partial[at] *= min(max(seen - hour, 0.0), 1.0)
        partial[at, rows] = usual * min(max(seen - hour, 0.0), 1.0) + extra * incident.gone(hour, seen)
        material = baseline.read(partial, day * DAY, floors).material[at, rows]
        return bool(material.max() >= 1.0)

    low, high = 0, len(polls) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(float(polls[middle])) else (middle + 1, high)
    return float(polls[low])


def _excess(incident: Incident, key: str, hour: int) -> float:
    own = incident.excess.get(key)
    place = hour - incident.first
    return float(own[place]) if own is not None and 0 <= place < len(own) else 0.0


def _floors(floor: float) -> Floors:
    return Floors(per_hour=floor, one_hour=AnomalyTuning().one_hour * floor)


def _first_day(dollars: npt.NDArray[np.float64]) -> int:
    known = np.isfinite(dollars).any(axis=1)
    return int(known.argmax()) // DAY * DAY
