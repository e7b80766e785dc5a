"""The analytics reports as they are asked for: flat rows by bucket and dimensions, ordered, in pages.

Buckets of an hour, of a day, or one for the whole range; minutes, `actor` and `actor_type` are not simulated.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from watcher.simulator.analytics import Analytics, Hour, Kind
from watcher.simulator.errors import invalid
from watcher.simulator.moments import DAY, HOUR, seconds, stamp
from watcher.simulator.paging import read_cursor, report_tail
from watcher.simulator.parameters import Parameters
from watcher.simulator.quota import Quota
from watcher.simulator.series import MEASURES, Series
from watcher.simulator.tariff import cents
from watcher.simulator.world import World

BETA = "analytics-usage-cost-2026-08-24"

EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
FARTHEST_BACK = timedelta(days=365)
LONGEST_RANGE = timedelta(days=31)
MOST_DIMENSIONS = 5
REQUESTS_A_MINUTE = 60

LATE = 20 * HOUR
"""How much older than usual the data are under the fault `late-analytics`: hours come out up to a day late."""

_WIDTHS = {"1h": HOUR, "1d": DAY}
_KINDS = ("cost_type", "token_type")
_KNOWN = ("api_key_id", "workspace_id", "model", "service_tier", "context_window", "inference_geo", "speed")
# Dimensions that the API has and that are null for everything that this organization does.
_NULL = ("agent_id", "claude_tag_category", "claude_tag_user_id", "deployment_id", "environment_id", "organization_id",
         "product", "rbac_group_id", "session_id", "slack_channel_id", "user_profile_id")  # fmt: skip
_FILTERS = {"api_key_ids": "api_key_id", "workspace_ids": "workspace_id", "models": "model",
            "service_tiers": "service_tier", "context_windows": "context_window", "inference_geos": "inference_geo",
            "speeds": "speed"}  # fmt: skip
PARAMETERS = frozenset({"starting_at", "ending_at", "time_bucket_width", "group_by", "limit", "page", "order",
                        "order_by", *_FILTERS})  # fmt: skip
_KEPT_REPORTS = 4

Group = tuple[str | None, ...]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, whichever of the reports: [start, end) in seconds, in buckets of `width` or (None) in one."""

    start: int
    end: int
    width: int | None
    dimensions: tuple[str, ...]
    kinds: frozenset[str]
    filters: dict[str, frozenset[str]]
    order_by: str
    ascending: bool
    limit: int
    first: int
    fingerprint: str

    def bucket(self, hour: int) -> tuple[int, int]:
        """The bucket that the hour belongs to."""
        if self.width is None:
            return self.start, self.end
        begins = hour // self.width * self.width
        return begins, begins + self.width


@dataclass(slots=True)
class Sums:
    """What adds up in one bucket and group."""

    costs: dict[Kind, list[int]] = field(default_factory=dict)
    tokens: list[int] = field(default_factory=lambda: [0] * MEASURES)
    requests: int = 0

    @property
    def paid(self) -> int:
        """Femto-dollars after discount."""
        return sum(paid for paid, _ in self.costs.values())

    @property
    def listed(self) -> int:
        """Femto-dollars before discount."""
        return sum(listed for _, listed in self.costs.values())


@dataclass(frozen=True, slots=True)
class _Kind:
    """One of the two reports: how its rows can be ordered, whether it splits kinds of cost, whether there is anything
    to tell of what adds up, and how it is told."""

    name: str
    orders: dict[str, Callable[[Sums], int]]
    splits: bool
    has_rows: Callable[[Sums, Question], bool]
    write: Callable[[Sums, Question], Iterator[tuple[Row, Row]]]


@dataclass(frozen=True, slots=True)
class _Entry:
    """What adds up in one bucket and group: what the limit of a page counts."""

    bucket: tuple[int, int]
    group: Group
    sums: Sums

    def rows(self, kind: _Kind, question: Question) -> Iterator[Row]:
        """Its rows on the wire: one, or one for each kind of cost."""
        begins, ends = map(stamp, self.bucket)
        named = dict(zip(question.dimensions, self.group, strict=True))
        for kinds, figures in kind.write(self.sums, question):
            yield {"starting_at": begins, "ending_at": ends, "group": {**named, **kinds}, **figures}


