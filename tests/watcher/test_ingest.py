import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.model import SourceState
from tests.watcher.store.samples import DAY, HOUR, ORG, T0, api_key, cost_row, row
from tests.watcher.store.scripted import NOT_OFFERED, UNAVAILABLE, PollSettings, ScriptedReader
from watcher.admin_api.answers import CostRow, UsageRow
from watcher.admin_api.errors import AdminApiError, BadRequest, BrokenPaging, Malformed, NotAuthenticated, RateLimited
from watcher.ingest import (
    SOURCES,
    UNNAMED,
    Ingested,
    OtherOrganization,
    Plan,
    SameOrganization,
    ingest,
    organization_of,
)
from watcher.ingest.windows import Hours
from watcher.store import Bound, Refusal, Store

NOW = T0 + 3 * DAY + 10.5 * HOUR
SETTINGS = PollSettings()
MINUTE = timedelta(minutes=1)
ASKED = tuple(source for source in SOURCES if source != "analytics_usage")
"""The sources of an organization that has them all: usage comes from the usage report."""


def steady(hour: datetime) -> tuple[UsageRow, ...]:
    return (row("key_a", 10 + hour.hour), row(None, 5))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/w.db") as opened:
        yield opened


@pytest.fixture
def reader() -> ScriptedReader:
    return ScriptedReader(steady, lambda day: (cost_row(day.day * 1000),), keys=[api_key()], workspace_ids=["ws_1"])


def poll(reader: ScriptedReader, store: Store, now: datetime = NOW, organization: str = ORG) -> Ingested:
    return ingest(reader, store, organization, now, Plan.everything(store, organization, now, SETTINGS))


def contents(store: Store, organization: str = ORG) -> dict[datetime, Counter[UsageRow]]:
    buckets = store.usage.buckets(organization, T0 - 9 * DAY, NOW + 9 * DAY)
    return {bucket.starting_at: Counter(bucket.rows) for bucket in buckets}


def everything_in(store: Store) -> dict[str, list[object]]:
    """Every row of every table that says something about the organization, without when it was last looked at."""
    queries = {
        "usage": "SELECT * FROM usage_blocks ORDER BY 1, 2",
        "buckets": "SELECT hour, digest, changed_at, revision FROM usage_buckets ORDER BY 1",
        "days": "SELECT day, digest, unchanged_since_at, revision FROM cost_days ORDER BY 1",
        "costs": "SELECT * FROM cost_blocks ORDER BY 2",
        "directory": "SELECT kind, id, name, status, payload FROM directory ORDER BY 1, 2",
        "changes": "SELECT * FROM directory_changes",
        "lookups": "SELECT * FROM lookups",
        "revisions": "SELECT * FROM revisions",
        "held": "SELECT * FROM held_buckets",
        "readings": "SELECT count(*) > 3 FROM usage_readings",
    }
    with store.database.reading() as connection:
        return {name: [tuple(each) for each in connection.exec_driver_sql(sql)] for name, sql in queries.items()}


def state(store: Store, source: str = "usage") -> SourceState:
    return store.sources.get(ORG, source)


def test_the_first_poll_fills_everything_and_tells_how_far_it_is(reader: ScriptedReader, store: Store) -> None:
    told: list[tuple[int, int]] = []
    plan = Plan.everything(store, ORG, NOW, SETTINGS)
    done = ingest(reader, store, ORG, NOW, plan, lambda *progress: told.append(progress))
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
    hours = {T0 + n * HOUR for n in range(3 * 24 + 11)}
    assert done.changed_hours == hours
    assert set(contents(store)) == hours
    assert len(done.changed_days) == 8
    assert done.attempted == ASKED
    assert done.failures == {}
    assert state(store).watermark == T0 + 3 * DAY + 10 * HOUR
    assert state(store, "cost").watermark == T0 + 3 * DAY
    assert store.directory.names(ORG).of("key_a") == "batch"
    assert store.directory.organization_name(ORG) == "Acme"


def test_the_same_poll_twenty_times_changes_nothing(reader: ScriptedReader, store: Store) -> None:
    poll(reader, store)
    before = everything_in(store)
    for _ in range(20):
        again = poll(reader, store)
        assert (again.changed_hours, again.changed_days) == (frozenset(), frozenset())
    assert everything_in(store) == before


