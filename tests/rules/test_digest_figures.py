"""A digest's figures on plain grids: sums, comparisons, who moved and why, and what belongs to a part."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.digest import Digest, DigestRule
from rules.digest_figures import Happened, MadeKey, digest_of
from rules.digest_time import Due, period_of_day
from rules.effects import Amount, Basket, Item
from rules.model import HOUR, UNATTRIBUTED, Budget, Leaf, Names, Selector, Snapshot, SpendView
from rules.outlook import outlook

USD = 1_000_000_000
START = datetime(2026, 10, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 18, 9, 30, tzinfo=UTC)
HOURS = (NOW - START) // HOUR + 1
DAY = slice((datetime(2026, 11, 17, tzinfo=UTC) - START) // HOUR, (datetime(2026, 11, 18, tzinfo=UTC) - START) // HOUR)
RULE = DigestRule("d", ("ops",))
A, B = Leaf("w1", "k1", "m1"), Leaf("w2", "k2", "m1")


def grid(hourly: float) -> np.ndarray:
    return np.full(HOURS, round(hourly * USD), dtype=np.int64)


def view(costs: dict[Leaf, np.ndarray], *, read_from: int = 0) -> SpendView:
    cost = np.array(list(costs.values()))
    cost[:, :read_from] = 0
    known = np.arange(HOURS) >= read_from

    def used(leaves: Collection[Leaf], hours: Collection[datetime]) -> Basket:
        """A token costs a dollar in a thousand."""
        columns = [(hour - START) // HOUR for hour in hours]
        found: dict[Item, Amount] = {}
        for leaf in leaves:
            spent = int(cost[list(costs).index(leaf), columns].sum())
            item = Item(leaf.model, leaf.service_tier, "output")
            before = found.get(item, Amount(0, 0))
            found[item] = Amount(before.quantity + spent // 1_000_000, before.cost + spent)
        return found

    return SpendView("org", START, tuple(costs), cost, cost // 2, known, NOW - HOUR, NOW, used=used)


def digest(
    made: SpendView, rule: DigestRule = RULE, budgets: tuple[Budget, ...] = (), happened: Happened | None = None
) -> Digest:
    snapshot = Snapshot("org", "Org", made, Names({"k1": "one", "w1": "First"}))
    lines = [line for budget in budgets for line in outlook(budget, made, snapshot.names, NOW)]
    day = NOW.date()
    return digest_of(
        Due(rule, day, NOW, period_of_day(rule, day)), snapshot, budgets, lines, happened or Happened(), NOW
    )


def test_who_spent_more_and_who_less_is_told_with_the_reason_and_the_rest_is_not() -> None:
    up, down = grid(1), grid(1)
    up[DAY] *= 4
    down[DAY] //= 4
    found = digest(view({A: up, B: down, Leaf("w3", "k3", "m2"): grid(0.5)}))
    assert (found.spent, found.usual) == (96 * USD + 6 * USD + 12 * USD, 24 * USD * 2 + 12 * USD)
    by = {(each.dimension, each.id): each for each in found.movers}
    assert set(by) == {("workspace", "w1"), ("workspace", "w2"), ("api_key", "k1"), ("api_key", "k2"), ("model", "m1")}
    key = by["api_key", "k1"]
    assert (key.name, key.spent, key.usual, key.change) == ("one", 96 * USD, 24 * USD, 72 * USD)
    assert key.why == "more volume (4.0 times the tokens)"
    assert by["api_key", "k2"].why == "less volume (25 % of the tokens)"


def test_what_is_new_or_gone_says_so_and_what_comes_with_the_bill_does_not_move() -> None:
    fresh, gone, billed = grid(0), grid(1), grid(1)
    fresh[DAY], gone[DAY], billed[DAY] = USD, 0, 0
    new = Leaf("w1", "k9", "m9")
    found = digest(view({new: fresh, A: gone, Leaf("w2", UNATTRIBUTED, UNATTRIBUTED): billed, B: grid(1)}))
    why = {each.id: each.why for each in found.movers if each.dimension == "api_key"}
    assert why == {"k9": "nothing of it in the weeks before", "k1": "nothing of it any more"}
    assert [(each.id, each.spent) for each in found.new_models] == [("m9", 24 * USD)]


def test_without_a_week_of_history_nothing_is_usual_and_nobody_moved() -> None:
    found = digest(view({A: grid(1), B: grid(2)}, read_from=DAY.start - 100))
    assert (found.usual, found.movers, found.new_models) == (None, (), ())
    day, week = found.compared
    assert (day.cost, week.cost) == (72 * USD, None)
    assert len(found.bars) == 6  # the first of them as far as it was read
    assert found.read
    assert not digest(view({A: grid(1)}, read_from=DAY.start + 1)).read


def test_a_part_of_the_spend_has_its_own_figures_budgets_and_keys() -> None:
    one = Budget("one", "month", "UTC", 300 * USD, (100.0,), select=Selector(workspace="w1"))
    each = Budget("each", "day", "UTC", 40 * USD, (100.0,), per=("workspace",))
    every = Budget("all", "month", "UTC", 900 * USD, (100.0,))
    keys = [MadeKey("k1", "one", NOW - timedelta(days=1)), MadeKey("k2", "two", NOW - timedelta(days=1))]
    keys.append(MadeKey("k0", "of today", NOW))
    made, happened = view({A: grid(1), B: grid(2)}), Happened(keys=keys)
    whole = digest(made, budgets=(one, each, every), happened=happened)
    part = digest(made, replace(RULE, select=one.select), (one, each, every), happened)
    assert (part.spent, whole.spent) == (24 * USD, 72 * USD)
    assert sorted((line.budget, line.scope) for line in part.budgets) == [("each", "First"), ("one", "")]
    assert sorted({line.budget for line in whole.budgets}) == ["all", "each", "one"]
    assert (part.limit, part.limit_of, part.part) == (10 * USD, "one", "workspace w1")
    assert (whole.limit, whole.limit_of, whole.part) == (30 * USD, "all", "")
    assert [each.name for each in part.new_keys] == ["one"]
    assert [each.name for each in whole.new_keys] == ["two", "one"]
    assert part.month is not None
    assert part.month.spent == made.cost[0, (datetime(2026, 11, 1, tzinfo=UTC) - START) // HOUR :].sum()
    assert part.month.low <= part.month.total <= part.month.high


@settings(max_examples=20)
@given(
    st.lists(st.lists(st.integers(0, 10**12), min_size=24, max_size=24), min_size=1, max_size=4),
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York"]),
    st.sampled_from(["daily", "weekly"]),
)
def test_days_make_up_the_period_and_changes_of_workspaces_make_up_the_whole(
    days: list[list[int]], zone: str, every: str
) -> None:
    costs = {Leaf(f"w{n}", f"k{n}", "m"): np.resize(np.array(day, dtype=np.int64), HOURS) for n, day in enumerate(days)}
    found = digest(view(costs), replace(RULE, timezone=zone, every=every))
    length = 7 if every == "weekly" else 1
    assert sum(bar.cost for bar in found.bars[-length:]) == found.spent
    assert found.settled <= found.spent
    assert found.usual is not None
    assert abs(found.usual - found.spent) <= 1  # every week is like the one before
    assert found.movers == ()
