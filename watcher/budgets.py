"""How the budgets of some organizations stand, read from what the last cycle left in the store."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from notifiers.alert_json import utc_json
from rules import pauses
from rules.budget_requests import PAUSE, RESET, RESUME
from rules.budgets import Line
from rules.forecast import INTERVAL, Crossing, Forecast
from rules.measures import Measure, exact
from rules.model import HOUR, Alert, Budget, Scope, TriggerEvidence
from rules.money import usd_string
from rules.pauses import Pause
from rules.trigger_words import mark_of
from watcher import overview as overviews
from watcher.overview import REMEMBERED, Unjudged
from watcher.store import Command

CONFIGURATION = "the configuration"
"""Who pauses a budget that has `paused = true`."""


class Remembering(Protocol):
    """The part of the store that the figures of the last cycle are read from."""

    @property
    def cursor(self) -> Any:
        """`get(name, organization)` gives a remembered text."""

    @property
    def commands(self) -> Any:
        """`pending(organization)` gives what waits for the next cycle."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The budgets of one organization. Without a cycle there are no lines, and no moment that they are of."""

    organization: str
    label: str
    """What the configuration calls it; "" where it stands alone."""
    name: str
    data_as_of: datetime | None
    lines: tuple[Line, ...]
    firing: Mapping[tuple[str, Scope], tuple[Alert, ...]] = field(default_factory=dict)
    """What else is told of a budget's scope at present, beside its thresholds: forecast, burn rate, pace."""
    paused: Mapping[str, Pause] = field(default_factory=dict)
    """The budgets that tell nothing at present, by name."""
    waiting: tuple[str, ...] = ()
    """What was asked of budgets and waits for the next cycle: "pause organization (ann)"."""
    unjudged: tuple[Unjudged, ...] = ()
    """Budgets of which nothing is judged, and why."""

    @property
    def shown(self) -> str:
        """What people call it."""
        return self.label or self.name


@dataclass(frozen=True, slots=True)
class Standings:
    """Those of all organizations asked for, and the zone of each budget by its name."""

    now: datetime
    organizations: tuple[Standing, ...]
    zones: Mapping[str, str]


def standings(
    store: Remembering,
    organizations: Iterable[tuple[str, str, str]],
    budgets: Sequence[Budget],
    now: datetime,
    names: Collection[str] | None = None,
    alerts: Iterable[Alert] = (),
) -> Standings:
    """The lines of the budgets that are configured, or of those of these names, in the order of the configuration.

    `organizations` are id, label and name, `alerts` those that are open. A budget configured since the last cycle has
    no lines yet.
    """
    order = {budget.name: place for place, budget in enumerate(budgets) if names is None or budget.name in names}
    found = []
    triggered = [
        alert for alert in alerts if isinstance(alert.evidence, TriggerEvidence) and alert.fired_at is not None
    ]
    for ident, label, name in organizations:
        text = store.cursor.get("overview", ident)
        overview = overviews.from_json(text) if text else None
        lines = [line for line in overview.budgets if line.budget in order] if overview else []
        lines.sort(key=lambda line: order[line.budget])
        paused = _paused(budgets, store.cursor.get(REMEMBERED, ident), now)
        waiting = tuple(_waiting(store.commands.pending(ident)))
        unjudged = tuple(each for each in overview.unjudged if each.budget in order) if overview else ()
        as_of = overview.data_as_of if overview else None
        firing = _by_scope(triggered)
        found.append(Standing(ident, label, name, as_of, tuple(lines), firing, paused, waiting, unjudged))
    return Standings(now, tuple(found), {budget.name: budget.timezone for budget in budgets})


def _by_scope(alerts: Iterable[Alert]) -> Mapping[tuple[str, Scope], tuple[Alert, ...]]:
    """The alerts of triggers by budget and scope, the gravest mark first."""
    found: dict[tuple[str, Scope], list[Alert]] = {}
    for alert in sorted(alerts, key=lambda alert: (alert.told_by is not None, alert.starts_at, alert.id)):
        found.setdefault((alert.subject.rule, alert.subject.scope), []).append(alert)
    return {place: tuple(several) for place, several in found.items()}