class AnalyticsReports:
    """Answers for analytics/cost and analytics/usage, which share one quota. A report that was worked out is kept for
    a while, as its pages are asked for one after the other."""

    def __init__(self, world: World, analytics: Analytics) -> None:
        self.quota = Quota(REQUESTS_A_MINUTE, 60.0)
        self._world = world
        self._analytics = analytics
        self._kept: OrderedDict[tuple[str, str, int], list[_Entry]] = OrderedDict()

    def cost_page(self, parameters: Parameters, now: datetime, faults: frozenset[str]) -> dict[str, Any]:
        """One page of analytics/cost. Raises ApiError (400) for what the report does not take."""
        return self._page(_COST, parameters, now, faults)

    def usage_page(self, parameters: Parameters, now: datetime, faults: frozenset[str]) -> dict[str, Any]:
        """One page of analytics/usage. Raises ApiError (400) for what the report does not take."""
        return self._page(_USAGE, parameters, now, faults)

    def _page(self, kind: _Kind, parameters: Parameters, now: datetime, faults: frozenset[str]) -> dict[str, Any]:
        question = _read_question(kind, parameters, now)
        late = LATE if "late-analytics" in faults else 0
        refreshed = self._analytics.refreshed_at(seconds(now) - late)
        key = (kind.name, question.fingerprint, refreshed)
        if key not in self._kept:
            self._kept[key] = self._work_out(kind, question, refreshed)
            if len(self._kept) > _KEPT_REPORTS:
                self._kept.popitem(last=False)
        entries = self._kept[key]
        stop = question.first + question.limit
        more, cursor = report_tail(
            here=question.first,
            onward=stop if stop < len(entries) else None,
            question=question.fingerprint,
            faults=faults,
        )
        return {
            "data": [row for entry in entries[question.first : stop] for row in entry.rows(kind, question)],
            "data_refreshed_at": stamp(refreshed),
            "has_more": more,
            "next_page": cursor,
            "organization_id": self._world.organization.id,
        }

    def _work_out(self, kind: _Kind, question: Question, refreshed: int) -> list[_Entry]:
        """All there is to tell, in order."""
        sums: dict[tuple[tuple[int, int], Group], Sums] = {}
        for hour in self._analytics.hours(question.start, question.end, refreshed):
            bucket = question.bucket(hour.start)
            for group, each in self._of_hour(hour, question):
                total = sums.setdefault((bucket, group), Sums())
                _add(total, each)
        default = next(iter(kind.orders.values()))
        measure = kind.orders.get(question.order_by, default)
        by_time = question.order_by == "time" and question.width is not None
        ordered = sorted(sums.items(), key=lambda item: measure(item[1]), reverse=by_time or not question.ascending)
        if by_time:
            ordered.sort(key=lambda item: item[0][0], reverse=not question.ascending)
        return [_Entry(bucket, group, total) for (bucket, group), total in ordered if kind.has_rows(total, question)]

    def _of_hour(self, hour: Hour, question: Question) -> Iterator[tuple[Group, Sums]]:
        for used in hour.series:
            values = self._dimensions(used.series)
            if _matches(values, question):
                costs = {kind: [paid, listed] for kind, (paid, listed) in used.costs.items()}
                yield _group(values, question), Sums(costs, list(used.amounts), used.requests)
        for unmetered in hour.unmetered:
            values = {"workspace_id": unmetered.workspace_id}
            if _matches(values, question):
                yield (
                    _group(values, question),
                    Sums({kind: list(costs) for kind, costs in unmetered.costs.items()}),
                )

    def _dimensions(self, series: Series) -> dict[str, str | None]:
        """As the analytics name them: the default workspace by its real id, and no geography where none was chosen."""
        geo = series.terms.inference_geo
        return {
            "api_key_id": series.api_key_id,
            "workspace_id": series.workspace_id or self._world.organization.default_workspace.id,
            "model": series.model,
            "service_tier": series.terms.service_tier,
            "context_window": series.terms.context_window,
            "inference_geo": None if geo == "not_available" else geo,
            "speed": series.terms.speed,
        }


def _add(total: Sums, more: Sums) -> None:
    for kind, (paid, listed) in more.costs.items():
        known = total.costs.setdefault(kind, [0, 0])
        known[0] += paid
        known[1] += listed
    total.tokens = [mine + theirs for mine, theirs in zip(total.tokens, more.tokens, strict=True)]
    total.requests += more.requests


def _group(values: dict[str, str | None], question: Question) -> Group:
    return tuple(values.get(name) for name in question.dimensions)


def _matches(values: dict[str, str | None], question: Question) -> bool:
    """An empty word in a filter stands for null, and so does `not_available` for a geography."""
    return all(
        (values.get(name) or ("not_available" if name == "inference_geo" else "")) in wanted
        for name, wanted in question.filters.items()
    )


