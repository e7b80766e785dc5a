import csv
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.model import CONSOLE, DEFAULT_WORKSPACE, UNATTRIBUTED, Leaf, Names
from rules.money import parse_usd
from tests.watcher.ledger.samples import (
    BEGIN,
    BOOK,
    END,
    HAIKU,
    LATER,
    OPUS,
    USD,
    Amount,
    Cost,
    Key,
    Usage,
    analytics_of,
    cost_row,
    day_of,
)
from watcher.admin_api.answers import ApiKey, CostBucket, CostRow, UsageBucket, UsageRow, Workspace
from watcher.ledger import settle_day, spend_report
from watcher.ledger.days import Day
from watcher.ledger.focus import STANDINGS, Charge, Used, charges, split
from watcher.ledger.focus_csv import COLUMNS, Account, defused_id, focus_csv
from watcher.pricing import KINDS, PriceBook
from watcher.store import Store

ORG = "org_1"
NOW = datetime(2026, 11, 20, 10, 37, tzinfo=UTC)
MONTH = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
WHOLE = range(24)
GROUPED_BY = ("api_key_id", "workspace_id", "model", "service_tier", "context_window", "inference_geo")

KEYS = st.builds(
    Key,
    st.sampled_from(["w1", "w2"]),
    st.sampled_from(["key_a", "key_b", CONSOLE]),
    st.sampled_from([OPUS, HAIKU, "claude-unheard-of-9"]),
    st.sampled_from(["standard", "batch", "priority"]),
    st.sampled_from(["0-200k", "200k-1M"]),
)
COUNTS = st.one_of(st.just(0), st.integers(0, 3), st.integers(0, 10**9))
HOURS = st.integers(0, 23)
USAGE = st.lists(st.builds(Usage, KEYS, HOURS, *[COUNTS] * 6), max_size=12, unique_by=lambda row: (row.key, row.hour))
REPORTS = st.lists(
    st.builds(
        cost_row,
        st.sampled_from(["w1", "w2", "w3", None]),
        st.integers(-(10**6), 10**13),
        st.sampled_from([OPUS, HAIKU, None]),
        st.sampled_from(["uncached_input_tokens", "output_tokens", None]),
        st.sampled_from(["tokens", "web_search", "session_usage", None]),
    ),
    max_size=6,
)
AMOUNTS = st.lists(
    st.builds(Amount, KEYS, HOURS, *[st.integers(0, 10**10)] * 7), max_size=6, unique_by=lambda row: (row.key, row.hour)
)
TOLD = st.one_of(st.none(), st.builds(analytics_of, AMOUNTS, st.sets(HOURS), st.sets(HOURS)))
READ = st.sampled_from([LATER, END + HOUR])
NOWS = st.sampled_from([LATER, BEGIN + 7 * HOUR])
SLOTS = st.tuples(HOURS, HOURS).map(lambda ends: range(min(ends), max(ends) + 1))


@st.composite
def days(draw: st.DrawFn) -> tuple[Day, datetime]:
    now = draw(NOWS)
    usage = [row for row in draw(USAGE) if now == LATER or row.hour <= 7]
    read = draw(READ)
    cost = draw(st.one_of(st.none(), REPORTS.map(lambda rows: Cost(tuple(rows), read, read))))
    return day_of(usage, cost, draw(TOLD)), now


@given(days(), SLOTS)
def test_charges_sum_to_the_spend_and_the_usage_of_their_hours_to_the_last_nano_dollar(
    case: tuple[Day, datetime], hours: range
) -> None:
    day, now = case
    spend = settle_day(day, BOOK, now)
    found = split(day, spend, BOOK, hours)
    sums: Counter[tuple[Leaf, str]] = Counter()
    for charge in found:
        sums[charge.leaf, charge.standing] += charge.cost
    for name in STANDINGS:
        wanted = getattr(spend, name)[:, hours.start : hours.stop].sum(axis=1).tolist()
        for leaf, amount in zip(spend.leaves, wanted, strict=True):
            assert sums[leaf, name] == amount
    inside = np.isin(day.usage.hour, list(hours))
    for kind in range(len(KINDS)):
        used = sum(each.used.quantity for each in found if each.used is not None and each.used.kind == kind)
        assert used == day.usage.counts[inside, kind].sum()


@given(days(), SLOTS)
@settings(max_examples=30, deadline=None)
def test_hourly_charges_are_the_daily_ones_cut_up(case: tuple[Day, datetime], hours: range) -> None:
    day, now = case
    spend = settle_day(day, BOOK, now)

    def by_leaf(found: Sequence[Charge]) -> dict[tuple[Leaf, str], int]:
        sums: dict[tuple[Leaf, str], int] = defaultdict(int)
        for charge in found:
            sums[charge.leaf, charge.standing] += charge.cost
        return {which: amount for which, amount in sums.items() if amount}

    cut = [charge for hour in hours for charge in split(day, spend, BOOK, range(hour, hour + 1))]
    assert by_leaf(cut) == by_leaf(split(day, spend, BOOK, hours))
    assert all(charge.end - charge.start == HOUR for charge in cut)


