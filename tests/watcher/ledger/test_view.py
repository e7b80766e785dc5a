from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from rules.learned import LearnedRatio
from rules.model import UNATTRIBUTED, Leaf, SourceState, SpendView
from watcher.admin_api.answers import CostBucket, CostRow, UsageBucket, UsageRow
from watcher.ledger import Ledger
from watcher.ledger.view import VIEW_DAYS
from watcher.pricing import PriceBook
from watcher.store import BucketState, Locked, Store, UsageColumns

ORG = "org_1"
NOW = datetime(2026, 11, 20, 10, 37, tzinfo=UTC)
TODAY = datetime(2026, 11, 20, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BOOK = PriceBook()
OPUS = "claude-opus-5-5"
USD = 1_000_000_000
MILLION_TOKENS = 4 * USD


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'watcher.db'}") as opened:
        yield opened


def add_usage(
    store: Store, hour: datetime, tokens: dict[str, int], at: datetime = NOW, workspace: str = "w1", model: str = OPUS
) -> frozenset[datetime]:
    rows = tuple(
        UsageRow(key, workspace, model, "standard", "0-200k", "global", None, count, 0, 0, 0, 0, 0)
        for key, count in tokens.items()
    )
    bucket = UsageBucket(hour, hour + HOUR, ("api_key_id", "workspace_id", "model"), rows)
    return store.usage.replace(ORG, [bucket], at)


def add_cost(store: Store, day: datetime, amounts: Sequence[tuple[str, int]], at: datetime) -> frozenset[date]:
    rows = tuple(
        CostRow("w1", "a line", kind, OPUS, "standard", "uncached_input_tokens", "0-200k", "global", None, amount)
        for kind, amount in amounts
    )
    return store.costs.replace(ORG, [CostBucket(day, day + DAY, rows)], at)


def figures(view: SpendView) -> dict[tuple[Leaf, datetime], tuple[int, int]]:
    return {
        (view.leaves[row], view.start + column * HOUR): (int(view.cost[row, column]), int(view.settled[row, column]))
        for row, column in zip(*np.nonzero((view.cost != 0) | (view.settled != 0)), strict=True)
        for row, column in [(int(row), int(column))]
    }


A, B = Leaf("w1", "key_a", OPUS, "standard"), Leaf("w1", "key_b", OPUS, "standard")


def test_the_view_spans_seventy_days_and_the_present_one_up_to_the_open_hour(store: Store) -> None:
    add_usage(store, NOW.replace(minute=0), {"key_a": 10**6})
    add_usage(store, TODAY - VIEW_DAYS * DAY, {"key_a": 10**6})
    add_usage(store, TODAY - VIEW_DAYS * DAY - HOUR, {"key_a": 10**6})
    view = Ledger(store, BOOK, ORG).refresh(NOW)
    assert view.start == TODAY - VIEW_DAYS * DAY
    assert view.cost.shape == view.settled.shape == (1, 24 * VIEW_DAYS + 11)
    assert view.index(NOW) == view.hours - 1
    assert figures(view) == {
        (A, TODAY - VIEW_DAYS * DAY): (MILLION_TOKENS, 0),
        (A, NOW.replace(minute=0)): (MILLION_TOKENS, 0),
    }
    assert not view.cost.flags.writeable
    assert not view.settled.flags.writeable


def test_a_settled_day_replaces_its_estimate(store: Store) -> None:
    day = TODAY - 5 * DAY
    add_usage(store, day + 2 * HOUR, {"key_a": 10**6, "key_b": 3 * 10**6})
    add_cost(store, day, [("tokens", 8 * USD), ("code_execution", 24 * USD)], NOW)
    seen = figures(Ledger(store, BOOK, ORG).refresh(NOW))
    assert seen[A, day + 2 * HOUR] == (2 * USD, 2 * USD)
    assert seen[B, day + 2 * HOUR] == (6 * USD, 6 * USD)
    assert seen[Leaf("w1", UNATTRIBUTED, OPUS), day + 7 * HOUR] == (USD, USD)


def test_cost_alone_is_remembered(store: Store) -> None:
    add_cost(store, TODAY - 5 * DAY, [("tokens", 24 * USD)], NOW)
    view = Ledger(store, BOOK, ORG).refresh(NOW)
    assert view.leaves == (Leaf("w1", UNATTRIBUTED, OPUS),)
    assert int(view.cost.sum()) == int(view.settled.sum()) == 24 * USD