def _read_question(kind: _Kind, parameters: Parameters, now: datetime) -> Question:
    starting, ending = parameters.moment("starting_at"), parameters.moment("ending_at")
    width = parameters.choice("time_bucket_width", tuple(_WIDTHS))
    if starting is None:
        raise invalid("starting_at: Field required")
    if ending is None and width is not None:
        raise invalid("ending_at: Field required when time_bucket_width is set")
    ending = min(now, starting + LONGEST_RANGE) if ending is None else ending
    _require_range(starting, ending, now)
    dimensions = parameters.texts("group_by", (*_KNOWN, *_NULL, *(_KINDS if kind.splits else ())))
    kinds = frozenset(dimensions) & frozenset(_KINDS)
    dimensions = tuple(name for name in dimensions if name not in kinds)
    if len(dimensions) > MOST_DIMENSIONS:
        raise invalid(f"group_by: at most {MOST_DIMENSIONS} dimensions, got {len(dimensions)}")
    fingerprint, page = parameters.fingerprint(), parameters.text("page")
    return Question(
        start=int(seconds(starting)) // HOUR * HOUR,
        end=-(-int(seconds(ending)) // HOUR) * HOUR if width else int(seconds(ending)) // HOUR * HOUR,
        width=None if width is None else _WIDTHS[width],
        dimensions=dimensions,
        kinds=kinds,
        filters={
            dimension: frozenset(values) for name, dimension in _FILTERS.items() if (values := parameters.texts(name))
        },
        order_by=parameters.choice("order_by", (*kind.orders, "time")) or next(iter(kind.orders)),
        ascending=parameters.choice("order", ("asc", "desc")) == "asc",
        limit=parameters.integer("limit", 20, 1, 1000),
        first=0 if page is None else read_cursor(page, fingerprint).position,
        fingerprint=fingerprint,
    )


def _require_range(starting: datetime, ending: datetime, now: datetime) -> None:
    if starting < EARLIEST:
        raise invalid(f"starting_at: must not lie before {EARLIEST.isoformat()}")
    if starting < now - FARTHEST_BACK:
        raise invalid(f"starting_at: must lie within the last {FARTHEST_BACK.days} days")
    if ending <= starting:
        raise invalid("ending_at: must be after starting_at")
    if ending - starting > LONGEST_RANGE:
        raise invalid(f"ending_at: the range must not span more than {LONGEST_RANGE.days} days")


def _has_cost(sums: Sums, question: Question) -> bool:
    only_tokens = question.kinds == {"token_type"}
    return any(not only_tokens or token_type is not None for _, token_type in sums.costs)


def _has_usage(sums: Sums, _question: Question) -> bool:
    return any(sums.tokens)


def _cost_rows(sums: Sums, question: Question) -> Iterator[tuple[Row, Row]]:
    """What each row of an entry is for beyond its dimensions, and its figures."""
    split: dict[Kind, list[int]] = {}
    for (cost_type, token_type), (paid, listed) in sums.costs.items():
        if question.kinds == {"token_type"} and token_type is None:
            continue
        kind = (cost_type if question.kinds else None, token_type if "token_type" in question.kinds else None)
        known = split.setdefault(kind, [0, 0])
        known[0] += paid
        known[1] += listed
    for (cost_type, token_type), (paid, listed) in split.items():
        figures = {
            "amount": cents(paid),
            "list_amount": cents(listed),
            "currency": "USD",
            "requests": None if question.kinds else sums.requests,
        }
        kinds = {"cost_type": cost_type, "token_type": token_type}
        yield {name: kinds[name] for name in _KINDS if question.kinds}, {"cost": figures}


def _usage_rows(sums: Sums, _question: Question) -> Iterator[tuple[Row, Row]]:
    uncached, write_1h, write_5m, read, output, searches = sums.tokens
    figures = {
        "uncached_input_tokens": uncached,
        "cache_creation": {"ephemeral_1h_input_tokens": write_1h, "ephemeral_5m_input_tokens": write_5m},
        "cache_read_input_tokens": read,
        "output_tokens": output,
        "server_tool_use": {"web_search_requests": searches},
        "total_tokens": uncached + write_1h + write_5m + read + output,
        "requests": sums.requests,
    }
    yield {}, {"usage": figures}


_COST = _Kind(
    "cost",
    {"amount": lambda sums: sums.paid, "list_amount": lambda sums: sums.listed},
    splits=True,
    has_rows=_has_cost,
    write=_cost_rows,
)
_USAGE = _Kind(
    "usage",
    {
        "total_tokens": lambda sums: sum(sums.tokens[:5]),
        "output_tokens": lambda sums: sums.tokens[4],
        "requests": lambda sums: sums.requests,
        "uncached_input_tokens": lambda sums: sums.tokens[0],
    },
    splits=False,
    has_rows=_has_usage,
    write=_usage_rows,
)
