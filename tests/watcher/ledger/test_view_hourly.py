"""The view and the report where the provider's hourly amounts are stored."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from rules.model import UNATTRIBUTED, Leaf, SpendView
from watcher.admin_api.answers import CostBucket, CostRow, UsageBucket, UsageRow
from watcher.ledger import Ledger, spend_report
from watcher.ledger.learning import learn_from
from watcher.pricing import PriceBook
from watcher.store import AnalyticsHour, AnalyticsRow, Store

ORG = "org_1"
NOW = datetime(2026, 11, 20, 10, 37, tzinfo=UTC)
TODAY = datetime(2026, 11, 20, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BOOK = PriceBook()
OPUS = "claude-opus-5-5"
USD = 1_000_000_000
LISTED = 4 * USD
A = Leaf("w1", "key_a", OPUS, "standard")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'watcher.db'}") as opened:
        yield opened


def use(store: Store, hour: datetime, tokens: int = 10**6, at: datetime = NOW) -> frozenset[datetime]:
    row = UsageRow("key_a", "w1", OPUS, "standard", "0-200k", "global", None, tokens, 0, 0, 0, 0, 0)
    return store.usage.replace(ORG, [UsageBucket(hour, hour + HOUR, ("api_key_id",), (row,))], at)


def tell(store: Store, hours: Mapping[datetime, int], at: datetime, key: str = "key_a") -> frozenset[datetime]:
    told = [
        AnalyticsHour(hour, (AnalyticsRow("w1", key, OPUS, "standard", "0-200k", uncached_input=nano),) if nano else ())
        for hour, nano in hours.items()
    ]
    return store.analytics.replace(ORG, told, at)


def tell_day(store: Store, day: datetime, nano: int, at: datetime) -> frozenset[datetime]:
    """All of a day, with everything in its first hour."""
    return tell(store, {day + number * HOUR: nano if number == 0 else 0 for number in range(24)}, at)


def bill(store: Store, day: datetime, nano: int, at: datetime) -> set[date]:
    row = CostRow("w1", "a line", "tokens", OPUS, None, "uncached_input_tokens", None, None, None, nano)
    return set(store.costs.replace(ORG, [CostBucket(day, day + DAY, (row,))], at))


def figures(view: SpendView) -> dict[tuple[Leaf, datetime], tuple[int, int]]:
    cells = zip(*np.nonzero((view.cost != 0) | (view.settled != 0)), strict=True)
    return {
        (view.leaves[int(row)], view.start + int(column) * HOUR): (
            int(view.cost[row, column]),
            int(view.settled[row, column]),
        )
        for row, column in cells
    }


def test_an_hour_told_changes_its_day(store: Store) -> None:
    hour = TODAY + 2 * HOUR
    ledger = Ledger(store, BOOK, ORG)
    assert figures(ledger.refresh(NOW, use(store, hour))) == {(A, hour): (LISTED, 0)}
    changed = tell(store, {hour: 5 * USD}, NOW)
    assert figures(ledger.refresh(NOW, changed, ())) == {(A, hour): (5 * USD, 0)}
    changed = tell(store, {hour: 3 * USD}, NOW + HOUR)
    assert figures(ledger.refresh(NOW + HOUR, changed, ())) == {(A, hour): (LISTED, 0)}


def test_a_second_reading_that_agrees_settles_the_hour_although_nothing_changed(store: Store) -> None:
    hour, first = TODAY + 2 * HOUR, TODAY + 4 * HOUR
    use(store, hour)
    ledger = Ledger(store, BOOK, ORG)
    ledger.refresh(first, tell(store, {hour: 3 * USD}, first), ())
    later = first + 12 * HOUR
    assert tell(store, {hour: 3 * USD}, later) == frozenset()
    assert figures(ledger.refresh(later, (), ())) == {(A, hour): (3 * USD, 3 * USD)}


def test_a_settled_day_is_looked_at_while_an_hour_of_its_analytics_is_not(store: Store) -> None:
    day, read = TODAY - 4 * DAY, TODAY - 3 * DAY + HOUR
    use(store, day + 5 * HOUR)
    bill(store, day, 6 * USD, NOW - DAY)
    tell(store, {day + number * HOUR: USD if number == 7 else 0 for number in range(24) if number != 5}, read)
    tell(store, {day + 5 * HOUR: USD}, read)
    ledger = Ledger(store, BOOK, ORG)
    assert figures(ledger.refresh(read)) == {(A, day + 5 * HOUR): (6 * USD, 6 * USD)}
    later = read + 12 * HOUR
    told = tell(store, {day + number * HOUR: USD if number in {5, 7} else 0 for number in range(24)}, later)
    assert told == frozenset()
    view = ledger.refresh(later, (), ())
    assert figures(view) == {(A, day + 5 * HOUR): (3 * USD, 3 * USD), (A, day + 7 * HOUR): (3 * USD, 3 * USD)}


def test_an_organization_with_analytics_alone_has_its_spend(store: Store) -> None:
    tell_day(store, TODAY - 5 * DAY, 3 * USD, NOW)
    store.analytics.replace(
        ORG, [AnalyticsHour(TODAY - 6 * DAY, (AnalyticsRow("w1", UNATTRIBUTED, UNATTRIBUTED, "", "", other=USD),))], NOW
    )
    view = Ledger(store, BOOK, ORG).refresh(NOW)
    assert figures(view) == {
        (A, TODAY - 5 * DAY): (3 * USD, 3 * USD),
        (Leaf("w1", UNATTRIBUTED, UNATTRIBUTED), TODAY - 6 * DAY): (USD, USD),
    }
    report = spend_report(store, BOOK, ORG, ("api_key",), TODAY - 30 * DAY, NOW, "total", NOW)
    assert [(row.of("api_key"), row.cost, row.settled) for row in report.rows] == [
        ("key_a", 3 * USD, 3 * USD),
        (UNATTRIBUTED, USD, USD),
    ]


def test_three_days_settled_hour_by_hour_teach_the_open_hour_its_price(store: Store) -> None:
    use(store, TODAY)
    ledger = Ledger(store, BOOK, ORG)
    for back in (5, 4, 3):
        assert figures(ledger.refresh(NOW))[A, TODAY] == (LISTED, 0)
        use(store, TODAY - back * DAY)
        tell_day(store, TODAY - back * DAY, 3 * USD, NOW)
    assert figures(ledger.refresh(NOW))[A, TODAY] == (3 * USD, 0)
    assert ledger.book.learned == learn_from(store, BOOK, ORG, NOW)
    report = spend_report(store, BOOK, ORG, (), TODAY, NOW, "total", NOW)
    assert report.total.estimated == report.total.cost == 3 * USD


def test_days_that_only_seem_to_teach_do_not_crowd_out_those_that_do(store: Store) -> None:
    use(store, TODAY)
    for back in range(3, 26):
        use(store, TODAY - back * DAY)
        tell_day(store, TODAY - back * DAY, 0, NOW)
    for back in range(30, 33):
        use(store, TODAY - back * DAY)
        tell_day(store, TODAY - back * DAY, 3 * USD, NOW)
    ledger = Ledger(store, BOOK, ORG)
    assert figures(ledger.refresh(NOW))[A, TODAY] == (3 * USD, 0)
    assert ledger.book.learned == learn_from(store, BOOK, ORG, NOW)


def test_kept_up_to_date_it_is_what_it_would_be_if_made_anew(store: Store) -> None:
    random = np.random.default_rng(11)
    ledger = Ledger(store, BOOK, ORG)
    now = NOW - 20 * DAY
    for step in range(18):
        now += timedelta(hours=int(random.integers(0, 14)), minutes=int(random.integers(0, 60)))
        hours: set[datetime] = set()
        days: set[date] = set()
        for _ in range(int(random.integers(0, 3))):
            hours |= use(store, now.replace(minute=0) - int(random.integers(0, 60)) * HOUR, 10**5, now)
        if random.random() < 0.3:
            days |= bill(store, now.replace(hour=0, minute=0) - int(random.integers(0, 4)) * DAY, USD, now)
        if random.random() < 0.8:
            start = now.replace(hour=0, minute=0) - int(random.integers(1, 4)) * DAY
            told = {start + number * HOUR: int(random.integers(0, 2)) * USD for number in range(24)}
            told = told if random.random() < 0.3 else dict.fromkeys(told, USD)
            hours |= tell(store, told, now, f"key_{random.integers(1, 3)}" if random.random() < 0.2 else "key_a")
        kept = ledger.refresh(now, hours, days)
        made = Ledger(store, BOOK, ORG).refresh(now)
        assert figures(kept) == figures(made), step