def test_a_second_reading_that_agrees_settles_a_day_although_nothing_changed(store: Store) -> None:
    day = TODAY - DAY
    add_usage(store, day + 2 * HOUR, {"key_a": 10**6})
    ledger = Ledger(store, BOOK, ORG)
    first = TODAY + HOUR
    changed = add_cost(store, day, [("tokens", USD)], first)
    view = ledger.refresh(first, frozenset(), changed)
    assert figures(view) == {(A, day + 2 * HOUR): (MILLION_TOKENS, 0)}
    later = first + 12 * HOUR
    assert add_cost(store, day, [("tokens", USD)], later) == frozenset()
    view = ledger.refresh(later, frozenset(), frozenset())
    assert figures(view) == {(A, day + 2 * HOUR): (USD, USD)}


def test_a_row_that_vanished_is_gone_and_a_late_row_is_there(store: Store) -> None:
    hour = TODAY - 3 * DAY
    add_usage(store, hour, {"key_a": 10**6})
    ledger = Ledger(store, BOOK, ORG)
    before = ledger.refresh(NOW)
    changed = add_usage(store, hour, {"key_b": 10**6})
    after = ledger.refresh(NOW, changed, frozenset())
    assert figures(after) == {(B, hour): (MILLION_TOKENS, 0)}
    assert figures(before) == {(A, hour): (MILLION_TOKENS, 0)}


def test_kept_up_to_date_it_is_what_it_would_be_if_made_anew(store: Store) -> None:
    random = np.random.default_rng(7)
    ledger = Ledger(store, BOOK, ORG)
    now = NOW - 30 * DAY
    for step in range(35):
        now += timedelta(hours=int(random.integers(0, 30)), minutes=int(random.integers(0, 60)))
        hours: set[datetime] = set()
        days: set[date] = set()
        for _ in range(int(random.integers(0, 4))):
            hour = now.replace(minute=0) - int(random.integers(0, 80)) * HOUR
            keys = {f"key_{number}": int(random.integers(0, 10**6)) for number in random.integers(0, 9, 3)}
            model = OPUS if random.random() < 0.8 else "claude-zenith-1"
            hours |= add_usage(store, hour, keys, now, f"w{random.integers(1, 3)}", model)
        for _ in range(int(random.integers(0, 3))):
            day = now.replace(hour=0, minute=0) - int(random.integers(0, 5)) * DAY
            amount = int(random.integers(0, 3)) * USD
            days |= add_cost(store, day, [("tokens", amount), ("session_usage", 5)][: int(random.integers(0, 3))], now)
        kept = ledger.refresh(now, hours, days)
        made = Ledger(store, BOOK, ORG).refresh(now)
        assert figures(kept) == figures(made), step
        assert kept.unpriced == made.unpriced
        assert (kept.start, kept.hours) == (made.start, made.hours)


class Breaking:
    """A store whose usage cannot be read while it is broken."""

    def __init__(self, store: Store) -> None:
        self.costs, self.sources, self.directory = store.costs, store.sources, store.directory
        self.analytics, self.day_sums = store.analytics, store.day_sums
        self.usage, self._usage, self.broken = self, store.usage, False

    def read(self, organization: str, start: datetime, end: datetime) -> UsageColumns:
        if self.broken:
            raise Locked("the database is locked")
        return self._usage.read(organization, start, end)

    def observed(self, organization: str, start: datetime, end: datetime) -> Mapping[datetime, BucketState]:
        return self._usage.observed(organization, start, end)


def test_what_changed_before_a_failure_is_not_forgotten(store: Store) -> None:
    hour = TODAY - 3 * DAY
    breaking = Breaking(store)
    ledger = Ledger(breaking, BOOK, ORG)
    ledger.refresh(NOW)
    changed = add_usage(store, hour, {"key_a": 10**6})
    breaking.broken = True
    with pytest.raises(Locked):
        ledger.refresh(NOW, changed, frozenset())
    breaking.broken = False
    assert figures(ledger.refresh(NOW, frozenset(), frozenset())) == {(A, hour): (MILLION_TOKENS, 0)}


def test_a_clock_set_back_and_forth_changes_nothing(store: Store) -> None:
    add_usage(store, NOW.replace(minute=0), {"key_a": 10**6})
    add_usage(store, TODAY - 3 * DAY, {"key_b": 10**6})
    ledger = Ledger(store, BOOK, ORG)
    first = figures(ledger.refresh(NOW))
    back = figures(ledger.refresh(NOW - 2 * DAY, frozenset(), frozenset()))
    assert back == {(B, TODAY - 3 * DAY): (MILLION_TOKENS, 0)}
    assert figures(ledger.refresh(NOW, frozenset(), frozenset())) == first
    assert figures(ledger.refresh(NOW + 300 * DAY, frozenset(), frozenset())) == {}


