"""Tokens of the running month, by leaf."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from rules.model import Leaf
from watcher.admin_api.answers import UsageBucket, UsageRow
from watcher.ledger import Ledger
from watcher.pricing import PriceBook
from watcher.store import Store

HOUR = timedelta(hours=1)
NOW = datetime(2026, 11, 2, 10, 30, tzinfo=UTC)
A, B = Leaf("w1", "key_a", "claude-opus-5-5", "standard"), Leaf("w1", "key_b", "claude-opus-5-5", "standard")


def used(store: Store, hour: datetime, at: datetime = NOW, **tokens: int) -> frozenset[datetime]:
    rows = tuple(
        UsageRow(key, "w1", A.model, "standard", "0-200k", "global", None, count, 1, 2, 3, 4, 5)
        for key, count in tokens.items()
    )
    return store.usage.replace("org", [UsageBucket(hour, hour + HOUR, ("api_key_id",), rows)], at)


def test_tokens_are_those_of_the_days_of_this_month_as_they_were_read_last(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'watcher.db'}") as store:
        ledger = Ledger(store, PriceBook(), "org")
        used(store, NOW.replace(day=1, hour=5, minute=0) - 24 * HOUR, key_a=999)
        used(store, NOW.replace(day=1, hour=5, minute=0), key_a=100, key_b=7)
        used(store, NOW.replace(hour=9, minute=0), key_a=30)
        ledger.refresh(NOW)
        found = ledger.tokens(NOW.date())
        by_leaf = dict(zip(found.leaves, zip(found.today.tolist(), found.month.tolist(), strict=True), strict=True))
        assert by_leaf[A][0][0] == 30
        assert by_leaf[A][1][0] == 130
        assert by_leaf[B] == ([0] * 5, by_leaf[B][1])
        assert by_leaf[B][1][0] == 7

        changed = used(store, NOW.replace(hour=9, minute=0), NOW + HOUR, key_b=50)
        ledger.refresh(NOW + HOUR, changed, ())
        found = ledger.tokens(NOW.date())
        assert dict(zip(found.leaves, found.today[:, 0].tolist(), strict=True)) == {A: 0, B: 50}

        ledger.refresh(NOW + timedelta(days=30), (), ())
        assert ledger.tokens(date(2026, 12, 2)).month.sum() == 0
