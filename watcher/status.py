"""What is going on, read from the store alone: the same for the status page, `watcher status` and its JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from notifiers.alert_json import utc_json
from notifiers.text import clean, plural
from rules.model import Alert, BudgetEvidence, Nano, Severity, SourceState, State
from rules.money import usd_string
from rules.sources import usage_source
from watcher import overview as overviews
from watcher.actions.standing import ActionsStore, ShutoffStanding, held_words, read_shutoff, shutoff_json
from watcher.budgets import counted_json
from watcher.missing import missing
from watcher.overview import Overview
from watcher.settings import ShutoffSettings
from watcher.store import GIVEN_UP_AFTER

_GRAVITY = {severity: place for place, severity in enumerate(Severity)}

FRESH = timedelta(hours=3)
"""Past this age of the newest reading, figures are called stale."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How one organization stands, as the store holds it. Everything may be missing on a new database."""

    label: str
    """What the configuration calls it; "" where it stands alone."""
    organization: str | None
    """Its id; None as long as its key has never been asked."""
    overview: Overview | None
    alerts: tuple[Alert, ...]
    sources: tuple[SourceState, ...]
    last_cycle_at: datetime | None
    last_success_at: datetime | None
    problems: tuple[str, ...]
    """Sentences about what is not as it should be with it, worst first; empty when all is well."""
    notes: tuple[str, ...] = ()
    """Sentences about what this organization or key does not have, and what that costs in precision."""
    shutoff: ShutoffStanding | None = None
    """How shutoff stands; None where the configuration has none."""

    @property
    def name(self) -> str:
        """What its owner calls it, or failing that what the API calls it."""
        return self.label or (self.overview.organization_name if self.overview else self.organization or "")

    @property
    def usage_was_read(self) -> bool:
        """Whether any usage ever was: without it, the times of the overview are not those of any data."""
        usage = usage_source(self.sources)
        return usage is None or usage.watermark is not None

    @property
    def data_as_of(self) -> datetime | None:
        """When the newest usage was read; None where there are no figures, or none of usage."""
        return self.overview.data_as_of if self.overview and self.usage_was_read else None

    @property
    def complete_until(self) -> datetime | None:
        """Up to where usage is complete; None where there are no figures, or none of usage."""
        return self.overview.complete_until if self.overview and self.usage_was_read else None

    @property
    def today(self) -> Nano | None:
        """What today (UTC) has cost so far; None where that is nothing only because no usage of today was read yet."""
        if self.overview is None:
            return None
        read = self.data_as_of is not None and self.data_as_of.date() >= self.overview.at.date()
        return self.overview.total.today if read or self.overview.total.today else None

    @property
    def firing(self) -> tuple[Alert, ...]:
        """The alerts that fire now, the gravest and then the newest first; those that another one tells left out.

        Of a budget's thresholds that a scope has crossed in a period the highest tells the others.
        """
        return _gravest_first(self.alerts)


@dataclass(frozen=True, slots=True)
class Status:
    """The state of the program as its store holds it, organization by organization as the configuration has them."""

    now: datetime
    standings: tuple[Standing, ...]
    waiting: tuple[tuple[str, int], ...]
    problems: tuple[str, ...]
    """All that is not as it should be, each naming its organization where there are several."""
    notes: tuple[str, ...] = ()
    """What the organizations or their keys do not have, each naming its organization where there are several."""

    @property
    def several(self) -> bool:
        """Whether figures must say which organization they are of."""
        return len(self.standings) > 1

    @property
    def overview(self) -> Overview | None:
        """The figures of the organization that stands alone; None where there are several."""
        return None if self.several else self.standings[0].overview

    @property
    def firing(self) -> tuple[Alert, ...]:
        """The alerts of all that fire now, the gravest and then the newest first."""
        return _gravest_first(alert for standing in self.standings for alert in standing.alerts)

    def name_of(self, alert: Alert) -> str:
        """What the owner calls the organization of an alert."""
        ident = alert.subject.scope.organization
        return next((each.name for each in self.standings if each.organization == ident), ident)


