"""The analytics reports: what is asked for, how pages and refreshments fit together, and what is refused."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from watcher.admin_api import AdminReader, BadRequest, BrokenPaging, Malformed, NotOffered, Unavailable
from watcher.admin_api.analytics import reaches_back_to
from watcher.admin_api.answers_analytics import AnalyticsCostRow, AnalyticsUsageRow

HOUR = timedelta(hours=1)
START = datetime(2026, 11, 19, tzinfo=UTC)
REFRESHED = "2026-11-19T05:10:00Z"


def stamp(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def cost(hour: int = 0, amount: object = "123.45", **group: object) -> dict[str, Any]:
    return {
        "starting_at": stamp(START + hour * HOUR),
        "ending_at": stamp(START + (hour + 1) * HOUR),
        "group": group,
        "cost": {"amount": amount, "list_amount": "200", "currency": "USD", "requests": None},
    }


def usage(hour: int = 0, **tokens: object) -> dict[str, Any]:
    row = cost(hour, api_key_id="k", workspace_id="w", model="m", service_tier="batch", context_window="0-200k")
    del row["cost"]
    return {**row, "usage": tokens}


def page(*rows: dict[str, Any], more: str | None = None, refreshed: str | None = REFRESHED) -> httpx.Response:
    return httpx.Response(
        200, json={"data": rows, "has_more": more is not None, "next_page": more, "data_refreshed_at": refreshed}
    )


def by_cursor(pages: dict[str | None, httpx.Response]) -> Callable[[httpx.Request], httpx.Response]:
    return lambda request: pages[request.url.params.get("page")]


def test_hours_are_asked_for_with_their_end_in_order_of_time_and_by_five_dimensions_and_the_kind(wire_up) -> None:
    wired = wire_up(lambda _: page())
    report = AdminReader(wired.connection).analytics_cost(
        START + timedelta(minutes=20), START + timedelta(hours=3, minutes=1)
    )
    assert (report.starting_at, report.ending_at) == (START, START + 4 * HOUR)
    assert report.rows == ()
    assert wired.requests[0].url.path == "/v1/organizations/analytics/cost"
    assert wired.requests[0].headers["anthropic-beta"] == "analytics-usage-cost-2026-08-24"
    assert wired.parameters() == [
        ("starting_at", "2026-11-19T00:00:00Z"),
        ("ending_at", "2026-11-19T04:00:00Z"),
        ("time_bucket_width", "1h"),
        ("order_by", "time"),
        ("order", "asc"),
        ("limit", "1000"),
        *(
            ("group_by[]", dimension)
            for dimension in (
                "api_key_id", "workspace_id", "model", "service_tier", "context_window", "cost_type", "token_type",
            )
        ),
    ]  # fmt: skip


def test_usage_is_asked_for_without_the_kinds_of_cost(wire_up) -> None:
    wired = wire_up(lambda _: page())
    AdminReader(wired.connection).analytics_usage(START, START + HOUR)
    assert wired.requests[0].url.path == "/v1/organizations/analytics/usage"
    assert wired.requests[0].headers["anthropic-beta"] == "analytics-usage-cost-2026-08-24"
    assert wired.requests[0].url.params.get_list("group_by[]") == [
        "api_key_id", "workspace_id", "model", "service_tier", "context_window",
    ]  # fmt: skip


def test_a_row_is_read_with_all_its_dimensions_and_cents_become_nano_dollars(wire_up) -> None:
    group = {
        "api_key_id": "apikey_1",
        "workspace_id": "wrkspc_default",
        "model": "claude-opus-5-5",
        "service_tier": "standard",
        "context_window": "0-200k",
        "cost_type": "tokens",
        "token_type": "output_tokens",
    }
    wired = wire_up(lambda _: page(cost(1, "123.450000", **group, actor={"type": "user_actor"}), cost(3, "5")))
    report = AdminReader(wired.connection).analytics_cost(START, START + 4 * HOUR)
    assert report.rows == (
        AnalyticsCostRow(START + HOUR, START + 2 * HOUR, *group.values(), 1_234_500_000, 2_000_000_000, None),
        AnalyticsCostRow(START + 3 * HOUR, START + 4 * HOUR, *[None] * 7, 50_000_000, 2_000_000_000, None),
    )
    assert report.data_refreshed_at == datetime(2026, 11, 19, 5, 10, tzinfo=UTC)


def test_every_kind_of_token_lands_in_its_own_count(wire_up) -> None:
    row = usage(
        uncached_input_tokens=1,
        cache_creation={"ephemeral_1h_input_tokens": 2, "ephemeral_5m_input_tokens": 3},
        cache_read_input_tokens=4,
        output_tokens=5,
        server_tool_use={"web_search_requests": 6},
        total_tokens=15,
        requests=7,
    )
    wired = wire_up(lambda _: page(row, usage(1)))
    report = AdminReader(wired.connection).analytics_usage(START, START + 2 * HOUR)
    first = AnalyticsUsageRow(START, START + HOUR, "k", "w", "m", "batch", "0-200k", 1, 4, 3, 2, 5, 6, 7)
    assert report.rows[0] == first
    assert report.rows[1][7:] == (0, 0, 0, 0, 0, 0, None)


def test_rows_of_one_page_that_share_all_dimensions_are_added(wire_up) -> None:
    first, second = cost(0, "1", model="a"), cost(0, "2.5", model="a")
    first["cost"]["requests"], second["cost"]["requests"] = 3, 4
    wired = wire_up(lambda _: page(first, second, cost(0, "-1", model="b")))
    rows = AdminReader(wired.connection).analytics_cost(START, START + HOUR).rows
    assert [(row.model, row.amount, row.list_amount, row.requests) for row in rows] == [
        ("a", 35_000_000, 4_000_000_000, 7),
        ("b", -10_000_000, 2_000_000_000, None),
    ]


def test_a_list_amount_that_is_not_told_is_none_and_makes_the_sum_none(wire_up) -> None:
    untold = cost(0, "1", model="a")
    del untold["cost"]["list_amount"]
    wired = wire_up(lambda _: page(untold, cost(0, "1", model="a")))
    (row,) = AdminReader(wired.connection).analytics_cost(START, START + HOUR).rows
    assert (row.amount, row.list_amount) == (20_000_000, None)


def test_usage_rows_of_one_page_that_share_all_dimensions_are_added(wire_up) -> None:
    wired = wire_up(lambda _: page(usage(output_tokens=2, requests=1), usage(output_tokens=3, requests=1)))
    (row,) = AdminReader(wired.connection).analytics_usage(START, START + HOUR).rows
    assert (row.output, row.requests) == (5, 2)


def test_pages_are_followed_and_the_rows_come_oldest_first(wire_up) -> None:
    wired = wire_up(by_cursor({None: page(cost(1), cost(2), more="x"), "x": page(cost(0))}))
    report = AdminReader(wired.connection).analytics_cost(START, START + 3 * HOUR)
    assert [row.starting_at for row in report.rows] == [START, START + HOUR, START + 2 * HOUR]
    assert wired.parameters(1) == [*wired.parameters(0), ("page", "x")]


def test_where_has_more_is_missing_a_cursor_says_that_there_is_more(wire_up) -> None:
    first, second = page(cost(0), more="x").json(), page(cost(1)).json()
    del first["has_more"]
    second["has_more"] = None
    wired = wire_up(by_cursor({None: httpx.Response(200, json=first), "x": httpx.Response(200, json=second)}))
    assert len(AdminReader(wired.connection).analytics_cost(START, START + 2 * HOUR).rows) == 2


def test_a_stray_cursor_on_the_last_page_is_ignored(wire_up) -> None:
    body = {**page(cost(0)).json(), "next_page": "stray"}
    wired = wire_up(lambda _: httpx.Response(200, json=body))
    AdminReader(wired.connection).analytics_cost(START, START + HOUR)
    assert len(wired.requests) == 1


def test_pages_that_go_in_a_circle_are_broken(wire_up) -> None:
    wired = wire_up(lambda _: page(cost(0), more="x"))
    with pytest.raises(BrokenPaging):
        AdminReader(wired.connection).analytics_cost(START, START + HOUR)


def test_a_report_that_was_refreshed_between_two_pages_is_read_again(wire_up, answer_in_turn) -> None:
    later = "2026-11-19T05:40:00Z"
    answers = [
        page(cost(0, "1"), more="x"), page(cost(1, "9"), refreshed=later),
        page(cost(0, "2"), more="x", refreshed=later), page(cost(1, "9"), refreshed=later),
    ]  # fmt: skip
    wired = wire_up(answer_in_turn(*answers))
    report = AdminReader(wired.connection).analytics_cost(START, START + 2 * HOUR)
    assert [row.amount for row in report.rows] == [20_000_000, 90_000_000]
    assert report.data_refreshed_at == datetime(2026, 11, 19, 5, 40, tzinfo=UTC)
    assert len(wired.requests) == 4


def test_a_report_that_is_refreshed_all_the_time_is_taken_with_its_oldest_refreshment(wire_up) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        second = "page" in request.url.params
        now = f"2026-11-19T05:10:{len(wired.requests):02d}Z"
        return page(cost(1 if second else 0), more=None if second else "x", refreshed=now)

    wired = wire_up(handler)
    report = AdminReader(wired.connection).analytics_cost(START, START + 2 * HOUR)
    assert len(report.rows) == 2
    assert report.data_refreshed_at == datetime(2026, 11, 19, 5, 10, 3, tzinfo=UTC)
    assert len(wired.requests) == 4


def test_a_row_that_came_on_two_pages_is_never_counted_twice(wire_up) -> None:
    wired = wire_up(by_cursor({None: page(cost(0, model="a"), more="x"), "x": page(cost(0, model="a"))}))
    with pytest.raises(Malformed, match="changed while it was read"):
        AdminReader(wired.connection).analytics_cost(START, START + HOUR)
    assert len(wired.requests) == 4


def test_a_cursor_that_is_refused_is_mended_by_beginning_again_once(wire_up, answer_in_turn, refuse) -> None:
    whole = [page(cost(0), more="y"), page(cost(1))]
    wired = wire_up(answer_in_turn(page(cost(0), more="x"), refuse(400, "page: expired"), *whole))
    assert len(AdminReader(wired.connection).analytics_cost(START, START + 2 * HOUR).rows) == 2
    wired = wire_up(lambda request: refuse(400, "expired") if "page" in request.url.params else whole[0])
    with pytest.raises(BrokenPaging, match="promised: expired"):
        AdminReader(wired.connection).analytics_cost(START, START + 2 * HOUR)
    assert len(wired.requests) == 4


def test_a_question_that_is_refused_is_not_asked_again(wire_up, refuse) -> None:
    wired = wire_up(lambda _: refuse(400, "too fine"))
    with pytest.raises(BadRequest, match="too fine"):
        AdminReader(wired.connection).analytics_usage(START, START + HOUR)
    assert len(wired.requests) == 1


def test_a_refreshment_is_not_required(wire_up) -> None:
    wired = wire_up(lambda _: httpx.Response(200, json={"data": [cost(0)], "next_page": None}))
    report = AdminReader(wired.connection).analytics_cost(START, START + HOUR)
    assert report.data_refreshed_at is None
    assert len(report.rows) == 1


def test_more_than_31_days_are_asked_for_in_pieces_and_told_with_the_oldest_refreshment(wire_up) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        asked = datetime.fromisoformat(request.url.params["starting_at"])
        row = {**cost(), "starting_at": stamp(asked), "ending_at": stamp(asked + HOUR)}
        return page(row, refreshed=stamp(datetime(2026, 11, 20, tzinfo=UTC) - (START - asked)))

    wired = wire_up(handler)
    begin = datetime(2026, 9, 1, tzinfo=UTC)
    report = AdminReader(wired.connection).analytics_cost(begin, begin + timedelta(days=70))
    spans = [(dict(wired.parameters(index))["starting_at"], dict(wired.parameters(index))["ending_at"])
             for index in range(3)]  # fmt: skip
    assert spans == [
        ("2026-09-01T00:00:00Z", "2026-10-02T00:00:00Z"),
        ("2026-10-02T00:00:00Z", "2026-11-02T00:00:00Z"),
        ("2026-11-02T00:00:00Z", "2026-11-10T00:00:00Z"),
    ]
    assert len(report.rows) == 3
    assert report.data_refreshed_at == datetime(2026, 11, 20, tzinfo=UTC) - (START - begin)


@pytest.mark.parametrize(
    ("start", "now", "earliest"),
    [
        (datetime(2025, 12, 31, 23, tzinfo=UTC), None, "2026-01-01 00:00"),
        (datetime(2025, 12, 31, 23, tzinfo=UTC), START, "2026-01-01 00:00"),
        (START - timedelta(days=366), START + timedelta(minutes=1), "2026-01-01 00:00"),
        (datetime(2027, 2, 3, 4, tzinfo=UTC), datetime(2028, 2, 3, 4, 30, tzinfo=UTC), "2027-02-03 05:00"),
    ],
)
def test_what_the_api_no_longer_has_is_refused_before_it_is_asked(wire_up, start, now, earliest: str) -> None:
    wired = wire_up(lambda _: page())
    with pytest.raises(ValueError, match=f"reach back to {earliest} UTC"):
        AdminReader(wired.connection).analytics_cost(start, start + HOUR, now=now)
    assert wired.requests == []


def test_the_first_hour_that_can_be_asked_for_is_asked_for(wire_up) -> None:
    now = datetime(2028, 2, 3, 4, 30, tzinfo=UTC)
    wired = wire_up(lambda _: page())
    AdminReader(wired.connection).analytics_usage(reaches_back_to(now), now, now=now)
    assert wired.parameters(0)[0] == ("starting_at", "2027-02-03T05:00:00Z")
    assert reaches_back_to(START) == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("ending_at", [START, START - HOUR, (START + HOUR).replace(tzinfo=None)])
def test_a_senseless_range_is_refused(wire_up, ending_at: datetime) -> None:
    with pytest.raises(ValueError, match="a report is asked for"):
        AdminReader(wire_up(lambda _: page()).connection).analytics_cost(START, ending_at)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"starting_at": "2026-11-18T23:00:00Z"}, r"data\[1\].starting_at: .* is no hour of what was asked for"),
        ({"starting_at": "2026-11-19T02:00:00Z"}, r"data\[1\].starting_at"),
        ({"starting_at": "2026-11-19T00:30:00Z"}, r"data\[1\].starting_at"),
        ({"ending_at": "2026-11-20T00:00:00Z"}, r"data\[1\].ending_at: .* is not an hour after"),
        ({"starting_at": "2026-11-19T00:00:00"}, r"data\[1\].starting_at"),
        ({"group": None}, r"data\[1\].group"),
    ],
)
@pytest.mark.parametrize("report", ["analytics_cost", "analytics_usage"])
def test_a_row_of_another_time_or_of_nothing_is_refused_by_its_place(wire_up, report, change, reason: str) -> None:
    good = cost() if report == "analytics_cost" else usage()
    wired = wire_up(lambda _: page(good, {**good, **change}))
    with pytest.raises(Malformed, match=reason):
        getattr(AdminReader(wired.connection), report)(START, START + 2 * HOUR)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"amount": "amount"}, r"data\[0\].cost.amount: .*not a decimal number of cents: 'amount'"),
        ({"amount": None}, r"data\[0\].cost.amount"),
        ({"list_amount": "list_amount"}, r"data\[0\].cost.list_amount"),
        ({"currency": "EUR"}, r"data\[0\].cost.currency"),
        ({"requests": -1}, r"data\[0\].cost.requests"),
    ],
)
def test_a_placeholder_and_other_money_that_is_none_are_refused_by_their_place(wire_up, change, reason: str) -> None:
    row = cost()
    row["cost"] |= change
    with pytest.raises(Malformed, match=reason):
        AdminReader(wire_up(lambda _: page(row)).connection).analytics_cost(START, START + HOUR)


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("report", ["analytics_cost", "analytics_usage"])
def test_an_organization_or_key_without_analytics_is_told_apart_from_a_failure(wire_up, refuse, status, report) -> None:
    wired = wire_up(lambda _: refuse(status))
    with pytest.raises(NotOffered):
        getattr(AdminReader(wired.connection), report)(START, START + HOUR)
    assert len(wired.requests) == 1


def endless(request: httpx.Request) -> httpx.Response:
    number = int(request.url.params.get("page", "0"))
    return page(cost(0, model=str(number)), more=str(number + 1) if number < 129 else None)


def test_requests_are_paced_across_pages_and_both_reports_and_the_waiting_is_not_in_the_budget(wire_up) -> None:
    wired = wire_up(endless, budget_seconds=30)
    reader = AdminReader(wired.connection)
    assert len(reader.analytics_cost(START, START + HOUR).rows) == 130
    assert wired.pauses == [60.0, 60.0]
    wired.requests.clear()
    with pytest.raises(Malformed):  # a page of costs is none of usage
        reader.analytics_usage(START, START + HOUR)
    assert math.fsum(wired.pauses) == 120.0


def test_the_api_s_own_slowness_is_in_the_budget(wire_up, refuse) -> None:
    wired = wire_up(lambda _: refuse(500), budget_seconds=3)
    with pytest.raises(Unavailable):
        AdminReader(wired.connection).analytics_cost(START, START + HOUR)
    assert math.fsum(wired.pauses) < 3


@pytest.mark.parametrize("field", ["amount", "list_amount"])
def test_amounts_that_no_organization_could_have_are_refused_before_their_sums_leave_64_bits(wire_up, field) -> None:
    rows = [cost(0, "1", model=model) for model in "abc"]
    for row in rows[1:]:
        row["cost"][field] = "6" + "0" * 9
    with pytest.raises(Malformed, match=r"data\[2\].cost: the amounts of one page"):
        AdminReader(wire_up(lambda _: page(*rows)).connection).analytics_cost(START, START + HOUR)


def test_tokens_that_no_organization_could_use_in_an_hour_are_refused_before_their_price_leaves_64_bits(
    wire_up,
) -> None:
    rows = [{**usage(0, output_tokens=6 * 10**11), "group": {"model": model}} for model in "ab"]
    with pytest.raises(Malformed, match=r"data\[1\].usage: more than 10\*\*12 tokens in one hour"):
        AdminReader(wire_up(lambda _: page(*rows)).connection).analytics_usage(START, START + HOUR)
    apart = [usage(hour, output_tokens=6 * 10**11) for hour in range(2)]
    assert (
        len(AdminReader(wire_up(lambda _: page(*apart)).connection).analytics_usage(START, START + 2 * HOUR).rows) == 2
    )
