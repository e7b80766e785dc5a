import json
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rules.model import Dimension
from rules.money import parse_cents, parse_usd
from watcher.admin_api.answers import ApiKey, CostBucket, CostRow, UsageBucket, UsageRow, Workspace
from watcher.ledger import Bucket, SpendReport, spend_report
from watcher.ledger.spend_json import spend_json
from watcher.pricing import PriceBook
from watcher.store import Store

ORG = "org_1"
NOW = datetime(2026, 11, 20, 10, 37, tzinfo=UTC)
MONTH = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
BOOK = PriceBook()
OPUS, HAIKU = "claude-opus-5-5", "claude-haiku-4-5"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'watcher.db'}") as opened:
        yield opened


def usage_row(
    key: str | None, workspace: str | None, tokens: int, model: str = OPUS, output: int = 0, searches: int = 0
) -> UsageRow:
    return UsageRow(
        key, workspace, model, "standard", "0-200k", "global", None, tokens, 0, 0, 0, output, web_searches=searches
    )


def add_usage(store: Store, hour: datetime, *rows: UsageRow, at: datetime = NOW) -> None:
    grouped_by = ("api_key_id", "workspace_id", "model")
    store.usage.replace(ORG, [UsageBucket(hour, hour + HOUR, grouped_by, rows)], at)


def add_cost(store: Store, day: date, *rows: tuple[str | None, str, str], at: datetime = NOW) -> None:
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
    costs = [
        CostRow(workspace, "a line", kind, OPUS, "standard", "uncached_input_tokens", "0-200k", "global", None, amount)
        for workspace, kind, text in rows
        for amount in [parse_cents(text)]
    ]
    store.costs.replace(ORG, [CostBucket(begin, begin + 24 * HOUR, tuple(costs))], at)


def ask(
    store: Store,
    *by: Dimension,
    start: datetime = MONTH,
    end: datetime = NOW,
    bucket: Bucket = "total",
    now: datetime = NOW,
    compare: bool = False,
) -> SpendReport:
    return spend_report(store, BOOK, ORG, by, start, end, bucket, now, compare=compare)


def as_json(report: SpendReport) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(spend_json(report)))
    return document


def test_a_settled_cost_of_123_45_is_a_dollar_and_23_45_cents(store: Store) -> None:
    add_usage(store, datetime(2026, 11, 3, 9, tzinfo=UTC), usage_row("key_a", "w1", 1000))
    add_cost(store, date(2026, 11, 3), ("w1", "tokens", "123.45"))
    row = as_json(ask(store, "api_key"))["rows"][0]
    assert (row["cost_usd"], row["settled_usd"], row["estimated_usd"]) == ("1.2345", "1.2345", "0")


def test_a_window_that_begins_long_before_the_data_is_answered_as_quickly(store: Store) -> None:
    first = datetime(1, 1, 1, tzinfo=UTC)
    assert ask(store, "api_key", start=first).rows == ()
    add_cost(store, date(2026, 11, 3), ("ws_1", "tokens", "123.45"))
    add_usage(store, MONTH + 60 * HOUR, usage_row("key_1", "ws_1", 1_000_000))
    began = time.process_time()
    report = ask(store, "api_key", start=first)
    assert time.process_time() - began < 5.0
    assert report.start == first
    assert report.total == ask(store, "api_key").total


