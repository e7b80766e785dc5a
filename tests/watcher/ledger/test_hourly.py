"""Days of which the provider's hourly analytics told something."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.model import CONSOLE, DEFAULT_WORKSPACE, UNATTRIBUTED, Leaf
from tests.watcher.ledger.samples import (
    BEGIN,
    BOOK,
    DAY,
    END,
    HAIKU,
    LATER,
    OPUS,
    USD,
    Amount,
    Cost,
    Key,
    Told,
    Usage,
    analytics_of,
    by_leaf,
    by_workspace,
    cost_row,
    day_of,
    settle,
)
from watcher.admin_api.answers import CostRow
from watcher.ledger import DaySpend
from watcher.ledger.days import DayAnalytics
from watcher.ledger.learning import priced_day, teaches
from watcher.ledger.settlement import rests_on_prices
from watcher.pricing import Cell

A, B = Key("w1", "key_a", OPUS, inference_geo=""), Key("w1", "key_b", OPUS, inference_geo="")
NONE_OF_TOKENS = Key("w1", UNATTRIBUTED, UNATTRIBUTED, "", "", "")
LEAF_A, LEAF_B = Leaf("w1", "key_a", OPUS), Leaf("w1", "key_b", OPUS)
NOTHING_TELLS = Leaf("w1", UNATTRIBUTED, UNATTRIBUTED)
MILLION = 10**6
LISTED = 4 * USD
"""A million uncached tokens of Opus."""
EARLY = END + timedelta(hours=1)


def at(spend: DaySpend, part: str, leaf: Leaf, hour: int) -> int:
    """Whatever the service tier."""
    wanted = (leaf.workspace, leaf.api_key, leaf.model)
    rows = [row for row, each in enumerate(spend.leaves) if (each.workspace, each.api_key, each.model) == wanted]
    return int(getattr(spend, part)[rows, hour].sum())


def hours_with(spend: DaySpend, part: str) -> set[int]:
    return set(np.flatnonzero(getattr(spend, part).any(axis=0)).tolist())


# ------------------------------------------------------------------------------------------- hour by hour


def test_a_settled_hour_replaces_its_estimate_and_the_others_keep_theirs() -> None:
    usage = [Usage(A, 3, uncached_input=MILLION), Usage(A, 4, uncached_input=MILLION)]
    spend = settle(usage, None, analytics=analytics_of([Amount(A, 3, uncached_input=3 * USD)], settled=[3]))
    assert (at(spend, "settled", LEAF_A, 3), at(spend, "estimated", LEAF_A, 3)) == (3 * USD, 0)
    assert (at(spend, "settled", LEAF_A, 4), at(spend, "estimated", LEAF_A, 4)) == (0, LISTED)
    assert not spend.provisional.any()


@pytest.mark.parametrize("usage", [[], [Usage(A._replace(service_tier="priority"), 3, output=MILLION)]])
def test_an_empty_report_takes_nothing_from_hours_that_analytics_charged_although_their_usage_was_never_read(
    usage: Sequence[Usage],
) -> None:
    charged = analytics_of(
        [Amount(A, 3, uncached_input=3 * USD), Amount(A, 4, output=USD)], settled=[3], provisional=[4]
    )
    spend = settle(usage, Cost(()), analytics=charged)
    assert (spend.standing, spend.used) == ("estimated", True)
    assert (at(spend, "settled", LEAF_A, 3), at(spend, "provisional", LEAF_A, 4)) == (3 * USD, USD)


@pytest.mark.parametrize(("told", "kept"), [(3 * USD, LISTED), (5 * USD, 5 * USD)])
def test_an_hour_that_is_not_final_counts_the_larger_for_each_key(told: int, kept: int) -> None:
    usage = [Usage(A, 3, uncached_input=MILLION), Usage(B, 3, uncached_input=MILLION)]
    analytics = analytics_of([Amount(A, 3, uncached_input=told)], settled=(), provisional=[3])
    spend = settle(usage, None, analytics=analytics)
    assert by_leaf(spend) == by_leaf(spend, "provisional") == {LEAF_A: kept, LEAF_B: LISTED}


@pytest.mark.parametrize(("told", "kept"), [(3 * USD, LISTED), (5 * USD, 5 * USD)])
def test_use_whose_tier_was_not_read_is_not_counted_beside_the_amount_of_its_tier(told: int, kept: int) -> None:
    usage = [Usage(A._replace(service_tier=""), 3, uncached_input=MILLION)]
    analytics = analytics_of([Amount(A, 3, uncached_input=told)], settled=(), provisional=[3])
    assert int(settle(usage, None, analytics=analytics).cost.sum()) == kept


def test_a_settled_hour_charges_nothing_for_use_that_it_does_not_have() -> None:
    usage = [Usage(A, 3, uncached_input=MILLION), Usage(B, 3, uncached_input=MILLION)]
    analytics = analytics_of([Amount(A, 3, uncached_input=3 * USD)], settled=[3])
    assert by_leaf(settle(usage, None, analytics=analytics)) == {LEAF_A: 3 * USD}


def test_use_that_only_analytics_tells_is_counted() -> None:
    unseen = Key(DEFAULT_WORKSPACE, CONSOLE, HAIKU, inference_geo="")
    analytics = analytics_of([Amount(unseen, 3, output=USD), Amount(unseen, 4, output=USD)], [3], [4])
    spend = settle([Usage(A, 1, uncached_input=MILLION)], None, analytics=analytics)
    leaf = Leaf(DEFAULT_WORKSPACE, CONSOLE, HAIKU)
    assert (at(spend, "settled", leaf, 3), at(spend, "provisional", leaf, 4)) == (USD, USD)
    assert at(spend, "estimated", LEAF_A, 1) == LISTED


def test_cost_that_is_no_use_of_tokens_stays_on_its_workspace_in_its_hour() -> None:
    analytics = analytics_of([Amount(NONE_OF_TOKENS, 9, other=2 * USD)], [9])
    spend = settle([], None, analytics=analytics)
    assert (by_leaf(spend), at(spend, "settled", NOTHING_TELLS, 9)) == ({NOTHING_TELLS: 2 * USD}, 2 * USD)


def test_an_hour_told_empty_was_free_unless_there_is_usage_in_it() -> None:
    usage = [Usage(A, 3, uncached_input=MILLION)]
    spend = settle(usage, None, analytics=analytics_of([], settled=[3, 4]))
    assert by_leaf(spend, "estimated") == by_leaf(spend) == {LEAF_A: LISTED}
    assert spend.told is not None
    assert spend.told.settled == {4}


def test_priority_tier_stays_estimated_in_a_settled_hour() -> None:
    priority = A._replace(service_tier="priority")
    usage = [Usage(priority, 3, uncached_input=MILLION), Usage(A, 3, uncached_input=MILLION)]
    spend = settle(usage, None, analytics=analytics_of([Amount(A, 3, uncached_input=3 * USD)], [3]))
    assert (by_leaf(spend, "settled"), by_leaf(spend, "estimated")) == ({LEAF_A: 3 * USD}, {LEAF_A: LISTED})


@pytest.mark.parametrize(("charged", "estimated"), [(0, LISTED), (USD, 0)])
def test_a_tier_that_analytics_charges_for_is_settled_by_it(charged: int, estimated: int) -> None:
    priority = A._replace(service_tier="priority")
    amounts = [Amount(priority, 3, uncached_input=charged)]
    spend = settle([Usage(priority, 3, uncached_input=MILLION)], None, analytics=analytics_of(amounts, [3]))
    assert (int(spend.settled.sum()), int(spend.estimated.sum())) == (charged, estimated)


@pytest.mark.parametrize(
    ("observed", "unchanged", "settled"),
    [
        (timedelta(hours=49), timedelta(hours=49), True),
        (timedelta(hours=48), timedelta(hours=47), False),
        (timedelta(hours=13), timedelta(hours=1), True),
        (timedelta(hours=11), timedelta(minutes=-30), False),
    ],
)
def test_an_hour_is_settled_when_it_was_read_late_or_twice_the_same(
    observed: timedelta, unchanged: timedelta, settled: bool
) -> None:
    end = BEGIN + timedelta(hours=4)
    analytics = analytics_of([Amount(A, 3, uncached_input=USD)], ())
    analytics = replace(analytics, states={3: Told(end + observed, end + unchanged, 1)})
    for now in (LATER, LATER + timedelta(days=60)):
        assert (hours_with(settle([], None, now, analytics), "settled") == {3}) == settled


def test_a_day_without_usage_and_report_is_settled_by_its_hours() -> None:
    analytics = analytics_of([Amount(A, hour, output=USD) for hour in range(24)])
    spend = settle([], None, analytics=analytics)
    assert by_leaf(spend, "settled") == by_leaf(spend) == {LEAF_A: 24 * USD}
    assert spend.told is not None
    assert spend.told.whole


# ------------------------------------------------------------------------------------------- beside a report


def test_what_a_report_that_is_not_final_has_more_goes_to_the_hours_not_settled() -> None:
    usage = [Usage(A, hour, uncached_input=MILLION) for hour in (3, 4)] + [Usage(B, 5, uncached_input=3 * MILLION)]
    analytics = analytics_of([Amount(A, 3, uncached_input=2 * USD)], [3])
    spend = settle(usage, Cost((cost_row("w1", 22 * USD),), EARLY, EARLY), analytics=analytics)
    assert spend.standing == "provisional"
    assert at(spend, "settled", LEAF_A, 3) == 2 * USD
    assert (at(spend, "provisional", LEAF_A, 4), at(spend, "provisional", LEAF_B, 5)) == (5 * USD, 15 * USD)
    assert int(spend.cost.sum()) == 22 * USD


def test_where_all_is_settled_it_is_unattributed_and_provisional() -> None:
    analytics = analytics_of([Amount(A, 3, uncached_input=2 * USD)])
    report = Cost((cost_row("w1", 5 * USD), cost_row("w2", USD)), EARLY, EARLY)
    spend = settle([Usage(A, 3, uncached_input=MILLION)], report, analytics=analytics)
    assert by_leaf(spend, "settled") == {LEAF_A: 2 * USD}
    assert by_leaf(spend, "provisional") == {
        NOTHING_TELLS: 3 * USD,
        Leaf("w2", UNATTRIBUTED, UNATTRIBUTED): USD,
    }


def test_cost_without_use_is_put_beside_the_hours_that_are_settled() -> None:
    analytics = analytics_of([Amount(A, 3, uncached_input=2 * USD)], range(20))
    spend = settle([], Cost((cost_row("w2", 4 * USD),), EARLY, EARLY), analytics=analytics)
    row = spend.provisional[spend.leaves.index(Leaf("w2", UNATTRIBUTED, UNATTRIBUTED))]
    assert row.tolist() == [0] * 20 + [USD] * 4


def test_a_report_that_is_smaller_than_its_settled_hours_lowers_nothing_until_it_is_final() -> None:
    analytics = analytics_of([Amount(A, 3, uncached_input=2 * USD)])
    spend = settle([], Cost((cost_row("w1", USD),), EARLY, EARLY), analytics=analytics)
    assert by_leaf(spend) == by_leaf(spend, "settled") == {LEAF_A: 2 * USD}


# ------------------------------------------------------------------------------------------- the final bill


def test_the_final_report_is_the_bill_and_the_hourly_amounts_share_it() -> None:
    usage = [Usage(A, 3, uncached_input=MILLION), Usage(B, 3, uncached_input=MILLION)]
    amounts = [Amount(A, 3, uncached_input=USD), Amount(B, 4, uncached_input=3 * USD)]
    spend = settle(usage, Cost((cost_row("w1", 8 * USD),)), analytics=analytics_of(amounts))
    assert (at(spend, "settled", LEAF_A, 3), at(spend, "settled", LEAF_B, 4)) == (2 * USD, 6 * USD)
    assert by_leaf(spend) == by_leaf(spend, "settled")


def test_an_hour_short_of_all_twenty_four_it_is_shared_by_tokens() -> None:
    usage = [Usage(A, 3, uncached_input=MILLION), Usage(B, 3, uncached_input=MILLION)]
    amounts = [Amount(A, 3, uncached_input=USD), Amount(B, 3, uncached_input=3 * USD)]
    spend = settle(usage, Cost((cost_row("w1", 8 * USD),)), analytics=analytics_of(amounts, range(23), [23]))
    assert by_leaf(spend, "settled") == by_leaf(spend) == {LEAF_A: 4 * USD, LEAF_B: 4 * USD}


def test_cost_that_analytics_does_not_have_is_unattributed() -> None:
    report = (cost_row("w1", 8 * USD), cost_row("w1", 24 * USD, HAIKU), cost_row("w2", USD))
    usage = [Usage(A._replace(model=HAIKU), 3, uncached_input=MILLION)]
    spend = settle(usage, Cost(report), analytics=analytics_of([Amount(A, h, uncached_input=USD) for h in range(24)]))
    assert by_leaf(spend, "settled") == {
        LEAF_A: 8 * USD,
        Leaf("w1", UNATTRIBUTED, HAIKU): 24 * USD,
        Leaf("w2", UNATTRIBUTED, OPUS): USD,
    }


def test_the_bills_cost_beside_tokens_takes_the_hours_that_analytics_tells_of_it() -> None:
    named = NONE_OF_TOKENS._replace(api_key="key_a")
    amounts = [
        Amount(NONE_OF_TOKENS, 9, other=USD),
        Amount(named, 10, other=2 * USD),
        Amount(A, 3, uncached_input=USD),
    ]
    report = (cost_row("w1", 6 * USD, None, None, "code_execution"), cost_row("w1", USD))
    spend = settle([Usage(A, 3, uncached_input=1)], Cost(report), analytics=analytics_of(amounts))
    assert at(spend, "settled", NOTHING_TELLS, 9) == 2 * USD
    assert at(spend, "settled", Leaf("w1", "key_a", UNATTRIBUTED), 10) == 4 * USD
    assert at(spend, "settled", LEAF_A, 3) == USD


def test_no_leaf_is_listed_twice() -> None:
    amounts = [Amount(NONE_OF_TOKENS, 9, other=USD)]
    report = (cost_row("w1", 6 * USD, None, None, "code_execution"), cost_row("w1", USD, None, None, "session_usage"))
    for cost in (Cost(report), Cost(report, EARLY, EARLY)):
        spend = settle([Usage(A, 3, uncached_input=MILLION)], cost, analytics=analytics_of(amounts))
        assert len(set(spend.leaves)) == len(spend.leaves) == len(spend.settled)


def test_priority_tier_takes_no_part_of_the_bill_though_analytics_charges_for_it() -> None:
    priority = B._replace(service_tier="priority")
    amounts = [Amount(A, 3, uncached_input=USD), Amount(priority, 3, uncached_input=USD)]
    usage = [Usage(A, 3, uncached_input=MILLION), Usage(priority, 3, uncached_input=MILLION)]
    spend = settle(usage, Cost((cost_row("w1", 8 * USD, tier=None),)), analytics=analytics_of(amounts))
    assert (by_leaf(spend, "settled"), by_leaf(spend, "estimated")) == ({LEAF_A: 8 * USD}, {LEAF_B: LISTED})


# ------------------------------------------------------------------------------------------- prices


def test_a_figure_rests_on_prices_while_an_hour_with_usage_is_not_settled() -> None:
    usage = [Usage(A, 3, uncached_input=MILLION)]
    amounts = [Amount(A, 3, uncached_input=USD)]
    assert rests_on_prices(day_of(usage, None, analytics_of(amounts, [2, 4], [3])), LATER)
    assert not rests_on_prices(day_of(usage, None, analytics_of(amounts, [3])), LATER)
    priority = [*usage, Usage(A._replace(service_tier="priority"), 3, uncached_input=1)]
    assert rests_on_prices(day_of(priority, None, analytics_of(amounts, [3])), LATER)


def test_a_stand_in_price_is_named_only_where_it_counts() -> None:
    unknown = A._replace(model="claude-zenith-1")
    usage = [Usage(unknown, 3, uncached_input=MILLION)]

    def unpriced(amount: int, *, settled: bool) -> frozenset[str]:
        amounts = [Amount(unknown, 3, uncached_input=amount)]
        return settle(usage, None, analytics=analytics_of(amounts, *([[3]] if settled else [[], [3]]))).unpriced

    assert unpriced(USD, settled=True) == set()
    assert unpriced(USD, settled=False) == {"claude-zenith-1"}
    assert unpriced(1000 * USD, settled=False) == set()


def test_a_day_settled_hour_by_hour_teaches_its_prices() -> None:
    usage = [Usage(A, 3, uncached_input=MILLION, web_searches=100)]
    amounts = [Amount(A, 3, uncached_input=3 * USD, web_searches=USD, other=7), Amount(NONE_OF_TOKENS, 3, other=USD)]
    day = day_of(usage, None, analytics_of(amounts))
    assert teaches(day, LATER)
    assert priced_day(day, BOOK, LATER).cells == {(OPUS, 0): Cell(LISTED, 3 * USD), ("", 5): Cell(USD, USD)}


def test_a_day_teaches_nothing_before_its_last_hour_is_settled() -> None:
    usage = [Usage(A, 3, uncached_input=MILLION)]
    amounts = [Amount(A, 3, uncached_input=3 * USD)]
    assert not teaches(day_of(usage, None, analytics_of(amounts, range(23), [23])), LATER)
    assert not teaches(day_of(usage, None, analytics_of([])), LATER)
    assert not teaches(day_of([], None, analytics_of([])), LATER)


def test_a_final_report_teaches_before_analytics() -> None:
    usage = [Usage(A, 3, uncached_input=MILLION)]
    day = day_of(usage, Cost((cost_row("w1", 2 * USD),)), analytics_of([Amount(A, 3, uncached_input=3 * USD)]))
    assert priced_day(day, BOOK, LATER).cells == {(OPUS, 0): Cell(LISTED, 2 * USD)}


# ------------------------------------------------------------------------------------------- the algebra

NULL = st.just("")
KEYS = st.builds(
    Key,
    st.sampled_from([DEFAULT_WORKSPACE, "w1", "w2"]),
    st.sampled_from([CONSOLE, "key_a", "key_b"]),
    st.sampled_from([OPUS, HAIKU, "claude-zenith-1"]),
    st.sampled_from(["standard", "batch", "priority", ""]),
    st.sampled_from(["0-200k", ""]),
    NULL,
    NULL,
)
BESIDE = st.builds(
    Key, st.sampled_from(["w1", "w3"]), st.just(UNATTRIBUTED), st.sampled_from([UNATTRIBUTED, OPUS]), *[NULL] * 4
)
NANO = st.one_of(st.just(0), st.integers(0, 10**10), st.integers(-(10**6), 0))
HOURS = st.integers(0, 23)
COUNT, ZERO = st.integers(0, 10**7), st.just(0)
USAGE = st.lists(st.builds(Usage, KEYS, HOURS, COUNT, ZERO, ZERO, ZERO, COUNT, st.integers(0, 9)), max_size=15)
AMOUNTS = st.lists(
    st.builds(Amount, KEYS, HOURS, *[NANO] * 7) | st.builds(Amount, BESIDE, HOURS, *[ZERO] * 6, NANO),
    max_size=15,
)
REPORT = st.lists(
    st.builds(
        cost_row,
        st.sampled_from([None, "w1", "w2", "w3"]),
        st.integers(-(10**6), 10**11),
        st.sampled_from([OPUS, HAIKU, None]),
        st.sampled_from(["uncached_input_tokens", "output_tokens", None]),
        st.sampled_from(["tokens", "web_search", "code_execution", None]),
        st.sampled_from(["standard", "priority", None]),
    ),
    max_size=10,
)
MARKS = st.lists(st.sampled_from("usp "), min_size=24, max_size=24)
"""Each hour untold, settled or provisional."""


def told(amounts: list[Amount], marks: Sequence[str]) -> DayAnalytics:
    numbers = {mark: [hour for hour in range(24) if marks[hour] == mark] for mark in "sp"}
    kept = [row for row in amounts if marks[row.hour] in "sp"]
    return analytics_of(kept, numbers["s"], numbers["p"])


def reported(rows: Sequence[CostRow]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for row in rows:
        name = row.workspace_id or DEFAULT_WORKSPACE
        sums[name] = sums.get(name, 0) + row.amount
    return {name: amount for name, amount in sums.items() if amount}


@given(USAGE, AMOUNTS, REPORT.filter(bool), MARKS | st.just(["s"] * 24))
def test_keys_and_the_unattributed_rest_equal_the_bill(
    usage: list[Usage], amounts: list[Amount], rows: list[CostRow], marks: list[str]
) -> None:
    spend = settle(usage, Cost(tuple(rows)), analytics=told(amounts, marks))
    assert by_workspace(spend, "settled") == reported(rows)
    assert not spend.provisional.any()


@given(USAGE, AMOUNTS, REPORT, MARKS)
def test_a_settled_hour_is_what_analytics_says_and_the_day_no_less_than_its_report(
    usage: list[Usage], amounts: list[Amount], rows: list[CostRow], marks: list[str]
) -> None:
    spend = settle(usage, Cost(tuple(rows), EARLY, EARLY), analytics=told(amounts, marks))
    assert spend.told is not None
    assert hours_with(spend, "settled") <= spend.told.settled
    for hour in spend.told.settled:
        assert int(spend.settled[:, hour].sum()) == sum(sum(row[2:]) for row in amounts if row.hour == hour)
    outside = {row.key.service_tier for row in usage if row.key.service_tier == "priority"}
    if not outside:
        columns = sorted(spend.told.settled)
        assert not spend.estimated[:, columns].any()
    whole = by_workspace(spend, "cost")
    assert all(whole.get(name, 0) >= amount for name, amount in reported(rows).items() if amount > 0)


@given(USAGE, AMOUNTS, MARKS | st.just(["s"] * 24), st.booleans())
def test_the_order_of_rows_changes_nothing(
    usage: list[Usage], amounts: list[Amount], marks: list[str], final: bool
) -> None:
    report = Cost((cost_row("w1", 10**9 + 7), cost_row(None, 10**12 + 1)), *([LATER] * 2 if final else [EARLY] * 2))
    forward = settle(usage, report, analytics=told(amounts, marks))
    backward = settle(usage[::-1], report, analytics=told(amounts[::-1], marks))
    for part in ("settled", "provisional", "estimated"):
        assert by_leaf(forward, part) == by_leaf(backward, part)


def test_the_day_is_the_one_asked_for() -> None:
    assert settle([], None).day == DAY
