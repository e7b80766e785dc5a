"""Claude Code's days: which are read when, and which readings are believed."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.model import SourceState
from tests.watcher.store.samples import DAY, HOUR, ORG, claude_code_row
from tests.watcher.store.scripted import NOT_OFFERED, UNAVAILABLE, PollSettings, ScriptedReader
from watcher.admin_api.answers import ClaudeCodeRow
from watcher.admin_api.errors import AdminApiError, BadRequest
from watcher.ingest import Ingested, Plan, ingest
from watcher.ingest.claude_code import DAYS_A_POLL, days_due
from watcher.store import Store

NOW = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
TODAY = NOW.date()
FIRST = TODAY - 60 * DAY
MINUTE = timedelta(minutes=1)
SETTINGS = PollSettings(backfill=timedelta(days=30))


def ago(*days: int) -> list[date]:
    return [TODAY - number * DAY for number in days]


def read_at(moment: datetime) -> dict[date, datetime]:
    """Every day since the first one, read at this moment."""
    return {TODAY - number * DAY: moment for number in range(61)}


def test_an_empty_store_is_filled_a_few_days_at_a_poll_newest_first() -> None:
    assert days_due({}, FIRST, NOW) == ago(*range(8 + DAYS_A_POLL))
    assert days_due({}, FIRST, NOW, everything=True) == ago(*range(61))


@pytest.mark.parametrize(
    ("since", "due"),
    [
        (5 * MINUTE, []),
        (HOUR, ago(0, 1)),
        (DAY - HOUR, ago(0, 1)),
        (DAY, ago(*range(8))),
    ],
)
def test_today_and_yesterday_are_read_hourly_and_the_week_before_daily(since: timedelta, due: list[date]) -> None:
    assert days_due(read_at(NOW - since), FIRST, NOW) == due


def test_after_a_long_pause_days_that_may_have_grown_are_read_again() -> None:
    away = read_at(NOW - 20 * DAY)
    due = days_due(away, FIRST, NOW, everything=True)
    assert due == ago(*range(27)), "what was a week old when it was read stays"


def test_no_day_before_the_back_fill_is_read() -> None:
    assert days_due({}, TODAY - DAY, NOW) == ago(0, 1)


@given(hours=st.lists(st.integers(1, 40), min_size=20, max_size=40))
def test_whatever_the_pace_of_the_polls_every_day_is_read_a_week_after_it(hours: list[int]) -> None:
    asked: dict[date, datetime] = {}
    now = NOW
    for pause in hours:
        asked |= dict.fromkeys(days_due(asked, FIRST, now, everything=True), now)
        now += pause * HOUR
        for day in (FIRST, TODAY - 9 * DAY):
            assert asked[day] >= datetime.combine(day, datetime.min.time(), UTC) + 7 * DAY


# ------------------------------------------------------------------------------------------- readings


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/w.db") as opened:
        yield opened


def busy(day: date) -> tuple[ClaudeCodeRow, ...]:
    return (claude_code_row(day, sessions=day.day),)


def poll(reader: ScriptedReader, store: Store, now: datetime = NOW, **how: bool) -> Ingested:
    plan = Plan.due(store, ORG, now, SETTINGS, **how)
    return ingest(reader, store, ORG, now, Plan(claude_code=plan.claude_code))


def stored(store: Store) -> dict[date, int]:
    days = store.claude_code.read(ORG, FIRST, TODAY + 60 * DAY)
    return {day: sum(row.sessions for row in rows) for day, rows in days.items()}


def state(store: Store) -> SourceState:
    return store.sources.get(ORG, "claude_code")


def test_polls_fill_the_history_and_then_only_re_read_what_may_change(store: Store) -> None:
    reader = ScriptedReader(claude_code_of=busy)
    for number in range(6):
        poll(reader, store, NOW + 5 * number * MINUTE)
    assert set(stored(store)) == {TODAY - number * DAY for number in range(31)}
    assert len(reader.calls) == 31
    assert state(store).watermark == datetime(2026, 11, 20, tzinfo=UTC)
    assert poll(reader, store, NOW + 30 * MINUTE).attempted == ()


def test_a_day_that_grows_days_late_ends_up_right(store: Store) -> None:
    reader = ScriptedReader(claude_code_of=lambda _day: ())
    poll(reader, store)
    late = TODAY - 3 * DAY
    reader.claude_code_of = lambda day: busy(day) if day == late else ()
    poll(reader, store, NOW + DAY)
    assert stored(store)[late] == late.day


def test_a_day_that_comes_back_empty_is_not_believed_for_three_days(store: Store) -> None:
    reader = ScriptedReader(claude_code_of=busy)
    poll(reader, store)
    reader.claude_code_of = lambda _day: ()
    poll(reader, store, NOW + HOUR)
    assert stored(store)[TODAY] == TODAY.day
    assert state(store).stalled_since == NOW + HOUR
    assert [held.bucket for held in store.claude_code.held(ORG)] == ago(1, 0)
    asked = len(reader.calls)
    poll(reader, store, NOW + HOUR + 5 * MINUTE)
    assert len(reader.calls) == asked + DAYS_A_POLL, "a day that is held back keeps its pace"
    for hours in (30, 60, 72):
        poll(reader, store, NOW + hours * HOUR)
        assert stored(store)[TODAY] == TODAY.day
    poll(reader, store, NOW + 97 * HOUR)
    assert stored(store)[TODAY] == 0


def test_a_reading_that_is_sane_again_ends_the_doubt(store: Store) -> None:
    reader = ScriptedReader(claude_code_of=busy)
    poll(reader, store)
    reader.claude_code_of = lambda _day: ()
    poll(reader, store, NOW + HOUR)
    reader.claude_code_of = busy
    poll(reader, store, NOW + 2 * HOUR)
    assert (state(store).stalled_since, store.claude_code.held(ORG)) == (None, ())


def test_an_old_day_that_the_api_refuses_is_no_failure_and_is_not_asked_for_at_every_poll(store: Store) -> None:
    oldest = TODAY - 20 * DAY

    def since_it_began(day: date) -> tuple[ClaudeCodeRow, ...]:
        if day < oldest:
            raise BadRequest("/v1/x", 400, None, "starting_at: too long ago")
        return busy(day)

    reader = ScriptedReader(claude_code_of=since_it_began)
    for number in range(8):
        assert poll(reader, store, NOW + 5 * number * MINUTE).failures == {}
    assert min(stored(store)) == oldest
    assert len(reader.calls) == 31
    assert state(store).watermark == datetime(2026, 11, 20, tzinfo=UTC)


def test_a_recent_day_that_is_refused_is_told_and_keeps_no_other_away(store: Store) -> None:
    def but_one(day: date) -> tuple[ClaudeCodeRow, ...]:
        if day == TODAY - DAY:
            raise BadRequest("/v1/x", 400, None, "no")
        return busy(day)

    assert "claude_code" in poll(ScriptedReader(claude_code_of=but_one), store).failures
    assert set(stored(store)) == set(ago(0, *range(2, 13)))
    assert state(store).watermark == datetime(2026, 11, 19, tzinfo=UTC)


@pytest.mark.parametrize("error", [UNAVAILABLE, NOT_OFFERED])
def test_a_reading_that_fails_half_way_keeps_what_was_read_and_goes_on(store: Store, error: AdminApiError) -> None:
    def breaks(day: date) -> tuple[ClaudeCodeRow, ...]:
        if day < TODAY - 2 * DAY:
            raise error
        return busy(day)

    reader = ScriptedReader(claude_code_of=breaks)
    poll(reader, store)
    assert set(stored(store)) == set(ago(0, 1, 2))
    reader.claude_code_of = busy
    poll(reader, store, NOW + 5 * MINUTE, absent_too=True)
    assert set(stored(store)) == set(ago(*range(13)))
