"""The messages usage report: buckets, groups, filters, cursors, lateness, and the arithmetic behind them."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.simulator import World

START = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
USAGE = "usage_report/messages"
FINE = ["api_key_id", "workspace_id", "model", "service_tier", "context_window", "inference_geo"]
FAST = {"anthropic-beta": "something-else, fast-mode-2026-02-01"}


def tokens(results) -> Counter:
    total: Counter = Counter()
    for row in results:
        total["uncached"] += row["uncached_input_tokens"]
        total["1h"] += row["cache_creation"]["ephemeral_1h_input_tokens"]
        total["5m"] += row["cache_creation"]["ephemeral_5m_input_tokens"]
        total["read"] += row["cache_read_input_tokens"]
        total["output"] += row["output_tokens"]
        total["web"] += row["server_tool_use"]["web_search_requests"]
    return total


def all_tokens(page) -> Counter:
    return tokens(row for bucket in page["data"] for row in bucket["results"])


def test_every_bucket_is_there_oldest_first_and_empty_ones_are_empty(shared):
    page = shared.get(USAGE, starting_at="2026-10-20T10:20:30Z", ending_at="2026-10-29T00:00:00Z", limit=20)
    starts = [bucket["starting_at"] for bucket in page["data"]]
    assert starts[0] == "2026-10-20T00:00:00Z"
    assert starts[-1] == "2026-10-28T00:00:00Z"
    assert [bool(bucket["results"]) for bucket in page["data"]] == [False] * 7 + [True] * 2
    assert page["has_more"] is False
    assert page["next_page"] is None


def test_pages_go_on_where_the_last_one_ended(shared):
    query = {"starting_at": "2026-11-14T00:00:00Z", "bucket_width": "1h", "group_by__": FINE, "limit": 7}
    buckets, page = [], None
    while page is None or page["has_more"]:
        page = shared.get(USAGE, **query, **({} if page is None else {"page": page["next_page"]}))
        buckets += page["data"]
    assert len(buckets) == 61
    whole = shared.get(USAGE, **{**query, "limit": 168})
    assert whole["data"] == buckets


def test_a_cursor_of_another_question_or_none_at_all_is_refused(shared):
    query = {"starting_at": "2026-11-14T00:00:00Z", "bucket_width": "1h"}
    cursor = shared.get(USAGE, **query)["next_page"]
    assert shared.get(USAGE, **query, page=cursor)["data"]
    for wrong in (
        {**query, "limit": 5, "page": cursor},
        {**query, "group_by__": "model", "page": cursor},
        {**query, "page": cursor[:-3]},
        {**query, "page": "page_"},
        {**query, "page": cursor.removeprefix("page_")},
        {**query, "page": "page_" + "x" * 33},
    ):
        assert "page" in shared.get(USAGE, 400, **wrong)["error"]["message"]


def test_minutes_add_up_to_hours_and_hours_to_days_and_groups_to_the_whole(shared):
    day = {"starting_at": "2026-11-13T00:00:00Z", "ending_at": "2026-11-14T00:00:00Z"}
    whole = all_tokens(shared.get(USAGE, **day))
    assert whole["uncached"] > 0
    assert whole["web"] > 0
    assert all_tokens(shared.get(USAGE, **day, bucket_width="1h", limit=24, group_by__=FINE)) == whole
    assert all_tokens(shared.get(USAGE, **day, bucket_width="1m", limit=1440)) == whole
    hour = {"starting_at": "2026-11-13T09:00:00Z", "ending_at": "2026-11-13T10:00:00Z", "group_by__": FINE}
    assert all_tokens(shared.get(USAGE, **hour, bucket_width="1m")) == all_tokens(
        shared.get(USAGE, **hour, bucket_width="1h")
    )


def test_a_dimension_not_grouped_by_is_null_and_console_use_has_no_key(shared):
    day = {"starting_at": "2026-11-13T00:00:00Z", "ending_at": "2026-11-14T00:00:00Z"}
    (row,) = shared.get(USAGE, **day)["data"][0]["results"]
    names = set(FINE) | {"account_id", "service_account_id"}
    assert {name: row[name] for name in names} == dict.fromkeys(names)
    assert "speed" not in row
    rows = shared.get(USAGE, **day, group_by__=["api_key_id", "workspace_id"])["data"][0]["results"]
    assert {row["api_key_id"] for row in rows} - set(shared.world.organization.keys) == {None}
    assert {row["workspace_id"] for row in rows} - set(shared.world.organization.workspaces) == {None}
    default = shared.world.organization.default_workspace.id
    assert default not in {row["workspace_id"] for row in rows}


def test_filters_keep_what_they_name(shared):
    day = {"starting_at": "2026-11-13T00:00:00Z", "ending_at": "2026-11-14T00:00:00Z", "group_by__": FINE}
    rows = shared.get(USAGE, **day)["data"][0]["results"]
    for parameter, name in (
        ("api_key_ids", "api_key_id"), ("workspace_ids", "workspace_id"), ("models", "model"),
        ("service_tiers", "service_tier"), ("context_window", "context_window"),
        ("inference_geos", "inference_geo"),
    ):  # fmt: skip
        value = rows[0][name]
        kept = shared.get(USAGE, **day, **{f"{parameter}__": value})["data"][0]["results"]
        assert kept == [row for row in rows if row[name] == value]
    default = shared.get(USAGE, **day, workspace_ids__=shared.world.organization.default_workspace.id)
    assert default["data"][0]["results"] == [row for row in rows if row["workspace_id"] is None]
    assert shared.get(USAGE, **day, models="claude-none")["data"][0]["results"] == []


def test_fast_mode_shows_only_to_those_who_ask_for_the_beta(shared):
    day = {"starting_at": "2026-11-13T00:00:00Z", "ending_at": "2026-11-14T00:00:00Z"}
    assert "fast-mode" in shared.get(USAGE, 400, **day, group_by__="speed")["error"]["message"]
    assert "fast-mode" in shared.get(USAGE, 400, **day, speeds__="fast")["error"]["message"]
    rows = shared.get(USAGE, headers=FAST, **day, group_by__="speed")["data"][0]["results"]
    assert {row["speed"] for row in rows} == {"fast", "standard"}
    assert tokens(rows) == all_tokens(shared.get(USAGE, **day))
    assert shared.get(USAGE, headers=FAST, **day)["data"][0]["results"][0]["speed"] is None


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"starting_at": "yesterday"},
        {"starting_at": "2026-11-13T00:00:00"},
        {"starting_at": "2026-11-13"},
        {"starting_at": "0001-01-01T00:00:00+14:00"},
        {"starting_at": "1950-01-01T00:00:00Z"},
        {"starting_at": "9999-12-31T23:59:59Z"},
        {"starting_at": "2026-11-13T00:00:00Z", "ending_at": "2026-11-13T00:00:00Z"},
        {"starting_at": "2026-11-13T00:00:00Z", "bucket_width": "2h"},
        {"starting_at": "2026-11-13T00:00:00Z", "bucket_width": "1d", "limit": "32"},
        {"starting_at": "2026-11-13T00:00:00Z", "bucket_width": "1h", "limit": "169"},
        {"starting_at": "2026-11-13T00:00:00Z", "bucket_width": "1m", "limit": "1441"},
        {"starting_at": "2026-11-13T00:00:00Z", "group_by__": "colour"},
        {"starting_at": "2026-11-13T00:00:00Z", "service_tiers__": "gold"},
        {"starting_at": "2026-11-13T00:00:00Z", "unknown": "1"},
    ],
)
def test_wrong_questions_are_refused(shared, query):
    assert shared.get(USAGE, 400, **query)["error"]["type"] == "invalid_request_error"


def test_too_fine_a_grouping_over_too_many_buckets_is_refused_until_it_shrinks(serve):
    api = serve(max_report_rows=400)
    query = {"starting_at": "2026-11-12T00:00:00Z", "bucket_width": "1h", "group_by__": FINE}
    assert "Reduce limit" in api.get(USAGE, 400, **query, limit=48)["error"]["message"]
    assert len(api.get(USAGE, **query, limit=8)["data"]) == 8
    one_key = next(iter(api.world.organization.keys))
    assert len(api.get(USAGE, **query, limit=48, api_key_ids__=one_key)["data"]) == 48


def test_the_newest_bucket_fills_with_the_time_and_never_shrinks(serve):
    api = serve()
    query = {"starting_at": "2026-11-16T14:00:00Z", "bucket_width": "1h"}
    seen = []
    for minute in (0, 1, 8, 15, 30, 45, 59, 60, 65, 90, 200):
        api.now = START + timedelta(hours=2, minutes=minute)
        bucket = api.get(USAGE, **query)["data"][0]
        seen.append(tokens(bucket["results"])["output"])
    assert seen[0] == seen[1] == 0
    assert seen == sorted(seen)
    assert seen[4] == pytest.approx(seen[-1] * (30 - 4.3) / 60, rel=0.15)
    # Rows are minutes late: the hour is not whole at its end, and is soon after.
    assert seen[7] < seen[-1]
    assert seen[-2] == seen[-1]


def test_what_a_page_shows_does_not_depend_on_what_was_asked_before():
    one, other = (World(started_at=START, keys=10, workspaces=2, days=20) for _ in range(2))
    hours = [START - timedelta(hours=hour) for hour in range(1, 200, 7)]
    shuffled = hours[:]
    random.Random(3).shuffle(shuffled)
    first = {hour: one.true_cost_nano(hour, hour + timedelta(hours=1)) for hour in hours}
    second = {hour: other.true_cost_nano(hour, hour + timedelta(hours=1)) for hour in shuffled}
    assert first == second
    assert len(set(first.values())) > 20


WORLD = World(started_at=START, keys=6, workspaces=2, days=5, scenario="everything")


@given(st.lists(st.integers(0, 3 * 86_400), min_size=2, max_size=6, unique=True))
def test_stretches_of_time_add_up_whatever_happens_in_them(cuts):
    """However a window is cut, whole tokens of its parts sum to those of the whole (incidents and all)."""
    edges = [START.timestamp() - 86_400 + cut for cut in sorted(cuts)]
    parts = sum(WORLD.used(start, end) for start, end in pairwise(edges))
    assert (parts == WORLD.used(edges[0], edges[-1])).all()


def test_a_key_set_inactive_stops_at_that_moment_and_starts_again_when_set_active(serve):
    api = serve(scenario="runaway")
    key_id = api.world.incidents[0].api_key_id
    half_past = START + timedelta(hours=3, minutes=30)
    before = api.world.true_cost_nano(START + timedelta(hours=3), half_past, api_key_id=key_id)
    api.now = half_past
    api.post(f"api_keys/{key_id}", {"status": "inactive"})
    assert before > 0
    assert api.world.true_cost_nano(START + timedelta(hours=3), half_past, api_key_id=key_id) == before
    assert api.world.true_cost_nano(half_past, START + timedelta(days=2), api_key_id=key_id) == 0
    assert api.world.true_cost_nano(half_past, START + timedelta(hours=6)) > 0
    api.now = START + timedelta(hours=6)
    query = {"starting_at": "2026-11-16T16:00:00Z", "bucket_width": "1h", "api_key_ids__": key_id}
    assert all_tokens(api.get(USAGE, **query)) == Counter()
    api.post(f"api_keys/{key_id}", {"status": "active"})
    assert api.world.true_cost_nano(half_past, api.now, api_key_id=key_id) == 0
    assert api.world.true_cost_nano(api.now, api.now + timedelta(hours=1), api_key_id=key_id) > 0


def test_claude_code_rows_are_there_within_the_hour_and_page(shared):
    report = "usage_report/claude_code"
    page = shared.get(report, starting_at="2026-11-13")
    kinds = {row["customer_type"] for row in page["data"]}
    assert kinds == {"api", "subscription"}
    assert {row["actor"]["type"] for row in page["data"]} == {"user_actor"}
    rows, cursor = [], {}
    while cursor is not None:
        part = shared.get(report, starting_at="2026-11-13", limit=1, **cursor)
        rows += part["data"]
        cursor = {"page": part["next_page"]} if part["has_more"] else None
    assert rows == page["data"]
    assert shared.get(report, starting_at="2026-11-17")["data"] == []
    shared.get(report, 400, starting_at="2026-11-13T00:00:00Z")
    shared.get(report, 400)
