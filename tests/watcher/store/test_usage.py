import uuid
from collections import Counter
from datetime import datetime

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.model import CONSOLE, DEFAULT_WORKSPACE
from tests.watcher.store.samples import GROUPED, HOUR, ORG, T0, bucket, row
from watcher.admin_api.answers import UsageBucket, UsageRow
from watcher.store import NotWritable, Store, StoreError

NOON = T0 + 12 * HOUR


def contents(store: Store, organization: str = ORG) -> dict[datetime, Counter[UsageRow]]:
    buckets = store.usage.buckets(organization, T0 - 99 * HOUR, T0 + 99 * HOUR)
    return {bucket.starting_at: Counter(bucket.rows) for bucket in buckets}


def test_a_late_a_changed_and_a_vanished_row_end_up_right(store: Store) -> None:
    store.usage.replace(ORG, [bucket(0, row("a", 1), row("b", 2)), bucket(1, row("a", 7))], NOON)
    changed = store.usage.replace(ORG, [bucket(0, row("a", 5), row("c", 3)), bucket(1, row("a", 7))], NOON + HOUR)
    assert changed == {T0}
    assert contents(store) == {
        T0: Counter([row("a", 5), row("c", 3)]),
        T0 + HOUR: Counter([row("a", 7)]),
    }


def test_a_reading_that_says_the_same_in_another_order_changes_nothing_but_when_it_was_observed(store: Store) -> None:
    store.usage.replace(ORG, [bucket(0, row("a", 1), row("b", 2))], NOON)
    assert store.usage.replace(ORG, [bucket(0, row("b", 2), row("a", 1))], NOON + HOUR) == frozenset()
    state = store.usage.observed(ORG, T0, T0 + HOUR)[T0]
    assert (state.first_observed_at, state.observed_at, state.changed_at) == (NOON, NOON + HOUR, NOON)
    assert (state.revision, state.tokens) == (0, 2 * 127 + 3)
    assert set(state.grouped_by) == set(GROUPED)


def test_a_bucket_grouped_otherwise_is_a_change(store: Store) -> None:
    store.usage.replace(ORG, [bucket(0, row())], NOON)
    assert store.usage.replace(ORG, [bucket(0, row(), grouped_by=GROUPED[:3])], NOON + HOUR) == {T0}


def test_an_hour_that_is_empty_is_known_and_one_never_read_is_not(store: Store) -> None:
    assert store.usage.span(ORG) is None
    store.usage.replace(ORG, [bucket(0), bucket(2, row())], NOON)
    assert list(store.usage.observed(ORG, T0, T0 + 5 * HOUR)) == [T0, T0 + 2 * HOUR]
    assert store.usage.span(ORG) == (T0, T0 + 3 * HOUR)


