"""From the rows of an analytics answer to the hours that the store keeps: which hours were told, and of whom. Pure.

An analytics report has no empty hours: an hour without rows was free, or is not worked out yet. It was told if it has
rows, or if the data are at least 24 hours past its end, which is the latest that the documentation names. The age of
the data is what the answer says of itself, else the time of the reading.

Names, as everywhere in the store: the default workspace is `DEFAULT_WORKSPACE` whether its real id or null was told; a
null key is `CONSOLE`. What is neither tokens nor searches (code execution, session time) belongs to no key or model
unless the row names one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from rules.model import CONSOLE, DEFAULT_WORKSPACE, UNATTRIBUTED
from watcher.admin_api.answers import UsageBucket, UsageRow
from watcher.admin_api.answers_analytics import AnalyticsCosts, AnalyticsUsages
from watcher.ingest.belief import believe_told
from watcher.ingest.windows import HOUR, hours
from watcher.store import AnalyticsHour, AnalyticsRow, Held
from watcher.store.series import Dimensions

TOLD_AFTER = timedelta(hours=24)
"""How long after an hour's end the data must reach for its emptiness to mean that it was free."""
GROUPED = ("api_key_id", "workspace_id", "model", "service_tier", "context_window")
"""What the analytics reports are grouped by: five dimensions are the most they take."""

_OTHER = 6
_KINDS: Mapping[str | None, int] = {
    "uncached_input_tokens": 0,
    "cache_read_input_tokens": 1,
    "cache_creation.ephemeral_5m_input_tokens": 2,
    "cache_creation.ephemeral_1h_input_tokens": 3,
    "output_tokens": 4,
}
_WEB_SEARCHES = 5
_ATTRIBUTED = frozenset({None, "tokens", "web_search"})
"""Types of cost that belong to a key, or to the Console where that is null."""

_AsTold: TypeAlias = tuple[str | None, str | None, str | None, str | None, str | None, str | None]
"""Key, workspace, model, service tier, context window and type of cost of a row."""


Answer: TypeAlias = AnalyticsCosts | AnalyticsUsages


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of an hour: whether anything (`filled`), from data of when, and whether it is to stay as it is."""

    filled: bool
    observed_at: datetime
    final: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """The hours of an answer to store, in order, and those that are not believed."""

    taken: tuple[datetime, ...]
    held_back: tuple[datetime, ...]


def as_of(answer: Answer, now: datetime) -> datetime:
    """The age of an answer's data; never after `now`, however the clocks differ."""
    return now if answer.data_refreshed_at is None else min(answer.data_refreshed_at, now)


def told_hours(answer: Answer, now: datetime) -> dict[datetime, bool]:
    """The hours that an answer tells something of, in order, and whether each has rows."""
    with_rows = {row.starting_at for row in answer.rows}
    data_until = as_of(answer, now)
    return {
        hour: hour in with_rows
        for hour in hours(answer.starting_at, answer.ending_at)
        if hour in with_rows or data_until >= hour + HOUR + TOLD_AFTER
    }


def sort_out(answer: Answer, known: Mapping[datetime, Known], held: Iterable[Held[datetime]], now: datetime) -> Told:
    """Which hours of an answer are stored and which are not believed; of what is known better, neither."""
    data_at = as_of(answer, now)
    better = {hour for hour, state in known.items() if state.final or data_at < state.observed_at <= now}
    told = {hour: has_rows for hour, has_rows in told_hours(answer, now).items() if hour not in better}
    asked = (hour for hour in hours(answer.starting_at, answer.ending_at) if hour not in better)
    filled = {hour for hour, state in known.items() if state.filled}
    taken, held_back = believe_told(told, asked, filled, {each.bucket: each.since for each in held}, now)
    return Told(tuple(sorted(taken)), held_back)


def cost_hours(
    answer: AnalyticsCosts, wanted: Iterable[datetime], default_workspace: str | None
) -> tuple[AnalyticsHour, ...]:
    """The wanted hours of analytics/cost; `default_workspace` is the real id of the default workspace, if known."""
    found: dict[datetime, dict[_AsTold, list[int]]] = {hour: {} for hour in wanted}
    for hour, _, key, workspace, model, tier, window, cost_type, token_type, amount, _, _ in answer.rows:
        of_hour = found.get(hour)
        if of_hour is None or not amount:
            continue
        about = (key, workspace, model, tier, window, cost_type)
        amounts = of_hour.get(about)
        if amounts is None:
            amounts = of_hour[about] = [0] * (_OTHER + 1)
        amounts[_WEB_SEARCHES if cost_type == "web_search" else _KINDS.get(token_type, _OTHER)] += amount
    return tuple(
        AnalyticsHour(
            hour, tuple(AnalyticsRow(*_named(about, default_workspace), *amounts) for about, amounts in rows.items())
        )
        for hour, rows in found.items()
    )


def usage_buckets(
    answer: AnalyticsUsages, wanted: Iterable[datetime], default_workspace: str | None
) -> tuple[UsageBucket, ...]:
    """The wanted hours of analytics/usage as buckets of usage, with geography and speed not known."""
    found: Mapping[datetime, list[UsageRow]] = {hour: [] for hour in wanted}
    for row in answer.rows:
        if row.starting_at in found:
            workspace = None if row.workspace_id == default_workspace else row.workspace_id
            dimensions = (row.api_key_id, workspace, row.model, row.service_tier, row.context_window, None, None)
            found[row.starting_at].append(UsageRow(*dimensions, *row[7:13]))
    return tuple(UsageBucket(hour, hour + HOUR, GROUPED, tuple(rows)) for hour, rows in found.items())


def request_hours(
    answer: AnalyticsUsages, wanted: Iterable[datetime], default_workspace: str | None
) -> Mapping[datetime, list[tuple[Dimensions, int]]]:
    """The requests of the wanted hours by series; an hour in which some row does not tell its requests is left out."""
    found: dict[datetime, list[tuple[Dimensions, int]]] = {hour: [] for hour in wanted}
    for row in answer.rows:
        if row.starting_at not in found:
            continue
        if row.requests is None:
            del found[row.starting_at]
            continue
        workspace = None if row.workspace_id == default_workspace else row.workspace_id
        series = (row.api_key_id, workspace, row.model, row.service_tier, row.context_window, None, None)
        found[row.starting_at].append((series, row.requests))
    return found


def _named(about: _AsTold, default_workspace: str | None) -> tuple[str, str, str, str, str]:
    """The dimensions of an `AnalyticsRow`."""
    key, workspace, model, tier, window, cost_type = about
    nobody, nothing = (CONSOLE, "") if cost_type in _ATTRIBUTED else (UNATTRIBUTED, UNATTRIBUTED)
    return (
        DEFAULT_WORKSPACE if workspace is None or workspace == default_workspace else workspace,
        nobody if key is None else key,
        model or nothing,
        tier or "",
        window or "",
    )
