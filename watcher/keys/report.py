"""Every API key beside what it spends, what protects it, and what was seen to change of it.

The API tells neither when a key was changed nor by whom. What is known is that two listings differed, and whether this
program had changed the key between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rules.actions import Action
from rules.keys import Key
from rules.model import Nano
from rules.protection import unconfirmed
from rules.situation import Situation
from watcher.ledger import Bucket, SpendReport, spend_report
from watcher.pricing import OwnPrice, PriceBook
from watcher.store import Change, Store

DAY = timedelta(days=1)
CHANGES_KEPT = timedelta(days=400)
"""How far back changes are looked for."""
USED_KEPT = timedelta(days=66)
"""How far back it is looked for when a key was last used."""


@dataclass(frozen=True, slots=True)
class KeyChange:
    """What two listings of a key differed in; `action` is the decision of this program that did it, "" where none."""

    change: Change
    action: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key. Amounts are nano-dollars."""

    key: Key
    organization: str
    workspace_name: str
    owner: str | None
    owner_name: str
    owner_email: str
    month: Nano
    """Spent in this UTC month."""
    last_day: Nano
    """Spent in the last 24 hours."""
    last_used_at: datetime | None
    """When the last hour or, longer ago, the last day with usage began; None where none was in 66 days."""
    protection: str
    """Why it is never deactivated, as a clause; "" where it may be."""
    unconfirmed: tuple[str, ...]
    """Patterns that fit it or its workspace by a new name or tag, and that nobody has confirmed."""
    changed: KeyChange | None


def keys_report(store: Store, prices: Sequence[OwnPrice], situation: Situation, now: datetime) -> tuple[KeyRow, ...]:
    """The keys of an organization that are listed, those that spend most first. Raises StoreError."""
    organization = situation.organization
    names = store.directory.names(organization)
    spend = _Spend(store, prices, organization, now)
    changes = _last_changes(store, organization, situation.journal, now)
    doubtful = _unconfirmed(situation)
    rows = [
        KeyRow(
            key=key,
            organization=organization,
            workspace_name=situation.keys.workspaces.get(key.workspace, key.workspace),
            owner=(owner := names.user_of_key.get(key.id)),
            owner_name=names.of(owner) if owner else "",
            owner_email=names.emails.get(owner or "", ""),
            month=spend.month.get(key.id, 0),
            last_day=spend.last_day.get(key.id, 0),
            last_used_at=spend.last_used.get(key.id),
            protection=situation.protection(key),
            unconfirmed=(*doubtful.get(key.id, ()), *doubtful.get(key.workspace, ())),
            changed=changes.get(key.id),
        )
        for key in situation.keys.by_id.values()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.month, -row.last_day, row.key.name, row.key.id)))


def spent_since(
    store: Store, prices: Sequence[OwnPrice], organization: str, key: str, since: datetime, now: datetime
) -> Nano:
    """What a key has spent from a moment on. Raises StoreError."""
    report = spend_report(store, PriceBook(prices), organization, ("api_key",), since, now, "total", now)
    return sum(row.cost for row in report.rows if row.of("api_key") == key)


class _Spend:
    """What each key spends and when it was last used, from two readings of the ledger."""

    def __init__(self, store: Store, prices: Sequence[OwnPrice], organization: str, now: datetime) -> None:
        month = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)

        def read(start: datetime, bucket: Bucket) -> SpendReport:
            return spend_report(store, PriceBook(prices), organization, ("api_key",), start, now, bucket, now)

        self.month: dict[str, Nano] = {}
        self.last_day: dict[str, Nano] = {}
        self.last_used: dict[str, datetime] = {}
        days = read(now - USED_KEPT, "day")
        for ident, start, cost in self._rows(days):
            if start >= month:
                self.month[ident] = self.month.get(ident, 0) + cost
        for ident, _, cost in self._rows(read(now - DAY, "hour")):
            self.last_day[ident] = self.last_day.get(ident, 0) + cost

    def _rows(self, report: SpendReport) -> Iterable[tuple[str, datetime, Nano]]:
        for row in report.rows:
            ident = row.of("api_key")
            if ident is None or row.start is None:
                continue
            if row.cost or any(row.tokens):
                self.last_used[ident] = max(row.start, self.last_used.get(ident, row.start))
            yield ident, row.start, row.cost


def _last_changes(store: Store, organization: str, journal: Sequence[Action], now: datetime) -> Mapping[str, KeyChange]:
    sent = [(row.key, row.sent_at, row) for row in journal if row.sent_at is not None]
    found: dict[str, KeyChange] = {}
    for change in store.directory.changes(organization, now - CHANGES_KEPT, "api_key"):
        if change.field not in {"status", "name"}:
            continue
        within = (
            row for key, at, row in sent if key == change.id and change.last_seen_before <= at <= change.observed_at
        )
        ours = next(within, None) if change.field == "status" else None
        found[change.id] = KeyChange(change) if ours is None else KeyChange(change, ours.id, ours.by)
    return found


def _unconfirmed(situation: Situation) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for each in unconfirmed(situation.policy.protect, situation.keys, situation.protections):
        found[each.id] = (*found.get(each.id, ()), f'protect.{each.what} "{each.pattern}"')
    return found
