"""What spend was for, read from the usage only when a rule asks: exact counts, at the prices of the book."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rules.effects import Amount, Item
from rules.model import UNKNOWN, Leaf
from watcher.admin_api.answers import UsageBucket, UsageRow
from watcher.ledger import Ledger
from watcher.pricing import PriceBook
from watcher.store import Store

ORG = "org_1"
NOW = datetime(2026, 11, 20, 10, 37, tzinfo=UTC)
TODAY = datetime(2026, 11, 20, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OPUS, HAIKU = "claude-opus-5-5", "claude-haiku-4-5"
A, B = Leaf("w1", "a", OPUS, "standard"), Leaf("w1", "b", OPUS, "standard")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'watcher.db'}") as opened:
        yield opened


def use(store: Store, hour: datetime, *rows: tuple[str, str, str | None, int, int]) -> frozenset[datetime]:
    """Rows of key, model, tier, uncached input and cache reads."""
    made = tuple(
        UsageRow(key, "w1", model, tier, "0-200k", "global", None, uncached, cached, 0, 0, 0, 0)
        for key, model, tier, uncached, cached in rows
    )
    bucket = UsageBucket(hour, hour + HOUR, ("api_key_id", "workspace_id", "model", "service_tier"), made)
    return store.usage.replace(ORG, [bucket], NOW)


def test_counts_are_those_of_the_leaves_and_hours_asked_for(store: Store) -> None:
    for hour, count in ((TODAY - DAY, 10), (TODAY + HOUR, 1000), (TODAY + 2 * HOUR, 100_000)):
        use(store, hour, ("a", OPUS, "standard", count, 7), ("b", OPUS, "standard", 5, 0))
    view = Ledger(store, PriceBook(), ORG).refresh(NOW)
    assert view.used is not None
    found = view.used([A], [TODAY - DAY, TODAY + HOUR])
    assert {item: amount.quantity for item, amount in found.items()} == {
        Item(OPUS, "standard", "uncached_input"): 1010,
        Item(OPUS, "standard", "cache_read"): 14,
    }
    assert view.used([], [TODAY]) == {}
    assert view.used([A], []) == {}
    assert view.used([Leaf("w1", "nobody", OPUS, "standard")], [TODAY + HOUR]) == {}


def test_items_are_apart_by_model_tier_and_kind_and_cost_what_the_ledger_says(store: Store) -> None:
    use(
        store,
        TODAY + HOUR,
        ("a", OPUS, "standard", 10**6, 10**6),
        ("a", OPUS, "batch", 10**6, 0),
        ("a", HAIKU, None, 10**6, 0),
    )
    view = Ledger(store, PriceBook(), ORG).refresh(NOW)
    assert view.used is not None
    found = view.used(view.leaves, [TODAY + HOUR])
    assert set(found) == {
        Item(OPUS, "standard", "uncached_input"),
        Item(OPUS, "standard", "cache_read"),
        Item(OPUS, "batch", "uncached_input"),
        Item(HAIKU, UNKNOWN, "uncached_input"),
    }
    assert sum(amount.cost for amount in found.values()) == int(view.cost.sum())
    standard, batch = found[Item(OPUS, "standard", "uncached_input")], found[Item(OPUS, "batch", "uncached_input")]
    assert standard == Amount(10**6, 2 * batch.cost)


def test_what_changes_is_read_anew_and_what_does_not_is_held_while_it_is_asked_for(store: Store) -> None:
    hour = TODAY - DAY
    use(store, hour, ("a", OPUS, "standard", 10, 0))
    ledger = Ledger(store, PriceBook(), ORG)
    item = Item(OPUS, "standard", "uncached_input")

    def asked(changed: frozenset[datetime] = frozenset()) -> int:
        view = ledger.refresh(NOW, changed, ())
        assert view.used is not None
        return view.used([A], [hour])[item].quantity

    assert asked() == 10
    changed = use(store, hour, ("a", OPUS, "standard", 30, 0))
    assert asked() == 10, "nobody said that it changed"
    assert asked(changed) == 30
    use(store, hour, ("a", OPUS, "standard", 50, 0))
    ledger.refresh(NOW, (), ())
    ledger.refresh(NOW, (), ())
    assert asked() == 50, "a calm cycle lets go of what was held"