def test_a_settled_amount_is_shared_over_kinds_by_their_published_prices() -> None:
    usage = [Usage(Key("w1", "key_a", OPUS), 3, uncached_input=500, output=100)]
    day = day_of(usage, Cost((cost_row("w1", 4 * USD, token_type=None),)))
    found = split(day, settle_day(day, BOOK, LATER), BOOK, WHOLE)
    assert {KINDS[each.used.kind]: each.cost for each in found if each.used} == {
        "uncached_input": 2 * USD,
        "output": 2 * USD,
    }
    assert {each.standing for each in found} == {"settled"}


def test_tokens_that_cost_nothing_are_charges_of_nothing() -> None:
    usage = [Usage(Key("w1", "key_a", OPUS), 3, output=100), Usage(Key("w2", "key_b", OPUS), 3, output=7)]
    day = day_of(usage, Cost((cost_row("w1", USD, token_type="output_tokens"),)))
    found = split(day, settle_day(day, BOOK, LATER), BOOK, WHOLE)
    assert [(each.leaf.workspace, each.cost, each.standing, each.used and each.used.quantity) for each in found] == [
        ("w1", USD, "settled", 100),
        ("w2", 0, "settled", 7),
    ]


# ----------------------------------------------------------------------------------------- over a store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/w.db") as opened:
        yield opened


def add_usage(store: Store, hour: datetime, *rows: UsageRow) -> None:
    store.usage.replace(ORG, [UsageBucket(hour, hour + HOUR, GROUPED_BY, rows)], NOW)


def used(key: str | None, workspace: str | None, *counts: int, model: str = OPUS, tier: str = "standard") -> UsageRow:
    return UsageRow(key, workspace, model, tier, "0-200k", "us", None, *counts, *[0] * (6 - len(counts)))


def add_cost(store: Store, day: date, *rows: tuple[str | None, str, int]) -> None:
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
    lines = tuple(
        CostRow(workspace, "a line", kind, None, None, None, None, None, None, amount)
        for workspace, kind, amount in rows
    )
    store.costs.replace(ORG, [CostBucket(begin, begin + 24 * HOUR, lines)], NOW)


def fill(store: Store) -> None:
    buckets = []
    for number in range(12 * 24):
        hour = MONTH + number * HOUR
        rows = [used("key_a", "w1", 10**6 + number, 5, 6, 7, 8, 9), used(None, None, 1000 + number)]
        rows += [used("key_b", "w1", 3, 4, tier="priority"), used("key_b", "w1", 77, tier="batch")]
        buckets.append(UsageBucket(hour, hour + HOUR, GROUPED_BY, tuple(rows)))
    store.usage.replace(ORG, buckets, NOW)
    for day in range(1, 9):
        add_cost(
            store, date(2026, 11, day), ("w1", "tokens", 90 * USD + 1), ("w1", "code_execution", 7), (None, "tokens", 3)
        )
    add_usage(store, NOW.replace(minute=0), used("key_a", "w1", 1, model="claude-unheard-of-9"))


def exported(store: Store, start: datetime, end: datetime, *, hourly: bool = False) -> list[dict[str, str]]:
    account = Account(ORG, "Acme", store.directory.names(ORG))
    found = charges(store, BOOK, ORG, (start, end), NOW, hourly=hourly)
    return list(csv.DictReader(StringIO("".join(focus_csv([(account, found)])))))


@pytest.mark.parametrize("hourly", [False, True])
@pytest.mark.parametrize(
    ("start", "end"),
    [
        (MONTH, NOW),
        (MONTH + 30.5 * HOUR, MONTH + 9 * 24 * HOUR + 5 * HOUR),
        (datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)),
        (NOW, NOW + HOUR),
    ],
)
def test_the_rows_sum_to_the_spend_of_the_same_window(
    start: datetime, end: datetime, hourly: bool, store: Store
) -> None:
    fill(store)
    report = spend_report(store, BOOK, ORG, ("workspace", "api_key", "model", "service_tier"), start, end, "total", NOW)
    rows = exported(store, start, end, hourly=hourly)
    for field, standing in (("settled", "settled"), ("provisional", "provisional"), ("estimated", "estimated")):
        billed = sum(parse_usd(row["BilledCost"]) for row in rows if row["x_Standing"] == standing)
        assert billed == getattr(report.total, field)
    by_workspace: Counter[str] = Counter()
    for row in rows:
        by_workspace[row["SubAccountId"]] += parse_usd(row["BilledCost"])
    wanted: Counter[str] = Counter()
    for line in spend_report(store, BOOK, ORG, ("workspace",), start, end, "total", NOW).rows:
        wanted[line.of("workspace") or ""] += line.cost
    assert by_workspace == wanted
    for number, kind in enumerate(KINDS):
        consumed = sum(int(row["ConsumedQuantity"]) for row in rows if row["x_TokenKind"] == kind)
        assert consumed == (*report.total.tokens, report.total.web_searches)[number]
    again = exported(store, start, end, hourly=hourly)
    assert again == rows