def test_the_json_is_the_contract(store: Store) -> None:
    store.directory.record_api_keys(
        ORG, [ApiKey("key_a", "invoices", "active", "w1", False, MONTH, None, None, None, None)], NOW
    )
    store.directory.record_workspaces(ORG, [Workspace("w1", "production", MONTH, None, {})], NOW)
    add_usage(store, NOW.replace(minute=0), usage_row("key_a", "w1", 1_000_000, output=7, searches=2))
    document = as_json(ask(store, "api_key", "workspace", "model", bucket="day"))
    tokens = {"uncached_input": 1_000_000, "cache_read": 0, "cache_write_5m": 0, "cache_write_1h": 0, "output": 7}
    figures = {
        "cost_usd": "4.02014",
        "settled_usd": "0",
        "provisional_usd": "0",
        "estimated_usd": "4.02014",
        "tokens": tokens,
        "web_searches": 2,
    }
    assert document == {
        "from": "2026-11-01T00:00:00Z",
        "to": "2026-11-20T10:37:00Z",
        "by": ["api_key", "workspace", "model"],
        "currency": "USD",
        "data_as_of": "2026-11-20T10:37:00Z",
        "rows": [
            {
                "api_key": "key_a",
                "api_key_name": "invoices",
                "workspace": "w1",
                "workspace_name": "production",
                "model": OPUS,
                "start": "2026-11-20T00:00:00Z",
                **figures,
            }
        ],
        "total": figures,
    }


def test_only_the_dimensions_asked_for_are_in_a_row(store: Store) -> None:
    add_usage(store, NOW.replace(minute=0), usage_row("key_a", "w1", 5))
    figures = {"cost_usd", "settled_usd", "provisional_usd", "estimated_usd", "tokens", "web_searches"}
    assert set(as_json(ask(store, "model"))["rows"][0]) == {"model"} | figures
    assert set(as_json(ask(store))["rows"][0]) == figures


def test_console_default_workspace_and_unattributed_are_rows_of_their_own_with_null_and_a_kind(store: Store) -> None:
    hour = datetime(2026, 11, 3, 9, tzinfo=UTC)
    add_usage(store, hour, usage_row(None, "w1", 1), usage_row(None, None, 1), usage_row("key_a", None, 1))
    add_cost(
        store,
        date(2026, 11, 3),
        ("w1", "tokens", "100"),
        (None, "tokens", "600"),
        ("w1", "code_execution", "1000"),
    )
    by_key = as_json(ask(store, "api_key"))["rows"]
    assert [(row["api_key"], row.get("kind"), row["cost_usd"]) for row in by_key] == [
        (None, "unattributed", "10"),
        (None, "console", "4"),
        ("key_a", None, "3"),
    ]
    by_workspace = as_json(ask(store, "workspace"))["rows"]
    assert [(row["workspace"], row.get("kind"), row["cost_usd"]) for row in by_workspace] == [
        ("w1", None, "11"),
        (None, "default_workspace", "6"),
    ]


def test_rows_are_the_dearest_first_and_sum_to_the_total(store: Store) -> None:
    hour = NOW.replace(minute=0)
    add_usage(store, hour, *(usage_row(f"key_{number:03}", "w1", 17 * number % 1009) for number in range(1, 1009)))
    report = ask(store, "api_key")
    costs = [row.cost for row in report.rows]
    assert len(costs) == 1008
    assert costs == sorted(costs, reverse=True)
    assert sum(costs) == report.total.cost


def test_days_and_hours_sum_to_the_whole_in_every_figure(store: Store) -> None:
    for back in range(0, 100, 7):
        row = usage_row("key_a", "w1", 1000 + back, output=back, searches=1)
        add_usage(store, NOW.replace(minute=0) - back * HOUR, row, usage_row("key_b", "w2", 50, HAIKU))
    for back in (1, 2, 3):
        day = NOW.date() - timedelta(days=back)
        add_cost(store, day, ("w1", "tokens", "12.3456789"), ("w2", "session_usage", "0.1"))
    whole = ask(store, "api_key", "model")
    for bucket in ("day", "hour"):
        sliced = ask(store, "api_key", "model", bucket=bucket)  # type: ignore[arg-type]  # the tuple widens it
        assert sliced.total == whole.total
        for row in whole.rows:
            same = [
                one
                for one in sliced.rows
                if (one.of("api_key"), one.of("model")) == (row.of("api_key"), row.of("model"))
            ]
            assert sum(one.settled for one in same) == row.settled
            assert sum(one.estimated + one.provisional for one in same) == row.estimated + row.provisional
            assert [sum(kind) for kind in zip(*(one.tokens for one in same), strict=True)] == list(row.tokens)
            assert sum(one.web_searches for one in same) == row.web_searches


