"""A reader that answers from a small world, and fails where it is told to."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

from tests.watcher.store.samples import DAY, GROUPED, HOUR, ORG, T0
from watcher.admin_api.answers import (
    ApiKey,
    ClaudeCodeRow,
    CostBucket,
    CostRow,
    Invite,
    Organization,
    UsageBucket,
    UsageRow,
    User,
    Workspace,
)
from watcher.admin_api.answers_analytics import AnalyticsCostRow, AnalyticsCosts, AnalyticsUsageRow, AnalyticsUsages
from watcher.admin_api.answers_limits import EffectiveSpendLimit, RateLimit, SpendLimit, WorkspaceMember
from watcher.admin_api.errors import NotOffered, Unavailable

T = TypeVar("T")

UNAVAILABLE = Unavailable("/v1/x", 529, "req_1", "overloaded")
NOT_OFFERED = NotOffered("/v1/x", 403, "req_1", "no access")
NOT_FOUND = NotOffered("/v1/x/{id}", 404, "req_1", "not found")


@dataclass(frozen=True)
class PollSettings:
    usage_every: timedelta = timedelta(minutes=5)
    cost_every: timedelta = timedelta(hours=1)
    backfill: timedelta = timedelta(days=3)


@dataclass
class ScriptedReader:
    """`usage_of` gives the rows of an hour, `cost_of` those of a day; `failing` maps a method's name to its error.

    `unlisted` are keys that only answer by their id. An error may be for one argument: `"workspace_members ws_1"`.

    `told_cost` and `told_usage` give the analytics' rows of an hour; without them those reports are not offered.
    """

    usage_of: Callable[[datetime], tuple[UsageRow, ...]] = lambda _hour: ()
    cost_of: Callable[[date], tuple[CostRow, ...]] = lambda _day: ()
    claude_code_of: Callable[[date], tuple[ClaudeCodeRow, ...]] = lambda _day: ()
    today: date = date(2026, 11, 5)
    organization_id: str = ORG
    keys: list[ApiKey] = field(default_factory=list)
    unlisted: dict[str, ApiKey] = field(default_factory=dict)
    workspace_ids: list[str] = field(default_factory=list)
    failing: dict[str, Exception] = field(default_factory=dict)
    calls: list[tuple[object, ...]] = field(default_factory=list)
    last_hour: datetime | None = None
    told_cost: Callable[[datetime], tuple[AnalyticsCostRow, ...]] | None = None
    told_usage: Callable[[datetime], tuple[AnalyticsUsageRow, ...]] | None = None
    refreshed_at: datetime | None = None

    def _called(self, name: str, *arguments: object) -> None:
        self.calls.append((name, *arguments))
        for what in (name, " ".join(map(str, (name, *arguments)))):
            if what in self.failing:
                raise self.failing[what]

    def calls_of(self, name: str) -> list[tuple[object, ...]]:
        """The calls of one method."""
        return [call for call in self.calls if call[0] == name]

    def organization(self) -> Organization:
        self._called("organization")
        return Organization(self.organization_id, "Acme")

    def workspaces(self) -> list[Workspace]:
        self._called("workspaces")
        return [Workspace(ident, ident, T0, None, {}) for ident in self.workspace_ids]

    def api_keys(self) -> list[ApiKey]:
        self._called("api_keys")
        return self.keys

    def api_key(self, key_id: str) -> ApiKey:
        self._called("api_key", key_id)
        if key_id not in self.unlisted:
            raise NOT_FOUND
        return self.unlisted[key_id]

    def users(self) -> list[User]:
        self._called("users")
        return []

    def invites(self) -> list[Invite]:
        self._called("invites")
        return []

    def usage(self, starting_at: datetime, ending_at: datetime, *, now: datetime | None = None) -> list[UsageBucket]:
        self._called("usage", starting_at, ending_at)
        buckets = []
        hour = starting_at
        while hour < ending_at and (self.last_hour is None or hour <= self.last_hour):
            buckets.append(UsageBucket(hour, hour + HOUR, GROUPED, tuple(self.usage_of(hour))))
            hour += HOUR
        return buckets

    def costs(self, starting_at: datetime, ending_at: datetime | None) -> list[CostBucket]:
        self._called("costs", starting_at, ending_at)
        buckets = []
        day = starting_at
        end = ending_at or datetime.combine(self.today, time(), UTC) + DAY
        while day < end:
            buckets.append(CostBucket(day, day + DAY, tuple(self.cost_of(day.date()))))
            day += DAY
        return buckets

    def analytics_cost(
        self, starting_at: datetime, ending_at: datetime, *, now: datetime | None = None
    ) -> AnalyticsCosts:
        self._called("analytics_cost", starting_at, ending_at)
        rows = self._told(self.told_cost, starting_at, ending_at)
        return AnalyticsCosts(starting_at, ending_at, self.refreshed_at, tuple(rows))

    def analytics_usage(
        self, starting_at: datetime, ending_at: datetime, *, now: datetime | None = None
    ) -> AnalyticsUsages:
        self._called("analytics_usage", starting_at, ending_at)
        rows = self._told(self.told_usage, starting_at, ending_at)
        return AnalyticsUsages(starting_at, ending_at, self.refreshed_at, tuple(rows))

    @staticmethod
    def _told(of: Callable[[datetime], tuple[T, ...]] | None, hour: datetime, end: datetime) -> Iterator[T]:
        if of is None:
            raise NOT_OFFERED
        while hour < end:
            yield from of(hour)
            hour += HOUR

    def claude_code(self, day: date) -> list[ClaudeCodeRow]:
        self._called("claude_code", day)
        return list(self.claude_code_of(day))

    def spend_limits(self) -> list[SpendLimit]:
        self._called("spend_limits")
        return []

    def effective_spend_limits(self) -> list[EffectiveSpendLimit]:
        self._called("effective_spend_limits")
        return []

    def rate_limits(self) -> list[RateLimit]:
        self._called("rate_limits")
        return []

    def workspace_rate_limits(self, workspace_id: str) -> list[RateLimit]:
        self._called("workspace_rate_limits", workspace_id)
        return []

    def workspace_members(self, workspace_id: str) -> list[WorkspaceMember]:
        self._called("workspace_members", workspace_id)
        return [WorkspaceMember(workspace_id, f"user of {workspace_id}", "user")]
