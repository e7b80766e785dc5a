from collections import defaultdict
from collections.abc import Sequence
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
    Cost,
    Key,
    Usage,
    by_leaf,
    by_workspace,
    cost_row,
    settle,
)
from watcher.admin_api.answers import CostRow
from watcher.ledger import DaySpend, settle_day
from watcher.ledger.days import Day, DayUsage
from watcher.ledger.series import SeriesTable
from watcher.pricing import Discount, Learned, PriceBook

A, B = Key("w1", "key_a", OPUS), Key("w1", "key_b", OPUS)


def test_a_settled_cell_is_shared_over_keys_and_hours_by_tokens() -> None:
    usage = [Usage(A, 3, uncached_input=100), Usage(A, 4, uncached_input=200), Usage(B, 4, uncached_input=700)]
    spend = settle(usage, Cost((cost_row("w1", 10 * USD),)))
    assert spend.standing == "settled"
    assert spend.settled[0, 3] == USD
    assert spend.settled[0, 4] == 2 * USD
    assert spend.settled[1, 4] == 7 * USD
    assert not spend.estimated.any()


def test_kinds_and_models_are_shared_apart() -> None:
    haiku = Key("w1", "key_b", HAIKU)
    usage = [Usage(A, 0, uncached_input=1_000, output=10), Usage(B, 0, output=90), Usage(haiku, 0, uncached_input=1)]
    report = (cost_row("w1", USD), cost_row("w1", 10 * USD, token_type="output_tokens"), cost_row("w1", 5, model=HAIKU))
    assert by_leaf(settle(usage, Cost(report))) == {
        Leaf("w1", "key_a", OPUS): 2 * USD,
        Leaf("w1", "key_b", OPUS): 9 * USD,
        Leaf("w1", "key_b", HAIKU): 5,
    }


@pytest.mark.parametrize(
    ("part", "mine", "other"),
    [
        ("service_tier", "standard", "batch"),
        ("context_window", "0-200k", "200k-1M"),
        ("inference_geo", "global", "us"),
        ("speed", "fast", ""),
    ],
)
def test_price_dimensions_that_both_reports_carry_are_priced_apart(part: str, mine: str, other: str) -> None:
    first, second = A._replace(**{part: mine}), B._replace(**{part: other})
    usage = [Usage(first, 0, uncached_input=1), Usage(second, 0, uncached_input=999)]
    column = {"service_tier": "tier", "context_window": "window", "inference_geo": "geo", "speed": "speed"}[part]
    report = (cost_row("w1", 3 * USD, **{column: mine}), cost_row("w1", 4 * USD, **{column: other or None}))
    assert by_leaf(settle(usage, Cost(report))) == {
        Leaf("w1", "key_a", OPUS): 3 * USD,
        Leaf("w1", "key_b", OPUS): 4 * USD,
    }


def test_a_dimension_that_only_one_report_carries_does_not_part_them() -> None:
    usage = [Usage(A._replace(speed="fast"), 0, uncached_input=1), Usage(B, 0, uncached_input=1)]
    report = (cost_row("w1", 4 * USD, tier=None, window=None, geo=None),)
    assert set(by_leaf(settle(usage, Cost(report))).values()) == {2 * USD}


def test_a_row_that_leaves_a_dimension_null_is_matched_by_those_it_states() -> None:
    us = A._replace(inference_geo="us", service_tier="batch")
    usage = [Usage(us, 0, uncached_input=1), Usage(B, 0, uncached_input=1)]
    report = (cost_row("w1", 3 * USD, geo="us", tier=None), cost_row("w1", USD))
    assert by_leaf(settle(usage, Cost(report))) == {Leaf("w1", "key_a", OPUS): 3 * USD, Leaf("w1", "key_b", OPUS): USD}


@pytest.mark.parametrize(
    "left_out",
    [("inference_geo",), ("context_window", "inference_geo"), ("service_tier", "context_window", "inference_geo")],
)
def test_hours_read_without_price_dimensions_get_their_part_all_the_same(left_out: tuple[str, ...]) -> None:
    coarse = B._replace(**dict.fromkeys(left_out, ""))
    usage = [Usage(A, 0, uncached_input=1), Usage(coarse, 1, uncached_input=3)]
    assert by_leaf(settle(usage, Cost((cost_row("w1", 4 * USD),)))) == {
        Leaf("w1", "key_a", OPUS): USD,
        Leaf("w1", "key_b", OPUS): 3 * USD,
    }


