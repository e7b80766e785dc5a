"""The messages usage report: series grouped as asked, in buckets of a minute, an hour or a day, written out as JSON.

A page may hold tens of thousands of rows, so the text is put together from fragments made once a group.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from watcher.simulator.errors import invalid
from watcher.simulator.faults import Strike
from watcher.simulator.moments import DAY, HOUR, seconds, stamp
from watcher.simulator.paging import read_cursor, report_tail
from watcher.simulator.parameters import Parameters
from watcher.simulator.series import Series
from watcher.simulator.traffic import Amounts
from watcher.simulator.world import World

MINUTE = 60
LATE = timedelta(minutes=40)
"""How much later than usual everything appears under the fault `late-rows`."""

FAST_MODE_BETA = "fast-mode-2026-02-01"

_WIDTHS = {"1m": (MINUTE, 60, 1440), "1h": (HOUR, 24, 168), "1d": (DAY, 7, 31)}
_DIMENSIONS = ("account_id", "api_key_id", "context_window", "inference_geo", "model", "service_account_id",
               "service_tier", "speed", "workspace_id")  # fmt: skip
_FILTERS: dict[str, tuple[str, tuple[str, ...] | None]] = {
    "account_ids": ("account_id", None),
    "api_key_ids": ("api_key_id", None),
    "workspace_ids": ("workspace_id", None),
    "models": ("model", None),
    "service_account_ids": ("service_account_id", None),
    "service_tiers": (
        "service_tier",
        ("batch", "flex", "flex_discount", "priority", "priority_on_demand", "standard"),
    ),
    "context_window": ("context_window", ("0-200k", "200k-1M")),
    "inference_geos": ("inference_geo", ("global", "not_available", "us")),
    "speeds": ("speed", ("fast", "standard")),
}
PARAMETERS = frozenset({"starting_at", "ending_at", "bucket_width", "limit", "page", "group_by", *_FILTERS})


@dataclass(frozen=True, slots=True)
class UsageQuestion:
    """What is asked: buckets of `width` seconds from `start` (moved on by a cursor) to `end`, at most `limit`."""

    start: int
    end: int
    width: int
    limit: int
    group_by: tuple[str, ...]
    filters: dict[str, frozenset[str]]
    with_speed: bool
    fingerprint: str


def read_question(parameters: Parameters, *, betas: frozenset[str], now: datetime) -> UsageQuestion:
    """Read the query. Bounds snap down to the bucket; without `ending_at` the bucket of `now` is the last.

    Raises:
        ApiError: 400 for anything the report does not take, a cursor of another question included.
    """
    starting, ending = parameters.moment("starting_at"), parameters.moment("ending_at")
    if starting is None:
        raise invalid("starting_at: Field required")
    if ending is not None and ending <= starting:
        raise invalid("ending_at: must be after starting_at")
    width, default, most = _WIDTHS[parameters.choice("bucket_width", tuple(_WIDTHS)) or "1d"]
    limit = parameters.integer("limit", default, 1, most)
    with_speed = FAST_MODE_BETA in betas
    group_by = parameters.texts("group_by", _DIMENSIONS)
    filters = {
        dimension: frozenset(values)
        for name, (dimension, allowed) in _FILTERS.items()
        if (values := parameters.texts(name, allowed))
    }
    if not with_speed and ("speed" in group_by or "speed" in filters):
        raise invalid(f"speed: requires the anthropic-beta header {FAST_MODE_BETA}")
    fingerprint = parameters.fingerprint()
    page = parameters.text("page")
    start = int(seconds(starting)) // width * width
    if page is not None:
        start = read_cursor(page, fingerprint).position
    beyond = (int(seconds(now)) // width + 1) * width
    end = beyond if ending is None else min(beyond, int(seconds(ending)) // width * width)
    return UsageQuestion(start, end, width, limit, group_by, filters, with_speed, fingerprint)


@dataclass(frozen=True, slots=True)
class _Groups:
    """Rows of the catalogue in the order of their groups, where each group begins, and its dimensions as JSON."""

    rows: NDArray[np.intp]
    begins: NDArray[np.intp]
    fragments: list[str]

    def sums(self, hours: Amounts) -> Amounts:
        """amounts[bucket, group, measure] of amounts[bucket, series, measure]."""
        total: Amounts = np.add.reduceat(hours[:, self.rows], self.begins, axis=1)
        return total


def usage_page(world: World, question: UsageQuestion, now: datetime, strike: Strike) -> bytes:
    """One page of the report as it stands at `now`, as JSON text.

    Raises:
        ApiError: 400 when groups × buckets are more than the report gives at once.
    """
    groups = _groups(world, question)
    count = max(0, min(question.limit, (question.end - question.start) // question.width))
    if len(groups.fragments) * count > world.max_report_rows:
        raise invalid(
            f"Too many results: {len(groups.fragments)} groups in {count} buckets are more than "
            f"{world.max_report_rows} rows. Reduce limit, add filters, or group by fewer dimensions."
        )
    stop = question.start + count * question.width
    buckets = [
        f'{{"starting_at":"{stamp(start)}","ending_at":"{stamp(start + question.width)}","results":[{rows}]}}'
        for start, rows in _buckets(world, question, groups, stop, now, strike)
    ]
    more, cursor = report_tail(
        here=question.start,
        onward=stop if stop < question.end else None,
        question=question.fingerprint,
        faults=strike.data,
    )
    return f'{{"data":[{",".join(buckets)}],"has_more":{json.dumps(more)},"next_page":{json.dumps(cursor)}}}'.encode()


def _buckets(
    world: World, question: UsageQuestion, groups: _Groups, stop: int, now: datetime, strike: Strike
) -> Iterator[tuple[int, str]]:
    """The buckets from the question's start to `stop`: their start and their rows, written out."""
    if not groups.fragments:
        yield from ((start, "") for start in range(question.start, stop, question.width))
        return
    # At DAY and HOUR width whole days are read at once; minutes are read one by one.
    step = MINUTE if question.width == MINUTE else DAY
    seen_at = now - LATE if "late-rows" in strike.data else now
    start = question.start
    while start < stop:
        end = min(stop, start // step * step + step)
        visible = min(float(end), strike.stalled_from)
        hours = np.zeros((0, len(world.catalogue), 6), dtype=np.int64)
        for _, amounts in world.amounts(float(start), visible, seen_at=seen_at):
            hours = amounts
        if "shrinking-hour" in strike.data and end > int(seconds(now)) // HOUR * HOUR >= start and len(hours):
            open_hour = (int(seconds(now)) // HOUR * HOUR - start // HOUR * HOUR) // HOUR
            if open_hour < len(hours):
                hours = hours.copy()
                hours[open_hour] = hours[open_hour] * 6 // 10
        if question.width == HOUR:
            missing = (end - start) // HOUR - len(hours)
            yield from zip(range(start, end, HOUR), [*_rows(groups, hours), *([""] * missing)], strict=True)
        else:
            yield start, next(_rows(groups, hours.sum(axis=0, keepdims=True)))
        start = end


def _rows(groups: _Groups, buckets: Amounts) -> Iterator[str]:
    """The rows of each bucket with any use, written out."""
    if not len(buckets):
        return
    fragments = groups.fragments
    for sums in groups.sums(buckets):
        used = np.flatnonzero(sums.any(axis=1)).tolist()
        yield ",".join(
            [
                f'{{"uncached_input_tokens":{uncached},"cache_creation":{{"ephemeral_1h_input_tokens":{write_1h},'
                f'"ephemeral_5m_input_tokens":{write_5m}}},"cache_read_input_tokens":{read},"output_tokens":{output},'
                f'"server_tool_use":{{"web_search_requests":{searches}}},{fragments[group]}}}'
                for group, (uncached, write_1h, write_5m, read, output, searches) in zip(
                    used, sums[used].tolist(), strict=True
                )
            ]
        )


def dimensions(series: Series) -> dict[str, str | None]:
    """The dimensions of a series as the report names them. Nobody in the simulated organization signs in by OAuth."""
    return {
        "account_id": None,
        "api_key_id": series.api_key_id,
        "context_window": series.terms.context_window,
        "inference_geo": series.terms.inference_geo,
        "model": series.model,
        "service_account_id": series.service_account_id,
        "service_tier": series.terms.service_tier,
        "speed": series.terms.speed,
        "workspace_id": series.workspace_id,
    }


def _groups(world: World, question: UsageQuestion) -> _Groups:
    shown = [name for name in _DIMENSIONS if name != "speed" or question.with_speed]
    default = world.organization.default_workspace.id
    members: dict[tuple[str | None, ...], list[int]] = {}
    for row, series in enumerate(world.catalogue.series):
        values = dimensions(series)
        # The default workspace is null in rows but can be filtered by its real id.
        if all(
            (values[name] or (default if name == "workspace_id" else None)) in wanted
            for name, wanted in question.filters.items()
        ):
            members.setdefault(tuple(values[name] for name in question.group_by), []).append(row)
    fragments = []
    for group in members:
        known = dict(zip(question.group_by, group, strict=True))
        fragments.append(json.dumps({name: known.get(name) for name in shown}, separators=(",", ":"))[1:-1])
    sizes = [len(rows) for rows in members.values()]
    begins = np.cumsum([0, *sizes])[:-1].astype(np.intp)
    rows = np.array([row for rows in members.values() for row in rows], dtype=np.intp)
    return _Groups(rows, begins, fragments)