def test_the_window_holds_the_hours_that_begin_in_it(store: Store) -> None:
    hours = [datetime(2026, 11, 10, hour, tzinfo=UTC) for hour in range(5)]
    for number, hour in enumerate(hours):
        add_usage(store, hour, usage_row("key_a", "w1", 10**number))

    def tokens(start: datetime, end: datetime) -> int:
        return ask(store, "api_key", start=start, end=end).total.tokens[0]

    half = timedelta(minutes=30)
    assert tokens(hours[1], hours[3]) == 110
    assert tokens(hours[1] + half, hours[3] + half) == 1100
    assert tokens(hours[1] + half, hours[1] + half) == 0
    # Half of a non-UTC zone's hour: the same instants in another zone are the same window.
    zone = datetime.fromisoformat("2026-11-10T06:30:00+05:30")
    assert tokens(zone, hours[3]) == 110


def test_part_of_a_settled_day_is_the_same_share_as_in_the_whole_day(store: Store) -> None:
    day = datetime(2026, 11, 10, tzinfo=UTC)
    add_usage(store, day + 3 * HOUR, usage_row("key_a", "w1", 1))
    add_usage(store, day + 20 * HOUR, usage_row("key_a", "w1", 3))
    add_cost(store, day.date(), ("w1", "tokens", "400"))
    assert ask(store, "api_key", start=day, end=day + 12 * HOUR).total.settled == parse_usd("1")
    assert ask(store, "api_key", start=day + 12 * HOUR, end=day + 24 * HOUR).total.settled == parse_usd("3")


def test_the_open_hour_is_in_the_window_and_the_future_never(store: Store) -> None:
    add_usage(store, NOW.replace(minute=0), usage_row("key_a", "w1", 1))
    add_usage(store, NOW.replace(minute=0) + HOUR, usage_row("key_a", "w1", 10))
    assert ask(store, "api_key", end=NOW + timedelta(days=9)).total.tokens[0] == 1


def test_models_with_a_stand_in_price_are_told(store: Store) -> None:
    add_usage(store, NOW.replace(minute=0), usage_row("key_a", "w1", 1_000_000, "claude-opus-9"))
    report = ask(store, "api_key")
    assert report.total.estimated == parse_usd("15")
    assert as_json(report)["unpriced"] == ["claude-opus-9"]


def test_an_empty_store_has_an_empty_report(store: Store) -> None:
    document = as_json(ask(store, "api_key"))
    assert (document["rows"], document["total"]["cost_usd"], document["data_as_of"]) == ([], "0", None)


# ------------------------------------------------------------------------------------------- against the window before

DAY = 24 * HOUR
TODAY = datetime(2026, 11, 20, tzinfo=UTC)


def add_two_windows(store: Store) -> None:
    """Three hours of today, and before them three in which key_b and key_c were used too."""
    add_usage(store, TODAY - 3 * HOUR, usage_row("key_a", "w1", 1_000_000), usage_row("key_c", "w1", 250_000))
    add_usage(store, TODAY - 1 * HOUR, usage_row("key_b", "w1", 500_000))
    add_usage(store, TODAY, usage_row("key_a", "w1", 500_000), usage_row("key_new", "w1", 2_000_000))
    add_usage(store, TODAY + 2 * HOUR, usage_row("key_a", "w1", 1_000_000), usage_row("key_b", "w1", 250_000))
    # What lies an hour before both windows is in neither.
    add_usage(store, TODAY - 4 * HOUR, usage_row("key_a", "w1", 10**9))


