"""What is going on, read from the store alone: the same for the status page, `watcher status` and its JSON."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from notifiers.alert_json import utc_json
from notifiers.text import clean, plural
from rules.model import Alert, Severity, SourceState, State
from rules.money import usd_string
from watcher import overview as overviews
from watcher.missing import missing
from watcher.overview import Overview
from watcher.upkeep import GIVEN_UP_AFTER

_GRAVITY = {severity: place for place, severity in enumerate(Severity)}

FRESH = timedelta(hours=3)
"""Past this age of the newest reading, figures are called stale."""


@dataclass(frozen=True, slots=True)
class Status:
    """The state of the program as its store holds it. Everything may be missing on a new database."""

    now: datetime
    overview: Overview | None
    alerts: tuple[Alert, ...]
    sources: tuple[SourceState, ...]
    waiting: tuple[tuple[str, int], ...]
    last_cycle_at: datetime | None
    last_success_at: datetime | None
    problems: tuple[str, ...]
    """Sentences about what is not as it should be, worst first; empty when all is well."""
    notes: tuple[str, ...] = ()
    """Sentences about what this organization or key does not have, and what that costs in precision."""

    @property
    def firing(self) -> tuple[Alert, ...]:
        """The alerts that fire now, the gravest and then the newest first; those that another one tells left out."""
        told = [alert for alert in self.alerts if alert.state is State.FIRING and alert.inhibited_by is None]
        return tuple(
            sorted(told, key=lambda alert: (-_GRAVITY[alert.severity], -alert.starts_at.timestamp(), alert.id))
        )


class StatusStore(Protocol):
    """The part of the store that a status is read from."""

    @property
    def alerts(self) -> Any:
        """`open()` gives the open alerts."""

    @property
    def sources(self) -> Any:
        """`all(organization)` gives the sources' states."""

    @property
    def outbox(self) -> Any:
        """`depth(now)` gives how many messages wait, by receiver."""

    @property
    def cursor(self) -> Any:
        """`get(name)` gives a remembered text."""


def read_status(store: StatusStore, now: datetime, receivers: Collection[str] | None = None) -> Status:
    """Read the newest state; a daemon may be writing beside it. `receivers` are those that the configuration names."""
    text = store.cursor.get("overview")
    overview = overviews.from_json(text) if text else None
    organization = overview.organization if overview else store.cursor.get("organization")
    sources = overviews.with_silence(store.sources.all(organization) if organization else (), overview)
    waiting = tuple(sorted(store.outbox.depth().items()))
    last_cycle_at = _moment(store.cursor.get("last_cycle_at"))
    return Status(
        now,
        overview,
        tuple(store.alerts.open()),
        sources,
        waiting,
        last_cycle_at,
        _moment(store.cursor.get("last_success_at")),
        (*_problems(overview, sources, last_cycle_at, now), *_waiting(waiting, receivers)),
        missing(sources).notes,
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _problems(
    overview: Overview | None,
    sources: tuple[SourceState, ...],
    last_cycle_at: datetime | None,
    now: datetime,
) -> list[str]:
    found = []
    if last_cycle_at is None:
        found.append("No cycle has ended yet: the first one fills the history, which can take a few minutes.")
    elif now - last_cycle_at > FRESH:
        found.append(f"No cycle has ended since {last_cycle_at:%Y-%m-%d %H:%M} UTC: is `watcher run` running?")
    for source in sources:
        if source.stalled_since is not None:
            found.append(f"Source {source.source} is suspect since {source.stalled_since:%Y-%m-%d %H:%M} UTC.")
        if source.failing_since is not None:
            why = f": {source.failure}" if source.failure else ""
            found.append(f"Source {source.source} fails since {source.failing_since:%Y-%m-%d %H:%M} UTC{why}")
    found += missing(sources).problems
    if overview is not None and overview.unpriced:
        models = ", ".join(clean(model) for model in overview.unpriced)
        found.append(f"No list price is known for {models}: over-estimated at the dearest price of the family.")
    return found


def _waiting(waiting: Iterable[tuple[str, int]], receivers: Collection[str] | None) -> Iterator[str]:
    for receiver, count in waiting:
        if not count:
            continue
        wait = f"{plural(count, 'message waits', 'messages wait')} for receiver {receiver}"
        if receivers is None or receiver in receivers:
            yield f"{wait}."
        else:
            days = GIVEN_UP_AFTER.days
            yield f"{wait}, which the configuration names no more: given up after {days} days unless it is put back."


def to_json(status: Status, alert_json: Any) -> Mapping[str, Any]:
    """The form of `watcher status --json`; money as exact decimal strings of dollars. `alert_json` forms one alert."""
    overview = status.overview
    return {
        "organization": {"id": overview.organization, "name": overview.organization_name} if overview else None,
        "now": utc_json(status.now),
        "data_as_of": utc_json(overview.data_as_of) if overview else None,
        "complete_until": utc_json(overview.complete_until) if overview else None,
        "spend_usd": _spend(overview) if overview else None,
        "budgets": [_line(line) for line in overview.budgets] if overview else [],
        "alerts": [alert_json(alert) for alert in status.firing],
        "sources": [_source(source) for source in status.sources],
        "waiting": dict(status.waiting),
        "last_cycle_at": _iso(status.last_cycle_at),
        "last_success_at": _iso(status.last_success_at),
        "problems": list(status.problems),
        "notes": list(status.notes),
    }


def _spend(overview: Overview) -> Mapping[str, str]:
    total = overview.total
    return {
        "today": usd_string(total.today),
        "month": usd_string(total.month),
        "month_settled": usd_string(total.month_settled),
    }


def _line(line: Any) -> Mapping[str, Any]:
    return {
        "budget": line.budget,
        "scope": dict(line.scope.parts()),
        "period": line.period,
        "ends_at": utc_json(line.end),
        "limit_usd": usd_string(line.limit),
        "spent_usd": usd_string(line.spent),
        "settled_usd": usd_string(line.settled),
    }


def _source(source: SourceState) -> Mapping[str, Any]:
    return {
        "source": source.source,
        "offered": source.offered,
        "watermark": _iso(source.watermark),
        "last_success_at": _iso(source.last_success_at),
        "failing_since": _iso(source.failing_since),
        "failure": source.failure,
        "stalled_since": _iso(source.stalled_since),
    }


def _iso(moment: datetime | None) -> str | None:
    return utc_json(moment) if moment else None