def test_null_and_not_available_are_the_same_region() -> None:
    old = A._replace(inference_geo="not_available")
    usage = [Usage(old, 0, uncached_input=1), Usage(B._replace(inference_geo="us"), 0, uncached_input=1)]
    report = (cost_row("w1", USD, geo=None), cost_row("w1", 2 * USD, geo="us"))
    assert by_leaf(settle(usage, Cost(report))) == {Leaf("w1", "key_a", OPUS): USD, Leaf("w1", "key_b", OPUS): 2 * USD}


@pytest.mark.parametrize("other", [{"tier": "of tomorrow"}, {"window": "1M-2M"}, {"geo": "mars"}])
def test_a_dimension_that_does_not_match_falls_back_to_model_and_kind(other: dict[str, str]) -> None:
    usage = [Usage(A, 0, uncached_input=1, output=5), Usage(B, 0, uncached_input=3)]
    assert by_leaf(settle(usage, Cost((cost_row("w1", 4 * USD, **other),)))) == {
        Leaf("w1", "key_a", OPUS): USD,
        Leaf("w1", "key_b", OPUS): 3 * USD,
    }


def test_a_kind_without_tokens_or_of_unknown_name_falls_back_to_the_model_by_estimate() -> None:
    usage = [Usage(A, 0, output=1_000), Usage(B, 0, output=3_000)]
    for token_type in ("uncached_input_tokens", "cache_creation.ephemeral_24h_input_tokens", None):
        spend = settle(usage, Cost((cost_row("w1", 4 * USD, token_type=token_type),)))
        assert by_leaf(spend) == {Leaf("w1", "key_a", OPUS): USD, Leaf("w1", "key_b", OPUS): 3 * USD}


def test_a_report_that_is_not_broken_down_is_shared_by_estimate() -> None:
    usage = [Usage(A, 0, output=1_000), Usage(B, 0, output=3_000)]
    total = cost_row("w1", 4 * USD, None, None, None, None, None, None, None, None)
    assert by_leaf(settle(usage, Cost((total,)))) == {
        Leaf("w1", "key_a", OPUS): USD,
        Leaf("w1", "key_b", OPUS): 3 * USD,
    }


def test_web_searches_are_shared_by_searches_with_or_without_a_model() -> None:
    usage = [Usage(A, 0, output=10**6, web_searches=1), Usage(B, 0, web_searches=3)]
    for model in (OPUS, None):
        spend = settle(usage, Cost((cost_row("w1", 4 * USD, model, None, "web_search", None, None, None),)))
        assert by_leaf(spend) == {Leaf("w1", "key_a", OPUS): USD, Leaf("w1", "key_b", OPUS): 3 * USD}


def test_cost_without_usage_stays_on_its_workspace_evenly_over_the_day() -> None:
    report = (
        cost_row("w1", 24 * USD, None, None, "code_execution"),
        cost_row("w1", USD, OPUS, None, "session_usage"),
        cost_row("w2", 5 * USD),
        cost_row(None, 7, HAIKU),
    )
    spend = settle([Usage(A, 0, uncached_input=5)], Cost(report))
    assert by_leaf(spend, "settled") == {
        Leaf("w1", UNATTRIBUTED, UNATTRIBUTED): 24 * USD,
        Leaf("w1", UNATTRIBUTED, OPUS): USD,
        Leaf("w2", UNATTRIBUTED, OPUS): 5 * USD,
        Leaf(DEFAULT_WORKSPACE, UNATTRIBUTED, HAIKU): 7,
    }
    assert spend.settled[spend.leaves.index(Leaf("w1", UNATTRIBUTED, UNATTRIBUTED))].tolist() == [USD] * 24


def test_a_day_with_cost_and_no_usage_at_all_is_remembered() -> None:
    spend = settle([], Cost((cost_row("w1", 3 * USD),)))
    assert (spend.standing, by_leaf(spend)) == ("settled", {Leaf("w1", UNATTRIBUTED, OPUS): 3 * USD})


def test_usage_never_pays_for_another_workspace() -> None:
    usage = [Usage(A, 0, uncached_input=1), Usage(A._replace(workspace="w2"), 0, uncached_input=10**9)]
    assert by_leaf(settle(usage, Cost((cost_row("w1", USD),)))) == {Leaf("w1", "key_a", OPUS): USD}


