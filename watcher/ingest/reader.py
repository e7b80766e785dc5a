"""What ingest reads from: the Admin API's reader, or a test's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from watcher.admin_api.answers import (
    ApiKey,
    ClaudeCodeRow,
    CostBucket,
    Invite,
    Organization,
    UsageBucket,
    User,
    Workspace,
)
from watcher.admin_api.answers_analytics import AnalyticsCosts, AnalyticsUsages
from watcher.admin_api.answers_limits import EffectiveSpendLimit, RateLimit, SpendLimit, WorkspaceMember

SOURCES = (
    *("organization", "workspaces", "api_keys", "users", "invites"),
    *("usage", "cost", "analytics_usage", "analytics_cost", "claude_code"),
    *("spend_limits", "effective_spend_limits", "rate_limits", "workspace_rate_limits", "workspace_members"),
)
"""The names of the sources, in the order in which they are asked."""


class Reader(Protocol):
    """Reads the organization; each method gives a whole answer or raises AdminApiError."""

    def organization(self) -> Organization:
        """The organization that the key belongs to."""

    def workspaces(self) -> Sequence[Workspace]:
        """All workspaces but the default one, archived ones too."""

    def api_keys(self) -> Sequence[ApiKey]:
        """All API keys, whatever their status."""

    def api_key(self, key_id: str) -> ApiKey:
        """One key by its id; NotOffered when there is none."""

    def users(self) -> Sequence[User]:
        """All members."""

    def invites(self) -> Sequence[Invite]:
        """All invites, whatever became of them."""

    def usage(
        self, starting_at: datetime, ending_at: datetime, *, now: datetime | None = None
    ) -> Sequence[UsageBucket]:
        """Hourly usage of `[starting_at, ending_at)`, oldest first, empty hours included."""

    def costs(self, starting_at: datetime, ending_at: datetime | None) -> Sequence[CostBucket]:
        """Daily cost of `[starting_at, ending_at)`, or until today."""

    def analytics_cost(
        self, starting_at: datetime, ending_at: datetime, *, now: datetime | None = None
    ) -> AnalyticsCosts:
        """The provider's own hourly cost of `[starting_at, ending_at)`."""

    def analytics_usage(
        self, starting_at: datetime, ending_at: datetime, *, now: datetime | None = None
    ) -> AnalyticsUsages:
        """Hourly tokens of `[starting_at, ending_at)`, as analytics know them."""

    def claude_code(self, day: date) -> Sequence[ClaudeCodeRow]:
        """What was done with Claude Code on one UTC day."""

    def spend_limits(self) -> Sequence[SpendLimit]:
        """All spend limits that are set."""

    def effective_spend_limits(self) -> Sequence[EffectiveSpendLimit]:
        """What caps each member in each period, and what they have spent in it."""

    def rate_limits(self) -> Sequence[RateLimit]:
        """The organization's rate limits."""

    def workspace_rate_limits(self, workspace_id: str) -> Sequence[RateLimit]:
        """The rate limits that a workspace overrides."""

    def workspace_members(self, workspace_id: str) -> Sequence[WorkspaceMember]:
        """Who works in a workspace."""