def test_a_late_a_changed_and_a_vanished_row_end_up_right(reader: ScriptedReader, store: Store) -> None:
    poll(reader, store)
    last = T0 + 3 * DAY + 9 * HOUR
    reader.usage_of = lambda hour: (row("key_a", 99), row("late", 1)) if hour == last else steady(hour)
    assert poll(reader, store, NOW + 5 * MINUTE).changed_hours == {last}
    assert contents(store)[last] == Counter([row("key_a", 99), row("late", 1)])


def test_an_unfinished_reading_changes_nothing_and_what_was_read_before_it_stays(
    reader: ScriptedReader, store: Store
) -> None:
    def breaks_on_the_second_day(hour: datetime) -> tuple[UsageRow, ...]:
        if hour >= T0 + DAY + 5 * HOUR:
            raise BrokenPaging("/v1/usage", 200, None, "a cursor came twice")
        return steady(hour)

    reader.usage_of = breaks_on_the_second_day
    done = poll(reader, store)
    assert set(contents(store)) == {T0 + n * HOUR for n in range(24)}
    assert list(done.failures) == ["usage"]
    assert state(store).watermark == T0 + DAY
    assert state(store).last_success_at is None
    reader.usage_of = steady
    poll(reader, store, NOW + 5 * MINUTE)
    assert len(contents(store)) == 3 * 24 + 11
    assert state(store).failing_since is None


FAILURES: list[tuple[str, AdminApiError]] = [
    *((source, UNAVAILABLE) for source in ASKED),
    ("usage", NotAuthenticated("/v1/x", 401, None, "who are you")),
    ("cost", RateLimited("/v1/x", 429, None, "slower")),
    ("api_keys", BrokenPaging("/v1/x", 200, None, "again")),
]


@pytest.mark.parametrize(("source", "error"), FAILURES)
def test_one_source_that_fails_does_not_stop_the_others_and_recovers(
    source: str, error: AdminApiError, reader: ScriptedReader, store: Store
) -> None:
    method = {"cost": "costs"}.get(source, source)
    reader.told_cost = lambda _hour: ()
    poll(reader, store, NOW - 2 * HOUR)
    reader.failing = {method: error}
    for minutes in (0, 5):
        assert dict(poll(reader, store, NOW + minutes * MINUTE).failures) == {source: str(error)}
    assert (state(store, source).failing_since, state(store, source).failure) == (NOW, str(error))
    assert all(state(store, other).last_success_at for other in ASKED if other != source)
    reader.failing = {}
    assert poll(reader, store, NOW + 10 * MINUTE).failures == {}
    assert (state(store, source).failing_since, state(store, source).failure) == (None, None)


def test_a_source_that_is_not_offered_is_absent_and_not_failed(reader: ScriptedReader, store: Store) -> None:
    reader.failing = {"claude_code": NOT_OFFERED}
    assert poll(reader, store).failures == {}
    found = state(store, "claude_code")
    assert (found.offered, found.failing_since, found.last_attempt_at) == (False, None, NOW)


def test_a_source_that_was_never_offered_stays_absent_through_an_outage(reader: ScriptedReader, store: Store) -> None:
    reader.failing = {"claude_code": NOT_OFFERED}
    poll(reader, store)
    reader.failing = {"claude_code": UNAVAILABLE}
    assert poll(reader, store, NOW + DAY).failures == {}
    found = state(store, "claude_code")
    assert (found.offered, found.failing_since, found.failure) == (False, None, None)
    assert found.last_attempt_at == NOW + DAY


def test_a_source_that_stops_being_offered_is_told_but_is_no_failure_of_the_poll(
    reader: ScriptedReader, store: Store
) -> None:
    poll(reader, store)
    reader.failing = {"costs": NOT_OFFERED}
    assert poll(reader, store, NOW + HOUR).failures == {}
    found = state(store, "cost")
    assert (found.offered, found.failing_since, found.last_success_at) == (False, NOW + HOUR, NOW)


def test_a_day_that_the_api_refuses_does_not_keep_the_others_away(reader: ScriptedReader, store: Store) -> None:
    refused = BadRequest("/v1/usage", 400, None, "too long ago")

    def usage_of(hour: datetime) -> tuple[UsageRow, ...]:
        if hour < T0 + DAY:
            raise refused
        return steady(hour)

    reader.usage_of = usage_of
    assert poll(reader, store).failures == {"usage": str(refused)}
    assert min(contents(store)) == T0 + DAY
    assert state(store).watermark == T0 + 3 * DAY + 10 * HOUR


