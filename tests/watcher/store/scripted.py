"""A reader that answers from a small world, and fails where it is told to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from tests.watcher.store.samples import DAY, GROUPED, HOUR, ORG
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
from watcher.admin_api.errors import NotOffered, Unavailable

UNAVAILABLE = Unavailable("/v1/x", 529, "req_1", "overloaded")
NOT_OFFERED = NotOffered("/v1/x", 403, "req_1", "no access")


@dataclass(frozen=True)
class PollSettings:
    usage_every: timedelta = timedelta(minutes=5)
    cost_every: timedelta = timedelta(hours=1)
    backfill: timedelta = timedelta(days=3)


@dataclass
class ScriptedReader:
    """`usage_of` gives the rows of an hour, `cost_of` those of a day; `failing` maps a method's name to its error."""

    usage_of: Callable[[datetime], tuple[UsageRow, ...]] = lambda _hour: ()
    cost_of: Callable[[date], tuple[CostRow, ...]] = lambda _day: ()
    today: date = date(2026, 11, 5)
    organization_id: str = ORG
    keys: list[ApiKey] = field(default_factory=list)
    failing: dict[str, Exception] = field(default_factory=dict)
    calls: list[tuple[object, ...]] = field(default_factory=list)
    last_hour: datetime | None = None

    def _called(self, name: str, *arguments: object) -> None:
        self.calls.append((name, *arguments))
        if name in self.failing:
            raise self.failing[name]

    def organization(self) -> Organization:
        self._called("organization")
        return Organization(self.organization_id, "Acme")

    def workspaces(self) -> list[Workspace]:
        self._called("workspaces")
        return []

    def api_keys(self) -> list[ApiKey]:
        self._called("api_keys")
        return self.keys

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

    def claude_code(self, day: date) -> list[ClaudeCodeRow]:
        self._called("claude_code", day)
        return []
