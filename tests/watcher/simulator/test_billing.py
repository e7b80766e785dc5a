"""The cost report and the tariff it bills by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.simulator import tariff
from watcher.simulator.billing import Billing

START = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
BOTH = ["workspace_id", "description"]
NANO_PER_CENT = 10**7


def cents(rows) -> Decimal:
    return sum((Decimal(row["amount"]) for row in rows), Decimal())


def test_a_settled_day_bills_what_was_truly_used_but_for_the_priority_tier(shared):
    day = datetime(2026, 11, 11, tzinfo=UTC)
    page = shared.get("cost_report", starting_at="2026-11-11T00:00:00Z", limit=1, group_by__=BOTH)
    rows = page["data"][0]["results"]
    used = [row for row in rows if row["cost_type"] in {"tokens", "web_search"}]
    true = shared.world.true_cost_nano(day, day + timedelta(days=1), priority=False)
    assert abs(cents(used) * NANO_PER_CENT - true) <= 1
    assert true < shared.world.true_cost_nano(day, day + timedelta(days=1))
    assert "priority" not in {row["service_tier"] for row in rows}
    for workspace_id in (None, *shared.world.organization.workspaces):
        here = cents(row for row in used if row["workspace_id"] == workspace_id)
        truth = shared.world.true_cost_nano(day, day + timedelta(days=1), workspace_id=workspace_id, priority=False)
        assert abs(here * NANO_PER_CENT - truth) <= 1


def test_lines_without_usage_are_on_the_bill(shared):
    page = shared.get("cost_report", starting_at="2026-11-11T00:00:00Z", limit=1, group_by__="description")
    rows = page["data"][0]["results"]
    assert {row["cost_type"] for row in rows} == {"tokens", "web_search", "code_execution", "session_usage"}
    assert {row["workspace_id"] for row in rows} == {None}
    assert {row["currency"] for row in rows} == {"USD"}
    assert any("Batch" in row["description"] for row in rows if row["service_tier"] == "batch")


def test_grouping_changes_the_rows_and_not_the_sum(shared):
    query = {"starting_at": "2026-11-11T00:00:00Z", "limit": 1}
    fine = shared.get("cost_report", **query, group_by__=BOTH)["data"][0]["results"]
    for group_by in ([], ["workspace_id"], ["description"]):
        rows = shared.get("cost_report", **query, group_by__=group_by)["data"][0]["results"]
        assert cents(rows) == cents(fine)
        assert len(rows) < len(fine)
    (row,) = shared.get("cost_report", **query)["data"][0]["results"]
    assert {name for name, value in row.items() if value is not None} == {"amount", "currency"}


def test_a_bill_comes_a_day_late_is_too_low_at_first_and_is_restated_once(serve):
    api = serve()
    day = int(START.timestamp() // 86_400) - 1
    billing = Billing(api.world)
    published, restated = billing.published_at(day), billing.restated_at(day)
    assert 20 <= (published - (day + 1) * 86_400) / 3600 <= 24
    sums = []
    for moment in (published - 60, published + 1, restated - 60, restated + 1, restated + 10 * 86_400):
        api.now = datetime.fromtimestamp(moment, tz=UTC)
        page = api.get("cost_report", starting_at="2026-11-15T00:00:00Z", limit=1, group_by__=BOTH)
        sums.append(cents(page["data"][0]["results"]))
    assert sums[0] == 0
    assert 0 < sums[1] == sums[2] < sums[3] == sums[4]
    assert sums[1] > sums[3] * Decimal("0.85")


def test_days_page_and_the_present_day_is_empty(shared):
    query = {"starting_at": "2026-11-05T00:00:00Z", "limit": 5}
    first = shared.get("cost_report", **query)
    second = shared.get("cost_report", **query, page=first["next_page"])
    third = shared.get("cost_report", **query, page=second["next_page"])
    days = [bucket["starting_at"][8:10] for page in (first, second, third) for bucket in page["data"]]
    assert days == [f"{day:02d}" for day in range(5, 17)]
    assert (first["has_more"], second["has_more"], third["has_more"]) == (True, True, False)
    assert third["data"][-1]["results"] == []


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"starting_at": "2026-11-11T00:00:00Z", "bucket_width": "1h"},
        {"starting_at": "2026-11-11T00:00:00Z", "limit": 32},
        {"starting_at": "2026-11-11T00:00:00Z", "group_by__": "api_key_id"},
        {"starting_at": "2026-11-11T00:00:00Z", "ending_at": "2026-11-16T11:00:00Z"},
        {"starting_at": "2026-11-11T00:00:00Z", "ending_at": "2026-11-10T00:00:00Z"},
        {"starting_at": "2026-11-11T00:00:00Z", "page": "page_x"},
    ],
)
def test_wrong_questions_are_refused(shared, query):
    assert shared.get("cost_report", 400, **query)["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("model", "terms", "usd_per_million"),
    [
        ("claude-opus-5-5", tariff.Terms(), ("4", "8", "5", "0.2", "20")),
        ("claude-opus-5-5", tariff.Terms(service_tier="batch"), ("2", "4", "2.5", "0.1", "10")),
        ("claude-opus-5-5", tariff.Terms(inference_geo="us"), ("4.4", "8.8", "5.5", "0.22", "22")),
        ("claude-opus-5-5", tariff.Terms(speed="fast"), ("8", "16", "10", "0.4", "40")),
        ("claude-opus-4-1-20250805", tariff.Terms(inference_geo="us"), ("15", "30", "18.75", "1.5", "75")),
        ("claude-sonnet-4-5-20250929", tariff.Terms(context_window="200k-1M"), ("6", "12", "7.5", "0.6", "22.5")),
        ("claude-sonnet-5-5", tariff.Terms(context_window="200k-1M"), ("2", "4", "2.5", "0.1", "10")),
        ("claude-haiku-5-5", tariff.Terms(long_share=Fraction(1, 4)), ("0.2", "0.4", "0.25", "0.02", "1")),
        ("claude-opus-5", tariff.Terms(service_tier="priority"), ("5", "10", "6.25", "0.5", "25")),
    ],
)  # fmt: skip
def test_prices_are_the_published_ones_with_their_modifiers(model, terms, usd_per_million):
    rates = tariff.femto_per_token(model, terms, Fraction(0))
    assert rates == tuple(int(Decimal(usd) * 10**9) for usd in usd_per_million)


def test_the_discount_is_taken_from_every_price():
    assert tariff.femto_per_token("claude-opus-5-5", tariff.Terms(), Fraction(1, 5))[0] == 3_200_000_000
    assert tariff.femto_per_web_search(Fraction(1, 5)) == 8 * 10**12


@given(st.integers(-(10**24), 10**24))
def test_cents_are_exact_decimals(femto):
    text = tariff.cents(femto)
    assert Decimal(text) * tariff.FEMTO_PER_CENT == femto
    assert "E" not in text
