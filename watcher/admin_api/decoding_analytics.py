"""From the bytes of an analytics page to its rows; raises WireError, naming the place, and nothing else."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from pydantic import TypeAdapter

from watcher.admin_api import wire, wire_analytics
from watcher.admin_api.answers_analytics import AnalyticsCostRow, AnalyticsUsageRow
from watcher.admin_api.buckets import HOUR
from watcher.admin_api.decoding import Page, require_possible

R = TypeVar("R", AnalyticsCostRow, AnalyticsUsageRow)

COST_DIMENSIONS = 9
"""How many fields of an AnalyticsCostRow say what it is about; those behind are figures."""
USAGE_DIMENSIONS = 7
"""The same for an AnalyticsUsageRow."""

_LARGEST_PAGE = 10**17
"""Nano-dollars (a hundred million dollars) that a page's cost stays below, so that years of them add up in 64 bits."""

_cost_page = TypeAdapter(wire_analytics.AnalyticsPage[wire_analytics.AnalyticsCostItem])
_usage_page = TypeAdapter(wire_analytics.AnalyticsPage[wire_analytics.AnalyticsUsageItem])
_NO_CACHE: wire.CacheCreation = {}
_NO_TOOLS: wire.ServerToolUse = {}


@dataclass(frozen=True, slots=True)
class RefreshedPage(Generic[R]):
    """One page, and how fresh the API says its data are."""

    page: Page[R]
    refreshed_at: datetime | None


def cost_page(starting_at: datetime, ending_at: datetime) -> Callable[[bytes], RefreshedPage[AnalyticsCostRow]]:
    """A reader of analytics/cost pages that refuses rows that are not one hour of what was asked for."""

    def decode(body: bytes) -> RefreshedPage[AnalyticsCostRow]:
        page = wire.read_exactly(_cost_page, body)
        rows: dict[tuple[object, ...], AnalyticsCostRow] = {}
        total = 0
        for index, item in enumerate(page["data"]):
            _require_hour(index, item["starting_at"], item["ending_at"], starting_at, ending_at)
            total += max(abs(item["cost"]["amount"]), abs(item["cost"].get("list_amount") or 0))
            if total > _LARGEST_PAGE:
                raise wire.WireError(f"data[{index}].cost: the amounts of one page come to more than $100,000,000")
            row = _cost_row(item)
            known = rows.get(row[:COST_DIMENSIONS])
            rows[row[:COST_DIMENSIONS]] = row if known is None else _add_cost(known, row)
        return RefreshedPage(_page(page, tuple(rows.values())), page.get("data_refreshed_at"))

    return decode


def usage_page(starting_at: datetime, ending_at: datetime) -> Callable[[bytes], RefreshedPage[AnalyticsUsageRow]]:
    """A reader of analytics/usage pages that refuses rows that are not one hour of what was asked for."""

    def decode(body: bytes) -> RefreshedPage[AnalyticsUsageRow]:
        page = wire.read_fast(_usage_page, body)
        rows: dict[tuple[object, ...], AnalyticsUsageRow] = {}
        tokens: defaultdict[datetime, int] = defaultdict(int)
        searches: defaultdict[datetime, int] = defaultdict(int)
        for index, item in enumerate(page["data"]):
            _require_hour(index, item["starting_at"], item["ending_at"], starting_at, ending_at)
            row = _usage_row(item)
            cached = row.cache_read + row.cache_write_5m + row.cache_write_1h
            tokens[row.starting_at] += row.uncached_input + cached + row.output
            searches[row.starting_at] += row.web_searches
            require_possible(f"data[{index}].usage", tokens[row.starting_at], searches[row.starting_at])
            known = rows.get(row[:USAGE_DIMENSIONS])
            rows[row[:USAGE_DIMENSIONS]] = row if known is None else _add_usage(known, row)
        return RefreshedPage(_page(page, tuple(rows.values())), page.get("data_refreshed_at"))

    return decode


def _page(
    page: wire_analytics.AnalyticsPage[wire_analytics.AnalyticsCostItem]
    | wire_analytics.AnalyticsPage[wire_analytics.AnalyticsUsageItem],
    rows: tuple[R, ...],
) -> Page[R]:
    has_more, cursor = page.get("has_more"), page.get("next_page")
    return Page(rows, bool(cursor) if has_more is None else has_more, cursor)


def _require_hour(index: int, starts: datetime, ends: datetime, starting_at: datetime, ending_at: datetime) -> None:
    if (starts - starting_at) % HOUR or not starting_at <= starts < ending_at:
        raise wire.WireError(f"data[{index}].starting_at: {starts} is no hour of what was asked for")
    if ends - starts != HOUR:
        raise wire.WireError(f"data[{index}].ending_at: {ends} is not an hour after {starts}")


def _cost_row(item: wire_analytics.AnalyticsCostItem) -> AnalyticsCostRow:
    group, cost = item["group"], item["cost"]
    return AnalyticsCostRow(
        item["starting_at"],
        item["ending_at"],
        group.get("api_key_id"),
        group.get("workspace_id"),
        group.get("model"),
        group.get("service_tier"),
        group.get("context_window"),
        group.get("cost_type"),
        group.get("token_type"),
        cost["amount"],
        cost.get("list_amount"),
        cost.get("requests"),
    )


def _usage_row(item: wire_analytics.AnalyticsUsageItem) -> AnalyticsUsageRow:
    group, usage = item["group"], item["usage"]
    cache = usage.get("cache_creation") or _NO_CACHE
    tools = usage.get("server_tool_use") or _NO_TOOLS
    return AnalyticsUsageRow(
        item["starting_at"],
        item["ending_at"],
        group.get("api_key_id"),
        group.get("workspace_id"),
        group.get("model"),
        group.get("service_tier"),
        group.get("context_window"),
        usage.get("uncached_input_tokens") or 0,
        usage.get("cache_read_input_tokens") or 0,
        cache.get("ephemeral_5m_input_tokens") or 0,
        cache.get("ephemeral_1h_input_tokens") or 0,
        usage.get("output_tokens") or 0,
        tools.get("web_search_requests") or 0,
        usage.get("requests"),
    )


def _add_cost(one: AnalyticsCostRow, other: AnalyticsCostRow) -> AnalyticsCostRow:
    return one._replace(
        amount=one.amount + other.amount,
        list_amount=_sum(one.list_amount, other.list_amount),
        requests=_sum(one.requests, other.requests),
    )


def _add_usage(one: AnalyticsUsageRow, other: AnalyticsUsageRow) -> AnalyticsUsageRow:
    return one._replace(
        uncached_input=one.uncached_input + other.uncached_input,
        cache_read=one.cache_read + other.cache_read,
        cache_write_5m=one.cache_write_5m + other.cache_write_5m,
        cache_write_1h=one.cache_write_1h + other.cache_write_1h,
        output=one.output + other.output,
        web_searches=one.web_searches + other.web_searches,
        requests=_sum(one.requests, other.requests),
    )


def _sum(one: int | None, other: int | None) -> int | None:
    """The sum, unknown where a part of it is."""
    return None if one is None or other is None else one + other
