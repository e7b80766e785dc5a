"""The analytics reports: hourly cost and usage by key, late, restated, and refused as documented."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from watcher.admin_api import AdminReader, ConnectionSettings, NotOffered, RateLimited, RetryPolicy, connect
from watcher.secret import Secret
from watcher.simulator.analytics import Analytics
from watcher.simulator.billing import Billing
from watcher.simulator.tariff import nano

START = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
BETA = {"anthropic-beta": "analytics-usage-cost-2026-08-24"}
SCOPED = {"x-api-key": "sk-ant-analytics01-x"}
FINE = ["api_key_id", "workspace_id", "model", "service_tier", "context_window"]
SETTLED_DAY = {"starting_at": "2026-11-11T00:00:00Z", "ending_at": "2026-11-12T00:00:00Z"}
HOURLY = {**SETTLED_DAY, "time_bucket_width": "1h", "limit": 1000}


@pytest.fixture
def api(serve):
    """A world of the test's own, for what changes the clock, or asks very often."""
    return serve(analytics=True)


@pytest.fixture
def calm(shared_analytics):
    """A world that all tests share; each begins in a minute of its own, so that none uses up another's quota."""
    shared_analytics.now += timedelta(seconds=60)
    return shared_analytics


def rows(api, path="analytics/cost", **query):
    """All rows of a report, page after page."""
    found, page = [], None
    while True:
        answer = api.get(path, headers=BETA, **query, **({} if page is None else {"page": page}))
        found += answer["data"]
        page = answer["next_page"]
        if not answer["has_more"]:
            return found


def cents(found, field="amount"):
    return sum((Decimal(row["cost"][field]) for row in found), Decimal())


def test_the_reports_are_there_only_where_they_were_switched_on(shared):
    for path in ("analytics/cost", "analytics/usage"):
        assert shared.get(path, 404, headers=BETA, **HOURLY)["error"]["type"] == "not_found_error"


def test_a_settled_day_costs_what_was_truly_used_key_by_key_after_discount(calm):
    day = datetime(2026, 11, 11, tzinfo=UTC)
    by_key = defaultdict(Decimal)
    found = rows(calm, **HOURLY, group_by__=[*FINE, "cost_type", "token_type"])
    for row in found:
        if row["group"]["cost_type"] in {"tokens", "web_search"}:
            by_key[row["group"]["api_key_id"]] += Decimal(row["cost"]["amount"]) * 10**7
    assert len(by_key) > 10
    for key_id, amount in by_key.items():
        truth = calm.world.true_cost_nano(day, day + timedelta(days=1), api_key_id=key_id, priority=False)
        assert abs(amount - truth) <= 1
    assert {row["cost"]["currency"] for row in found} == {"USD"}