def test_a_leaf_that_left_the_window_is_dropped(store: Store) -> None:
    add_usage(store, TODAY - VIEW_DAYS * DAY, {"key_a": 10**6})
    add_usage(store, TODAY, {"key_b": 10**6})
    ledger = Ledger(store, BOOK, ORG)
    assert set(ledger.refresh(NOW).leaves) == {A, B}
    assert ledger.refresh(NOW + DAY, frozenset(), frozenset()).leaves == (B,)


def test_hours_never_read_are_not_known_and_empty_ones_are(store: Store) -> None:
    add_usage(store, TODAY, {"key_a": 1})
    add_usage(store, TODAY + 2 * HOUR, {})
    view = Ledger(store, BOOK, ORG).refresh(NOW)
    assert view.known[view.index(TODAY) :].tolist() == [True, False, True] + [False] * 8
    assert int(view.known.sum()) == 2


def test_completeness_is_the_watermark_and_freshness_the_newest_reading(store: Store) -> None:
    add_usage(store, TODAY, {"key_a": 1}, at=NOW - 2 * HOUR)
    add_usage(store, TODAY + HOUR, {"key_a": 1}, at=NOW)
    store.sources.save(ORG, SourceState("usage", watermark=TODAY + 9 * HOUR))
    ledger = Ledger(store, BOOK, ORG)
    view = ledger.refresh(NOW)
    assert (view.complete_until, view.observed_until) == (TODAY + 9 * HOUR, NOW)
    assert ledger.refresh(NOW, watermark=TODAY + HOUR).complete_until == TODAY + HOUR


def test_nothing_is_complete_before_anything_was_read(store: Store) -> None:
    view = Ledger(store, BOOK, ORG).refresh(NOW)
    assert view.leaves == ()
    assert view.cost.shape == (0, view.hours)
    assert view.complete_until == view.observed_until == view.start
    assert not view.known.any()


def test_another_organization_is_not_in_it(store: Store) -> None:
    add_usage(store, TODAY, {"key_a": 10**6})
    assert Ledger(store, BOOK, "org_2").refresh(NOW).leaves == ()


def test_models_with_a_stand_in_price_are_named_until_their_days_are_settled(store: Store) -> None:
    day = TODAY - 5 * DAY
    hours = add_usage(store, day, {"key_a": 10**6}, model="claude-zenith-1")
    ledger = Ledger(store, BOOK, ORG)
    assert ledger.refresh(NOW, hours).unpriced == {"claude-zenith-1"}
    days = add_cost(store, day, [("tokens", USD)], NOW)
    assert ledger.refresh(NOW, frozenset(), days).unpriced == frozenset()


def test_settled_days_are_reconciled_once_and_again_when_their_bill_changes(store: Store) -> None:
    days = [TODAY - back * DAY for back in (5, 4, 3)]
    for day in days:
        add_usage(store, day, {"key_a": 10**6, "key_b": 10**6})
        add_cost(store, day, [("tokens", 6 * USD)], NOW)
    ledger = Ledger(store, BOOK, ORG)
    ledger.refresh(NOW)
    first = ledger.reconciled
    assert [(each.day, [cell.drift for cell in each.cells]) for each in first] == [(day.date(), [0]) for day in days]
    assert ledger.book.ratios == {(OPUS, "uncached_input"): LearnedRatio(750_000, 0)}
    ledger.refresh(NOW + HOUR, frozenset(), frozenset())
    assert all(before is after for before, after in zip(first, ledger.reconciled, strict=True))
    changed = add_cost(store, days[-1], [("tokens", 9 * USD)], NOW + HOUR)
    ledger.refresh(NOW + HOUR, frozenset(), changed)
    assert [cell.drift for each in ledger.reconciled for cell in each.cells] == [0, 0, 3 * USD]


def test_a_refresh_copies_the_figures_only_when_one_has_changed_and_never_touches_an_earlier_view(store: Store) -> None:
    add_usage(store, TODAY - 2 * HOUR, {"key_a": 1_000_000})
    ledger = Ledger(store, BOOK, ORG)
    first = ledger.refresh(NOW)
    again = ledger.refresh(NOW, frozenset(), frozenset())
    assert np.shares_memory(first.cost, again.cost)
    before = figures(first)
    changed = add_usage(store, TODAY, {"key_a": 1_000_000, "key_b": 2_000_000})
    later = ledger.refresh(NOW, changed, frozenset())
    assert not np.shares_memory(first.cost, later.cost)
    assert figures(first) == figures(again) == before
    assert figures(later) == before | {
        (A, TODAY): (MILLION_TOKENS, 0),
        (B, TODAY): (2 * MILLION_TOKENS, 0),
    }
    assert figures(Ledger(store, BOOK, ORG).refresh(NOW)) == figures(later)