def test_console_use_and_the_default_workspace_are_keys_and_workspaces_of_their_own() -> None:
    console = Key(DEFAULT_WORKSPACE, CONSOLE, OPUS)
    usage = [Usage(console, 1, uncached_input=1), Usage(console._replace(api_key="key_a"), 1, uncached_input=1)]
    assert by_leaf(settle(usage, Cost((cost_row(None, 2 * USD),)))) == {
        Leaf(DEFAULT_WORKSPACE, CONSOLE, OPUS): USD,
        Leaf(DEFAULT_WORKSPACE, "key_a", OPUS): USD,
    }


def test_priority_tier_is_estimated_on_a_settled_day_and_takes_no_part_of_the_report() -> None:
    usage = [Usage(A._replace(service_tier="priority"), 0, uncached_input=10**6), Usage(B, 0, uncached_input=1)]
    spend = settle(usage, Cost((cost_row("w1", USD),)))
    assert by_leaf(spend, "settled") == {Leaf("w1", "key_b", OPUS): USD}
    assert by_leaf(spend, "estimated") == {Leaf("w1", "key_a", OPUS): 4 * USD}


def test_a_tier_that_the_report_names_after_all_is_in_it() -> None:
    usage = [Usage(A._replace(service_tier="priority"), 0, uncached_input=10**6)]
    spend = settle(usage, Cost((cost_row("w1", USD, tier="priority"),)))
    assert by_leaf(spend) == by_leaf(spend, "settled") == {Leaf("w1", "key_a", OPUS): USD}


def test_tokens_that_the_final_report_does_not_charge_cost_nothing() -> None:
    usage = [Usage(A, 0, uncached_input=10**6), Usage(Key("w2", "blocked", HAIKU), 0, uncached_input=10**6)]
    assert by_leaf(settle(usage, Cost((cost_row("w1", USD),)))) == {Leaf("w1", "key_a", OPUS): USD}


def test_an_estimate_is_rounded_once_half_to_even() -> None:
    # Claude Haiku 5.5, batch, US: a cache read is 5,500 pico-dollars, so one token lies between two nano-dollars.
    cheap = Key("w1", "key_a", "claude-haiku-5-5", "batch", "0-200k", "us")
    for tokens, nano in ((1, 6), (3, 16), (5, 28), (2, 11)):
        assert by_leaf(settle([Usage(cheap, 0, cache_read=tokens)], None)) == {
            Leaf("w1", "key_a", "claude-haiku-5-5"): nano
        }


def test_an_hour_of_absurdly_many_tokens_does_not_overflow() -> None:
    spend = settle([Usage(A, 0, uncached_input=10**13)], None)
    assert by_leaf(spend) == {Leaf("w1", "key_a", OPUS): 10**13 * 4_000}


# ------------------------------------------------------------------------------------------- which report is final

REPORT = (cost_row("w1", 9 * USD),)
ONE = [Usage(A, 2, uncached_input=10**6)]


def read(observed: timedelta, unchanged: timedelta) -> Cost:
    """A report read `observed` after the day's end, the same since `unchanged` after its end."""
    return Cost(REPORT, END + observed, END + unchanged)


@pytest.mark.parametrize(
    ("observed", "unchanged", "standing"),
    [
        (timedelta(hours=49), timedelta(hours=49), "settled"),
        (timedelta(hours=48), timedelta(hours=47), "provisional"),
        (timedelta(hours=13), timedelta(hours=1), "settled"),
        (timedelta(hours=13), timedelta(hours=2), "provisional"),
        (timedelta(hours=11), timedelta(hours=-10), "provisional"),
        (timedelta(hours=12), timedelta(hours=-10), "settled"),
    ],
)
def test_a_report_is_final_when_it_was_read_late_or_twice_the_same(
    observed: timedelta, unchanged: timedelta, standing: str
) -> None:
    assert settle(ONE, read(observed, unchanged)).standing == standing


def test_a_report_that_was_only_read_early_is_not_final_however_long_ago_the_day_was() -> None:
    spend = settle(ONE, read(timedelta(hours=1), timedelta(hours=1)), now=END + timedelta(days=30))
    assert spend.standing == "provisional"


