from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.model import DEFAULT_WORKSPACE, UNATTRIBUTED
from rules.reconciled import ALL_MODELS, WEB_SEARCHES, Cell, ReconciledDay
from tests.watcher.ledger.samples import (
    END,
    Amount,
    Cost,
    Key,
    Usage,
    analytics_of,
    cost_row,
)
from tests.watcher.ledger.samples import day_of as sample
from watcher.admin_api.answers import CostRow
from watcher.ledger.days import Day, DayAnalytics, DayUsage
from watcher.ledger.reconciliation import KEPT, LOOK_BACK, Reconciliation, day_totals, reconcile_day
from watcher.ledger.series import SeriesTable
from watcher.pricing import Discount, Learned, OwnPrice, PriceBook

OPUS, HAIKU, NEW = "claude-opus-5-5", "claude-haiku-4-5", "claude-zenith-1"
DAY = date(2026, 11, 10)
A, B = Key("w1", "key_a", OPUS), Key("w1", "key_b", OPUS)
NONE_OF_TOKENS = Key("w1", UNATTRIBUTED, UNATTRIBUTED, "", "", "")
LATER = datetime(2026, 11, 16, tzinfo=UTC)
USD = 1_000_000_000
MILLION = 10**6
BOOK = PriceBook()
FIFTH_OFF = Learned(organization=Discount(800_000, 0, 9, DAY, DAY))


def day_of(usage: Sequence[Usage], rows: Sequence[CostRow] | None, which: date = DAY) -> Day:
    keys = list(dict.fromkeys(row.key for row in usage))
    counts = np.array([row[2:] for row in usage], dtype=np.int64).reshape(len(usage), 6)
    series = np.array([keys.index(row.key) for row in usage], dtype=np.int64)
    hours = np.array([row.hour for row in usage], dtype=np.int64)
    observed = datetime(which.year, which.month, which.day, tzinfo=UTC) + timedelta(days=4)
    cost = None if rows is None else Cost(tuple(rows), observed, observed, which)
    return Day(DayUsage(which, SeriesTable(keys), series, hours, counts), cost)


def reconciled(
    usage: Sequence[Usage], rows: Sequence[CostRow] | None, book: PriceBook = BOOK, now: datetime = LATER
) -> ReconciledDay:
    return reconcile_day(day_totals(day_of(usage, rows), now), book)


def cells(
    usage: Sequence[Usage], rows: Sequence[CostRow] | None, book: PriceBook = BOOK
) -> dict[tuple[str, str, str], Cell]:
    return {(cell.workspace, cell.model, cell.sort): cell for cell in reconciled(usage, rows, book).cells}


def test_a_model_in_a_workspace_is_priced_over_its_keys_and_hours_beside_its_bill() -> None:
    usage = [Usage(A, 1, MILLION), Usage(A, 2, MILLION), Usage(B, 2, 0, output=MILLION)]
    (cell,) = reconciled(usage, (cost_row("w1", 20 * USD), cost_row("w1", USD, token_type="output_tokens"))).cells
    assert cell == Cell("w1", OPUS, "compared", 28 * USD, 28 * USD, 21 * USD, None, "list")
    assert (cell.billed, cell.drift) == (21 * USD, -7 * USD)


def test_the_estimate_is_what_the_book_was_taught_and_the_list_price_stays_beside_it() -> None:
    (cell,) = reconciled([Usage(A, 1, MILLION)], (cost_row("w1", 4 * USD),), BOOK.taught(FIFTH_OFF)).cells
    assert (cell.estimated, cell.listed, cell.source) == (3_200_000_000, 4 * USD, "learned")
    assert cell.drift == 800_000_000


def test_the_owners_price_comes_before_what_was_learned() -> None:
    book = PriceBook([OwnPrice("claude-opus-*", (3_000_000, None, None, None, None, None))], FIFTH_OFF)
    (cell,) = reconciled([Usage(A, 1, MILLION)], (cost_row("w1", 4 * USD),), book).cells
    assert (cell.estimated, cell.source) == (3 * USD, "override")


def test_workspaces_and_models_are_cells_of_their_own() -> None:
    other = Key("w2", "key_c", HAIKU)
    found = cells(
        [Usage(A, 0, MILLION), Usage(other, 0, MILLION)], (cost_row("w1", 4 * USD), cost_row("w2", USD, model=HAIKU))
    )
    assert set(found) == {("w1", OPUS, "compared"), ("w2", HAIKU, "compared")}


def test_the_default_workspace_is_one_whatever_the_reports_call_it() -> None:
    found = cells([Usage(A._replace(workspace=DEFAULT_WORKSPACE), 0, MILLION)], (cost_row(None, 4 * USD),))
    assert set(found) == {(DEFAULT_WORKSPACE, OPUS, "compared")}


