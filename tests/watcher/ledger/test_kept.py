"""Days whose sums are kept come to exactly what they come to when they are computed, and are computed when in doubt."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.model import Dimension, Leaf
from rules.selectors import Condition
from tests.watcher.ledger.histories import (
    DAY,
    DAYS,
    HISTORIES,
    HOUR,
    LAST_POLLS,
    LAST_STEP,
    OPUS,
    ORG,
    PHASES,
    SHARES,
    T0,
    Step,
    Watching,
    a_world,
)
from watcher.admin_api.answers import CostBucket, CostRow, UsageBucket, UsageRow
from watcher.kept_days import DayState, DaySum, Head, SumColumns
from watcher.ledger import Bucket, Ledger, SpendReport, spend_report
from watcher.ledger.reading import LedgerStore
from watcher.pricing import OwnPrice, PriceBook
from watcher.store import Store, tables

BOOK = PriceBook()
DEAR = PriceBook([OwnPrice("*", (9_000_000,) * 6)])
USD = 10**9
LATER = T0 + 10 * DAY + 9 * HOUR


class Forgetful:
    """The sums of a store that keeps nothing."""

    def look(self, organization: str, start: date, end: date) -> tuple[dict[date, DayState], dict[date, Head]]:
        return {}, {}

    def read(self, organization: str, wanted: Mapping[date, Head]) -> SumColumns:
        return SumColumns((), {})

    def replace(self, organization: str, sums: Sequence[DaySum]) -> None:
        raise AssertionError("a report writes nothing")


class Computing:
    """A store in which every day has to be computed."""

    def __init__(self, store: LedgerStore) -> None:
        self.usage, self.costs, self.analytics = store.usage, store.costs, store.analytics
        self.sources, self.directory, self.day_sums = store.sources, store.directory, Forgetful()


class Counting(Forgetful):
    """The sums of a store, counting the days that were of use."""

    def __init__(self, store: Store) -> None:
        self._store, self.days = store, set[date]()

    def look(self, organization: str, start: date, end: date) -> tuple[dict[date, DayState], dict[date, Head]]:
        return self._store.day_sums.look(organization, start, end)

    def read(self, organization: str, wanted: Mapping[date, Head]) -> SumColumns:
        found = self._store.day_sums.read(organization, wanted)
        self.days |= found.days.keys()
        return found


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("kept") / "empty.db"
    Store.open(f"sqlite:///{path}").close()
    return path


@contextmanager
def watching(template: Path) -> Iterator[Watching]:
    with tempfile.TemporaryDirectory() as folder, closing(Watching(Path(folder) / "w.db", template)) as watched:
        yield watched


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'w.db'}") as opened:
        yield opened


def usage(store: Store, hour: datetime, key: str = "key_a", tokens: int = 10**6, tier: str = "standard") -> None:
    row = UsageRow(key, "w1", OPUS, tier, "0-200k", "global", None, tokens, 0, 0, 0, 0, 0)
    store.usage.replace(ORG, [UsageBucket(hour, hour + HOUR, ("api_key_id", "workspace_id", "model"), (row,))], LATER)


def bill(store: Store, day: datetime, amount: int, at: datetime = LATER) -> None:
    kind = "uncached_input_tokens"
    row = CostRow("w1", "a line", "tokens", OPUS, "standard", kind, "0-200k", "global", None, amount)
    store.costs.replace(ORG, [CostBucket(day, day + DAY, (row,))], at)


def kept(store: Store, book: PriceBook = BOOK, now: datetime = LATER) -> None:
    """What a cycle of the daemon leaves behind."""
    ledger = Ledger(store, book, ORG)
    ledger.refresh(now)
    ledger.keep()


def report(
    store: LedgerStore, book: PriceBook = BOOK, now: datetime = LATER, *by: Dimension, **more: Any
) -> SpendReport:
    asked: dict[str, Any] = {"start": T0, "end": now, "bucket": "total"} | more
    start, end, bucket = asked.pop("start"), asked.pop("end"), asked.pop("bucket")
    return spend_report(store, book, ORG, by or ("api_key",), start, end, bucket, now, **asked)


def of_use(store: Store, book: PriceBook = BOOK, **more: Any) -> set[int]:
    """The numbers of the days that a report took from what is kept, having seen that it says what computing says."""
    counted = Computing(store)
    counted.day_sums = counting = Counting(store)
    assert report(counted, book, **more) == report(Computing(store), book, **more)
    return {(day - T0.date()).days for day in counting.days}


# ------------------------------------------------------------------------------------------- over random histories


def every_question(watched: Watching, book: PriceBook) -> int:
    """Ask in several ways; returns how many days were of use."""
    count = 0
    key: tuple[Condition, ...] = (("api_key", "key_a"),)
    asked: list[tuple[datetime, datetime, Bucket, tuple[Condition, ...]]] = [
        (T0, max(watched.now, T0 + HOUR), "total", ()),
        (T0 - 20 * DAY, T0 + 2 * DAY, "total", key),
        (T0 + 5 * HOUR, T0 + 53 * HOUR, "day", ()),
    ]
    for start, end, bucket, where in asked:
        more: dict[str, Any] = {"start": start, "end": end, "bucket": bucket, "now": watched.now, "where": where}
        count += len(of_use(watched.store, book, **more, compare=True))
    return count


def holds(template: Path, seed: int, analytics: float, history: list[Step]) -> None:
    world = a_world(seed, analytics=analytics)
    with watching(template) as watched:
        steps = [(step, None) for step in history] + [(LAST_STEP, at) for at in LAST_POLLS]
        for step, at in steps:
            watched.take(step, world, at)
            watched.ledger.keep()
            of_some_use = every_question(watched, BOOK)
        every_question(watched, DEAR)
        assert of_some_use >= DAYS


@given(st.integers(0, 2**32), SHARES, HISTORIES)
@settings(max_examples=3, deadline=None, phases=PHASES, print_blob=True)
def test_whatever_was_told_in_which_order_kept_days_come_to_what_computing_comes_to(
    template: Path, seed: int, analytics: float, history: list[Step]
) -> None:
    holds(template, seed, analytics, history)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@given(st.integers(0, 2**32), SHARES, HISTORIES)
@settings(max_examples=100, deadline=None, phases=PHASES, print_blob=True)
def test_kept_days_hold_over_many_histories(template: Path, seed: int, analytics: float, history: list[Step]) -> None:
    holds(template, seed, analytics, history)


# ------------------------------------------------------------------------------------------- one by one


def four_days(store: Store) -> None:
    for number in range(4):
        usage(store, T0 + number * DAY + 7 * HOUR)
        bill(store, T0 + number * DAY, (number + 1) * USD)


def test_settled_days_that_lie_whole_in_the_window_come_from_what_is_kept(store: Store) -> None:
    four_days(store)
    kept(store)
    assert of_use(store, start=T0, end=T0 + 4 * DAY) >= {0, 1, 2, 3}
    assert of_use(store, start=T0 + HOUR, end=T0 + 3 * DAY + HOUR) == {1, 2}
    assert of_use(store, start=T0, end=T0 + 4 * DAY, bucket="day") >= {0, 1, 2, 3}
    assert of_use(store, start=T0, end=T0 + 4 * DAY, bucket="hour") == set()


def test_a_trend_whose_bars_cut_a_day_needs_the_day_itself(store: Store) -> None:
    four_days(store)
    kept(store)
    assert of_use(store, start=T0 + 2 * DAY, end=T0 + 4 * DAY, compare=True) == set()
    assert of_use(store, start=T0 - 20 * DAY, end=T0 + 4 * DAY, compare=True) >= {0, 1, 2, 3}


def test_before_anything_is_kept_a_report_computes(store: Store) -> None:
    four_days(store)
    assert of_use(store) == set()
    assert report(store).total.cost == 10 * USD


def test_a_late_row_a_restatement_and_a_vanished_row_are_in_the_next_report_whether_or_not_they_were_kept(
    store: Store,
) -> None:
    four_days(store)
    kept(store)
    usage(store, T0 + 7 * HOUR, "key_b")
    bill(store, T0 + DAY, 7 * USD)
    usage(store, T0 + 2 * DAY + 7 * HOUR, tokens=5)
    assert not of_use(store, end=T0 + 4 * DAY) & {0, 1, 2}
    assert {row.of("api_key") for row in report(store, end=T0 + DAY).rows} == {"key_b"}
    assert report(store, start=T0 + DAY, end=T0 + 2 * DAY).total.cost == 7 * USD
    kept(store)
    assert of_use(store, end=T0 + 4 * DAY) >= {0, 1, 2, 3}


def test_a_report_that_becomes_final_without_saying_anything_new_is_not_taken_for_what_it_was(store: Store) -> None:
    usage(store, T0 + 7 * HOUR)
    bill(store, T0, USD, at=T0 + DAY + HOUR)
    now = T0 + 6 * DAY
    kept(store, now=now)
    assert report(store, now=now).total.settled == 0
    bill(store, T0, USD, at=T0 + 5 * DAY)
    assert of_use(store, end=T0 + DAY, now=now) == set()
    assert report(store, now=now).total.settled == USD


def test_days_that_rest_on_prices_are_computed_once_the_owner_says_other_prices(store: Store) -> None:
    four_days(store)
    usage(store, T0 + 9 * HOUR, "key_p", tier="priority")
    usage(store, T0 + 4 * DAY + 7 * HOUR)
    kept(store)
    assert of_use(store, end=T0 + 5 * DAY) >= {0, 1, 2, 3, 4}
    assert of_use(store, DEAR, end=T0 + 5 * DAY) == {1, 2, 3}
    assert report(store, DEAR, end=T0 + 5 * DAY).total.estimated > report(store, end=T0 + 5 * DAY).total.estimated
    kept(store, DEAR)
    assert of_use(store, DEAR, end=T0 + 5 * DAY) >= {0, 1, 2, 3, 4}


def test_days_that_rest_on_prices_are_computed_once_the_bills_teach_others(store: Store) -> None:
    for number in range(4, 8):
        usage(store, T0 + number * DAY + 7 * HOUR)
    usage(store, T0 + 7 * HOUR)
    kept(store)
    before = report(store, end=T0 + DAY).total.estimated
    for number in range(4, 8):
        bill(store, T0 + number * DAY, before // 2)
    assert of_use(store, end=T0 + DAY) == set()
    assert report(store, end=T0 + DAY).total.estimated == pytest.approx(before / 2, rel=1e-6)
    kept(store)
    assert of_use(store, end=T0 + DAY) == {0}


def test_a_day_that_is_open_or_just_over_is_computed(store: Store) -> None:
    usage(store, T0 + 7 * HOUR)
    kept(store, now=T0 + DAY + 5 * HOUR)
    assert of_use(store, end=T0 + DAY, now=T0 + DAY + 5 * HOUR) == set()


def test_what_did_not_change_is_not_written_again(store: Store) -> None:
    four_days(store)
    kept(store)
    with store.database.reading() as connection:
        before = connection.execute(tables.day_sums.select()).all()
        assert connection.exec_driver_sql("SELECT count(*) FROM leaves").scalar_one() == 1
    ledger = Ledger(store, BOOK, ORG)
    ledger.refresh(LATER)
    with store.database.writing() as connection:
        connection.execute(tables.day_sums.update().values(lesson=None))
    ledger.keep()
    with store.database.reading() as connection:
        after = connection.execute(tables.day_sums.select()).all()
    assert [row.lesson for row in before] != [row.lesson for row in after] == [None] * len(before)


def test_one_organization_is_not_told_what_another_one_used(store: Store) -> None:
    four_days(store)
    kept(store)
    assert spend_report(store, BOOK, "org_2", ("api_key",), T0, LATER, "total", LATER).rows == ()
    other = Leaf("w1", "key_a", OPUS, "standard")
    assert other in store.day_sums.read(ORG, store.day_sums.look(ORG, T0.date(), LATER.date())[1]).leaves
    assert store.day_sums.read("org_2", store.day_sums.look(ORG, T0.date(), LATER.date())[1]).leaves == ()


def test_what_the_owner_keeps_no_longer_is_not_kept_as_sums_either(store: Store) -> None:
    four_days(store)
    usage(store, T0 + 8 * HOUR, "key_old")
    kept(store)
    store.prune(T0 + 2 * DAY + 3 * HOUR)
    states, heads = store.day_sums.look(ORG, T0.date(), LATER.date())
    assert min(heads) == (T0 + 3 * DAY).date()
    leaves = store.day_sums.read(ORG, heads).leaves
    assert {leaf.api_key for leaf in leaves} == {"key_a"}
    assert min(states) == (T0 + 2 * DAY).date()
    assert of_use(store, start=T0 + 3 * DAY, end=T0 + 4 * DAY) == {3}