def test_an_empty_report_of_a_day_with_usage_is_no_report() -> None:
    spend = settle(ONE, Cost(()))
    assert (spend.standing, by_leaf(spend, "estimated")) == ("estimated", {Leaf("w1", "key_a", OPUS): 4 * USD})


def test_a_day_without_a_report_is_estimated() -> None:
    assert by_leaf(settle(ONE, None), "estimated") == {Leaf("w1", "key_a", OPUS): 4 * USD}


def test_a_report_that_is_not_final_counts_per_workspace_where_it_is_larger() -> None:
    early = timedelta(hours=1)
    usage = [*ONE, Usage(B, 5, uncached_input=2 * 10**6), Usage(Key("w2", "key_c", OPUS), 5, uncached_input=10**6)]
    report = (cost_row("w1", 15 * USD), cost_row("w2", USD), cost_row("w3", 6 * USD))
    spend = settle(usage, Cost(report, END + early, END + early))
    assert by_leaf(spend, "provisional") == by_leaf(spend)
    assert by_leaf(spend) == {
        Leaf("w1", "key_a", OPUS): 5 * USD,
        Leaf("w1", "key_b", OPUS): 10 * USD,
        Leaf("w2", "key_c", OPUS): 4 * USD,
        Leaf("w3", UNATTRIBUTED, UNATTRIBUTED): 6 * USD,
    }


def test_the_open_day_is_an_estimate_unless_its_report_is_already_larger() -> None:
    now = BEGIN + timedelta(hours=5, minutes=30)
    usage = [*ONE, Usage(Key("w2", "key_c", OPUS), 5, uncached_input=10**6)]
    report = (cost_row("w1", 9 * USD), cost_row("w2", USD), cost_row("w3", 6 * USD))
    spend = settle(usage, Cost(report, now, now), now)
    assert spend.standing == "open"
    assert by_leaf(spend, "estimated") == {Leaf("w2", "key_c", OPUS): 4 * USD}
    assert by_leaf(spend, "provisional") == {
        Leaf("w1", "key_a", OPUS): 9 * USD,
        Leaf("w3", UNATTRIBUTED, UNATTRIBUTED): 6 * USD,
    }
    assert spend.cost[-1].tolist() == [USD] * 6 + [0] * 18


def test_a_credit_larger_than_the_usage_does_not_lower_an_unsettled_day() -> None:
    early = timedelta(hours=1)
    spend = settle(ONE, Cost((cost_row("w1", -5 * USD), cost_row("w2", -USD)), END + early, END + early))
    assert by_leaf(spend) == {Leaf("w1", "key_a", OPUS): 4 * USD}


def test_models_with_a_stand_in_price_are_named_while_it_matters() -> None:
    unknown = Key("w1", "key_a", "claude-zenith-1")
    usage = [Usage(unknown, 0, uncached_input=1)]
    assert settle(usage, None).unpriced == {"claude-zenith-1"}
    assert settle(usage, Cost((cost_row("w1", USD, "claude-zenith-1"),))).unpriced == set()
    assert settle(ONE, None).unpriced == set()


# ------------------------------------------------------------------------------------------- the algebra

WORKSPACES = [None, "w1", "w2", "w3"]
MODELS = [OPUS, HAIKU, "claude-zenith-1"]
TOKEN_TYPES = [
    "uncached_input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation.ephemeral_1h_input_tokens",
    "cache_creation.ephemeral_5m_input_tokens",
    "of tomorrow",
    None,
]
tokens = st.one_of(st.just(0), st.integers(0, 10), st.integers(0, 10**9))
keys = st.builds(
    Key,
    st.sampled_from([DEFAULT_WORKSPACE, "w1", "w2"]),
    st.sampled_from([CONSOLE, "key_a", "key_b"]),
    st.sampled_from(MODELS),
    st.sampled_from(["standard", "batch", "priority", ""]),
    st.sampled_from(["0-200k", "200k-1M", ""]),
    st.sampled_from(["global", "us", "not_available", ""]),
    st.sampled_from(["", "fast", "standard"]),
)
usages = st.lists(
    st.builds(Usage, keys, st.integers(0, 23), tokens, tokens, tokens, tokens, tokens, st.integers(0, 50)),
    max_size=25,
)
cost_rows = st.lists(
    st.builds(
        CostRow,
        st.sampled_from(WORKSPACES),
        st.sampled_from([None, "a line"]),
        st.sampled_from(["tokens", "tokens", "web_search", "code_execution", "session_usage", "of tomorrow", None]),
        st.sampled_from([*MODELS, "claude-other", None]),
        st.sampled_from(["standard", "batch", None]),
        st.sampled_from(TOKEN_TYPES),
        st.sampled_from(["0-200k", "200k-1M", None]),
        st.sampled_from(["global", "us", None]),
        st.sampled_from([None, "fast"]),
        st.integers(-(10**6), 10**6) | st.integers(-(10**15), 10**15),
    ),
    min_size=1,
    max_size=25,
)


