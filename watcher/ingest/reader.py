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

SOURCES = ("organization", "workspaces", "api_keys", "users", "invites", "usage", "cost", "claude_code")
"""The names of the sources, in the order in which they are asked."""


class Reader(Protocol):
    """Reads the organization; each method gives a whole answer or raises AdminApiError."""

    def organization(self) -> Organization:
        """The organization that the key belongs to."""

    def workspaces(self) -> Sequence[Workspace]:
        """All workspaces but the default one, archived ones too."""

    def api_keys(self) -> Sequence[ApiKey]:
        """All API keys, whatever their status."""

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

    def claude_code(self, day: date) -> Sequence[ClaudeCodeRow]:
        """What was done with Claude Code on one UTC day."""