@pytest.mark.parametrize("bad", [T0 + DAY + 7 * HOUR, T0 + 3 * DAY + 5 * HOUR], ids=["in the history", "of today"])
def test_an_hour_that_cannot_be_read_keeps_back_itself_alone_until_it_can(
    reader: ScriptedReader, store: Store, bad: datetime
) -> None:
    unreadable = Malformed("/v1/usage", 200, None, "data[7].results[0].output_tokens: -1")

    def usage_of(hour: datetime) -> tuple[UsageRow, ...]:
        if hour == bad:
            raise unreadable
        return steady(hour)

    reader.usage_of = usage_of
    place = f"asked for {bad:%Y-%m-%d %H:%M} to {bad + HOUR:%Y-%m-%d %H:%M} UTC: data[7].results[0].output_tokens: -1"
    assert place in poll(reader, store).failures["usage"]
    hours = {T0 + n * HOUR for n in range(3 * 24 + 11)}
    assert set(contents(store)) == hours - {bad}
    assert state(store).watermark == bad
    assert len(reader.calls_of("usage")) < 20
    reader.usage_of = steady
    assert poll(reader, store).failures == {}
    assert set(contents(store)) == hours
    assert state(store).watermark == T0 + 3 * DAY + 10 * HOUR


def test_a_day_of_the_bill_that_cannot_be_read_keeps_back_itself_alone(reader: ScriptedReader, store: Store) -> None:
    poll(reader, store)
    unreadable = Malformed("/v1/cost", 200, None, "data[1].results[0].currency: EUR")
    bad = (T0 + DAY).date()

    def cost_of(day: date) -> tuple[CostRow, ...]:
        if day == bad:
            raise unreadable
        return (cost_row(day.day * 1000),)

    reader.cost_of = cost_of
    later = NOW + 2 * HOUR
    assert f"asked for {bad} to {bad}: data[1].results[0].currency: EUR" in poll(reader, store, later).failures["cost"]
    days = store.costs.observed(ORG, T0.date() - 9 * DAY, later.date() + DAY)
    assert {day for day, known in days.items() if known.observed_at != later} == {bad}


def test_a_report_of_which_nothing_can_be_read_is_not_asked_for_bucket_by_bucket(
    reader: ScriptedReader, store: Store
) -> None:
    reader.failing["usage"] = Malformed("/v1/x", 200, None, "data: not a list")
    plan = Plan.everything(store, ORG, NOW, PollSettings(backfill=timedelta(days=90)))
    assert set(ingest(reader, store, ORG, NOW, plan).failures) == {"usage"}
    assert 20 < len(reader.calls_of("usage")) < 60
    assert contents(store) == {}


def test_an_organization_that_falls_silent_wipes_nothing(reader: ScriptedReader, store: Store) -> None:
    poll(reader, store)
    before = contents(store)
    reader.usage_of = lambda _hour: ()
    silent_since = NOW + HOUR
    for hours in range(1, 60, 4):
        done = poll(reader, store, NOW + hours * HOUR)
        assert not done.changed_hours & before.keys()
        assert state(store).stalled_since == silent_since
    assert {hour: rows for hour, rows in contents(store).items() if hour in before} == before
    reader.usage_of = steady
    poll(reader, store, NOW + 60 * HOUR)
    assert state(store).stalled_since is None
    assert store.usage.held(ORG) == ()


def test_an_emptiness_that_is_said_for_three_days_is_believed(reader: ScriptedReader, store: Store) -> None:
    poll(reader, store)
    last = T0 + 3 * DAY + 9 * HOUR
    reader.usage_of = lambda hour: () if hour >= last else steady(hour)
    for hours in (*range(1, 73, 6), 72):
        poll(reader, store, NOW + hours * HOUR)
        assert contents(store)[last] == Counter(steady(last))
    assert last in poll(reader, store, NOW + 73 * HOUR).changed_hours
    assert contents(store)[last] == Counter()
    assert state(store).stalled_since is None
    assert not poll(reader, store, NOW + 74 * HOUR).failures


def test_an_hour_that_is_revised_to_nothing_while_later_ones_are_used_is_believed(
    reader: ScriptedReader, store: Store
) -> None:
    poll(reader, store)
    revised = T0 + 3 * DAY + 8 * HOUR
    reader.usage_of = lambda hour: () if hour == revised else steady(hour)
    assert revised in poll(reader, store, NOW + HOUR).changed_hours
    assert contents(store)[revised] == Counter()
    assert state(store).stalled_since is None