def test_a_settled_day_adds_up_to_the_cost_report_in_every_workspace(calm):
    day = int(datetime(2026, 11, 11, tzinfo=UTC).timestamp() // 86_400)
    default = calm.world.organization.default_workspace.id
    billed = defaultdict(int)
    for line, femto in Billing(calm.world).final(day).items():
        billed[line.workspace_id or default, line.cost_type] += femto
    told = defaultdict(Decimal)
    for row in rows(calm, **HOURLY, group_by__=["workspace_id", "cost_type"]):
        told[row["group"]["workspace_id"], row["group"]["cost_type"]] += Decimal(row["cost"]["amount"])
    assert {name: int(amount * 10**13) for name, amount in told.items()} == billed
    assert {cost_type for _, cost_type in told} == {"tokens", "web_search", "code_execution", "session_usage"}


def test_the_list_amount_is_the_price_before_discount(calm):
    found = rows(calm, **HOURLY)
    assert float(cents(found) / cents(found, "list_amount")) == pytest.approx(0.8, rel=1e-6)


def test_the_default_workspace_has_its_real_id_and_console_use_no_key(calm):
    found = rows(calm, **HOURLY, group_by__=["workspace_id", "api_key_id", "inference_geo", "session_id"])
    workspaces = {row["group"]["workspace_id"] for row in found}
    assert calm.world.organization.default_workspace.id in workspaces
    assert None not in workspaces
    assert None in {row["group"]["api_key_id"] for row in found}
    assert {row["group"]["inference_geo"] for row in found} <= {"global", "us", None}
    assert {row["group"]["session_id"] for row in found} == {None}


def test_usage_adds_up_to_the_usage_report_and_knows_the_priority_tier(calm):
    report = calm.get("usage_report/messages", starting_at="2026-11-11T00:00:00Z", limit=1, group_by__="service_tier")
    truth = {row["service_tier"]: row["output_tokens"] for row in report["data"][0]["results"]}
    told = defaultdict(int)
    for row in rows(calm, "analytics/usage", **HOURLY, group_by__="service_tier"):
        told[row["group"]["service_tier"]] += row["usage"]["output_tokens"]
        parts = row["usage"]["cache_creation"]
        assert row["usage"]["requests"] > 0
        assert row["usage"]["total_tokens"] == sum(parts.values()) + sum(
            row["usage"][kind] for kind in ("uncached_input_tokens", "cache_read_input_tokens", "output_tokens")
        )
    assert told == truth
    assert "priority" in truth
    assert "priority" not in {row["group"]["service_tier"] for row in rows(calm, **HOURLY, group_by__="service_tier")}


def test_rows_come_by_hour_by_day_or_for_the_whole_range_and_never_empty(calm):
    hourly = rows(calm, **HOURLY)
    assert len(hourly) == 24
    (daily,) = rows(calm, **SETTLED_DAY, time_bucket_width="1d")
    (whole,) = rows(calm, **SETTLED_DAY)
    assert cents(hourly) == cents([daily]) == cents([whole])
    assert (daily["starting_at"], daily["ending_at"]) == (whole["starting_at"], whole["ending_at"])
    assert whole["group"] == {}
    future = {"starting_at": "2026-11-16T12:00:00Z", "ending_at": "2026-11-17T00:00:00Z", "time_bucket_width": "1h"}
    assert rows(calm, **future) == []


def test_rows_are_ordered_as_asked_and_by_amount_otherwise(calm):
    amounts = [Decimal(row["cost"]["amount"]) for row in rows(calm, **HOURLY, group_by__="api_key_id")]
    assert amounts == sorted(amounts, reverse=True)
    times = [row["starting_at"] for row in rows(calm, **HOURLY, order_by="time", order="asc", group_by__="model")]
    assert times == sorted(times)
    assert len(set(times)) == 24
    latest = rows(calm, **HOURLY, order_by="time")
    assert latest[0]["starting_at"] == "2026-11-11T23:00:00Z"
    requests = [
        row["usage"]["requests"] for row in rows(calm, "analytics/usage", **HOURLY, order_by="requests", order="asc")
    ]
    assert requests == sorted(requests)


def test_kinds_of_cost_are_not_counted_as_rows_of_a_page_nor_as_dimensions(calm):
    query = {**HOURLY, "limit": 3, "group_by__": [*FINE, "cost_type", "token_type"]}
    page = calm.get("analytics/cost", headers=BETA, **query)
    combinations = {(*(row["group"][name] for name in FINE), row["starting_at"]) for row in page["data"]}
    assert len(combinations) == 3
    assert len(page["data"]) > 3
    assert {row["cost"]["requests"] for row in page["data"]} == {None}
    tokens = rows(calm, **HOURLY, group_by__="token_type")
    assert {row["group"]["cost_type"] for row in tokens} == {"tokens"}


def test_filters_take_what_they_name_and_an_empty_word_for_null(calm):
    key_id = next(row["group"]["api_key_id"] for row in rows(calm, **HOURLY, group_by__="api_key_id"))
    filtered = rows(calm, **HOURLY, group_by__="api_key_id", api_key_ids__=key_id)
    assert {row["group"]["api_key_id"] for row in filtered} == {key_id}
    console = rows(calm, "analytics/usage", **HOURLY, group_by__="api_key_id", api_key_ids__="")
    assert {row["group"]["api_key_id"] for row in console} == {None}


def test_an_hour_comes_one_to_four_hours_late_is_too_low_at_first_and_is_restated_once(api):
    analytics = Analytics(api.world, Billing(api.world))
    hour = START - 6 * HOUR
    published = analytics.published_at(int(hour.timestamp()))
    assert 1 <= (published - (hour + HOUR).timestamp()) / 3600 <= 3.5
    query = {"starting_at": hour.isoformat(), "ending_at": (hour + HOUR).isoformat(), "time_bucket_width": "1h"}
    sums = []
    for moment in (
        published - 1,
        published + 1800,
        published + 19 * 3600,
        published + 21 * 3600,
        published + 20 * 86_400,
    ):
        api.now = datetime.fromtimestamp(moment, tz=UTC)
        sums.append(cents(rows(api, **query)))
    truth = api.world.true_cost_nano(hour, hour + HOUR, priority=False)
    assert sums[0] == 0
    assert sums[1] == sums[2] < sums[3] == sums[4]
    assert sums[1] > sums[3] * Decimal("0.93")
    assert sums[3] * 10**7 >= truth - 1


def test_late_analytics_are_those_of_twenty_hours_ago(serve):
    api = serve(analytics=True, faults="late-analytics")
    query = {"starting_at": "2026-11-15T00:00:00Z", "ending_at": "2026-11-16T12:00:00Z", "time_bucket_width": "1h"}
    page = api.get("analytics/cost", headers=BETA, limit=1000, **query)
    assert page["data_refreshed_at"] == "2026-11-15T16:00:00Z"
    assert page["data"]
    assert max(row["ending_at"] for row in page["data"]) <= "2026-11-15T15:00:00Z"


def test_forbidden_analytics_leave_the_rest_alone(serve):
    api = serve(analytics=True, faults="forbidden-analytics")
    for path in ("analytics/cost", "analytics/usage"):
        assert api.get(path, 403, headers=BETA, **HOURLY)["error"]["type"] == "permission_error"
    api.get("me")


def test_data_change_only_when_they_are_refreshed(api):
    first = api.get("analytics/cost", headers=BETA, **HOURLY)
    api.now = START + timedelta(minutes=29)
    assert api.get("analytics/cost", headers=BETA, **HOURLY) == first
    assert first["data_refreshed_at"] == "2026-11-16T12:00:00Z"
    api.now = START + timedelta(minutes=31)
    assert api.get("analytics/cost", headers=BETA, **HOURLY)["data_refreshed_at"] == "2026-11-16T12:30:00Z"


@pytest.mark.parametrize(
    "change",
    [
        {"starting_at": None},
        {"ending_at": None},
        {"ending_at": "2026-11-11T00:00:00Z"},
        {"starting_at": "2025-12-31T23:00:00Z", "ending_at": "2026-01-02T00:00:00Z"},
        {"starting_at": "2026-10-01T00:00:00Z", "ending_at": "2026-11-01T01:00:00Z"},
        {"time_bucket_width": "1w"},
        {"limit": 0},
        {"limit": 1001},
        {"order_by": "requests"},
        {"order": "up"},
        {"group_by__": [*FINE, "speed"]},
        {"group_by__": "colour"},
        {"page": "page_x"},
        {"bucket_width": "1h"},
    ],
)
def test_wrong_questions_are_refused(calm, change):
    query = {name: value for name, value in {**HOURLY, **change}.items() if value is not None}
    assert calm.get("analytics/cost", 400, headers=BETA, **query)["error"]["type"] == "invalid_request_error"


def test_what_is_more_than_a_year_back_is_refused(serve):
    api = serve(analytics=True, started_at=datetime(2027, 6, 1, tzinfo=UTC))
    api.now = datetime(2027, 6, 1, tzinfo=UTC)
    query = {"starting_at": "2026-05-31T00:00:00Z", "ending_at": "2026-06-02T00:00:00Z", "time_bucket_width": "1h"}
    assert "365 days" in api.get("analytics/cost", 400, headers=BETA, **query)["error"]["message"]


def test_usage_is_not_split_by_kinds_of_cost(calm):
    calm.get("analytics/usage", 400, headers=BETA, **HOURLY, group_by__="token_type")


def test_without_the_beta_header_the_question_is_refused(calm):
    assert BETA["anthropic-beta"] in calm.get("analytics/cost", 400, **HOURLY)["error"]["message"]


def test_both_reports_together_take_sixty_requests_a_minute(api):
    query = {**SETTLED_DAY, "limit": 1}
    for number in range(60):
        api.get("analytics/cost" if number % 2 else "analytics/usage", headers=BETA, **query)
    refused = api.client.get("/v1/organizations/analytics/cost", params=query, headers=BETA)
    assert refused.status_code == 429
    assert "retry-after" not in refused.headers
    api.get("cost_report", starting_at="2026-11-11T00:00:00Z")
    api.now = START + timedelta(seconds=60)
    api.get("analytics/usage", headers=BETA, **query)


def test_a_key_with_the_analytics_scope_alone_reads_analytics_and_nothing_else(calm):
    headers = {**BETA, **SCOPED}
    assert calm.get("analytics/cost", headers=headers, **HOURLY)["data"]
    assert calm.get("analytics/usage", headers=headers, **HOURLY)["data"]
    for path in ("me", "api_keys", "workspaces", "usage_report/messages", "cost_report", "nothing"):
        assert calm.get(path, 403, headers=headers)["error"]["type"] == "permission_error"
    refused = calm.client.post("/v1/organizations/api_keys/x", json={"status": "inactive"}, headers=SCOPED)
    assert refused.status_code == 403


def test_the_sdk_reads_both_reports_page_by_page(anthropic, calm):
    settings = {"_strict_response_validation": True, "max_retries": 0, "timeout": 5}
    with anthropic.Anthropic(base_url=calm.simulator.url, api_key="sk-ant-admin01-x", **settings) as sdk:
        query = {**SETTLED_DAY, "time_bucket_width": "1h", "limit": 300}
        found = list(sdk.beta.organization.analytics.cost.list(**query, group_by=[*FINE, "cost_type", "token_type"]))
        assert len({(row.starting_at, row.group.api_key_id) for row in found}) > 100
        assert cents(rows(calm, **HOURLY)) == sum(Decimal(row.cost.amount) for row in found)
        usage = list(sdk.beta.organization.analytics.usage.list(**query, group_by=["api_key_id", "speed"]))
        assert sum(row.usage.total_tokens for row in usage) == sum(
            row["usage"]["total_tokens"] for row in rows(calm, "analytics/usage", **HOURLY)
        )


def test_the_reader_reads_both_reports_to_the_nano_dollar(calm):
    day = datetime(2026, 11, 11, tzinfo=UTC)
    with _connect(calm, "sk-ant-analytics01-x") as connection:
        reader = AdminReader(connection)
        costs = reader.analytics_cost(day, day + timedelta(days=1), now=calm.now)
        usage = reader.analytics_usage(day, day + timedelta(days=1), now=calm.now)
        with pytest.raises(NotOffered):
            reader.organization()
    assert costs.data_refreshed_at == calm.now.replace(minute=calm.now.minute // 30 * 30)
    truth = sum(map(nano, Billing(calm.world).final(int(day.timestamp() // 86_400)).values()))
    assert abs(sum(row.amount for row in costs.rows) - truth) <= len(costs.rows)
    amounts = calm.world.used(day.timestamp(), day.timestamp() + 86_400)
    assert sum(row.output for row in usage.rows) == amounts[:, 4].sum()
    assert sum(row.web_searches for row in usage.rows) == amounts[:, 5].sum()


def test_the_one_workspace_that_no_list_holds_is_the_default_one(calm):
    day = datetime(2026, 11, 11, tzinfo=UTC)
    with _connect(calm, "sk-ant-admin01-x") as connection:
        reader = AdminReader(connection)
        listed = {workspace.id for workspace in reader.workspaces()}
        told = {row.workspace_id for row in reader.analytics_cost(day, day + timedelta(days=1)).rows}
    assert told - listed == {calm.world.organization.default_workspace.id}


def test_the_reader_is_told_of_a_spent_quota_and_of_missing_reports(api, shared):
    with _connect(api, "sk-ant-admin01-x") as connection:
        for _ in range(60):
            api.get("analytics/cost", headers=BETA, **SETTLED_DAY)
        with pytest.raises(RateLimited):
            AdminReader(connection).analytics_cost(START - HOUR, START)
    with _connect(shared, "sk-ant-admin01-x") as connection, pytest.raises(NotOffered):
        AdminReader(connection).analytics_cost(START - HOUR, START)


def test_a_stray_cursor_on_the_last_page_leads_the_reader_nowhere(serve):
    day = datetime(2026, 11, 11, tzinfo=UTC)
    api = serve(analytics=True, faults="stray-cursors")
    with _connect(api, "sk-ant-admin01-x") as connection:
        assert AdminReader(connection).analytics_cost(day, day + HOUR).rows


def _connect(api, key):
    settings = ConnectionSettings(api.simulator.url, Secret(key), retries=RetryPolicy(attempts=1))
    return connect(settings, pause=lambda _: None)