def test_every_price_times_quantity_is_its_cost_and_nulls_are_empty(store: Store) -> None:
    fill(store)
    rows = exported(store, MONTH, NOW)
    assert {row["x_Attribution"] for row in rows} == {"api_key", "console", "unattributed"}
    for row in rows:
        assert tuple(row) == COLUMNS
        assert row["EffectiveCost"] == row["BilledCost"]
        if row["SkuId"]:
            quantity = Decimal(row["PricingQuantity"])
            assert quantity == Decimal(row["ConsumedQuantity"]) > 0
            assert Decimal(row["ListUnitPrice"]) * quantity == Decimal(row["ListCost"])
            assert Decimal(row["ContractedUnitPrice"]) * quantity == Decimal(row["ContractedCost"])
            assert (row["RegionId"], row["x_Model"] in row["SkuPriceId"]) == ("us", True)
        else:
            empty = (
                "ConsumedQuantity",
                "ConsumedUnit",
                "PricingQuantity",
                "PricingCategory",
                "ListUnitPrice",
                "SkuMeter",
            )
            assert {row[column] for column in empty} == {""}
            assert row["ListCost"] == row["ContractedCost"] == row["BilledCost"]
        assert (row["ResourceId"] == "") == (row["x_Attribution"] != "api_key")
        assert (row["BillingPeriodStart"], row["BillingPeriodEnd"]) == ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z")
        assert row["ChargePeriodStart"] < row["ChargePeriodEnd"]
    unpriced = [row for row in rows if row["x_Model"] == "claude-unheard-of-9"]
    assert {(row["x_PriceSource"], row["x_Standing"]) for row in unpriced} == {("unpriced", "estimated")}


def test_a_december_is_billed_until_the_new_year() -> None:
    begin = datetime(2026, 12, 31, tzinfo=UTC)
    charge = Charge(begin, begin + 24 * HOUR, Leaf("w1", "key_a", OPUS), "estimated", -1, None)
    (row,) = csv.DictReader(StringIO("".join(focus_csv([(Account("o", "n", Names()), [charge])]))))
    assert (row["BillingPeriodStart"], row["BillingPeriodEnd"]) == ("2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z")
    assert (row["BilledCost"], row["ChargePeriodEnd"]) == ("-0.000000001", "2027-01-01T00:00:00Z")


def test_names_that_spreadsheets_would_run_are_harmless_and_ids_can_be_had_back(store: Store) -> None:
    hostile = '=HYPERLINK("http://x")\r\n'
    store.directory.record_workspaces(ORG, [Workspace("w1", hostile, MONTH, None, {"=team": "@a,b"})], NOW)
    store.directory.record_api_keys(
        ORG, [ApiKey("+key", "\t-1+1", "active", "w1", False, MONTH, None, None, None, None)], NOW
    )
    add_usage(store, MONTH, used("+key", "w1", 9, model="@model"))
    (row,) = exported(store, MONTH, NOW)
    for column, cell in row.items():
        assert not cell.lstrip().startswith(("=", "+", "@", "\t", "\r")), column
        assert cell == "" or cell[0] != "-"
    assert row["ResourceId"] == "'+key"
    assert row["SubAccountName"].startswith("'=HYPERLINK")
    assert "\n" not in row["SubAccountName"]
    assert row["Tags"] == '{"=team": "@a,b"}'


@given(st.text(max_size=12))
def test_an_id_is_harmless_and_can_be_had_back(ident: str) -> None:
    cell = defused_id(ident)
    assert not cell.lstrip().startswith(tuple("=+-@＝＋－＠"))
    assert (cell.removeprefix("'")) == ident


def test_several_accounts_are_one_file_with_one_header() -> None:
    charge = Charge(MONTH, MONTH + HOUR, Leaf(DEFAULT_WORKSPACE, UNATTRIBUTED, UNATTRIBUTED), "settled", USD, None)
    bills = [(Account(ident, ident.upper(), Names()), [charge] * 700) for ident in ("one", "two")]
    parts = list(focus_csv(bills))
    assert len(parts) > 2
    rows = list(csv.DictReader(StringIO("".join(parts))))
    assert Counter((row["BillingAccountId"], row["BillingAccountName"]) for row in rows) == {
        ("one", "ONE"): 700,
        ("two", "TWO"): 700,
    }
    assert {(row["SubAccountId"], row["SubAccountName"], row["x_Model"]) for row in rows} == {
        ("(default)", "default workspace", "")
    }


def test_what_is_used_of_a_model_nobody_lists_is_still_priced() -> None:
    day = day_of([Usage(Key("w1", "key_a", "claude-unheard-of-9"), 0, output=5)], None)
    (charge,) = split(day, settle_day(day, PriceBook(), LATER), PriceBook(), WHOLE)
    assert isinstance(charge.used, Used)
    assert charge.used.price.source == "unpriced"
    assert charge.cost > 0