def test_an_open_hour_that_shrinks_is_not_lowered_until_it_is_complete(reader: ScriptedReader, store: Store) -> None:
    hour = T0 + 3 * DAY + 10 * HOUR
    poll(reader, store)
    reader.usage_of = lambda at: (row("key_a", 3), row("grows", 70)) if at == hour else steady(at)
    done = poll(reader, store, NOW + 5 * MINUTE)
    assert done.shrunk_hours == 1
    assert contents(store)[hour] == Counter([row("key_a", 20), row(None, 5), row("grows", 70)])
    poll(reader, store, NOW + 10 * MINUTE)
    assert store.cursor.get("ingest.shrunk_hours", ORG) == "2"
    assert poll(reader, store, hour + HOUR + 20 * MINUTE).shrunk_hours == 0
    assert contents(store)[hour] == Counter([row("key_a", 3), row("grows", 70)])


def test_an_open_hour_that_comes_back_empty_counts_as_shrunk_and_keeps_what_it_had(
    reader: ScriptedReader, store: Store
) -> None:
    hour = T0 + 3 * DAY + 10 * HOUR
    poll(reader, store)
    reader.usage_of = lambda at: () if at == hour else steady(at)
    assert poll(reader, store, NOW + 5 * MINUTE).shrunk_hours == 1
    assert contents(store)[hour] == Counter(steady(hour))
    late = hour + HOUR + 30 * MINUTE
    reader.usage_of = lambda at: () if at >= hour else steady(at)
    poll(reader, store, late)
    assert contents(store)[hour] == Counter(steady(hour))
    assert state(store).watermark == hour, "an hour held back is not complete"
    reader.usage_of = steady
    poll(reader, store, late + 5 * MINUTE)
    assert state(store).watermark == hour + HOUR


def test_a_cost_day_that_comes_back_empty_is_held_back(reader: ScriptedReader, store: Store) -> None:
    def amounts() -> list[int]:
        return [day.amount for day in store.costs.read(ORG, T0.date(), NOW.date() + 2 * DAY)]

    poll(reader, store)
    assert amounts() == [2000, 3000, 4000, 5000]
    reader.cost_of = lambda _day: ()
    reader.today += DAY
    poll(reader, store, NOW + DAY)
    assert amounts() == [2000, 3000, 4000, 5000, 0]
    assert state(store, "cost").stalled_since == NOW + DAY
    reader.cost_of = lambda day: (cost_row(7),) if day.day == 3 else ()
    poll(reader, store, NOW + 2 * DAY)
    assert amounts() == [2000, 7, 4000, 5000, 0]
    poll(reader, store, NOW + 4 * DAY)
    assert amounts() == [0, 7, 0, 0, 0]
    assert state(store, "cost").stalled_since is None


def test_late_usage_makes_the_watermark_wait_longer(reader: ScriptedReader, store: Store) -> None:
    hour = T0 + 3 * DAY + 9 * HOUR
    reader.usage_of = lambda at: steady(at) if at < hour else ()
    poll(reader, store, NOW)
    reader.usage_of = steady
    late = NOW + 30 * MINUTE
    poll(reader, store, late)
    assert state(store).watermark == hour + HOUR, "what was complete stays so"
    ended = hour + 2 * HOUR
    poll(reader, store, ended + 50 * MINUTE)
    assert state(store).watermark == hour + HOUR
    poll(reader, store, ended + 61 * MINUTE)
    assert state(store).watermark == ended


def test_what_lies_before_the_back_fill_is_never_asked_for(reader: ScriptedReader, store: Store) -> None:
    poll(reader, store)
    for hours in range(1, 100, 7):
        reader.today = (NOW + hours * HOUR).date()
        poll(reader, store, NOW + hours * HOUR)
    starts = [call[1] for call in reader.calls if call[0] == "usage"]
    assert min(starts) == T0
    assert len(contents(store)) == 3 * 24 + 11 + 99


def test_the_organization_is_remembered_for_when_it_cannot_be_asked(reader: ScriptedReader, store: Store) -> None:
    reader.failing = {"organization": UNAVAILABLE}
    with pytest.raises(AdminApiError):
        organization_of(reader, store, NOW)
    with pytest.raises(AdminApiError):
        organization_of(reader, store, NOW + HOUR)
    assert store.organizations.refusal("") == Refusal(NOW, str(UNAVAILABLE))
    reader.failing = {}
    assert organization_of(reader, store, NOW) == ORG
    assert store.organizations.refusal("") is None
    reader.failing = {"organization": UNAVAILABLE}
    assert organization_of(reader, store, NOW) == ORG
    assert state(store, "organization").failing_since == NOW


