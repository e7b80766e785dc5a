"""What a quarter or a year spent before the view begins is exactly what a report of those hours says."""

import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.earlier import Reach
from rules.model import Dimension, SpendView
from rules.periods import CalendarKind, Starts, period_of
from tests.watcher.ledger.test_kept import BOOK, DEAR, ORG, PHASES, USD, Computing, Counting, bill, usage
from watcher.ledger import Ledger, spend_report
from watcher.ledger.view import VIEW_DAYS
from watcher.pricing import PriceBook
from watcher.store import Store

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NEW_YEAR = datetime.fromisoformat("2026-01-01T00:00Z")
NOW = datetime.fromisoformat("2026-08-20T10:37Z")
KINDS: tuple[tuple[CalendarKind, str, Starts], ...] = (
    ("year", "UTC", Starts()),
    ("year", "Asia/Kolkata", Starts(month=2, day=15)),
    ("quarter", "America/New_York", Starts(month=3)),
    ("year", "Pacific/Auckland", Starts()),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'w.db'}") as opened:
        yield opened


def begins(now: datetime) -> list[datetime]:
    return [period_of(kind, zone, now, starts).start for kind, zone, starts in KINDS]


def seen(ledger: Ledger, now: datetime, changed: Sequence[datetime] = ()) -> SpendView:
    return ledger.refresh(now, changed, {each.date() for each in changed}, begins=begins(now))


Figures = dict[tuple[str, ...], tuple[int, int]]


def sums(view: SpendView, now: datetime) -> list[Figures]:
    """Cost and settled part by workspace, key and model in each of the running periods."""
    found = []
    for kind, zone, starts in KINDS:
        period = period_of(kind, zone, now, starts)
        reach = Reach(view, [period])
        figures: Figures = {}
        for leaf, cost, settled in zip(reach.leaves, *(each.tolist() for each in reach.sums(period)), strict=True):
            key = leaf.workspace, leaf.api_key, leaf.model
            before = figures.get(key, (0, 0))
            figures[key] = before[0] + cost, before[1] + settled
        found.append({key: amounts for key, amounts in figures.items() if amounts[0]})
    return found


def reported(store: Store, book: PriceBook, now: datetime) -> list[Figures]:
    """The same, added up by a report that computes every day."""
    by: tuple[Dimension, ...] = ("workspace", "api_key", "model")
    found = []
    for begin in begins(now):
        rows = spend_report(Computing(store), book, ORG, by, begin, now + HOUR, "total", now).rows
        figures = {
            (row.of(by[0]) or "", row.of(by[1]) or "", row.of(by[2]) or ""): (row.cost, row.settled) for row in rows
        }
        found.append({key: amounts for key, amounts in figures.items() if amounts[0]})
    return found


def a_year(store: Store) -> None:
    """Some use every third day: an hour at midnight of several zones, and one of a day's own; half of it is billed."""
    for number in range(-3, 230, 3):
        day = NEW_YEAR + number * DAY
        for hour in (4, 11, 18, number % 24):
            usage(store, day + hour * HOUR, f"key_{number % 4}", tokens=10**6 + number)
        if number % 2:
            bill(store, day, USD + number)


def test_every_period_has_exactly_its_own_hours_by_day_or_by_hour(store: Store) -> None:
    a_year(store)
    view = seen(Ledger(store, BOOK, ORG), NOW)
    assert view.earlier is not None
    assert view.start - view.earlier.begins[0] > 150 * DAY
    assert sums(view, NOW) == reported(store, BOOK, NOW)


