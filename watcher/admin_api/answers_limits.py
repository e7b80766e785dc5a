"""What the API answered about limits and who works where, typed; the words and units of `answers` hold here too."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


class LimitScope(NamedTuple):
    """What a spend limit is for: "organization", "workspace", "user", "usage_tier", …, and the id where it has one."""

    kind: str
    id: str | None


@dataclass(frozen=True, slots=True)
class SpendLimit:
    """A cap on what `scope` may spend in each "daily", "weekly" or "monthly" period.

    `amount` is nano-dollars; None is no cap at all. One that is not enabled keeps its amount and does not
    apply.
    """

    id: str
    scope: LimitScope
    amount: int | None
    period: str
    is_enabled: bool
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class EffectiveSpendLimit:
    """What caps one member in one period, and what they have spent in it so far, in nano-dollars.

    `member_id` is a user's id or a scoped key's; `source` is where the limit was inherited from. `amount`
    None means that nothing caps this period. The API says a spend of zero also while it does not know it.
    """

    member_id: str | None
    member_kind: str | None
    name: str | None
    email: str | None
    deleted: bool
    source: LimitScope | None
    spend_limit_id: str | None
    amount: int | None
    period: str
    period_to_date_spend: int


class RateLimitValue(NamedTuple):
    """One limiter ("requests_per_minute", …). `value` None is no limit.

    In a workspace's entry `organization_value` is what the organization has for the same limiter, None if
    nothing, and `inherited` says that the workspace has no override of its own.
    """

    kind: str
    value: int | None
    organization_value: int | None
    inherited: bool


@dataclass(frozen=True, slots=True)
class RateLimit:
    """The limits of one group: a family of models, or a part of the API ("batch", "files", …).

    `id` names the organization's entry, in a workspace's entry too; `workspace_id` is None in the
    organization's own. `models` is empty where the group is not of models.
    """

    id: str | None
    workspace_id: str | None
    group_kind: str
    group_name: str | None
    models: tuple[str, ...]
    limits: tuple[RateLimitValue, ...]


@dataclass(frozen=True, slots=True)
class WorkspaceMember:
    """A member's role in one workspace."""

    workspace_id: str
    user_id: str
    role: str