def test_null_dimensions_are_named_in_columns_and_null_again_in_buckets(store: Store) -> None:
    nobody = UsageRow(None, None, None, None, None, None, "fast", 1, 2, 3, 4, 5, 6)
    store.usage.replace(ORG, [bucket(3, nobody)], NOON)
    columns = store.usage.read(ORG, T0, T0 + 9 * HOUR)
    (key,) = columns.keys
    assert (key.workspace, key.api_key, key.model, key.speed) == (DEFAULT_WORKSPACE, CONSOLE, "", "fast")
    assert columns.hour.tolist() == [T0.timestamp() // 3600 + 3]
    names = ("uncached_input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "web_searches")
    assert [getattr(columns, name).tolist() for name in names] == [[1], [2], [3], [4], [5], [6]]
    assert columns.output.dtype == np.int64
    assert contents(store)[T0 + 3 * HOUR] == Counter([nobody])


def test_rows_that_fall_together_once_nulls_have_names_are_added(store: Store) -> None:
    store.usage.replace(ORG, [bucket(0, row("a", 5), row("a", 5)._replace(speed=""))], NOON)
    assert store.usage.read(ORG, T0, T0 + HOUR).output.tolist() == [10]


def test_organizations_do_not_see_or_replace_each_other(store: Store) -> None:
    store.usage.replace("one", [bucket(0, row("a", 1))], NOON)
    store.usage.replace("two", [bucket(0, row("a", 2), row("b", 2))], NOON)
    store.usage.replace("two", [bucket(0, row("b", 3))], NOON + HOUR)
    assert contents(store, "one") == {T0: Counter([row("a", 1)])}
    assert contents(store, "two") == {T0: Counter([row("b", 3)])}
    assert store.usage.read("three", T0, T0 + HOUR).keys == ()


def test_windows_are_half_open_and_their_bounds_may_lie_inside_an_hour(store: Store) -> None:
    store.usage.replace(ORG, [bucket(hour, row("a", hour + 1)) for hour in range(4)], NOON)
    assert store.usage.read(ORG, T0 + HOUR, T0 + 3 * HOUR).output.tolist() == [2, 3]
    assert store.usage.read(ORG, T0 + 1.5 * HOUR, T0 + 2.5 * HOUR).output.tolist() == [2, 3]


def test_a_reading_that_cannot_be_stored_whole_leaves_nothing(store: Store) -> None:
    store.usage.replace(ORG, [bucket(0, row("a", 1))], NOON)
    too_many = row("new", 5)._replace(output=2**70)
    with pytest.raises((StoreError, OverflowError)):
        store.usage.replace(ORG, [bucket(0, row("a", 9)), bucket(1, too_many)], NOON + HOUR)
    assert contents(store) == {T0: Counter([row("a", 1)])}
    store.usage.replace(ORG, [bucket(1, row("new", 5))], NOON + HOUR)
    assert contents(store)[T0 + HOUR] == Counter([row("new", 5)])


def test_a_series_made_by_a_transaction_that_failed_is_made_again(store_url: str) -> None:
    with Store.open(store_url) as store:
        with pytest.raises(RuntimeError), store.database.writing():
            raise RuntimeError
        store.usage.replace(ORG, [bucket(0, row("x", 1))], NOON)
    with Store.open(store_url) as again:
        again.usage.replace(ORG, [bucket(1, row("x", 2), row("y", 1))], NOON)
        assert again.usage.read(ORG, T0, T0 + 9 * HOUR).output.tolist() == [1, 2, 1]


def test_growth_of_an_open_hour_is_no_revision_but_a_fall_and_a_late_change_are(store: Store) -> None:
    store.usage.replace(ORG, [bucket(0, row("a", 10))], T0 + 0.5 * HOUR)
    store.usage.replace(ORG, [bucket(0, row("a", 20))], T0 + 0.6 * HOUR)
    store.usage.replace(ORG, [bucket(0, row("a", 15))], T0 + 0.7 * HOUR)
    store.usage.replace(ORG, [bucket(0, row("a", 16))], T0 + 1.5 * HOUR)
    store.usage.replace(ORG, [bucket(0, row("a", 10), row("b", 6))], T0 + 3 * HOUR)
    fall, late = store.usage.revisions(ORG, T0)
    assert (fall.bucket, fall.observed_at, fall.after - fall.before, fall.moved) == (T0, T0 + 0.7 * HOUR, -5, 5)
    assert (late.previous_at, late.observed_at, late.moved) == (T0 + 1.5 * HOUR, T0 + 3 * HOUR, 6 + 127 + 6)


def test_a_bucket_held_back_keeps_when_it_was_last_believed_and_since_when_it_is_held(store: Store) -> None:
    store.usage.replace(ORG, [bucket(0, row()), bucket(1, row())], NOON)
    for later in (1, 2, 3):
        at = NOON + later * HOUR
        assert store.usage.replace(ORG, [bucket(1, row())], at, held_back=[T0]) == frozenset()
    (held,) = store.usage.held(ORG)
    assert (held.bucket, held.since, held.observed_at) == (T0, NOON + HOUR, NOON + 3 * HOUR)
    observed = store.usage.observed(ORG, T0, T0 + 2 * HOUR)
    assert [state.observed_at for state in observed.values()] == [NOON, NOON + 3 * HOUR]
    assert store.usage.read_at(ORG, T0, T0 + HOUR) == {T0: NOON + 3 * HOUR}
    store.usage.replace(ORG, [bucket(0, row())], NOON + 4 * HOUR)
    assert store.usage.held(ORG) == ()
    assert store.usage.observed(ORG, T0, T0 + HOUR)[T0].observed_at == NOON + 4 * HOUR


def test_polls_that_find_nothing_new_do_not_grow_the_database(store: Store) -> None:
    buckets = [bucket(hour, row()) for hour in range(24)]
    for poll in range(50):
        store.usage.replace(ORG, buckets[-4:] if poll % 12 else buckets, NOON + poll * HOUR)
    with store.database.reading() as connection:
        tables = ("usage_readings", "usage_buckets", "revisions")
        sizes = [connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() for table in tables]
    assert sizes == [2, 24, 0]


def test_a_store_open_for_reading_writes_nothing(store_url: str) -> None:
    with Store.open(store_url) as store:
        store.usage.replace(ORG, [bucket(0, row())], NOON)
        with Store.open(store_url, read_only=True) as reader:
            assert len(reader.usage.read(ORG, T0, T0 + HOUR)) == 1
            with pytest.raises(NotWritable):
                reader.usage.replace(ORG, [bucket(0)], NOON)


READINGS = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.lists(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), max_size=3), min_size=1, max_size=4),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(readings=READINGS)
def test_each_hour_holds_exactly_what_its_last_reading_said(
    readings: list[tuple[int, list[list[tuple[str, int]]]]], store: Store
) -> None:
    organization = uuid.uuid4().hex
    expected: dict[datetime, UsageBucket] = {}
    last_read: dict[datetime, datetime] = {}
    for number, (start, hours) in enumerate(readings):
        at = NOON + number * HOUR
        buckets = [bucket(start + n, *(row(k, o) for k, o in dict(rows).items())) for n, rows in enumerate(hours)]
        new = {each.starting_at: each for each in buckets}
        assert store.usage.replace(organization, buckets, at) == {
            hour
            for hour, each in new.items()
            if hour not in expected or Counter(expected[hour].rows) != Counter(each.rows)
        }
        expected |= new
        last_read |= dict.fromkeys(new, at)
    assert contents(store, organization) == {hour: Counter(each.rows) for hour, each in expected.items()}
    observed = store.usage.observed(organization, T0, T0 + 99 * HOUR)
    assert {hour: state.observed_at for hour, state in observed.items()} == last_read
