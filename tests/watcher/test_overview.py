"""Figures of one judgement: sums by level, the largest and the rest, and the form the store keeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.model import CONSOLE, DEFAULT_WORKSPACE, Budget, Leaf, Names, Scope, Snapshot, SpendView
from rules.stall import Stall
from watcher import overview as overviews
from watcher.ledger import UsedTokens
from watcher.overview import KEPT, MOST_TAGS, OTHER, Overview, UsedKind

NOW = datetime(2026, 11, 2, 6, 30, tzinfo=UTC)
START = datetime(2026, 10, 31, tzinfo=UTC)
HOURS = 55  # until the end of the open hour
USD = 1_000_000_000


def snapshot(costs: dict[Leaf, list[int]], names: Names | None = None) -> Snapshot:
    """Each leaf's nano-dollars by hour from `START`; the first half of each is settled."""
    leaves = tuple(costs)
    cost = np.zeros((len(leaves), HOURS), dtype=np.int64)
    for row, figures in enumerate(costs.values()):
        cost[row, : len(figures)] = figures
    view = SpendView(
        "org",
        START,
        leaves,
        cost,
        cost // 2,
        np.ones(HOURS, dtype=np.bool_),
        NOW - timedelta(hours=1),
        NOW,
        frozenset({"claude-b", "claude-a"}),
    )
    return Snapshot("org", "Org", view, names or Names())


def made(costs: dict[Leaf, list[int]], *budgets: Budget, names: Names | None = None) -> Overview:
    return overviews.overview(snapshot(costs, names), budgets, None, NOW)


def test_today_is_since_utc_midnight_and_the_month_since_its_first() -> None:
    hours = [1] * 24 + [10] * 24 + [100] * 7
    whole = made({Leaf("w", "k", "m"): hours}).total
    assert (whole.today, whole.month, whole.month_settled) == (700, 940, 5 * 24 + 50 * 7)


def test_every_level_adds_up_to_the_whole_and_no_name_is_merged() -> None:
    costs = {
        Leaf("w1", "k1", "m1"): [0] * 50 + [5 * USD],
        Leaf("w1", "k2", "m2"): [0] * 50 + [3 * USD],
        Leaf(DEFAULT_WORKSPACE, CONSOLE, "m1"): [0] * 50 + [2 * USD],
    }
    found = made(costs, names=Names({"k1": "same", "k2": "same"}))
    for level, ids in (("workspace", ["w1", DEFAULT_WORKSPACE]), ("api_key", ["k1", "k2", CONSOLE])):
        rows = found.top(level, 10)
        assert [row.id for row in rows] == ids
        assert sum(row.month for row in rows) == found.total.month == 10 * USD
    assert [row.name for row in found.top("api_key", 10)] == ["same", "same", "Console"]
    assert [row.month for row in found.top("model", 1)] == [7 * USD]


@given(st.lists(st.integers(0, 10**15), min_size=1, max_size=2 * KEPT))
def test_the_largest_and_the_rest_are_always_the_whole(costs: list[int]) -> None:
    found = made({Leaf("w", f"k{number}", "m"): [0] * 50 + [cost] for number, cost in enumerate(costs)})
    rows = [row for row in found.spent if row.level == "api_key"]
    assert sum(row.month for row in rows) == sum(costs)
    assert len(rows) == min(len(costs), KEPT + 1)
    assert [row.id for row in rows].count(OTHER) == (len(costs) > KEPT)
    shown = [row.month for row in rows if row.id != OTHER]
    assert shown == sorted(costs, reverse=True)[:KEPT]
    assert OTHER not in {row.id for row in found.top("api_key", KEPT + 1)}