def _paused(budgets: Iterable[Budget], remembered: str | None, now: datetime) -> Mapping[str, Pause]:
    held = pauses.recall(remembered)
    lasting = {name: pause for name, pause in held.asked.items() if pause.until is None or pause.until > now}
    configured = (budget.name for budget in budgets if budget.paused and budget.name not in lasting)
    return lasting | {name: Pause(held.configured.get(name, now), CONFIGURATION, "") for name in configured}


def _waiting(commands: Iterable[Command]) -> Iterator[str]:
    for command in commands:
        if command.what in {PAUSE, RESUME, RESET}:
            yield f"{command.what.removeprefix('budgets ')} {command.details.get('budget')} ({command.actor})"


def to_json(found: Standings) -> Mapping[str, Any]:
    """The form of `watcher budgets --json`; money as exact decimal strings of dollars."""
    return {
        "now": utc_json(found.now),
        "organizations": [
            {
                "id": each.organization,
                "name": each.name,
                "label": each.label,
                "data_as_of": utc_json(each.data_as_of) if each.data_as_of else None,
                "budgets": [_line(line, found, each) for line in each.lines],
                "unjudged": [{"budget": none.budget, "why": none.why} for none in each.unjudged],
            }
            for each in found.organizations
        ],
    }


def _pause(pause: Pause | None) -> Mapping[str, Any] | None:
    if pause is None:
        return None
    until = None if pause.until is None else utc_json(pause.until)
    return {"since": utc_json(pause.since), "until": until, "by": pause.by, "reason": pause.reason}


def _line(line: Line, found: Standings, standing: Standing) -> Mapping[str, Any]:
    return {
        "budget": line.budget,
        "scope": dict(line.scope.parts()),
        "label": line.label,
        "period": line.period,
        "timezone": found.zones[line.budget],
        "starts_at": utc_json(line.start),
        "ends_at": None if line.rolling else utc_json(line.end),
        "hours_left": None if line.rolling else round(max((line.end - found.now) / HOUR, 0.0), 2),
        **counted_json(line),
        "no_limit": line.unlimited or None,
        "forecast": _forecast(line.forecast, line.measure) if line.forecast else None,
        "firing": [_firing(alert) for alert in standing.firing.get((line.budget, line.scope), ())],
        "paused": _pause(standing.paused.get(line.budget)),
    }


def _firing(alert: Alert) -> Mapping[str, Any]:
    mark = mark_of(alert.evidence) if isinstance(alert.evidence, TriggerEvidence) else ""
    return {"kind": alert.subject.kind, "mark": mark, "severity": alert.severity.value, "alert": alert.id}


def counted_json(line: Line) -> Mapping[str, Any]:
    """What is counted, its limit and how much of it there is. Amounts in dollars are null where it is no money."""
    measure = line.measure
    settled = line.settled if measure.is_money else None
    limit, spent = line.limit, line.spent
    return {
        "unit": measure.unit,
        "kind": measure.kind or None,
        "claude_code": measure.claude_code or None,
        "limit_usd": usd_string(limit) if measure.is_money and limit is not None else None,
        "spent_usd": usd_string(spent) if measure.is_money else None,
        "settled_usd": None if settled is None else usd_string(settled),
        **({} if measure.is_money else {f"limit_{measure.unit}": limit, f"spent_{measure.unit}": spent}),
    }


def _forecast(forecast: Forecast, measure: Measure) -> Mapping[str, Any]:
    amounts = {"total": forecast.total, "low": forecast.low, "high": forecast.high}
    return {
        **{f"{name}_{measure.unit}": exact(measure, amount) for name, amount in amounts.items()},
        "interval": INTERVAL,
        "history_days": round(forecast.days, 2),
        "basis": forecast.basis,
        "crossings": [_crossing(crossing, measure) for crossing in forecast.crossings],
    }


def _crossing(crossing: Crossing, measure: Measure) -> Mapping[str, Any]:
    moments = {"expected_at": crossing.expected, "early_at": crossing.early, "late_at": crossing.late}
    told = {name: utc_json(moment) if moment else None for name, moment in moments.items()}
    return {f"amount_{measure.unit}": exact(measure, crossing.amount), **told}