def test_web_searches_are_compared_apart_from_the_models_that_asked() -> None:
    rows = (cost_row("w1", 4 * USD), cost_row("w1", 3 * USD, model=None, token_type=None, cost_type="web_search"))
    found = cells([Usage(A, 0, MILLION, web_searches=300)], rows)
    assert found["w1", WEB_SEARCHES, "compared"].estimated == 3 * USD
    assert found["w1", OPUS, "compared"].estimated == 4 * USD


def test_a_workspace_whose_bill_names_no_model_is_one_cell() -> None:
    whole = cost_row("w1", 7 * USD, None, None, None, None, None, None, None, None)
    usage = [Usage(A, 0, MILLION, web_searches=100), Usage(B._replace(model=HAIKU), 0, MILLION)]
    (cell,) = reconciled(usage, (whole,)).cells
    assert (cell.model, cell.estimated, cell.reported) == (ALL_MODELS, 6 * USD, 7 * USD)


def test_amounts_without_a_model_stay_apart_by_what_they_are_for() -> None:
    searches = [cost_row("w1", amount, model=None, token_type=None, cost_type="web_search") for amount in (1, 2)]
    sessions = [cost_row("w1", amount, model=None, token_type=None, cost_type="session_usage") for amount in (4, 8)]
    whole = [cost_row("w1", 16, None, None, None, None, None, None, None, None)]
    tokens = [cost_row("w1", 32, model=None), cost_row("w1", 64), cost_row("w1", 128, tier="batch")]
    totals = day_totals(day_of([Usage(A, 0, MILLION)], (*searches, *sessions, *tokens, *whole)), LATER)
    assert totals.reported == {("w1", WEB_SEARCHES): 3, ("w1", UNATTRIBUTED): 48, ("w1", OPUS): 192}
    assert totals.unmetered == {("w1", UNATTRIBUTED): 12}
    assert totals.whole == {"w1"}


NOT_COMPARED = [
    ("not_billed", [Usage(A, 0, MILLION), Usage(B, 0, 0, output=9)], (cost_row("w1", 0),)),
    ("not_billed", [Usage(A, 0, MILLION)], (cost_row("w1", -USD),)),
    ("no_usage", [Usage(B._replace(workspace="w2"), 0, 9)], (cost_row("w1", USD),)),
    ("not_metered", [], (cost_row("w1", USD, model=None, token_type=None, cost_type="code_execution"),)),
    ("outside", [Usage(A._replace(service_tier="priority"), 0, MILLION)], (cost_row("w2", USD),)),
    ("stand_in", [Usage(A._replace(model=NEW), 0, MILLION)], (cost_row("w1", USD, model=NEW),)),
    ("not_yet", [Usage(A, 0, MILLION)], None),
]


@pytest.mark.parametrize(("sort", "usage", "rows"), NOT_COMPARED)
def test_what_cannot_drift_is_named_and_drifts_by_nothing(
    sort: str, usage: list[Usage], rows: tuple[CostRow, ...] | None
) -> None:
    found = [cell for cell in reconciled(usage, rows).cells if cell.sort == sort]
    assert [(cell.workspace, cell.drift) for cell in found] == [("w1", 0)]


def test_a_tier_that_the_report_does_name_is_compared() -> None:
    usage = [Usage(A._replace(service_tier="priority"), 0, MILLION)]
    (cell,) = reconciled(usage, (cost_row("w1", USD, tier="priority"),)).cells
    assert cell.sort == "compared"


def test_cost_without_a_model_is_unattributed() -> None:
    rows = (cost_row("w1", USD, model=None, token_type=None, cost_type="session_usage"),)
    assert set(cells([], rows)) == {("w1", UNATTRIBUTED, "not_metered")}


def hourly(*amounts: Amount, settled: Sequence[int] = range(24), provisional: Sequence[int] = ()) -> DayAnalytics:
    return analytics_of(amounts, settled, provisional)


def test_the_report_is_the_bill_and_the_analytics_stand_beside_it() -> None:
    cost = Cost((cost_row("w1", 5 * USD), cost_row("w1", USD, None, None, "code_execution")))
    analytics = hourly(Amount(A, 3, uncached_input=6 * USD), Amount(NONE_OF_TOKENS, 9, other=2 * USD))
    day = reconcile_day(day_totals(sample([Usage(A, 3, MILLION)], cost, analytics), LATER), BOOK)
    cell, unmetered = sorted(day.cells, key=lambda each: each.model, reverse=True)
    assert (cell.reported, cell.analytics, cell.billed, cell.drift) == (5 * USD, 6 * USD, 5 * USD, USD)
    assert (unmetered.sort, unmetered.reported, unmetered.analytics) == ("not_metered", USD, 2 * USD)


