"""What analytics tell goes into the store as what it is, and what they leave out is not taken for nothing."""

import random
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.model import CONSOLE, DEFAULT_WORKSPACE, UNATTRIBUTED, SourceState
from tests.watcher.store.samples import DAY, HOUR, ORG, T0, api_key, row
from tests.watcher.store.scripted import NOT_OFFERED, UNAVAILABLE, PollSettings, ScriptedReader
from watcher.admin_api.answers_analytics import AnalyticsCostRow, AnalyticsUsageRow
from watcher.admin_api.errors import BadRequest, BrokenPaging, Malformed
from watcher.ingest import Ingested, Plan, ingest
from watcher.ingest.analytics_lanes import Lanes
from watcher.ingest.windows import Hours
from watcher.store import AnalyticsRow, Store

NOW = T0 + 5 * DAY + 10.5 * HOUR
MINUTE = timedelta(minutes=1)
NOON = T0 + 2 * DAY + 12 * HOUR
REAL = "wrkspc_real"
SETTINGS = PollSettings(backfill=timedelta(days=5))


def cost(
    hour: datetime,
    amount: int = 100,
    *,
    key: str | None = "key_a",
    workspace: str | None = "ws_1",
    model: str | None = "claude-m",
    kind: tuple[str | None, str | None] = ("tokens", "output_tokens"),
) -> AnalyticsCostRow:
    return AnalyticsCostRow(hour, hour + HOUR, key, workspace, model, "standard", "0-200k", *kind, amount, None, None)


