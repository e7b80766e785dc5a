"""Usage is read whole, as finely as the API allows, and says how finely that was."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from watcher.admin_api import AdminReader, BadRequest, GroupingMemory, Malformed, NotOffered, Unavailable
from watcher.admin_api.grouping import LADDER

START = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOW = START + 50 * HOUR
ALL = LADDER[0].dimensions
PRICE_ONLY = {"service_tier", "context_window", "inference_geo", "speed"}


def rows_of(hours: int) -> dict[datetime, list[dict[str, object]]]:
    """Three keys, Console use and the default workspace in every hour."""
    rows = {}
    for hour in range(hours):
        rows[START + hour * HOUR] = [
            {
                "api_key_id": key,
                "workspace_id": workspace,
                "model": model,
                "service_tier": tier,
                "context_window": "0-200k",
                "inference_geo": "global",
                "speed": "standard",
                "uncached_input_tokens": 1000 * hour + number,
            }
            for number, (key, workspace, model, tier) in enumerate(
                [
                    ("key_a", "ws_1", "opus", "standard"),
                    ("key_a", "ws_1", "opus", "batch"),
                    ("key_b", None, "opus", "standard"),
                    ("key_c", "ws_1", "haiku", "standard"),
                    (None, "ws_1", "opus", "standard"),
                    (None, None, "opus", "standard"),
                ],
                start=1,
            )
        ]
    return rows


def facts(buckets, *dimensions: str) -> dict[tuple[object, ...], int]:
    """Tokens by hour and dimensions."""
    sums: dict[tuple[object, ...], int] = {}
    for bucket in buckets:
        for row in bucket.rows:
            cell = (bucket.starting_at, *(getattr(row, dimension) for dimension in dimensions))
            sums[cell] = sums.get(cell, 0) + row.uncached_input
    return sums


def truth(report, hours: int, *dimensions: str) -> dict[tuple[object, ...], int]:
    """The same, from what was put in."""
    sums: dict[tuple[object, ...], int] = {}
    for index in range(hours):
        for row in report.rows.get(START + index * HOUR, []):
            cell = (START + index * HOUR, *(row[dimension] for dimension in dimensions))
            sums[cell] = sums.get(cell, 0) + row["uncached_input_tokens"]
    return sums


def test_usage_is_asked_for_by_the_hour_and_every_dimension(wire_up, usage_of) -> None:
    wired = wire_up(usage_of(rows_of(3), START, NOW))
    buckets = AdminReader(wired.connection).usage(START, START + 3 * HOUR)
    assert wired.parameters(0) == [
        ("starting_at", "2026-11-01T00:00:00Z"),
        ("ending_at", "2026-11-01T03:00:00Z"),
        ("bucket_width", "1h"),
        ("limit", "24"),
        *(("group_by[]", dimension) for dimension in ALL),
    ]
    assert wired.requests[0].headers["anthropic-beta"] == "fast-mode-2026-02-01"
    assert [bucket.starting_at for bucket in buckets] == [START, START + HOUR, START + 2 * HOUR]
    assert {bucket.grouped_by for bucket in buckets} == {ALL}
    assert [len(bucket.rows) for bucket in buckets] == [6, 6, 6]


def test_a_cursor_goes_back_with_the_very_same_parameters(wire_up, usage_of) -> None:
    wired = wire_up(usage_of(rows_of(50), START, NOW))
    buckets = AdminReader(wired.connection).usage(START, NOW)
    assert len(buckets) == 50
    assert len(wired.requests) == 3
    without_page = [[item for item in wired.parameters(index) if item[0] != "page"] for index in range(3)]
    assert without_page[0] == without_page[1] == without_page[2]


def test_the_bounds_are_widened_to_whole_hours(wire_up, usage_of) -> None:
    report = usage_of(rows_of(50), START, START + 6 * HOUR)
    wired = wire_up(report)
    half_past = timedelta(minutes=30)
    buckets = AdminReader(wired.connection).usage(START + HOUR + half_past, START + 5 * HOUR + half_past)
    assert [buckets[0].starting_at, buckets[-1].ending_at] == [START + HOUR, START + 6 * HOUR]


@pytest.mark.parametrize(
    "bounds",
    [(START, START), (START + HOUR, START), (START.replace(tzinfo=None), NOW), (START, NOW.replace(tzinfo=None))],
)
def test_a_range_that_makes_no_sense_is_not_asked_for(wire_up, usage_of, bounds) -> None:
    wired = wire_up(usage_of({}, START, NOW))
    with pytest.raises(ValueError, match="a report is asked for by"):
        AdminReader(wired.connection).usage(*bounds)
    assert wired.requests == []


def test_hours_without_usage_are_there_and_empty(wire_up, usage_of) -> None:
    wired = wire_up(usage_of({}, START, NOW))
    buckets = AdminReader(wired.connection).usage(START, START + 30 * HOUR)
    assert len(buckets) == 30
    assert not any(bucket.rows for bucket in buckets)


@pytest.mark.parametrize("hours", [12, 6, 3, 1])
def test_a_refusal_is_answered_with_fewer_hours_a_page_and_every_dimension(wire_up, usage_of, hours: int) -> None:
    report = usage_of(rows_of(26), START, NOW, too_fine=lambda _, limit, __: limit > hours)
    reader = AdminReader(wire_up(report).connection)
    buckets = reader.usage(START, START + 26 * HOUR)
    assert facts(buckets, *ALL) == truth(report, 26, *ALL)
    assert {bucket.grouped_by for bucket in buckets} == {ALL}
    assert {limit for _, limit, _ in report.accepted} == {hours}
    assert LADDER[reader.grouping_memory.rung].hours == hours


def test_what_worked_is_remembered_and_the_finer_one_tried_again_after_a_day(wire_up, usage_of) -> None:
    report = usage_of(rows_of(50), START, NOW, too_fine=lambda _, limit, __: limit > 6)
    memory = GroupingMemory()
    reader = AdminReader(wire_up(report).connection, grouping_memory=memory)
    reader.usage(START, START + 12 * HOUR, now=NOW)
    assert report.refusals == 2
    reader.usage(START, START + 12 * HOUR, now=NOW + 23 * HOUR)
    assert report.refusals == 2
    report.too_fine = lambda *_: False
    reader.usage(START, START + 12 * HOUR, now=NOW + 24 * HOUR)
    assert report.accepted[-1][1] == 24
    assert memory.rung == 0


@pytest.mark.parametrize("most_keys", [1, 2, 100])
def test_an_hour_is_split_by_keys_and_no_row_is_lost_or_counted_twice(wire_up, usage_of, most_keys: int) -> None:
    def too_fine(dimensions: tuple[str, ...], _: int, keys: int) -> bool:
        return {"api_key_id", "model"} <= set(dimensions) and not 0 < keys <= most_keys

    report = usage_of(rows_of(4), START, NOW, too_fine=too_fine)
    buckets = AdminReader(wire_up(report).connection).usage(START, START + 4 * HOUR)
    assert facts(buckets, *ALL) == truth(report, 4, *ALL)
    assert all(bucket.grouped_by == ALL for bucket in buckets)
    assert all(len(bucket.rows) == 6 for bucket in buckets)


def test_price_only_dimensions_go_one_by_one_and_key_workspace_and_model_stay(wire_up, usage_of) -> None:
    def too_fine(dimensions: tuple[str, ...], _: int, __: int) -> bool:
        return len(PRICE_ONLY & set(dimensions)) > 1

    report = usage_of(rows_of(3), START, NOW, too_fine=too_fine)
    reader = AdminReader(wire_up(report).connection)
    buckets = reader.usage(START, START + 3 * HOUR)
    kept = ("api_key_id", "workspace_id", "model", "service_tier")
    assert {bucket.grouped_by for bucket in buckets} == {kept}
    assert facts(buckets, *kept) == truth(report, 3, *kept)
    assert [asked for asked in report.accepted if asked[0] != ("api_key_id",)] == [(kept, 24, 0)]


def test_without_speed_the_beta_is_not_asked_for(wire_up, usage_of) -> None:
    report = usage_of(rows_of(1), START, NOW, too_fine=lambda dimensions, *_: "speed" in dimensions)
    report.message = "Unexpected value `fast-mode-2026-02-01` in header `anthropic-beta`"
    wired = wire_up(report)
    AdminReader(wired.connection).usage(START, START + HOUR)
    assert ["anthropic-beta" in request.headers for request in wired.requests] == [True, False]


def test_a_page_that_is_too_large_is_asked_for_with_fewer_hours_and_that_is_remembered(wire_up, usage_of) -> None:
    report = usage_of(rows_of(48), START, START + 48 * HOUR)
    padding = b" " * (65 * 1024 * 1024)

    def answer(request: httpx.Request) -> httpx.Response:
        told = report(request)
        return httpx.Response(200, content=told.content + padding) if request.url.params["limit"] == "24" else told

    wired = wire_up(answer)
    reader = AdminReader(wired.connection)
    buckets = reader.usage(START, START + 48 * HOUR)
    assert [len(bucket.rows) for bucket in buckets] == [6] * 48
    assert {bucket.grouped_by for bucket in buckets} == {ALL}
    asked = [dict(wired.parameters(index))["limit"] for index in range(len(wired.requests))]
    assert asked[0] == "24"
    assert set(asked[1:]) == {"12"}
    assert LADDER[reader.grouping_memory.rung].hours == 12


def test_when_even_the_coarsest_is_refused_the_first_refusal_is_told(wire_up, usage_of) -> None:
    report = usage_of(rows_of(1), START, NOW, too_fine=lambda *_: True)
    report.message = "starting_at is too long ago"
    memory = GroupingMemory()
    wired = wire_up(report)
    with pytest.raises(BadRequest, match="starting_at is too long ago"):
        AdminReader(wired.connection, grouping_memory=memory).usage(START, START + HOUR, now=NOW)
    assert memory == GroupingMemory()
    assert len(wired.requests) <= len(LADDER)


def test_a_stale_cursor_costs_one_request_and_no_dimension(wire_up, usage_of, refuse) -> None:
    report = usage_of(rows_of(50), START, NOW)
    stale = []

    def handler(request: httpx.Request) -> httpx.Response:
        if "page" in request.url.params and not stale:
            stale.append(1)
            return refuse(400, "page token has expired")
        return report(request)

    reader = AdminReader(wire_up(handler).connection)
    buckets = reader.usage(START, NOW)
    assert facts(buckets, *ALL) == truth(report, 50, *ALL)
    assert len(buckets) == 50
    assert reader.grouping_memory.rung == 0


def test_a_busy_hour_behind_quiet_ones_makes_only_what_follows_coarser(wire_up, usage_of, refuse) -> None:
    report = usage_of(rows_of(48), START, NOW)

    def handler(request: httpx.Request) -> httpx.Response:
        second_day = "page" in request.url.params or request.url.params["starting_at"].startswith("2026-11-02")
        return refuse(400) if second_day and int(request.url.params["limit"]) == 24 else report(request)

    buckets = AdminReader(wire_up(handler).connection).usage(START, START + 48 * HOUR)
    assert facts(buckets, *ALL) == truth(report, 48, *ALL)
    assert len(buckets) == 48


def test_an_hour_that_grows_between_its_parts_is_taken_coarser_and_that_is_not_remembered(wire_up, usage_of) -> None:
    def too_fine(dimensions: tuple[str, ...], _: int, keys: int) -> bool:
        return "speed" in dimensions and "api_key_id" in dimensions and not keys

    report = usage_of(rows_of(1), START, START + HOUR, too_fine=too_fine)

    def handler(request: httpx.Request) -> httpx.Response:
        report.rows[START][0]["uncached_input_tokens"] += 7
        return report(request)

    reader = AdminReader(wire_up(handler).connection)
    buckets = reader.usage(START, START + HOUR, now=START + HOUR)
    assert buckets[0].grouped_by == ALL[:-1]
    assert facts(buckets, *ALL[:-1]) == truth(report, 1, *ALL[:-1])
    assert LADDER[reader.grouping_memory.rung].by_keys


def page(*hours: int, more: bool = False, width: int = 1, **row: object) -> httpx.Response:
    data = [
        {
            "starting_at": (START + hour * HOUR).isoformat(),
            "ending_at": (START + (hour + width) * HOUR).isoformat(),
            "results": [row] if row else [],
        }
        for hour in hours
    ]
    return httpx.Response(200, json={"data": data, "has_more": more, "next_page": f"after-{hours}"})


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (page(0, 2), "not whole: the bucket of 2026-11-01 01:00:00.* is missing"),
        (page(1, 2), "not whole: the bucket of 2026-11-01 00:00:00.* is missing"),
        (page(0, 0), "came again or out of order"),
        (page(1, 0), "is missing"),
        (page(-1, 0), "came again or out of order"),
        (page(0, 1, 2, 3), "lies outside what was asked for"),
        (page(0, width=24), "ends at 2026-11-02 00:00:00.*, not 1:00:00 later"),
        (page(0, width=-1), "ends at"),
        (page(0, uncached_input_tokens=-1), r"data\[0\].results\[0\].uncached_input_tokens: .*greater than or equal"),
        (page(0, output_tokens=10**16), r"data\[0\].results\[0\].output_tokens"),
        (httpx.Response(200, json={"data": []}), "has_more: Field required"),
    ],
)
def test_a_report_that_is_not_whole_or_not_usage_is_an_error(wire_up, response: httpx.Response, reason: str) -> None:
    wired = wire_up(lambda _: response)
    with pytest.raises(Malformed, match=reason):
        AdminReader(wired.connection).usage(START, START + 3 * HOUR)
    assert len(wired.requests) == 1


def test_an_hour_must_start_on_the_hour(wire_up) -> None:
    data = [{"starting_at": "2026-11-01T00:30:00Z", "ending_at": "2026-11-01T01:30:00Z", "results": []}]
    wired = wire_up(lambda _: httpx.Response(200, json={"data": data, "has_more": False}))
    with pytest.raises(Malformed, match="is missing"):
        AdminReader(wired.connection).usage(START, START + 3 * HOUR)


def test_hours_that_have_not_come_yet_may_be_missing_at_the_end(wire_up, usage_of) -> None:
    wired = wire_up(usage_of(rows_of(2), START, START + 2 * HOUR))
    reader = AdminReader(wired.connection)
    assert len(reader.usage(START, START + 5 * HOUR, now=START + 2 * HOUR + timedelta(minutes=40))) == 2
    assert len(reader.usage(START, START + 5 * HOUR)) == 2


def test_an_hour_that_ended_long_ago_may_not_be_missing_at_the_end(wire_up, usage_of) -> None:
    wired = wire_up(usage_of(rows_of(2), START, START + 2 * HOUR))
    with pytest.raises(
        Malformed, match=r"ends before the bucket of 2026-11-01 02:00:00\S*, or this machine's clock is ahead"
    ):
        AdminReader(wired.connection).usage(START, START + 5 * HOUR, now=START + 4 * HOUR)


@pytest.mark.parametrize(("status", "kind"), [(403, NotOffered), (500, Unavailable)])
def test_a_page_sequence_that_does_not_finish_gives_nothing(wire_up, usage_of, refuse, status: int, kind: type) -> None:
    report = usage_of(rows_of(50), START, NOW)
    wired = wire_up(lambda request: refuse(status) if "page" in request.url.params else report(request), attempts=2)
    with pytest.raises(kind):
        AdminReader(wired.connection).usage(START, NOW)
