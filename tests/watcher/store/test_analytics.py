import uuid
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.model import CONSOLE, DEFAULT_WORKSPACE, UNATTRIBUTED
from tests.watcher.store.samples import DAY, HOUR, ORG, T0, bucket, row
from watcher.store import AnalyticsHour, AnalyticsRow, AnalyticsState, Asked, Store, StoreError

NOON = T0 + 12 * HOUR
KINDS = ("uncached_input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "web_searches", "other")


def spent(key: str = "key_a", output: int = 10, *, workspace: str = "ws_1", model: str = "claude-m") -> AnalyticsRow:
    return AnalyticsRow(workspace, key, model, "standard", "0-200k", 1, 2, 3, 4, output, 6, 7)


def hour(number: int, *rows: AnalyticsRow) -> AnalyticsHour:
    return AnalyticsHour(T0 + number * HOUR, rows)


def contents(store: Store, organization: str = ORG) -> dict[datetime, dict[tuple[str, ...], tuple[int, ...]]]:
    columns = store.analytics.read(organization, T0 - 99 * HOUR, T0 + 99 * HOUR)
    amounts = zip(*(getattr(columns, kind).tolist() for kind in KINDS), strict=True)
    found: dict[datetime, dict[tuple[str, ...], tuple[int, ...]]] = {
        each: {} for each in store.analytics.observed(organization, T0 - 99 * HOUR, T0 + 99 * HOUR)
    }
    for at, which, values in zip(columns.hour.tolist(), columns.series.tolist(), amounts, strict=True):
        found[T0 + (at - T0.timestamp() // 3600) * HOUR][columns.keys[which][:5]] = values
    return found


def told(*rows: AnalyticsRow) -> dict[tuple[str, ...], tuple[int, ...]]:
    return {each[:5]: each[5:] for each in rows}


def test_every_kind_and_dimension_comes_back_to_the_nano_dollar(store: Store) -> None:
    rows = (
        AnalyticsRow(DEFAULT_WORKSPACE, CONSOLE, "claude-m", "batch", "", output=2**55),
        AnalyticsRow("ws_1", UNATTRIBUTED, UNATTRIBUTED, "", "", other=-3),
        spent(),
    )
    assert store.analytics.replace(ORG, [hour(0, *rows), hour(1)], NOON) == {T0, T0 + HOUR}
    assert contents(store) == {T0: told(*rows), T0 + HOUR: {}}
    columns = store.analytics.read(ORG, T0, T0 + HOUR)
    assert {getattr(columns, kind).dtype for kind in KINDS} == {np.dtype(np.int64)}
    assert {(key.inference_geo, key.speed) for key in columns.keys} == {("", "")}
    assert store.analytics.observed(ORG, T0, T0 + HOUR)[T0] == AnalyticsState(NOON, NOON, 1, 3, 2**55 - 3 + 33)


def test_series_are_those_of_usage_and_numbered_alike(store: Store) -> None:
    usage_row = row("key_a")._replace(inference_geo=None)
    store.usage.replace(ORG, [bucket(0, usage_row)], NOON)
    store.analytics.replace(ORG, [hour(0, spent("key_a"), spent("key_b"))], NOON)
    store.usage.replace(ORG, [bucket(1, usage_row, row("key_b")), bucket(2, row("key_c"))], NOON)
    usage, analytics = store.usage.read(ORG, T0, T0 + DAY), store.analytics.read(ORG, T0, T0 + DAY)
    assert usage.keys == analytics.keys
    assert [usage.keys[which].api_key for which in usage.series] == ["key_a", "key_a", "key_b", "key_c"]
    assert [usage.keys[which].api_key for which in analytics.series] == ["key_a", "key_b"]
    assert len({key.api_key for key in usage.keys}) == len(usage.keys)


def test_the_run_of_agreeing_readings_is_counted_and_a_restatement_begins_a_new_one(store: Store) -> None:
    rows = (spent("a", 5), spent("b", 7))
    store.analytics.replace(ORG, [hour(0, *rows), hour(1, spent())], NOON)
    assert store.analytics.replace(ORG, [hour(0, *reversed(rows)), hour(1, spent())], NOON + HOUR) == frozenset()
    assert store.analytics.observed(ORG, T0, T0 + HOUR)[T0] == AnalyticsState(NOON + HOUR, NOON, 2, 2, 58)
    assert store.analytics.replace(ORG, [hour(0, spent("a", 3), spent("c", 1))], NOON + DAY) == {T0}
    assert contents(store)[T0] == told(spent("a", 3), spent("c", 1))
    first, second = store.analytics.observed(ORG, T0, T0 + 2 * HOUR).values()
    assert (first, second.readings) == (AnalyticsState(NOON + DAY, NOON + DAY, 1, 2, 50), 2)
    (revision,) = store.analytics.revisions(ORG, NOON)
    assert (revision.bucket, revision.previous_at, revision.observed_at) == (T0, NOON + HOUR, NOON + DAY)
    assert (revision.before, revision.after, revision.moved) == (58, 50, 2 + 30 + 24)


def test_the_same_state_of_the_data_read_twice_is_one_reading(store: Store) -> None:
    store.analytics.replace(ORG, [hour(0, spent())], NOON)
    for minutes in (0, -30):
        store.analytics.replace(ORG, [hour(0, spent())], NOON + timedelta(minutes=minutes))
    assert store.analytics.observed(ORG, T0, T0 + HOUR)[T0] == AnalyticsState(NOON, NOON, 1, 1, 33)


def test_rows_that_share_their_dimensions_are_added(store: Store) -> None:
    store.analytics.replace(ORG, [hour(0, spent(output=4), spent(output=5))], NOON)
    assert contents(store)[T0] == {spent()[:5]: (2, 4, 6, 8, 9, 12, 14)}
    assert store.analytics.replace(ORG, [hour(0, spent(output=5), spent(output=4))], NOON + HOUR) == frozenset()


def test_an_hour_never_told_is_absent_though_it_was_asked_for(store: Store) -> None:
    assert store.analytics.span(ORG) is None
    store.analytics.replace(ORG, [hour(0, spent()), hour(2)], NOON, asked=Asked(T0, T0 + 5 * HOUR, NOON + HOUR))
    assert list(store.analytics.observed(ORG, T0, T0 + DAY)) == [T0, T0 + 2 * HOUR]
    assert store.analytics.span(ORG) == (T0, T0 + 3 * HOUR)
    assert store.analytics.asked(ORG, T0, T0 + DAY) == {T0 + n * HOUR: NOON + HOUR for n in range(5)}
    store.analytics.replace(ORG, [], NOON, asked=Asked(T0 + 4 * HOUR, T0 + 6 * HOUR, NOON + DAY))
    asked = store.analytics.asked(ORG, T0, T0 + DAY)
    assert [at - NOON for _, at in sorted(asked.items())] == [HOUR] * 4 + [DAY] * 2
    assert store.usage.read_at(ORG, T0, T0 + DAY) == {}


def test_each_report_and_organization_knows_for_itself_what_was_asked_until_all_is_to_be_asked_again(
    store: Store,
) -> None:
    store.analytics.replace(ORG, [hour(0, spent())], NOON, asked=Asked(T0, T0 + HOUR, NOON))
    store.analytics.note_asked(ORG, Asked(T0 + HOUR, T0 + 2 * HOUR, NOON), "analytics_usage")
    store.analytics.note_asked("another", Asked(T0, T0 + HOUR, NOON), "analytics_usage")
    assert list(store.analytics.asked(ORG, T0, T0 + DAY)) == [T0]
    assert list(store.analytics.asked(ORG, T0, T0 + DAY, "analytics_usage")) == [T0 + HOUR]
    store.analytics.ask_again(ORG)
    for source in ("analytics_cost", "analytics_usage"):
        assert store.analytics.asked(ORG, T0, T0 + DAY, source) == {}
    assert list(store.analytics.asked("another", T0, T0 + DAY, "analytics_usage")) == [T0]
    assert contents(store)[T0] == told(spent())


def test_an_hour_held_back_keeps_its_rows_and_when_they_were_last_believed(store: Store) -> None:
    store.analytics.replace(ORG, [hour(0, spent()), hour(1, spent())], NOON)
    store.analytics.replace(ORG, [hour(1, spent())], NOON + HOUR, held_back=[T0])
    assert contents(store)[T0] == told(spent())
    assert [state.observed_at for state in store.analytics.observed(ORG, T0, T0 + DAY).values()] == [NOON, NOON + HOUR]
    (held,) = store.analytics.held(ORG)
    assert (held.bucket, held.since) == (T0, NOON + HOUR)
    store.analytics.replace(ORG, [hour(0)], NOON + 2 * HOUR)
    assert (contents(store)[T0], store.analytics.held(ORG)) == ({}, ())


def test_organizations_do_not_see_or_replace_each_other(store: Store) -> None:
    store.analytics.replace("one", [hour(0, spent("a", 1))], NOON)
    store.analytics.replace("two", [hour(0, spent("a", 2), spent("b", 2))], NOON)
    store.analytics.replace("two", [hour(0, spent("b", 3))], NOON + HOUR)
    assert contents(store, "one") == {T0: told(spent("a", 1))}
    assert contents(store, "two") == {T0: told(spent("b", 3))}
    assert (len(store.analytics.read("three", T0, T0 + DAY)), store.analytics.observed("three", T0, T0 + DAY)) == (
        0,
        {},
    )


def test_a_reading_that_cannot_be_stored_whole_leaves_nothing(store: Store) -> None:
    store.analytics.replace(ORG, [hour(0, spent("a", 1))], NOON)
    with pytest.raises((StoreError, OverflowError)):
        store.analytics.replace(ORG, [hour(0, spent("new", 9)), hour(1, spent("new", 2**70))], NOON + HOUR)
    assert contents(store) == {T0: told(spent("a", 1))}
    store.analytics.replace(ORG, [hour(1, spent("new", 5))], NOON + HOUR)
    assert contents(store)[T0 + HOUR] == told(spent("new", 5))


def test_readings_that_find_nothing_new_do_not_grow_the_database(store: Store) -> None:
    hours = [hour(number, spent()) for number in range(48)]
    for reading in range(30):
        at = NOON + reading * HOUR
        store.analytics.replace(ORG, hours, at, asked=Asked(T0, T0 + 48 * HOUR, at))
    with store.database.reading() as connection:
        tables = ("analytics_blocks", "analytics_buckets", "analytics_readings", "revisions", "series")
        sizes = [connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() for table in tables]
    assert sizes == [48, 48, 1, 0, 1]


def test_retention_removes_old_hours_and_keeps_the_series_that_only_analytics_use(store: Store) -> None:
    store.usage.replace(ORG, [bucket(0, row("key_u"))], NOON)
    hours = [hour(24 * day, spent(f"key_{day}")) for day in range(5)]
    store.analytics.replace(ORG, hours, T0 + 5 * DAY, asked=Asked(T0, T0 + 5 * DAY, T0 + 5 * DAY))
    assert store.prune(T0 + 3 * DAY) > 0
    columns = store.analytics.read(ORG, T0, T0 + 9 * DAY)
    assert [columns.keys[which].api_key for which in columns.series] == ["key_3", "key_4"]
    assert {key.api_key for key in columns.keys} == {"key_3", "key_4"}
    assert store.analytics.span(ORG) == (T0 + 3 * DAY, T0 + 4 * DAY + HOUR)
    store.analytics.replace(ORG, [hour(98, spent("key_0", 1))], T0 + 6 * DAY)
    store.usage.replace(ORG, [bucket(99, row("key_u", 3))], T0 + 6 * DAY)
    assert store.usage.read(ORG, T0 + 99 * HOUR, T0 + 100 * HOUR).output.tolist() == [3]
    assert contents(store)[T0 + 98 * HOUR] == told(spent("key_0", 1))
    assert store.prune(T0 + 400 * DAY) > 0
    assert (store.analytics.span(ORG), store.analytics.asked(ORG, T0, T0 + 9 * DAY)) == (None, {})


READINGS = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.lists(st.lists(st.tuples(st.sampled_from("abc"), st.integers(-2, 3)), max_size=3), min_size=1, max_size=4),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(readings=READINGS)
def test_each_hour_holds_exactly_what_its_last_reading_said_and_for_how_long_it_has(
    readings: list[tuple[int, list[list[tuple[str, int]]]]], store: Store
) -> None:
    organization = uuid.uuid4().hex
    expected: dict[datetime, dict[tuple[str, ...], tuple[int, ...]]] = {}
    runs: dict[datetime, tuple[datetime, datetime, int]] = {}
    for number, (start, hours) in enumerate(readings):
        at = NOON + number * HOUR
        reading = [hour(start + n, *(spent(k, o) for k, o in dict(rows).items())) for n, rows in enumerate(hours)]
        new = {each.starting_at: told(*each.rows) for each in reading}
        changed = {each for each, rows in new.items() if expected.get(each) != rows}
        assert store.analytics.replace(organization, reading, at) == changed
        runs |= {each: (at, at, 1) if each in changed else (at, runs[each][1], runs[each][2] + 1) for each in new}
        expected |= new
    assert contents(store, organization) == expected
    observed = store.analytics.observed(organization, T0, T0 + 99 * HOUR)
    assert {each: state[:3] for each, state in observed.items()} == runs
    amounts = {each: sum(map(sum, rows.values())) for each, rows in expected.items()}
    assert {each: state.amount for each, state in observed.items()} == amounts
