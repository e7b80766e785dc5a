"""What the Admin API answered, typed: the only shapes that leave this package.

Times are timezone-aware UTC, intervals are [starting_at, ending_at), money is integer nano-dollars. A
`None` in a dimension means that the API said null (or nothing): for a grouped report a null key is Console
use and a null workspace is the default workspace. Enumerations of the API (status, role, tier, …) stay
strings, as new values appear at will.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple


class UsageRow(NamedTuple):
    """Tokens and searches of one combination of dimensions inside one bucket; counts are never negative."""

    api_key_id: str | None
    workspace_id: str | None
    model: str | None
    service_tier: str | None
    context_window: str | None
    inference_geo: str | None
    speed: str | None
    uncached_input: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    output: int
    web_searches: int


@dataclass(frozen=True, slots=True)
class UsageBucket:
    """One hour of usage; `grouped_by` names the dimensions that were really asked for.

    A dimension outside `grouped_by` is None in every row and means "not known", not "null". Rows that share
    all dimensions have been added: every combination appears once.
    """

    starting_at: datetime
    ending_at: datetime
    grouped_by: tuple[str, ...]
    rows: tuple[UsageRow, ...]


@dataclass(frozen=True, slots=True)
class CostRow:
    """One line of a day's cost report; `amount` is nano-dollars and may be negative (a credit)."""

    workspace_id: str | None
    description: str | None
    cost_type: str | None
    model: str | None
    service_tier: str | None
    token_type: str | None
    context_window: str | None
    inference_geo: str | None
    speed: str | None
    amount: int


@dataclass(frozen=True, slots=True)
class CostBucket:
    """One UTC day of the cost report; rows that share all dimensions have been added."""

    starting_at: datetime
    ending_at: datetime
    rows: tuple[CostRow, ...]


@dataclass(frozen=True, slots=True)
class Organization:
    """The organization that the Admin key belongs to."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace; archived ones are listed too. The default workspace has no entry of its own."""

    id: str
    name: str
    created_at: datetime
    archived_at: datetime | None
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as listed; never its secret.

    `workspace_id` None means the default workspace, unless `organization_scoped` says that the key belongs
    to none. `created_by` and `principal` are ids of users or service accounts, where the API tells them.
    """

    id: str
    name: str
    status: str
    workspace_id: str | None
    organization_scoped: bool
    created_at: datetime
    created_by: str | None
    expires_at: datetime | None
    partial_key_hint: str | None
    principal: str | None


@dataclass(frozen=True, slots=True)
class User:
    """A member of the organization."""

    id: str
    name: str
    email: str
    role: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Invite:
    """An invitation into the organization, whatever became of it."""

    id: str
    email: str
    role: str
    status: str
    invited_at: datetime
    expires_at: datetime


class ClaudeCodeModel(NamedTuple):
    """One model's tokens in a Claude Code row, and the API's own estimate of their cost in nano-dollars."""

    model: str
    input: int
    output: int
    cache_read: int
    cache_creation: int
    cost_nano: int


@dataclass(frozen=True, slots=True)
class ClaudeCodeRow:
    """What one person or API key did with Claude Code in one terminal on one UTC day.

    `actor` is an e-mail address for a "user" and a key's *name* for an "api_key".
    """

    day: date
    actor: str
    actor_kind: Literal["user", "api_key"]
    customer_type: str | None
    subscription_type: str | None
    terminal_type: str | None
    is_remote: bool
    sessions: int
    lines_added: int
    lines_removed: int
    commits: int
    pull_requests: int
    model_breakdown: tuple[ClaudeCodeModel, ...]
