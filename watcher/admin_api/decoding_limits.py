"""From the bytes of limits and members to the typed answers; raises WireError, naming the place, and nothing else."""

from collections.abc import Callable
from typing import TypeVar

from pydantic import TypeAdapter

from watcher.admin_api import wire, wire_limits
from watcher.admin_api.answers_limits import (
    EffectiveSpendLimit,
    LimitScope,
    RateLimit,
    RateLimitValue,
    SpendLimit,
    WorkspaceMember,
)
from watcher.admin_api.decoding import Page

T = TypeVar("T")
W = TypeVar("W")

_spend_limits = TypeAdapter(wire_limits.CursorPage[wire_limits.WireSpendLimit])
_effective_limits = TypeAdapter(wire_limits.CursorPage[wire_limits.WireEffectiveLimit])
_rate_limits = TypeAdapter(wire_limits.CursorPage[wire_limits.WireRateLimit])
_members = TypeAdapter(wire.ListPage[wire_limits.WireMember])


def spend_limits_page(body: bytes) -> Page[SpendLimit]:
    """A page of spend limits."""
    return _cursor_page(_spend_limits, body, _to_spend_limit)


def effective_spend_limits_page(body: bytes) -> Page[EffectiveSpendLimit]:
    """A page of what caps each member."""
    return _cursor_page(_effective_limits, body, _to_effective_limit)


def rate_limits_page(workspace_id: str | None) -> Callable[[bytes], Page[RateLimit]]:
    """A reader of rate limits: the organization's for None, or a workspace's; rows of another one are refused."""

    def decode(body: bytes) -> Page[RateLimit]:
        page = _cursor_page(_rate_limits, body, lambda entry: _to_rate_limit(entry, workspace_id))
        for index, limit in enumerate(page.items):
            if limit.workspace_id != workspace_id:
                raise wire.WireError(f"data[{index}].workspace_id: another one came than was asked for")
        return page

    return decode


def members_page(workspace_id: str) -> Callable[[bytes], Page[WorkspaceMember]]:
    """A reader of a workspace's members; a member of another one is refused."""

    def decode(body: bytes) -> Page[WorkspaceMember]:
        page = wire.read_fast(_members, body)
        for index, entry in enumerate(page["data"]):
            if entry.workspace_id not in {None, workspace_id}:
                raise wire.WireError(f"data[{index}].workspace_id: another one came than was asked for")
        members = tuple(WorkspaceMember(workspace_id, each.user_id, each.workspace_role or "") for each in page["data"])
        return Page(members, page["has_more"], page.get("last_id"))

    return decode


def _cursor_page(adapter: TypeAdapter[wire_limits.CursorPage[W]], body: bytes, convert: Callable[[W], T]) -> Page[T]:
    page = wire.read_exactly(adapter, body)
    has_more, cursor = page.get("has_more"), page.get("next_page")
    return Page(tuple(map(convert, page["data"])), bool(cursor) if has_more is None else has_more, cursor)


def _to_scope(scope: wire_limits.WireLimitScope) -> LimitScope:
    return LimitScope(scope.type or "", scope.named)


def _to_spend_limit(entry: wire_limits.WireSpendLimit) -> SpendLimit:
    """Older answers say nothing of `is_enabled`: what they list applies."""
    return SpendLimit(
        id=entry.id,
        scope=_to_scope(entry.scope),
        amount=entry.amount,
        period=entry.period,
        is_enabled=entry.is_enabled is not False,
        created_at=entry.created_at,
        updated_at=entry.updated_at,
    )


def _to_effective_limit(entry: wire_limits.WireEffectiveLimit) -> EffectiveSpendLimit:
    actor = entry.actor
    return EffectiveSpendLimit(
        member_id=actor.user_id or actor.scoped_api_key_id,
        member_kind=actor.type,
        name=actor.name,
        email=actor.email_address,
        deleted=bool(actor.deleted),
        source=None if entry.source is None else _to_scope(entry.source),
        spend_limit_id=entry.spend_limit_id,
        amount=entry.amount,
        period=entry.period,
        period_to_date_spend=entry.period_to_date_spend,
    )


def _to_rate_limit(entry: wire_limits.WireRateLimit, workspace_id: str | None) -> RateLimit:
    """Older answers leave the workspace out of its entries."""
    group = entry.group or wire_limits.WireRateLimitGroup(type=entry.group_type)
    return RateLimit(
        id=entry.rate_limit_id or entry.id,
        workspace_id=entry.workspace_id or workspace_id,
        group_kind=group.type or entry.group_type or "",
        group_name=group.display_name,
        models=tuple(entry.models or ()),
        limits=tuple(
            RateLimitValue(
                limit.type,
                limit.value,
                limit.org_limit,
                limit.source is not None and limit.source.type == "organization",
            )
            for limit in entry.limits
        ),
    )