def test_a_row_is_held_against_as_many_hours_before(store: Store) -> None:
    add_two_windows(store)
    document = as_json(ask(store, "api_key", start=TODAY, end=TODAY + 3 * HOUR, compare=True))
    rows = [(row["api_key"], row["cost_usd"], row["previous_usd"], row["change_percent"]) for row in document["rows"]]
    assert rows == [
        ("key_new", "8", "0", None),
        ("key_a", "6", "4", 50.0),
        ("key_b", "1", "2", -50.0),
    ]
    assert document["previous"] == {
        "from": "2026-11-19T21:00:00Z",
        "to": "2026-11-20T00:00:00Z",
        "cost_usd": "7",
        "ended_usd": "1",
    }
    assert (document["total"]["previous_usd"], document["total"]["change_percent"]) == ("7", 114.3)


def test_comparing_changes_no_figure_of_the_window_and_agrees_with_asking_for_the_window_before(store: Store) -> None:
    for back in range(0, 240, 5):
        rows = [usage_row(f"key_{back % 4}", "w1", 1000 + back), usage_row("key_b", "w2", 50, HAIKU)]
        add_usage(store, NOW.replace(minute=0) - back * HOUR, *rows)
    for back in range(1, 10):
        add_cost(store, NOW.date() - timedelta(days=back), ("w1", "tokens", "12.3456789"), ("w2", "tokens", "0.1"))
    start = TODAY - 3 * DAY - 5 * HOUR
    plain, compared = ask(store, "api_key", start=start), ask(store, "api_key", start=start, compare=True)
    assert compared.previous is not None
    document = as_json(compared)
    del document["previous"]
    for shown in (*document["rows"], document["total"]):
        del shown["previous_usd"], shown["change_percent"]
    assert document == as_json(plain)
    before = ask(store, "api_key", start=compared.previous.start, end=compared.previous.end)
    assert compared.previous.end - compared.previous.start == NOW.replace(minute=0) + HOUR - start
    assert {row.of("api_key"): row.previous for row in compared.rows} == {
        row.of("api_key"): row.cost for row in before.rows
    }
    assert compared.previous.cost == compared.total.previous == before.total.cost


def test_a_plain_report_holds_nothing_of_the_window_before(store: Store) -> None:
    add_two_windows(store)
    report = ask(store, "api_key", start=TODAY)
    assert (report.previous, report.trend, report.rows[0].trend) == (None, None, ())
    assert "previous" not in as_json(report)


def test_no_change_is_told_where_usage_is_not_stored_for_all_of_the_window_before(store: Store) -> None:
    add_two_windows(store)
    for hours, known in ((4, True), (5, False)):
        report = ask(store, "api_key", start=TODAY, end=TODAY + hours * HOUR, compare=True)
        assert report.previous is not None
        assert (report.previous.cost is not None) is known
        assert all((row.previous is not None) is known for row in (*report.rows, report.total))


def test_the_trend_of_every_row_sums_to_its_cost(store: Store) -> None:
    add_two_windows(store)
    add_cost(store, (TODAY - DAY).date(), ("w1", "tokens", "123.456789"))
    for start in (TODAY - 4 * HOUR, TODAY - 2 * DAY, MONTH):
        report = ask(store, "api_key", start=start, compare=True)
        assert report.trend is not None
        for row in (*report.rows, report.total):
            assert len(row.trend) == report.trend.bars
            assert sum(row.trend) == row.cost
    (key_a,) = [row for row in ask(store, "api_key", start=TODAY, compare=True).rows if row.of("api_key") == "key_a"]
    assert key_a.trend[:4] == (parse_usd("2"), 0, parse_usd("4"), 0)


def test_a_window_of_the_future_or_since_the_year_one_has_nothing_before_it(store: Store) -> None:
    add_two_windows(store)
    future = ask(store, "api_key", start=NOW + DAY, end=NOW + 2 * DAY, compare=True)
    assert (future.rows, future.previous) == ((), None)
    ever = ask(store, "api_key", start=datetime(1, 1, 1, tzinfo=UTC), compare=True)
    assert ever.previous is not None
    assert ever.previous.cost is None