def used(hour: datetime, output: int = 10, workspace: str | None = "ws_1") -> AnalyticsUsageRow:
    return AnalyticsUsageRow(
        hour, hour + HOUR, "key_a", workspace, "claude-m", "standard", "0-200k", 1, 2, 3, 4, output, 0, None
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/w.db") as opened:
        yield opened


@pytest.fixture
def reader() -> ScriptedReader:
    """An organization that has analytics, and uses something at every hour that is told by now."""
    told = until(NOW - 3 * HOUR, lambda hour: (cost(hour),))
    return ScriptedReader(told_cost=told, workspace_ids=["ws_1"])


def until(
    end: datetime, tell: Callable[[datetime], tuple[AnalyticsCostRow, ...]]
) -> Callable[[datetime], tuple[AnalyticsCostRow, ...]]:
    return lambda hour: tell(hour) if hour + HOUR <= end else ()


def poll(reader: ScriptedReader, store: Store, now: datetime = NOW) -> Ingested:
    return ingest(reader, store, ORG, now, Plan.everything(store, ORG, now, SETTINGS))


def told_anew(reader: ScriptedReader, store: Store, now: datetime) -> set[datetime]:
    """What a poll changed of the hours that analytics can tell of: usage, in these tests, is of the open hour alone."""
    return {hour for hour in poll(reader, store, now).changed_hours if hour <= NOW - HOUR}


def state(store: Store, source: str = "analytics_cost") -> SourceState:
    return store.sources.get(ORG, source)


def rows_of(store: Store, hour: datetime) -> set[AnalyticsRow]:
    columns = store.analytics.read(ORG, hour, hour + HOUR)
    amounts = zip(
        columns.uncached_input,
        columns.cache_read,
        columns.cache_write_5m,
        columns.cache_write_1h,
        columns.output,
        columns.web_searches,
        columns.other,
        strict=True,
    )
    return {
        AnalyticsRow(*columns.keys[which][:5], *map(int, values))
        for which, values in zip(columns.series, amounts, strict=True)
    }


# ---------------------------------------------------------------------------------------------- rows


def test_each_kind_of_cost_lands_where_it_belongs(reader: ScriptedReader, store: Store) -> None:
    kinds = {
        "uncached_input_tokens": 1,
        "cache_read_input_tokens": 2,
        "cache_creation.ephemeral_5m_input_tokens": 4,
        "cache_creation.ephemeral_1h_input_tokens": 8,
        "output_tokens": 16,
    }
    told = [
        *(cost(NOON, amount, kind=("tokens", kind)) for kind, amount in kinds.items()),
        cost(NOON, 32, kind=("web_search", None)),
        cost(NOON, 64, kind=("tokens", "tokens_of_tomorrow")),
        cost(NOON, 128, kind=(None, None)),
        cost(NOON, 3, key=None),
        cost(NOON, 5, key=None, model=None, kind=("code_execution", None)),
        cost(NOON, 6, model=None, kind=("session_usage", None)),
        cost(NOON, 0, key="key_free"),
    ]
    reader.told_cost = lambda hour: tuple(told) if hour == NOON else ()
    assert NOON in poll(reader, store).changed_hours
    about = ("standard", "0-200k")
    assert rows_of(store, NOON) == {
        AnalyticsRow("ws_1", "key_a", "claude-m", *about, 1, 2, 4, 8, 16, 32, 64 + 128),
        AnalyticsRow("ws_1", CONSOLE, "claude-m", *about, output=3),
        AnalyticsRow("ws_1", UNATTRIBUTED, UNATTRIBUTED, *about, other=5),
        AnalyticsRow("ws_1", "key_a", UNATTRIBUTED, *about, other=6),
    }


# ---------------------------------------------------------------------------------------------- what was told


def test_an_hour_without_rows_is_free_a_day_after_its_end_and_until_then_not_known(
    reader: ScriptedReader, store: Store
) -> None:
    reader.told_cost = lambda _hour: ()
    poll(reader, store)
    assert store.analytics.span(ORG) == (T0, NOW - 24.5 * HOUR)
    assert store.analytics.observed(ORG, T0, NOW)[NOON].row_count == 0
    assert state(store).watermark == NOW - 24.5 * HOUR


def test_the_age_of_the_data_decides_and_not_the_clock_where_the_answer_tells_it(
    reader: ScriptedReader, store: Store
) -> None:
    reader.told_cost, reader.refreshed_at = (lambda _hour: ()), NOW - 20 * HOUR
    poll(reader, store)
    assert store.analytics.span(ORG) == (T0, NOW - 44.5 * HOUR)
    assert store.analytics.observed(ORG, T0, NOW)[T0].observed_at == NOW - 20 * HOUR
    reader.refreshed_at = NOW + 9 * DAY
    poll(reader, store, NOW + MINUTE)
    assert store.analytics.observed(ORG, T0, NOW)[NOW - 45.5 * HOUR].observed_at == NOW + MINUTE


def test_two_readings_of_the_same_data_are_one_and_older_data_never_replace_newer(
    reader: ScriptedReader, store: Store
) -> None:
    reader.refreshed_at = NOW - HOUR
    poll(reader, store)
    poll(reader, store, NOW + 5 * MINUTE)
    assert store.analytics.observed(ORG, T0, NOW)[NOW - 10.5 * HOUR].readings == 1
    reader.refreshed_at, reader.told_cost = NOW - 2 * HOUR, lambda hour: (cost(hour, 1),)
    recent = poll(reader, store, NOW + 10 * MINUTE).changed_hours
    assert not {hour for hour in recent if hour + HOUR <= NOW - 3 * HOUR}, "none that was told from newer data"
    reader.refreshed_at = NOW + 10 * MINUTE
    assert NOW - 10.5 * HOUR in poll(reader, store, NOW + 15 * MINUTE).changed_hours


def test_the_watermark_is_the_end_of_the_unbroken_run_of_told_hours(reader: ScriptedReader, store: Store) -> None:
    late = NOW - 9.5 * HOUR
    reader.told_cost = until(NOW - 3 * HOUR, lambda hour: () if hour == late else (cost(hour),))
    poll(reader, store)
    assert state(store).watermark == late
    assert store.analytics.span(ORG) == (T0, NOW - 3.5 * HOUR)
    reader.told_cost = until(NOW - 3 * HOUR, lambda hour: (cost(hour),))
    assert late in poll(reader, store, NOW + HOUR).changed_hours
    assert state(store).watermark == NOW - 3.5 * HOUR


def test_a_restatement_replaces_the_hour_and_is_recorded(reader: ScriptedReader, store: Store) -> None:
    poll(reader, store)
    hour = NOW - 20.5 * HOUR
    reader.told_cost = until(NOW - 3 * HOUR, lambda each: (cost(each, 90 if each == hour else 100),))
    assert told_anew(reader, store, NOW + HOUR) == {hour}
    (revision,) = store.analytics.revisions(ORG, T0)
    assert (revision.bucket, revision.before, revision.after, revision.observed_at) == (hour, 100, 90, NOW + HOUR)


LATEST = [NOW - (n + 0.5) * HOUR for n in range(1, 9)]
STATES = st.lists(st.dictionaries(st.sampled_from(LATEST), st.integers(1, 3), max_size=6), min_size=1, max_size=5)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(states=STATES, repeats=st.lists(st.integers(1, 2), min_size=5, max_size=5), seed=st.integers(0, 99))
def test_what_is_stored_in_the_end_does_not_depend_on_how_often_or_in_which_order_answers_came(
    states: list[dict[datetime, int]], repeats: list[int], seed: int, tmp_path: Path
) -> None:
    """Answers of older data may come after those of newer ones, as from caches that lag."""
    plan = Plan(analytics={"analytics_cost": Lanes(recent=(Hours(LATEST[-1], NOW - 0.5 * HOUR),))})
    known: dict[datetime, int] = {}
    refreshed = []
    for number, state in enumerate(states):
        known |= state
        refreshed.append((NOW + number * MINUTE, dict(known)))
    order = [each for each, times in zip(refreshed, repeats, strict=False) for _ in range(times)]
    random.Random(seed).shuffle(order)
    found = []
    for name, answers in (("once", [refreshed[-1]]), ("often", order)):
        with Store.open(f"sqlite:///{tmp_path}/{name}-{uuid.uuid4().hex}.db") as opened:
            for number, (at, amounts) in enumerate(answers):
                told = {hour: (cost(hour, amount),) for hour, amount in amounts.items()}
                reader = ScriptedReader(told_cost=lambda hour, told=told: told.get(hour, ()), refreshed_at=at)  # type: ignore[misc]
                ingest(reader, opened, ORG, NOW + HOUR + number * MINUTE, plan)
            found.append({hour: rows_of(opened, hour) for hour in opened.analytics.observed(ORG, T0, NOW)})
    assert found[0] == found[1]


# ---------------------------------------------------------------------------------------------- belief


def test_hours_that_come_back_empty_are_held_until_they_are_told_again_or_it_was_said_for_three_days(
    reader: ScriptedReader, store: Store
) -> None:
    poll(reader, store)
    recent, old = NOW - 8.5 * HOUR, NOW - 40.5 * HOUR
    gone = {recent, old}
    reader.told_cost = until(NOW - 3 * HOUR, lambda hour: () if hour in gone else (cost(hour),))
    assert told_anew(reader, store, NOW + HOUR) == set()
    assert {held.bucket for held in store.analytics.held(ORG)} == gone
    assert state(store).stalled_since == NOW + HOUR
    assert rows_of(store, old)
    gone.discard(recent)
    assert told_anew(reader, store, NOW + 2 * HOUR) == set()
    assert {held.bucket for held in store.analytics.held(ORG)} == {old}
    assert poll(reader, store, NOW + HOUR + 3 * DAY).changed_hours >= {old}
    assert (rows_of(store, old), store.analytics.held(ORG)) == (set(), ())
    assert state(store).stalled_since is None


# ---------------------------------------------------------------------------------------------- offered or not


def test_analytics_that_are_not_there_are_absent_and_asked_for_once_a_day(reader: ScriptedReader, store: Store) -> None:
    reader.told_cost = None
    ingest(reader, store, ORG, NOW, Plan.due(store, ORG, NOW, SETTINGS))
    assert (state(store).offered, state(store).failing_since) == (False, None)
    for minutes in range(5, 23 * 60, 60):
        at = NOW + minutes * MINUTE
        ingest(reader, store, ORG, at, Plan.due(store, ORG, at, SETTINGS))
    assert [call for call in reader.calls if "analytics" in str(call[0])] == [reader.calls_of("analytics_cost")[0]]
    reader.told_cost = lambda hour: (cost(hour),)
    ingest(reader, store, ORG, NOW + DAY, Plan.due(store, ORG, NOW + DAY, SETTINGS))
    assert state(store).offered
    assert store.analytics.span(ORG) is not None


def test_a_first_question_that_is_refused_as_asked_means_that_there_are_none(
    reader: ScriptedReader, store: Store
) -> None:
    refusal = BadRequest("/v1/x", 400, None, "unknown beta")
    reader.failing = {"analytics_cost": refusal}
    assert poll(reader, store).failures == {}
    assert (state(store).offered, len(reader.calls_of("analytics_cost"))) == (False, 1)
    reader.failing = {}
    poll(reader, store, NOW + DAY)
    reader.failing = {"analytics_cost": refusal}
    assert poll(reader, store, NOW + DAY + HOUR).failures == {"analytics_cost": str(refusal)}


def test_analytics_that_were_there_and_are_gone_fail_until_they_are_back(reader: ScriptedReader, store: Store) -> None:
    poll(reader, store)
    reader.failing = {"analytics_cost": NOT_OFFERED}
    assert poll(reader, store, NOW + HOUR).failures == {}
    assert (state(store).offered, state(store).failing_since) == (False, NOW + HOUR)
    assert Plan.due(store, ORG, NOW + HOUR + 5 * MINUTE, SETTINGS).analytics.keys() == {"analytics_usage"}
    assert "analytics_cost" in Plan.due(store, ORG, NOW + 2 * HOUR, SETTINGS).analytics
    reader.failing = {}
    poll(reader, store, NOW + 2 * HOUR)
    assert (state(store).offered, state(store).failing_since) == (True, None)


def test_what_a_failure_left_unread_is_read_by_the_next_poll(reader: ScriptedReader, store: Store) -> None:
    def fails_before_the_fourth(hour: datetime) -> tuple[AnalyticsCostRow, ...]:
        if hour < T0 + 3 * DAY:
            raise UNAVAILABLE
        return (cost(hour),)

    reader.told_cost = fails_before_the_fourth
    assert list(poll(reader, store).failures) == ["analytics_cost"]
    span = store.analytics.span(ORG)
    assert span is not None
    assert span[0] >= T0 + 3 * DAY
    reader.told_cost = lambda hour: (cost(hour),)
    at = NOW + 5 * MINUTE
    ingest(reader, store, ORG, at, Plan.due(store, ORG, at, SETTINGS))
    assert store.analytics.span(ORG) == (T0, NOW - 0.5 * HOUR)


# ---------------------------------------------------------------------------------------------- default workspace


def workspaces(store: Store) -> set[str]:
    columns = store.analytics.read(ORG, T0, NOW)
    return {columns.keys[which].workspace for which in columns.series}


def test_the_one_id_that_no_listing_holds_is_the_default_workspaces(reader: ScriptedReader, store: Store) -> None:
    reader.told_cost = lambda hour: (cost(hour), cost(hour, workspace=REAL), cost(hour, workspace=None))
    poll(reader, store)
    assert workspaces(store) == {"ws_1", DEFAULT_WORKSPACE}
    assert {each.output for each in rows_of(store, NOON) if each.workspace == DEFAULT_WORKSPACE} == {200}


def test_a_workspace_that_is_newer_than_the_listing_is_not_taken_for_the_default_one(
    reader: ScriptedReader, store: Store
) -> None:
    reader.told_cost = lambda hour: (cost(hour), cost(hour, workspace=REAL)) if hour < NOON else (cost(hour),)
    poll(reader, store)
    reader.failing = {"workspaces": UNAVAILABLE}
    reader.told_cost = lambda hour: (cost(hour, workspace="ws_new"), cost(hour, workspace=REAL))
    poll(reader, store, NOW + 5 * HOUR)
    assert "ws_new" in workspaces(store) | {each.workspace for each in rows_of(store, NOW + 2.5 * HOUR)}
    assert DEFAULT_WORKSPACE in workspaces(store)
    assert REAL not in workspaces(store)


def test_of_several_unknown_ids_the_one_of_a_key_that_lives_in_the_default_workspace_is_its(
    reader: ScriptedReader, store: Store
) -> None:
    reader.keys = [api_key("key_home", workspace=None), api_key("key_a")]
    reader.told_cost = lambda hour: (
        cost(hour, workspace="ws_odd"),
        cost(hour, key="key_home", workspace=REAL),
    )
    poll(reader, store)
    assert workspaces(store) == {"ws_odd", DEFAULT_WORKSPACE}


def test_while_it_is_not_certain_ids_stay_and_once_it_is_all_is_read_anew(reader: ScriptedReader, store: Store) -> None:
    reader.failing = {"workspaces": UNAVAILABLE}
    reader.told_cost = lambda hour: (cost(hour), cost(hour, workspace=REAL))
    poll(reader, store)
    assert workspaces(store) == {"ws_1", REAL}
    reader.failing = {}
    for minutes in (5, 10):
        at = NOW + minutes * MINUTE
        poll(reader, store, at)
    assert workspaces(store) == {"ws_1", DEFAULT_WORKSPACE}


def test_where_workspaces_are_not_offered_ids_stay_as_they_are(reader: ScriptedReader, store: Store) -> None:
    reader.failing = {"workspaces": NOT_OFFERED}
    reader.told_cost = lambda hour: (cost(hour), cost(hour, workspace=REAL))
    poll(reader, store)
    poll(reader, store, NOW + HOUR)
    assert workspaces(store) == {"ws_1", REAL}


# ---------------------------------------------------------------------------------------------- usage


def test_usage_of_analytics_is_read_only_where_the_usage_report_is_not_offered(
    reader: ScriptedReader, store: Store
) -> None:
    reader.usage_of, reader.told_usage = (lambda _hour: (row(),)), lambda hour: (used(hour),)
    poll(reader, store)
    assert reader.calls_of("analytics_usage") == []
    assert state(store, "analytics_usage") == SourceState("analytics_usage")


def test_usage_of_analytics_stands_in_for_the_usage_report_and_gives_way_to_it(
    reader: ScriptedReader, store: Store
) -> None:
    reader.failing = {"usage": NOT_OFFERED}
    reader.told_usage = lambda hour: (used(hour), used(hour, 5, REAL)) if hour + HOUR <= NOW - 3 * HOUR else ()
    poll(reader, store)
    (hour,) = store.usage.buckets(ORG, NOON, NOON + HOUR)
    assert {(each.workspace_id, each.output, each.inference_geo) for each in hour.rows} == {
        ("ws_1", 10, None),
        (None, 5, None),
    }
    assert set(hour.grouped_by) == {"api_key_id", "workspace_id", "model", "service_tier", "context_window"}
    assert state(store, "analytics_usage").watermark == NOW - 4.5 * HOUR, "four hours are awaited"
    assert max(store.usage.observed(ORG, T0, NOW)) == NOW - 4.5 * HOUR, "what is not told is not known"
    assert store.sources.get(ORG, "usage").offered is False
    reader.failing, reader.usage_of = {}, lambda _hour: (row(),)
    calls = len(reader.calls_of("analytics_usage"))
    poll(reader, store, NOW + DAY)
    assert len(reader.calls_of("analytics_usage")) == calls
    assert state(store, "analytics_usage") == SourceState("analytics_usage")


def test_hours_that_the_usage_report_told_completely_keep_their_finer_rows(
    reader: ScriptedReader, store: Store
) -> None:
    reader.usage_of = lambda _hour: (row(),)
    poll(reader, store)
    reader.failing, reader.told_usage = {"usage": NOT_OFFERED}, lambda hour: (used(hour, 77),)
    changed = poll(reader, store, NOW + 12 * HOUR).changed_hours
    assert NOON not in changed
    assert NOW - 2.5 * HOUR in changed
    assert state(store, "analytics_usage").watermark == NOW + 7.5 * HOUR


def test_the_history_of_a_key_that_reads_analytics_alone_is_told_by_the_day(
    reader: ScriptedReader, store: Store
) -> None:
    reader.failing, reader.told_usage = {"usage": NOT_OFFERED}, lambda hour: (used(hour),)
    told: list[tuple[int, int]] = []
    plan = Plan.everything(store, ORG, NOW, SETTINGS)
    ingest(reader, store, ORG, NOW, plan, lambda *progress: told.append(progress))
    assert told[-1] == (3, 3)


# ---------------------------------------------------------------------------------------------- what cannot be read


def test_an_hour_that_cannot_be_read_keeps_back_itself_alone(reader: ScriptedReader, store: Store) -> None:
    unreadable = Malformed("/v1/cost", 200, None, "data[4].cost.currency: EUR")
    bad = NOW - 20.5 * HOUR

    def tell(hour: datetime) -> tuple[AnalyticsCostRow, ...]:
        if hour == bad:
            raise unreadable
        return (cost(hour),)

    reader.told_cost = until(NOW - 3 * HOUR, tell)
    assert f"asked for {bad:%Y-%m-%d %H:%M} to" in poll(reader, store).failures["analytics_cost"]
    told = {hour for hour, known in store.analytics.observed(ORG, T0, NOW).items() if known.row_count}
    assert told == {T0 + n * HOUR for n in range((NOW - 3.5 * HOUR - T0) // HOUR)} - {bad}
    assert state(store).watermark == bad


def test_pages_that_lead_nowhere_are_no_sign_of_a_report_that_is_not_offered(
    reader: ScriptedReader, store: Store
) -> None:
    reader.failing["analytics_cost"] = BrokenPaging("/v1/cost", 400, None, "a page was refused")
    assert set(poll(reader, store).failures) == {"analytics_cost"}
    assert state(store).offered is not False
    assert len(reader.calls_of("analytics_cost")) == 1