def _gravest_first(alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    told = [alert for alert in alerts if alert.state is State.FIRING and alert.told_by is None]
    highest: dict[object, float] = {}
    for alert in told:
        if isinstance(alert.evidence, BudgetEvidence):
            which = _crossed(alert, alert.evidence)
            highest[which] = max(highest.get(which, 0), alert.evidence.threshold_percent)
    told = [
        alert
        for alert in told
        if not isinstance(alert.evidence, BudgetEvidence)
        or alert.evidence.threshold_percent == highest[_crossed(alert, alert.evidence)]
    ]
    return tuple(sorted(told, key=lambda alert: (-_GRAVITY[alert.severity], -alert.starts_at.timestamp(), alert.id)))


def _crossed(alert: Alert, evidence: BudgetEvidence) -> tuple[object, ...]:
    """The budget, scope and period of a crossing."""
    return alert.subject.rule, alert.subject.scope, evidence.period_start, evidence.period_end


_OF_ONE_REQUEST = re.compile(r"^/\S+ (answered \d+|gave no answer)(?: \(request-id [^)]*\))?")
"""How a failure begins that is otherwise the same for several sources; see `watcher.admin_api.errors`."""


class StatusStore(ActionsStore, Protocol):
    """The part of the store that a status is read from."""

    @property
    def organizations(self) -> Any:
        """`id_of(label)` gives the id of an organization of the configuration, `all()` every one with its label.

        `refusal(label)` gives since when and why it cannot be told whose key it is, or None.
        """

    @property
    def alerts(self) -> Any:
        """`open(organization)` gives its open alerts."""

    @property
    def sources(self) -> Any:
        """`all(organization)` gives the sources' states."""

    @property
    def outbox(self) -> Any:
        """`depth(now)` gives how many messages wait, by receiver."""

    @property
    def cursor(self) -> Any:
        """`get(name, organization)` gives a remembered text."""


def read_status(
    store: StatusStore,
    now: datetime,
    receivers: Collection[str] | None = None,
    labels: Sequence[str] = ("",),
    shutoff: ShutoffSettings | None = None,
) -> Status:
    """Read the newest state; a daemon may be writing beside it. The rest is what the configuration has."""
    standings = tuple(read_standing(store, label, now, shutoff) for label in labels)
    waiting = tuple(sorted(store.outbox.depth().items()))
    problems = _named(standings, lambda standing: standing.problems)
    return Status(
        now,
        standings,
        waiting,
        (*problems, *_unwatched(store, labels), *_waiting(waiting, receivers)),
        tuple(_named(standings, lambda standing: standing.notes)),
    )


def _named(standings: Sequence[Standing], sentences: Callable[[Standing], Iterable[str]]) -> Iterator[str]:
    """The sentences of all, each beginning with its organization where there are several."""
    for standing in standings:
        of = f"{clean(standing.name)}: " if len(standings) > 1 else ""
        yield from (f"{of}{sentence}" for sentence in sentences(standing))


def read_standing(store: StatusStore, label: str, now: datetime, shutoff: ShutoffSettings | None = None) -> Standing:
    """Read the newest state of one organization."""
    organization: str | None = store.organizations.id_of(label)
    refusal = store.organizations.refusal(label)
    refused = () if refusal is None else (f"Not read since {refusal.since:%Y-%m-%d %H:%M} UTC: {refusal.why}",)
    if organization is None:
        return Standing(label, None, None, (), (), None, None, refused or tuple(_problems(None, (), None, now)))
    text = store.cursor.get("overview", organization)
    overview = overviews.from_json(text) if text else None
    sources = overviews.with_silence(store.sources.all(organization), overview)
    last_cycle_at = _moment(store.cursor.get("last_cycle_at", organization))
    acting = None if shutoff is None else read_shutoff(store, shutoff, organization, now)
    return Standing(
        label,
        organization,
        overview,
        tuple(store.alerts.open(organization)),
        sources,
        last_cycle_at,
        _moment(store.cursor.get("last_success_at", organization)),
        (*refused, *_problems(overview, sources, last_cycle_at, now), *held_words(acting)),
        (*missing(sources).notes, *_unjudged(overview)),
        acting,
    )


def _unjudged(overview: Overview | None) -> Iterator[str]:
    """Budgets of which nothing is judged, and why."""
    for each in overview.unjudged if overview else ():
        yield f"Budget “{clean(each.budget)}” judges nothing: {each.why}."


def _unwatched(store: StatusStore, labels: Collection[str]) -> Iterator[str]:
    """Organizations that the configuration names no more, and of which something is still open."""
    for bound in store.organizations.all():
        alerts = () if bound.label in labels else store.alerts.open(bound.id)
        if alerts:
            yield (
                f"The configuration does not name the organization {clean(bound.label or bound.id)} any more: "
                f"{plural(len(alerts), 'open alert')} of it will be closed once every organization that it names has "
                "been read."
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
    found += [
        f"Source {source.source} is suspect since {source.stalled_since:%Y-%m-%d %H:%M} UTC."
        for source in sources
        if source.stalled_since is not None
    ]
    found += _failing(sources)
    found += missing(sources).problems
    if overview is not None and overview.unpriced:
        models = ", ".join(clean(model) for model in overview.unpriced)
        found.append(f"No list price is known for {models}: over-estimated at the dearest price of the family.")
    return found


def _failing(sources: Iterable[SourceState]) -> Iterator[str]:
    """One sentence for each reason: a key that is refused everywhere fails every source for one."""
    alike: dict[str, list[tuple[datetime, SourceState]]] = {}
    for source in sources:
        if source.failing_since is not None:
            shared = _OF_ONE_REQUEST.sub(r"each \1", source.failure or "")
            alike.setdefault(shared, []).append((source.failing_since, source))
    for shared, some in alike.items():
        since, first = min(some, key=lambda each: each[0])
        names = ", ".join(source.source for _, source in some)
        if len(some) > 1:
            told, why = f"{len(some)} sources fail ({names}), the first", shared
        else:
            told, why = f"Source {names} fails", first.failure or ""
        yield f"{told} since {since:%Y-%m-%d %H:%M} UTC" + (f": {why}" if why else "")


def _waiting(waiting: Iterable[tuple[str, int]], receivers: Collection[str] | None) -> Iterator[str]:
    for receiver, count in waiting:
        if not count:
            continue
        wait = f"{plural(count, 'message waits', 'messages wait')} for receiver {receiver}"
        if receivers is None or receiver in receivers:
            yield f"{wait}."
        else:
            days = GIVEN_UP_AFTER.days
            yield f"{wait}, which the configuration no longer names: given up after {days} days unless it is put back."


def to_json(status: Status, alert_json: Any) -> Mapping[str, Any]:
    """The form of `watcher status --json`; money as exact decimal strings of dollars. `alert_json` forms one alert.

    `organizations` has each by itself. The fields beside it are of all together: amounts are added, of times the
    earliest stands, and `organization` is null where there are several.
    """
    standings = status.standings
    figures = [standing.overview for standing in standings if standing.overview]
    alone = standings[0].overview if len(standings) == 1 else None
    return {
        "organization": {"id": alone.organization, "name": alone.organization_name} if alone else None,
        "now": utc_json(status.now),
        "data_as_of": _earliest(standings, lambda each: each.data_as_of),
        "complete_until": _earliest(standings, lambda each: each.complete_until),
        "spend_usd": _spend(figures) if figures else None,
        "budgets": [line for standing in standings for line in _budgets(standing)],
        "alerts": [alert_json(alert) for alert in status.firing],
        "sources": [source for standing in standings for source in _sources(standing)],
        "waiting": dict(status.waiting),
        "last_cycle_at": _earliest(standings, lambda each: each.last_cycle_at),
        "last_success_at": _earliest(standings, lambda each: each.last_success_at),
        "problems": list(status.problems),
        "notes": list(status.notes),
        "organizations": [_standing(standing) for standing in standings],
    }


def _standing(standing: Standing) -> Mapping[str, Any]:
    overview = standing.overview
    return {
        "id": standing.organization,
        "label": standing.label or None,
        "name": overview.organization_name if overview else None,
        "data_as_of": _iso(standing.data_as_of),
        "complete_until": _iso(standing.complete_until),
        "spend_usd": _spend([overview]) if overview else None,
        "budgets": _budgets(standing),
        "sources": _sources(standing),
        "firing": len(standing.firing),
        "shutoff": shutoff_json(standing.shutoff),
        "last_cycle_at": _iso(standing.last_cycle_at),
        "last_success_at": _iso(standing.last_success_at),
        "problems": list(standing.problems),
        "notes": list(standing.notes),
    }


def _earliest(standings: Iterable[Standing], moment: Callable[[Standing], datetime | None]) -> str | None:
    """The earliest of the organizations' moments; None where one has none."""
    moments = [moment(standing) for standing in standings]
    known = [each for each in moments if each is not None]
    return utc_json(min(known)) if len(known) == len(moments) else None


def _budgets(standing: Standing) -> list[Mapping[str, Any]]:
    if standing.overview is None:
        return []
    paused = standing.overview.paused
    return [{**_line(line), "paused": line.budget in paused} for line in standing.overview.budgets]


def _sources(standing: Standing) -> list[Mapping[str, Any]]:
    return [{"organization": standing.organization, **_source(source)} for source in standing.sources]


def _spend(figures: Sequence[Overview]) -> Mapping[str, str]:
    totals = [overview.total for overview in figures]
    return {
        "today": usd_string(sum(total.today for total in totals)),
        "month": usd_string(sum(total.month for total in totals)),
        "month_settled": usd_string(sum(total.month_settled for total in totals)),
    }


def _line(line: Any) -> Mapping[str, Any]:
    return {
        "budget": line.budget,
        "organization": line.scope.organization,
        "scope": dict(line.scope.parts()),
        "period": line.period,
        "ends_at": None if line.rolling else utc_json(line.end),
        **counted_json(line),
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