def test_families_tiers_users_and_the_dearest_tags_are_levels_too() -> None:
    costs = {
        Leaf("w1", "k1", "claude-opus-5-5", "batch"): [0] * 50 + [5 * USD],
        Leaf("w2", "k2", "claude-opus-5", "standard"): [0] * 50 + [3 * USD],
        Leaf(DEFAULT_WORKSPACE, CONSOLE, "claude-haiku-4-5", "standard"): [0] * 50 + [2 * USD],
    }
    dear = {f"a{number}": "x" for number in range(MOST_TAGS - 1)}
    names = Names(
        {"u1": "Ada"},
        user_of_key={"k1": "u1"},
        tags_of_workspace={"w1": {"team": "a", **dear}, "w2": {"team": "b", "dropped": "x"}},
    )
    found = made(costs, names=names)
    shown = {level: [(row.name, row.month // USD) for row in found.top(level, 9)] for level in ("user", "tag:team")}
    assert shown["user"] == [("Ada", 5), ("unknown", 3), ("Console", 2)]
    assert shown["tag:team"] == [("a", 5), ("b", 3), ("none", 2)]
    assert [row.id for row in found.top("model_family", 9)] == ["opus", "haiku"]
    assert [row.id for row in found.top("service_tier", 9)] == ["batch", "standard"]
    tags = {row.level for row in found.spent if row.level.startswith("tag:")}
    assert tags == {"tag:team", *(f"tag:{key}" for key in dear)}


def test_what_an_older_version_wrote_reads_back() -> None:
    text = (
        '{"organization":"org_1","organization_name":"Org","at":"2026-11-02T00:00:00Z","data_as_of":"2026-11-02T00:00:00Z",'
        '"complete_until":"2026-11-02T00:00:00Z","spent":[{"level":"organization","id":"org_1","name":"Org","today":1,'
        '"month":2,"month_settled":1},{"level":"api_key","id":"apikey_1","name":"batch","today":1,"month":2,'
        '"month_settled":1}],"budgets":[{"budget":"b","scope":{"organization":"org_1","workspace":null,"api_key":'
        '"apikey_1","model":null},"label":"batch","period":"November 2026","start":"2026-11-02T00:00:00Z",'
        '"end":"2026-11-03T00:00:00Z","limit":100,"spent":50,"settled":5}],"unpriced":["m"],"silent_since":null}'
    )
    found = overviews.from_json(text)
    assert found.budgets[0].scope == Scope("org_1", api_key="apikey_1")
    assert [row.level for row in found.spent] == ["organization", "api_key"]


def test_what_the_store_keeps_reads_back_the_same() -> None:
    budget = Budget("all", "month", "UTC", 100 * USD, (80.0,))
    stall = Stall(NOW - timedelta(hours=3), 9 * USD, 3)
    found = overviews.overview(snapshot({Leaf("w", "</script>\u202e", "m"): [2**60]}), [budget], stall, NOW)
    assert found.unpriced == ("claude-a", "claude-b")
    assert len(found.budgets) == 1
    assert found.silent_since == NOW - timedelta(hours=3)
    assert overviews.from_json(overviews.to_json(found)) == found


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"organization": 3}'])
def test_what_the_store_never_kept_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="validation error"):
        overviews.from_json(text)


def test_no_spend_at_all_is_a_whole_of_nothing() -> None:
    found = made({})
    assert found.total.month == 0
    assert found.top("api_key", 5) == ()


def test_tokens_stand_beside_the_spend_also_of_what_cost_nothing() -> None:
    dear, free = Leaf("w1", "k1", "m1"), Leaf("w1", "k2", "m2")
    today, month = np.array([[1, 2, 3, 4, 5], [0, 0, 0, 0, 7]]), np.array([[10, 20, 30, 40, 50], [0, 0, 0, 0, 70]])
    found = overviews.overview(snapshot({dear: [USD] * HOURS}), (), None, NOW, UsedTokens((dear, free), today, month))
    assert (found.total.tokens_today, found.total.tokens_month) == (22, 220)
    keys = {row.id: (row.tokens_today, row.tokens_month) for row in found.spent if row.level == "api_key"}
    assert keys == {"k1": (15, 150), "k2": (7, 70)}
    assert found.tokens[0] == UsedKind("uncached_input", 1, 10)
    assert found.tokens[-1] == UsedKind("output", 12, 120)
    assert overviews.from_json(overviews.to_json(found)) == found


def test_every_key_is_kept_where_that_is_asked_for() -> None:
    costs = {Leaf("w", f"k{number}", f"m{number}"): [0] * 50 + [number] for number in range(1, KEPT + 20)}
    found = overviews.overview(snapshot(costs), (), None, NOW, every_key=True)
    assert len([row for row in found.spent if row.level == "api_key"]) == KEPT + 19
    assert len([row for row in found.spent if row.level == "model"]) == KEPT + 1
