"""Everything the program reads from the Admin API. This class holds no means to write."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import TypeVar

from watcher.admin_api import decoding, decoding_limits
from watcher.admin_api.analytics import REQUESTS_A_MINUTE, AnalyticsReader
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
from watcher.admin_api.costs import read_costs
from watcher.admin_api.decoding import Page
from watcher.admin_api.endpoints import (
    API_KEY,
    API_KEYS,
    CLAUDE_CODE,
    EFFECTIVE_SPEND_LIMITS,
    INVITES,
    ORGANIZATION,
    RATE_LIMITS,
    SPEND_LIMITS,
    SPEND_LIMITS_BETA,
    USERS,
    WORKSPACE_MEMBERS,
    WORKSPACE_RATE_LIMITS,
    WORKSPACES,
    check_id,
)
from watcher.admin_api.grouping import GroupingMemory
from watcher.admin_api.paging import follow
from watcher.admin_api.transport import Connection, Parameters
from watcher.admin_api.usage import UsageReport, read_usage

T = TypeVar("T")

_ENTRIES_A_PAGE = "1000"
_IN_FULL_PAGES = (("limit", _ENTRIES_A_PAGE),)
# A million entries: far beyond any organization, near enough to stop a sequence that never ends.
_MOST_PAGES = 1000


class AdminReader:
    """Reads the organization. Each method returns a whole answer or raises AdminApiError; nothing is half.

    `grouping_memory` is what `usage` learned about how finely the API lets it ask; keep its `to_json()`
    between runs.
    """

    def __init__(self, connection: Connection, *, grouping_memory: GroupingMemory | None = None) -> None:
        self._get = connection.get
        self._new_budget = connection.new_budget
        self._analytics_pacer = connection.new_pacer(REQUESTS_A_MINUTE, 60.0)
        self.grouping_memory = grouping_memory or GroupingMemory()

    def organization(self) -> Organization:
        """The organization that the key belongs to."""
        return self._get(ORGANIZATION, decoding.organization, budget=self._new_budget())

    def workspaces(self) -> tuple[Workspace, ...]:
        """All workspaces, archived ones too. The default workspace is not among them."""
        return self._directory(WORKSPACES, decoding.workspaces_page, ("include_archived", "true"))

    def api_keys(self) -> tuple[ApiKey, ...]:
        """All API keys, whatever their status."""
        return self._directory(API_KEYS, decoding.api_keys_page)

    def api_key(self, key_id: str) -> ApiKey:
        """One key as it is now. NotOffered when there is none of that id."""
        ids = {"api_key_id": check_id(key_id)}
        return self._get(API_KEY, decoding.api_key, budget=self._new_budget(), ids=ids)

    def users(self) -> tuple[User, ...]:
        """All members."""
        return self._directory(USERS, decoding.users_page)

    def invites(self) -> tuple[Invite, ...]:
        """All invites, whatever became of them."""
        return self._directory(INVITES, decoding.invites_page)

    def usage(
        self, starting_at: datetime, ending_at: datetime, *, now: datetime | None = None
    ) -> tuple[UsageBucket, ...]:
        """Hourly usage of [starting_at, ending_at), oldest first, grouped as finely as the API allows.

        The bounds are widened to whole hours, so that the open hour is asked for too. Every hour from the
        first is there, empty ones included, without gap or repetition; hours that the API does not have yet
        may be missing at the end, and if `now` is given only those that had not ended an hour before it.
        `now` also lets a finer grouping be tried again a day after a coarser one was learned. Raises
        AdminApiError.
        """
        report = UsageReport(self._get, self._new_budget())
        return read_usage(report, starting_at, ending_at, memory=self.grouping_memory, now=now)

    def costs(self, starting_at: datetime, ending_at: datetime | None) -> tuple[CostBucket, ...]:
        """Daily cost of [starting_at, ending_at), oldest first, without gap or repetition.

        The bounds are widened to whole UTC days. With `ending_at` None no end is sent, as the API wants it
        when today is asked for. Days may be missing at the end, not in between. Raises AdminApiError.
        """
        return read_costs(self._get, self._new_budget(), starting_at, ending_at)

    def claude_code(self, day: date) -> tuple[ClaudeCodeRow, ...]:
        """What was done with Claude Code on one UTC day. Raises AdminApiError."""
        parameters = [("starting_at", day.isoformat()), ("limit", _ENTRIES_A_PAGE)]
        return tuple(self._entries(CLAUDE_CODE, decoding.claude_code_page(day), parameters, "page"))

    def analytics_cost(
        self, starting_at: datetime, ending_at: datetime, *, now: datetime | None = None
    ) -> AnalyticsCosts:
        """The provider's own cost of [starting_at, ending_at), by hour, key, workspace, model, tier and kind of cost.

        The bounds are widened to whole hours; more than 31 days are asked for in pieces. Requests are paced,
        50 a minute at most, and a thousand combinations a request: ask a large organization for a few days at
        a time, as the time budget is one call's. The default workspace carries its real id here: see
        `answers_analytics` for how to tell it. ValueError for what begins before 2026 or, if `now` is given,
        more than 365 days before it. Raises AdminApiError; NotOffered where this organization or key has no
        analytics.
        """
        return self._analytics().costs(starting_at, ending_at, now)

    def analytics_usage(
        self, starting_at: datetime, ending_at: datetime, *, now: datetime | None = None
    ) -> AnalyticsUsages:
        """Tokens and requests of [starting_at, ending_at), under the same terms as `analytics_cost`."""
        return self._analytics().usages(starting_at, ending_at, now)

    def spend_limits(self) -> tuple[SpendLimit, ...]:
        """All spend limits that are set, whatever their scope. Raises AdminApiError."""
        return self._limits(SPEND_LIMITS, decoding_limits.spend_limits_page)

    def effective_spend_limits(self) -> tuple[EffectiveSpendLimit, ...]:
        """What caps each member in each period, and what they have spent in it so far. Raises AdminApiError."""
        return self._limits(EFFECTIVE_SPEND_LIMITS, decoding_limits.effective_spend_limits_page)

    def rate_limits(self) -> tuple[RateLimit, ...]:
        """The organization's rate limits, by group of models or part of the API. Raises AdminApiError."""
        return tuple(self._entries(RATE_LIMITS, decoding_limits.rate_limits_page(None), _IN_FULL_PAGES, "page"))

    def workspace_rate_limits(self, workspace_id: str) -> tuple[RateLimit, ...]:
        """The rate limits that a workspace overrides; none where it has the organization's. Raises AdminApiError."""
        ids = {"workspace_id": check_id(workspace_id)}
        decode = decoding_limits.rate_limits_page(workspace_id)
        return tuple(self._entries(WORKSPACE_RATE_LIMITS, decode, _IN_FULL_PAGES, "page", ids=ids))

    def workspace_members(self, workspace_id: str) -> tuple[WorkspaceMember, ...]:
        """Who works in a workspace. Raises AdminApiError."""
        ids = {"workspace_id": check_id(workspace_id)}
        decode = decoding_limits.members_page(workspace_id)
        entries = self._entries(WORKSPACE_MEMBERS, decode, _IN_FULL_PAGES, "after_id", ids=ids)
        return tuple({entry.user_id: entry for entry in entries}.values())

    def _analytics(self) -> AnalyticsReader:
        return AnalyticsReader(self._get, self._new_budget(), self._analytics_pacer)

    def _limits(self, endpoint: str, decode: Callable[[bytes], Page[T]]) -> tuple[T, ...]:
        return tuple(self._entries(endpoint, decode, _IN_FULL_PAGES, "page", beta=SPEND_LIMITS_BETA))

    def _directory(self, endpoint: str, decode: Callable[[bytes], Page[T]], *filters: tuple[str, str]) -> tuple[T, ...]:
        """All entries of a list. One that moved to a later page while it was read is kept once."""
        entries = self._entries(endpoint, decode, [*filters, ("limit", _ENTRIES_A_PAGE)], "after_id")
        return tuple({entry.id: entry for entry in entries}.values())  # type: ignore[attr-defined]

    def _entries(
        self,
        endpoint: str,
        decode: Callable[[bytes], Page[T]],
        parameters: Parameters,
        cursor_name: str,
        *,
        beta: str | None = None,
        ids: Mapping[str, str] | None = None,
    ) -> Iterator[T]:
        budget = self._new_budget()

        def ask(cursor: str | None) -> Page[T]:
            continued = _continued(parameters, cursor_name, cursor)
            return self._get(endpoint, decode, budget=budget, parameters=continued, beta=beta, ids=ids)

        for entries in follow(ask, endpoint=endpoint, at_most=_MOST_PAGES):
            yield from entries


def _continued(parameters: Parameters, cursor_name: str, cursor: str | None) -> Parameters:
    """The same parameters, and the cursor to go on from."""
    return parameters if cursor is None else [*parameters, (cursor_name, cursor)]