def test_the_key_of_another_organization_is_refused(reader: ScriptedReader, store: Store) -> None:
    organization_of(reader, store, NOW)
    reader.organization_id = "org_2"
    with pytest.raises(OtherOrganization, match=r"holds the data of organization org_1, .* belongs to org_2"):
        organization_of(reader, store, NOW)
    with pytest.raises(OtherOrganization):
        poll(reader, store)
    assert contents(store) == {}


def test_an_organization_that_may_not_be_asked_for_has_a_stand_in(reader: ScriptedReader, store: Store) -> None:
    reader.failing = {"organization": NOT_OFFERED}
    assert organization_of(reader, store, NOW) == UNNAMED
    assert store.sources.get(UNNAMED, "organization").offered is False
    reader.failing = {}
    assert organization_of(reader, store, NOW) == UNNAMED
    assert store.directory.organization_name(UNNAMED) == "Acme"
    reader.organization_id = "org_2"
    with pytest.raises(OtherOrganization, match=r"holds the data of organization org_1, .* belongs to org_2"):
        organization_of(reader, store, NOW)


def test_a_name_stands_for_one_organization_and_no_two_for_the_same(reader: ScriptedReader, store: Store) -> None:
    names = ("east", "west")
    assert organization_of(reader, store, NOW, "east", names) == ORG
    with pytest.raises(SameOrganization, match=r'"east" and "west" of the configuration belong to the same .*org_1'):
        organization_of(reader, store, NOW, "west", names)
    reader.organization_id = "org_2"
    with pytest.raises(OtherOrganization, match=r'of organization org_1 under the name "east", .* belongs to org_2'):
        organization_of(reader, store, NOW, "east", names)
    assert organization_of(reader, store, NOW, "west", names) == "org_2"
    assert store.organizations.all() == (Bound("org_1", "east"), Bound("org_2", "west"))


def test_an_organization_takes_a_new_name_once_its_old_one_is_gone(reader: ScriptedReader, store: Store) -> None:
    assert organization_of(reader, store, NOW) == ORG
    assert organization_of(reader, store, NOW, "east", ("east", "west")) == ORG
    assert store.organizations.all() == (Bound(ORG, "east"),)
    reader.failing = {"organization": UNAVAILABLE}
    assert organization_of(reader, store, NOW, "east", ("east", "west")) == ORG


def test_organizations_that_do_not_tell_who_they_are_are_told_apart_by_name(
    reader: ScriptedReader, store: Store
) -> None:
    reader.failing = {"organization": NOT_OFFERED}
    found = [organization_of(reader, store, NOW, name, ("east", "west")) for name in ("east", "west")]
    assert len(set(found)) == 2
    assert all(each.startswith(UNNAMED) for each in found)
    reader.failing = {}
    assert organization_of(reader, store, NOW, "west", ("east", "west")) == found[1]


def test_the_only_organization_keeps_its_history_under_a_name_though_it_cannot_tell_who_it_is(
    reader: ScriptedReader, store: Store
) -> None:
    reader.failing = {"organization": NOT_OFFERED}
    assert organization_of(reader, store, NOW) == UNNAMED
    assert organization_of(reader, store, NOW, "east", ("east",)) == UNNAMED


PASSES = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30), st.booleans()), max_size=6)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(passes=PASSES, seed=st.integers(0, 3))
def test_the_end_is_the_same_whatever_was_read_before_in_whatever_order(
    passes: list[tuple[int, int, bool]], seed: int, store: Store
) -> None:
    def final(hour: datetime) -> tuple[UsageRow, ...]:
        return (row("key_a", (hour.hour * 7 + seed) % 5), *((row("key_b", 1),) if hour.hour % 3 else ()))

    def earlier(hour: datetime) -> tuple[UsageRow, ...]:
        return (row("key_c", hour.hour + seed), row("key_a", 1)) if hour.hour % 2 else ()

    worn = uuid.uuid4().hex
    for start, length, is_final in passes:
        window = Hours(T0 + start * HOUR, T0 + (start + length) * HOUR)
        reader = ScriptedReader(final if is_final else earlier)
        ingest(reader, store, worn, window.end + 30 * MINUTE, Plan(backfill=(window,)))
    fresh = uuid.uuid4().hex
    for organization in (worn, fresh):
        ingest(ScriptedReader(final), store, organization, NOW + DAY, Plan(backfill=(Hours(T0, T0 + 90 * HOUR),)))
    assert contents(store, worn) == contents(store, fresh)