def test_without_a_final_report_settled_analytics_are_the_bill() -> None:
    analytics = hourly(Amount(A, 3, uncached_input=4 * USD), Amount(A, 4, web_searches=2 * USD))
    usage = [Usage(A, 3, MILLION), Usage(A, 4, web_searches=100)]
    for cost in (None, Cost((cost_row("w1", 9 * USD),), unchanged_since=END, observed_at=END)):
        day = reconcile_day(day_totals(sample(usage, cost, analytics), LATER), BOOK)
        assert day.standing == "settled"
        assert {(cell.model, cell.reported, cell.drift) for cell in day.cells} == {
            (OPUS, None, 0),
            (WEB_SEARCHES, None, USD),
        }


def test_analytics_that_have_not_told_or_settled_every_hour_are_no_bill() -> None:
    amounts = Amount(A, 3, uncached_input=4 * USD)
    for analytics in (hourly(amounts, settled=range(23)), hourly(amounts, settled=range(23), provisional=[23])):
        day = reconcile_day(day_totals(sample([Usage(A, 3, MILLION)], None, analytics), LATER), BOOK)
        assert day.standing == "estimated"


AMOUNTS = st.integers(-5 * USD, 50 * USD)
KEYS = [A, B, Key("w2", "k", HAIKU), Key("w2", "k", NEW), Key("w2", "k", OPUS, "priority")]


@given(
    usage=st.lists(st.builds(Usage, st.sampled_from(KEYS), st.integers(0, 23), *[st.integers(0, 10**7)] * 6)),
    rows=st.lists(st.builds(cost_row, st.sampled_from(["w1", "w2", None]), AMOUNTS, st.sampled_from([OPUS, HAIKU]))),
)
def test_no_nano_dollar_of_the_bill_and_no_token_is_lost(usage: list[Usage], rows: list[CostRow]) -> None:
    day = reconciled(usage, rows)
    assert sum(cell.reported or 0 for cell in day.cells) == (sum(row.amount for row in rows) if rows else 0)
    single = [reconciled([row], rows) for row in usage]
    alone = sum(cell.estimated for found in single for cell in found.cells)
    assert abs(sum(cell.estimated for cell in day.cells) - alone) <= len(usage) + len(day.cells)


def taken(days: int, now: datetime = LATER) -> Reconciliation:
    reconciliation = Reconciliation()
    for back in range(days):
        reconciliation.take(day_of([Usage(A, 0, MILLION)], (cost_row("w1", 4 * USD),), DAY - timedelta(days=back)), now)
    return reconciliation


def test_a_running_ledger_compares_the_latest_settled_days_only() -> None:
    days = taken(LOOK_BACK + 10).days(BOOK)
    assert [day.day for day in days] == [DAY - timedelta(days=back) for back in reversed(range(KEPT))]


def test_a_day_that_is_not_settled_is_not_compared() -> None:
    reconciliation = taken(3)
    reconciliation.take(day_of([Usage(A, 0, MILLION)], None), LATER)
    assert [day.day for day in reconciliation.days(BOOK)] == [DAY - timedelta(days=2), DAY - timedelta(days=1)]


def test_nothing_is_compared_again_until_the_day_or_the_book_changes() -> None:
    reconciliation = taken(3)
    first = reconciliation.days(BOOK)
    assert all(a is b for a, b in zip(first, reconciliation.days(BOOK), strict=True))
    reconciliation.take(day_of([Usage(A, 0, MILLION)], (cost_row("w1", 9 * USD),)), LATER)
    second = reconciliation.days(BOOK)
    assert [a is b for a, b in zip(first, second, strict=True)] == [True, True, False]
    assert second[-1].cells[0].drift == 5 * USD
    taught = reconciliation.days(BOOK.taught(FIFTH_OFF))
    assert [day.cells[0].estimated for day in taught] == [3_200_000_000] * 3


def test_days_that_are_forgotten_are_gone() -> None:
    reconciliation = taken(3)
    reconciliation.keep([DAY])
    assert [day.day for day in reconciliation.days(BOOK)] == [DAY]


def test_a_later_book_of_the_same_lessons_changes_nothing() -> None:
    reconciliation = taken(2)
    first = reconciliation.days(BOOK.taught(FIFTH_OFF))
    again = reconciliation.days(BOOK.taught(replace(FIFTH_OFF)))
    assert all(a is b for a, b in zip(first, again, strict=True))
