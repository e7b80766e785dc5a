"""What the analytics reports answered, typed; the words and units of `answers` hold here too.

One difference from every other answer: `workspace_id` is the real id of the default workspace as well, which
usage, costs and keys call null. It is left as it came. It can be told by the list of workspaces, which holds
archived ones too but never the default one: an id that is in no such list is the default workspace's. A null
workspace is use that belongs to none (subscriptions of a Claude Enterprise organization).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


class AnalyticsCostRow(NamedTuple):
    """What one combination of dimensions cost in one hour, after discount and before credits.

    `list_amount` is the same before discount, where the API tells it. A null key is use without a key. Code
    execution and session time have no model and no key: their `cost_type` tells them. `requests` is null in
    rows that are split by kind of cost, as a request is not part of one kind.
    """

    starting_at: datetime
    ending_at: datetime
    api_key_id: str | None
    workspace_id: str | None
    model: str | None
    service_tier: str | None
    context_window: str | None
    cost_type: str | None
    token_type: str | None
    amount: int
    list_amount: int | None
    requests: int | None


class AnalyticsUsageRow(NamedTuple):
    """The tokens, searches and requests of one combination of dimensions in one hour."""

    starting_at: datetime
    ending_at: datetime
    api_key_id: str | None
    workspace_id: str | None
    model: str | None
    service_tier: str | None
    context_window: str | None
    uncached_input: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    output: int
    web_searches: int
    requests: int | None


@dataclass(frozen=True, slots=True)
class AnalyticsCosts:
    """The hourly cost of [starting_at, ending_at), oldest first, every combination once.

    There are no empty hours: one without rows was free, or is not worked out yet, and `data_refreshed_at`
    alone does not say which. It is the oldest of those that came with the pages, None when none came. What
    was told can be restated for 30 days.
    """

    starting_at: datetime
    ending_at: datetime
    data_refreshed_at: datetime | None
    rows: tuple[AnalyticsCostRow, ...]


@dataclass(frozen=True, slots=True)
class AnalyticsUsages:
    """The hourly usage of [starting_at, ending_at), under the same terms as `AnalyticsCosts`."""

    starting_at: datetime
    ending_at: datetime
    data_refreshed_at: datetime | None
    rows: tuple[AnalyticsUsageRow, ...]
