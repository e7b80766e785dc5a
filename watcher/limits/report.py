"""Limits beside what has been spent against them.

What the organization and its workspaces have spent in the period is the ledger's figure, in calendar periods of UTC.
What a member has spent is the provider's: it says zero also while it does not know, and it is of the period in which it
was read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rules.model import DEFAULT_WORKSPACE, Names, Nano, SourceState
from watcher.admin_api.answers_limits import EffectiveSpendLimit, LimitScope, RateLimit, SpendLimit
from watcher.ingest import default_workspace
from watcher.ledger import spend_report
from watcher.pricing import PriceBook
from watcher.store import Change, Listed, Store

SOURCES = ("spend_limits", "effective_spend_limits", "rate_limits", "workspace_rate_limits")
CHANGES_SHOWN = timedelta(days=30)
"""How far back changes are told."""

_WHOLE = frozenset({"organization", "usage_tier"})
"""Scopes that all spend counts against."""


@dataclass(frozen=True, slots=True)
class CappedScope:
    """A spend limit, what its scope is called, and what the ledger says that was spent in the period.

    `spent` is None where the ledger cannot tell: for other scopes than the organization and its workspaces, for a
    limit that is of no known period, and where usage is not stored from the period's beginning on.
    """

    limit: SpendLimit
    name: str
    spent: Nano | None


@dataclass(frozen=True, slots=True)
class CappedMember:
    """What caps one member in one period, and what the provider says they had spent at `read_at`.

    `spent` is None where that was in an earlier period. Zero may be nothing, or not known.
    """

    limit: EffectiveSpendLimit
    spent: Nano | None
    read_at: datetime


@dataclass(frozen=True, slots=True)
class LimitsReport:
    """Everything known of limits; those nearest to their amount first. Members with neither limit nor spend are left
    out. `sources` has the state of the sources that this comes from."""

    scopes: tuple[CappedScope, ...]
    members: tuple[CappedMember, ...]
    rates: tuple[RateLimit, ...]
    changes: tuple[Change, ...]
    names: Names
    sources: tuple[SourceState, ...]


def limits_report(store: Store, prices: PriceBook, organization: str, now: datetime) -> LimitsReport:
    """Read what is stored at `now`."""
    names = store.directory.names(organization)
    spend = _Spend(store, prices, organization, now)
    scopes = [
        CappedScope(limit, scope_name(limit.scope, names), spend.of(limit))
        for limit in store.limits.spend_limits(organization)
    ]
    members = [_member(entry, now) for entry in store.limits.member_limits(organization)]
    told = [each for each in members if each.limit.amount is not None or each.spent]
    return LimitsReport(
        tuple(sorted(scopes, key=lambda each: (_nearness(each.limit.amount, each.spent), each.name, each.limit.id))),
        tuple(sorted(told, key=lambda each: (_nearness(each.limit.amount, each.spent), each.limit.name or ""))),
        store.limits.rate_limits(organization),
        store.limits.changes(organization, now - CHANGES_SHOWN),
        names,
        tuple(state for state in store.sources.all(organization) if state.source in SOURCES),
    )


def scope_name(scope: LimitScope, names: Names) -> str:
    """What a limit is for, in words: "workspace search", "usage tier"."""
    kind = scope.kind.replace("_", " ")
    return kind if scope.id is None else f"{kind} {names.of(scope.id)}"


def period_start(period: str, now: datetime) -> datetime | None:
    """When the UTC day, week (from Monday) or month of `now` began; None for another period."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    starts = {
        "daily": midnight,
        "weekly": midnight - timedelta(days=midnight.weekday()),
        "monthly": midnight.replace(day=1),
    }
    return starts.get(period)


class _Spend:
    """What the ledger says of each workspace in each period, read once a period."""

    def __init__(self, store: Store, prices: PriceBook, organization: str, now: datetime) -> None:
        self._store, self._prices, self._organization, self._now = store, prices, organization, now
        self._home = default_workspace.remembered(store, organization)
        self._read: dict[datetime, Mapping[str, Nano]] = {}

    def of(self, limit: SpendLimit) -> Nano | None:
        """What counts against a limit in the present period."""
        start = period_start(limit.period, self._now)
        if start is None or limit.scope.kind not in {*_WHOLE, "workspace"} or not self._reaches(start):
            return None
        by_workspace = self._by_workspace(start)
        if limit.scope.kind in _WHOLE:
            return sum(by_workspace.values())
        workspace = DEFAULT_WORKSPACE if limit.scope.id == self._home else limit.scope.id
        return by_workspace.get(workspace or DEFAULT_WORKSPACE, 0)

    def _reaches(self, start: datetime) -> bool:
        span = self._store.usage.span(self._organization)
        return span is not None and span[0] <= start

    def _by_workspace(self, start: datetime) -> Mapping[str, Nano]:
        if start not in self._read:
            report = spend_report(
                self._store, self._prices, self._organization, ("workspace",), start, self._now, "total", self._now
            )
            self._read[start] = {row.of("workspace") or DEFAULT_WORKSPACE: row.cost for row in report.rows}
        return self._read[start]


def _member(entry: Listed[EffectiveSpendLimit], now: datetime) -> CappedMember:
    limit = entry.item
    start = period_start(limit.period, now)
    present = start is None or entry.last_seen_at >= start
    return CappedMember(limit, limit.period_to_date_spend if present else None, entry.last_seen_at)


def _nearness(amount: Nano | None, spent: Nano | None) -> tuple[bool, float, int]:
    """Sorting key: the largest share of a limit first, then what has spent most, then what is not known."""
    share = spent / amount if amount and spent is not None else 0.0
    return amount is None, -share, -(spent or 0)


def overrides(rates: Iterable[RateLimit]) -> Mapping[str | None, tuple[RateLimit, ...]]:
    """The organization's own limits, under None, and what each workspace has in their place, by its id."""
    found: dict[str | None, tuple[RateLimit, ...]] = {}
    for rate in rates:
        found[rate.workspace_id] = (*found.get(rate.workspace_id, ()), rate)
    return found
