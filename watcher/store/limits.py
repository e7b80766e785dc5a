"""What caps spend and traffic: spend limits, what members have spent against theirs, and rate limits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from watcher.admin_api.answers_limits import EffectiveSpendLimit, RateLimit, SpendLimit
from watcher.store.database import Database
from watcher.store.listings import Change, Kind, Listed, Listings, read_changes
from watcher.store.payload import Payload


def _amount(nano: int | None) -> str | None:
    return None if nano is None else str(nano)


_SPEND_LIMIT: Kind[SpendLimit] = Kind(
    "spend_limit",
    Payload(SpendLimit),
    lambda item: item.id,
    lambda item: item.scope.kind if item.scope.id is None else f"{item.scope.kind} {item.scope.id}",
    lambda item: "enabled" if item.is_enabled else "disabled",
    lambda item: {"amount": _amount(item.amount), "period": item.period},
)
# What a member has spent is a figure of its moment, and no change of anything.
_MEMBER_LIMIT: Kind[EffectiveSpendLimit] = Kind(
    "member_limit",
    Payload(EffectiveSpendLimit),
    lambda item: f"{item.member_id or item.email or item.name or item.member_kind or ''}/{item.period}",
    lambda item: item.name or item.email or item.member_id or "",
    lambda item: "deleted" if item.deleted else "active",
    lambda item: {"amount": _amount(item.amount)},
)
_RATE_LIMIT: Kind[RateLimit] = Kind(
    "rate_limit",
    Payload(RateLimit),
    lambda item: f"{item.workspace_id or ''}/{item.id or item.group_name or item.group_kind}",
    lambda item: item.group_name or item.group_kind,
    lambda _: "",
    lambda item: {limit.kind: None if limit.value is None else str(limit.value) for limit in item.limits},
)


class Limits:
    """The limits of every organization."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._spend = Listings(database, _SPEND_LIMIT)
        self._members = Listings(database, _MEMBER_LIMIT)
        self._rates = Listings(database, _RATE_LIMIT)

    def record_spend_limits(self, organization: str, items: Sequence[SpendLimit], observed_at: datetime) -> None:
        """Take a whole listing of the spend limits over."""
        self._spend.record(organization, items, observed_at)

    def record_member_limits(
        self, organization: str, items: Sequence[EffectiveSpendLimit], observed_at: datetime
    ) -> None:
        """Take a whole listing over of what caps each member and what they have spent."""
        self._members.record(organization, items, observed_at)

    def record_rate_limits(
        self, organization: str, workspace: str | None, items: Sequence[RateLimit], observed_at: datetime
    ) -> None:
        """Take a whole listing of the organization's rate limits over, or of those that one workspace overrides."""
        self._rates.record(organization, items, observed_at, within=f"{workspace or ''}/")

    def spend_limits(self, organization: str) -> tuple[SpendLimit, ...]:
        """The spend limits of the last listing."""
        return self._spend.listed(organization)

    def member_limits(self, organization: str) -> tuple[Listed[EffectiveSpendLimit], ...]:
        """What caps each member in each period, and what they had spent when they were listed last."""
        return tuple(entry for entry in self._members.all(organization) if entry.listed)

    def rate_limits(self, organization: str) -> tuple[RateLimit, ...]:
        """The rate limits of the organization, then those that workspaces override, by the last listing of each."""
        return self._rates.listed(organization)

    def changes(self, organization: str, since: datetime) -> tuple[Change, ...]:
        """The changes of limits observed from `since` on, in the order they were seen."""
        kinds = (_SPEND_LIMIT.name, _MEMBER_LIMIT.name, _RATE_LIMIT.name)
        with self._database.reading() as connection:
            return read_changes(connection, organization, since, kinds)
