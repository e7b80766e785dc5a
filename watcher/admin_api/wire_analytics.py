"""The JSON of the analytics reports: flat rows of one hour each, with the same rules as `wire`.

A row's `group` and its money are required: what is not attributed, or has no amount, could only be guessed.
"""

from typing import Generic, NotRequired, TypeVar

from typing_extensions import TypedDict

from watcher.admin_api.wire import CacheCreation, Count, Listed, Moment, Nano, ServerToolUse, Text, Usd

T = TypeVar("T")


class AnalyticsGroup(TypedDict, total=False):
    """The dimensions of a row; one that was not grouped by is null or missing."""

    api_key_id: Text
    workspace_id: Text
    model: Text
    service_tier: Text
    context_window: Text
    cost_type: Text
    token_type: Text


class AnalyticsAmount(TypedDict):
    """What the cost of every row must have."""

    amount: Nano
    currency: Usd


class AnalyticsCost(AnalyticsAmount, total=False):
    """The cost of one row."""

    list_amount: Nano | None
    requests: Count | None


class AnalyticsCostItem(TypedDict):
    """One row of analytics/cost."""

    starting_at: Moment
    ending_at: Moment
    group: AnalyticsGroup
    cost: AnalyticsCost


class AnalyticsUsage(TypedDict, total=False):
    """The tokens of one row."""

    uncached_input_tokens: Count | None
    cache_read_input_tokens: Count | None
    cache_creation: CacheCreation | None
    output_tokens: Count | None
    server_tool_use: ServerToolUse | None
    requests: Count | None


class AnalyticsUsageItem(TypedDict):
    """One row of analytics/usage."""

    starting_at: Moment
    ending_at: Moment
    group: AnalyticsGroup
    usage: AnalyticsUsage


class AnalyticsPage(TypedDict, Generic[T]):
    """A page of an analytics report. Where `has_more` is not given, a cursor says that there is more."""

    data: Listed[T]
    has_more: NotRequired[bool | None]
    next_page: NotRequired[str | None]
    data_refreshed_at: NotRequired[Moment | None]