def reported(rows: Sequence[CostRow]) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for row in rows:
        sums[row.workspace_id or DEFAULT_WORKSPACE] += row.amount
    return {name: amount for name, amount in sums.items() if amount}


@given(usages, cost_rows)
def test_keys_and_the_unattributed_rest_equal_the_settled_report_of_every_workspace(
    usage: list[Usage], rows: list[CostRow]
) -> None:
    spend = settle(usage, Cost(tuple(rows)))
    assert spend.standing == "settled"
    assert by_workspace(spend, "settled") == reported(rows)
    assert not spend.provisional.any()
    outside = [row for row in usage if row.key.service_tier == "priority"]
    assert int(spend.estimated.sum()) == int(settle(outside, None).cost.sum())


@given(usages, cost_rows)
def test_an_unsettled_workspace_is_the_larger_of_its_estimate_and_its_report(
    usage: list[Usage], rows: list[CostRow]
) -> None:
    early = END + timedelta(hours=1)
    inside = [row for row in usage if row.key.service_tier != "priority"]
    estimate = by_workspace(settle(inside, None), "cost")
    report = reported(rows)
    spend = settle(usage, Cost(tuple(rows), early, early))
    larger = {name: max(estimate.get(name, 0), report.get(name, 0)) for name in estimate | report}
    assert by_workspace(spend, "provisional") == {name: amount for name, amount in larger.items() if amount}


@given(usages, cost_rows)
def test_the_order_of_rows_does_not_change_what_a_workspace_and_model_cost(
    usage: list[Usage], rows: list[CostRow]
) -> None:
    def by_model(spend: DaySpend) -> dict[tuple[str, str], int]:
        sums: dict[tuple[str, str], int] = defaultdict(int)
        for leaf, amount in by_leaf(spend).items():
            sums[leaf.workspace, leaf.model] += amount
        return sums

    forward = by_model(settle(usage, Cost(tuple(rows))))
    backward = by_model(settle(usage[::-1], Cost(tuple(rows[::-1]))))
    # A row that falls back to a whole workspace may move a rounded nano-dollar between its models.
    assert {key: amount for key, amount in forward.items() if abs(amount - backward[key]) > len(rows)} == {}


@pytest.mark.parametrize("final", [True, False])
def test_a_nano_dollar_is_rounded_to_the_same_key_whatever_came_first(final: bool) -> None:
    usage = [Usage(A._replace(api_key=name), hour, uncached_input=1) for name, hour in (("a", 3), ("b", 2))]
    read = LATER if final else END + timedelta(hours=1)
    report = Cost((cost_row("w1", 10**6 + 1, geo="us"),), read, read)
    expected = by_leaf(settle(usage, report))
    assert len(set(expected.values())) > 1
    assert by_leaf(settle(usage[::-1], report)) == expected


def test_a_settled_day_is_shared_by_published_prices_whatever_the_book_was_taught() -> None:
    taught = PriceBook(learned=Learned({(OPUS, 4): Discount(10_000, 0, 3, DAY, DAY)}))
    usage = [Usage(A, 0, uncached_input=500), Usage(B, 0, output=100)]
    report = Cost((cost_row("w1", USD, token_type=None),))
    keys = [A, B]
    counts = np.array([row[2:] for row in usage], dtype=np.int64)
    day = Day(DayUsage(DAY, SeriesTable(keys), np.array([0, 1]), np.array([0, 0]), counts), report)
    assert by_leaf(settle_day(day, taught, LATER)) == by_leaf(settle_day(day, BOOK, LATER))
    unsettled = Day(day.usage, None)
    assert by_leaf(settle_day(unsettled, taught, LATER)) != by_leaf(settle_day(unsettled, BOOK, LATER))
