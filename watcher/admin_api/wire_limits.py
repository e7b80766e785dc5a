"""The JSON of spend limits, rate limits and workspace members, with the same rules as `wire`."""

from typing import Annotated, Generic, NotRequired, TypeVar

from pydantic import AfterValidator
from typing_extensions import TypedDict

from watcher.admin_api.wire import Count, Listed, Moment, Nano, Text, Usd, Wire

T = TypeVar("T")


def _require_not_negative(nano: int) -> int:
    if nano < 0:
        raise ValueError("a negative amount where none can be")
    return nano


NanoFromZero = Annotated[Nano, AfterValidator(_require_not_negative)]


class CursorPage(TypedDict, Generic[T]):
    """A page of a list that goes on at a cursor; most such lists give no `has_more`."""

    data: Listed[T]
    has_more: NotRequired[bool | None]
    next_page: NotRequired[str | None]


class WireLimitScope(Wire):
    """What a spend limit is for: its type, and the id that goes with the type."""

    type: Text = None
    user_id: Text = None
    workspace_id: Text = None
    rbac_group_id: Text = None
    seat_tier: Text = None
    service: Text = None

    @property
    def named(self) -> str | None:
        """The id, whichever field it came in."""
        return self.user_id or self.workspace_id or self.rbac_group_id or self.seat_tier or self.service


class WireSpendLimit(Wire):
    """An entry of spend_limits. `amount` is cents, null for no cap."""

    id: str
    scope: WireLimitScope
    amount: NanoFromZero | None = None
    currency: Usd
    period: str
    is_enabled: bool | None = None
    created_at: Moment
    updated_at: Moment


class WireLimitActor(Wire):
    """A member, or a scoped key that acts for the organization."""

    type: Text = None
    user_id: Text = None
    scoped_api_key_id: Text = None
    name: Text = None
    email_address: Text = None
    deleted: bool | None = None


class WireEffectiveLimit(Wire):
    """An entry of spend_limits/effective: one member and one period."""

    actor: WireLimitActor
    scope: WireLimitScope | None = None
    source: WireLimitScope | None = None
    spend_limit_id: Text = None
    amount: NanoFromZero | None = None
    currency: Usd
    period: str
    period_to_date_spend: NanoFromZero


class WireRateLimitGroup(Wire):
    """What a rate limit is for, as newer answers say it."""

    type: Text = None
    id: Text = None
    display_name: Text = None


class WireRateLimitSource(Wire):
    """Where a workspace's value comes from."""

    type: Text = None


class WireRateLimitValue(Wire):
    """One limiter of a group."""

    type: str
    value: Count | None = None
    org_limit: Count | None = None
    source: WireRateLimitSource | None = None


class WireRateLimit(Wire):
    """An entry of rate_limits, or of a workspace's, in both shapes: with `group`, or with `group_type` alone."""

    id: Text = None
    rate_limit_id: Text = None
    workspace_id: Text = None
    group: WireRateLimitGroup | None = None
    group_type: Text = None
    models: Listed[str] | None = None
    limits: Listed[WireRateLimitValue]


class WireMember(Wire):
    """An entry of a workspace's members."""

    user_id: str
    workspace_id: Text = None
    workspace_role: Text = None