def test_the_days_that_a_period_begins_in_are_there_by_hour_and_all_others_whole(store: Store) -> None:
    a_year(store)
    earlier = seen(Ledger(store, BOOK, ORG), NOW).earlier
    assert earlier is not None
    lengths = [(after - begin) // HOUR for begin, after in zip(earlier.begins, earlier.begins[1:], strict=False)]
    assert set(lengths) == {1, 24}
    hourly = {begin.date() for begin, length in zip(earlier.begins, lengths, strict=False) if length == 1}
    assert hourly == {
        each.date() for each in begins(NOW) if each.hour and each > NEW_YEAR - 3 * DAY and each < NOW - VIEW_DAYS * DAY
    }
    assert [int(hours) for hours in earlier.unread[:24]] != [0] * 24


def test_nothing_is_earlier_where_no_period_reaches_back(store: Store) -> None:
    a_year(store)
    assert Ledger(store, BOOK, ORG).refresh(NOW).earlier is None
    assert Ledger(store, BOOK, ORG).refresh(NOW, begins=[NOW - 20 * DAY]).earlier is None


def test_a_restart_reads_what_is_kept_and_computes_no_whole_day_again(store: Store) -> None:
    a_year(store)
    ledger = Ledger(store, BOOK, ORG)
    before = seen(ledger, NOW)
    ledger.keep()
    counted = Computing(store)
    counted.day_sums = counting = Counting(store)
    after = Ledger(counted, BOOK, ORG).refresh(NOW, begins=begins(NOW))
    assert sums(after, NOW) == sums(before, NOW)
    assert before.earlier is not None
    whole = {each.date() for each in before.earlier.begins} - {each.date() for each in begins(NOW) if each.hour}
    assert counting.days == whole


def test_what_did_not_change_is_not_made_again(store: Store) -> None:
    a_year(store)
    ledger = Ledger(store, BOOK, ORG)
    first = seen(ledger, NOW)
    usage(store, NOW.replace(minute=0), "key_a")
    assert seen(ledger, NOW + HOUR / 10, [NOW.replace(minute=0)]).earlier is first.earlier
    assert seen(ledger, NOW + DAY).earlier is not first.earlier


def test_a_late_row_of_a_day_before_the_view_counts_at_once(store: Store) -> None:
    a_year(store)
    ledger = Ledger(store, BOOK, ORG)
    seen(ledger, NOW)
    ledger.keep()
    late = NEW_YEAR + 60 * DAY + 5 * HOUR
    usage(store, late, "key_late")
    view = seen(ledger, NOW + HOUR, [late])
    assert sums(view, NOW + HOUR) == reported(store, BOOK, NOW + HOUR)
    assert any(key == "key_late" for _, key, *_ in sums(view, NOW + HOUR)[0])


def test_other_prices_count_for_days_long_gone_too(store: Store) -> None:
    a_year(store)
    ledger = Ledger(store, BOOK, ORG)
    seen(ledger, NOW)
    ledger.keep()
    view = seen(Ledger(store, DEAR, ORG), NOW)
    assert sums(view, NOW) == reported(store, DEAR, NOW) != reported(store, BOOK, NOW)


def test_a_year_of_which_less_is_stored_reaches_back_as_far_as_there_is_anything(store: Store) -> None:
    usage(store, NEW_YEAR + 100 * DAY + 5 * HOUR)
    view = seen(Ledger(store, BOOK, ORG), NOW)
    assert view.earlier is not None
    assert view.earlier.begins[0] == NEW_YEAR + 100 * DAY
    year = period_of("year", "UTC", NOW)
    assert Reach(view, [year]).since(year) == NEW_YEAR + 100 * DAY


@given(st.integers(0, 2**32), st.lists(st.sampled_from([0, 1, 5, 26, 80, 300]), min_size=2, max_size=5))
@settings(max_examples=3, deadline=None, phases=PHASES, print_blob=True)
def test_whatever_changes_as_time_goes_by_the_periods_say_what_a_report_says(seed: int, steps: list[int]) -> None:
    random = Random(seed)
    with tempfile.TemporaryDirectory() as folder, Store.open(f"sqlite:///{folder}/w.db") as store:
        ledger, now = Ledger(store, BOOK, ORG), NOW
        for number in range(0, 230, 9):
            usage(store, NEW_YEAR + number * DAY + random.randrange(24) * HOUR, f"key_{number % 4}")
        seen(ledger, now)
        for hours in steps:
            now += hours * HOUR
            changed = []
            for _ in range(random.randrange(4)):
                hour = NEW_YEAR + random.randrange(230 * 24) * HOUR
                if random.random() < 0.5:
                    usage(
                        store,
                        hour,
                        f"key_{random.randrange(4)}",
                        random.randrange(10**6),
                        random.choice(["standard", "priority"]),
                    )
                else:
                    bill(store, hour.replace(hour=0), random.randrange(USD), now)
                changed.append(hour)
            if random.random() < 0.3:
                ledger = Ledger(store, BOOK, ORG)
            view = seen(ledger, now, changed)
            if random.random() < 0.7:
                ledger.keep()
            assert sums(view, now) == reported(store, BOOK, now)
