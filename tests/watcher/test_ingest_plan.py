from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.model import SourceState
from tests.watcher.store.scripted import PollSettings
from watcher.ingest import SOURCES
from watcher.ingest.analytics_plan import Reached
from watcher.ingest.claude_code import DAYS_A_POLL
from watcher.ingest.plan import Days, Holdings, Plan
from watcher.ingest.windows import Hours

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
NOW = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
MIDNIGHT = NOW.replace(hour=0, minute=0)
LISTS = ("organization", "workspaces", "api_keys", "users", "invites")
BY_WORKSPACE = ("workspace_rate_limits", "workspace_members")
LIMITS = ("spend_limits", "effective_spend_limits", "rate_limits", *BY_WORKSPACE)
SETTINGS = PollSettings(backfill=timedelta(days=60))
FIRST = MIDNIGHT - 60 * DAY


def whole(at: datetime = NOW, *, sources_at: datetime | None = None) -> Holdings:
    """A store in which everything was read at `at`."""
    hours = {FIRST + n * HOUR: at for n in range(60 * 24 + 11)}
    days = {(FIRST + n * DAY).date(): at for n in range(61)}
    states = {name: SourceState(name, last_attempt_at=sources_at or at) for name in SOURCES}
    return Holdings(states, hours, hours, days, claude_code=days)


def test_an_empty_store_is_filled_from_the_oldest_day_on() -> None:
    plan = Plan.of(Holdings({}, {}, {}, {}), NOW, SETTINGS)
    assert plan.backfill[0] == Hours(FIRST, FIRST + DAY)
    assert [part.start for part in plan.backfill] == [FIRST + n * DAY for n in range(60)]
    assert plan.backfill[-1].end == NOW.replace(minute=0) - DAY
    assert plan.usage == Hours(NOW.replace(minute=0) - DAY, NOW.replace(minute=0) + HOUR)
    assert plan.costs == (
        Days(FIRST.date(), (MIDNIGHT - 30 * DAY).date()),
        Days((MIDNIGHT - 30 * DAY).date(), None),
    )
    assert plan.claude_code == tuple((MIDNIGHT - n * DAY).date() for n in range(8 + DAYS_A_POLL))
    assert plan.lists == (*LISTS, *LIMITS)


def test_cost_is_filled_in_parts_of_at_most_31_days() -> None:
    plan = Plan.of(Holdings({}, {}, {}, {}), NOW, PollSettings(backfill=timedelta(days=100)))
    first = (MIDNIGHT - 100 * DAY).date()
    parts = [*(Days(first + n * DAY, first + (n + 31) * DAY) for n in (0, 31))]
    assert list(plan.costs[:2]) == parts
    assert plan.costs[2:] == (Days(first + 62 * DAY, first + 70 * DAY), Days(first + 70 * DAY, None))


def test_nothing_is_due_just_after_a_poll() -> None:
    assert Plan.of(whole(), NOW + MINUTE, SETTINGS) == Plan()


def test_while_an_hour_reads_as_empty_every_usage_poll_reads_the_whole_trailing_window() -> None:
    hour = NOW.replace(minute=0)
    for empty, start in ((hour - 24 * HOUR, 24), (hour - 5 * HOUR, 24), (hour - 25 * HOUR, 3), (hour, 3)):
        plan = Plan.of(replace(whole(), empty=frozenset({empty})), NOW + 5 * MINUTE, SETTINGS)
        assert plan.usage == Hours(hour - start * HOUR, hour + HOUR)


def test_a_usage_poll_reads_the_open_hour_and_the_three_before() -> None:
    plan = Plan.of(whole(), NOW + 5 * MINUTE, SETTINGS)
    assert plan == Plan(
        usage=Hours(NOW.replace(minute=0) - 3 * HOUR, NOW.replace(minute=0) + HOUR), lists=(*LISTS, *BY_WORKSPACE)
    )


def test_limits_are_read_every_half_hour_or_hour() -> None:
    for minutes, due in ((25, ()), (30, LIMITS[:2]), (55, LIMITS[:2]), (60, LIMITS[:3])):
        lists = Plan.of(whole(), NOW + minutes * MINUTE, SETTINGS).lists
        assert lists == (*LISTS, *due, *BY_WORKSPACE)


def test_a_list_that_a_poll_was_cut_off_before_is_read_at_once() -> None:
    for unread in ("users", "invites"):
        held = whole()
        sources = {name: state for name, state in held.sources.items() if name != unread}
        assert Plan.of(replace(held, sources=sources), NOW, SETTINGS) == Plan(lists=(unread,))


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_that_was_never_offered_is_asked_once_a_day(source: str) -> None:
    held = replace(whole(NOW), claude_code={})
    absent = {**held.sources, source: SourceState(source, offered=False, last_attempt_at=NOW)}
    held = replace(held, analytics={"analytics_cost": Reached(), "analytics_usage": Reached()})

    def asked(at: datetime, **how: bool) -> bool:
        plan = Plan.of(replace(held, sources=absent), at, SETTINGS, **how)
        read = {"usage": plan.usage, "cost": plan.costs, "claude_code": plan.claude_code}
        return bool(read[source]) if source in read else source in plan.lists or source in plan.analytics

    for everything in (False, True):
        assert not asked(NOW + 23 * HOUR, everything=everything)
        assert asked(NOW + DAY, everything=everything)
    assert asked(NOW + MINUTE, absent_too=True), "a daemon that starts asks at once"


def test_a_source_that_was_offered_and_is_gone_keeps_its_pace() -> None:
    held = whole()
    gone = SourceState("usage", offered=False, last_attempt_at=NOW, last_success_at=NOW - HOUR, failing_since=NOW)
    plan = Plan.of(replace(held, sources={**held.sources, "usage": gone}), NOW + 5 * MINUTE, SETTINGS)
    assert plan.usage is not None


def test_the_trailing_day_is_read_again_every_hour() -> None:
    now = NOW + HOUR
    plan = Plan.of(whole(), now, SETTINGS)
    assert plan.backfill == ()
    assert plan.usage == Hours(now.replace(minute=0) - DAY, now.replace(minute=0) + HOUR)
    assert plan.costs == (Days((MIDNIGHT - 7 * DAY).date(), None),)


def test_everything_reads_the_trailing_day_and_week_whatever_was_read_when() -> None:
    plan = Plan.of(whole(), NOW, SETTINGS, everything=True)
    assert plan.usage == Hours(NOW.replace(minute=0) - DAY, NOW.replace(minute=0) + HOUR)
    assert plan.costs == (Days((MIDNIGHT - 7 * DAY).date(), None),)
    assert plan.backfill == ()
    assert plan.lists == (*LISTS, *LIMITS)
    assert len(plan.claude_code) == 2


def test_thirty_days_of_cost_are_read_again_once_a_day() -> None:
    held = whole()
    for day in range(7):
        held.costs[(MIDNIGHT - day * DAY).date()] = NOW + DAY  # type: ignore[index] - the test's own dict
    plan = Plan.of(held, NOW + DAY, SETTINGS)
    assert plan.costs == (Days((MIDNIGHT - 29 * DAY).date(), None),)


def test_a_poll_that_comes_a_little_early_or_a_clock_set_back_is_not_made_to_wait() -> None:
    assert Plan.of(whole(), NOW + 5 * MINUTE - timedelta(seconds=20), SETTINGS).usage
    assert not Plan.of(whole(), NOW + 4 * MINUTE, SETTINGS).usage
    assert Plan.of(whole(sources_at=NOW + 5 * HOUR), NOW, SETTINGS).usage


def test_after_an_outage_the_days_that_were_last_read_while_filling_are_read_whole() -> None:
    held = whole()
    later = NOW + 4 * DAY
    plan = Plan.of(held, later, SETTINGS)
    assert [part.start for part in plan.backfill] == [MIDNIGHT + n * DAY for n in (-1, 0, 1, 2, 3)]


def test_what_an_answer_left_out_is_asked_for_again_hourly_and_not_at_every_poll() -> None:
    held = whole()
    hour = MIDNIGHT - 9 * DAY
    believed = {at: when for at, when in held.believed.items() if at != hour}
    held = Holdings(held.sources, believed, held.asked, held.costs)
    assert Plan.of(held, NOW + 5 * MINUTE, SETTINGS).backfill == ()
    assert Plan.of(held, NOW + HOUR, SETTINGS).backfill == (Hours(hour, hour + DAY),)
    assert Plan.of(held, NOW, SETTINGS, everything=True).backfill == (Hours(hour, hour + DAY),)


def test_what_is_held_back_is_asked_for_until_it_is_believed_however_old_it_is() -> None:
    old, day = MIDNIGHT - 90 * DAY, (MIDNIGHT - 80 * DAY).date()
    states = whole()
    believed = {**states.believed, **{old + n * HOUR: NOW for n in range(24)}}
    held = Holdings(states.sources, believed, states.asked, states.costs, frozenset({old}), frozenset({day}))
    plan = Plan.of(held, NOW + HOUR, SETTINGS)
    assert plan.backfill == (Hours(old, old + DAY),)
    assert plan.costs == (Days(day, None),)


def test_a_back_fill_of_a_few_hours_still_reads_the_trailing_windows() -> None:
    plan = Plan.of(Holdings({}, {}, {}, {}), NOW, PollSettings(backfill=timedelta(hours=1)))
    assert plan.backfill == ()
    assert plan.usage == Hours(NOW.replace(minute=0) - DAY, NOW.replace(minute=0) + HOUR)
    assert plan.costs == (Days((MIDNIGHT - 7 * DAY).date(), None),)


@given(
    read=st.dictionaries(st.integers(0, 5 * 24), st.integers(0, 9 * 24), max_size=100),
    minutes=st.integers(0, 60 * 24),
    days=st.integers(0, 4),
)
def test_a_plan_reads_every_missing_hour_once_and_oldest_first(read: dict[int, int], minutes: int, days: int) -> None:
    now = MIDNIGHT + minutes * MINUTE
    first = MIDNIGHT - 5 * DAY
    believed = {first + hour * HOUR: first + (hour + 1) * HOUR + age * HOUR for hour, age in read.items()}
    plan = Plan.of(Holdings({}, believed, believed, {}), now, PollSettings(backfill=days * DAY), everything=True)
    assert plan.usage is not None
    parts = [*plan.backfill, plan.usage]
    for earlier, later in pairwise(parts):
        assert earlier.start < earlier.end <= later.start
    planned = {part.start + n * HOUR for part in parts for n in range((part.end - part.start) // HOUR)}
    start = datetime.combine((now - days * DAY).date(), datetime.min.time(), UTC)
    hour = start
    while hour <= now:
        assert hour in planned or believed[hour] >= hour + 21 * HOUR
        hour += HOUR


def test_days_are_the_days_of_utc() -> None:
    plan = Plan.of(Holdings({}, {}, {}, {}), datetime(2026, 3, 1, 0, 0, tzinfo=UTC), PollSettings(backfill=DAY))
    assert plan.claude_code == (date(2026, 3, 1), date(2026, 2, 28))
    assert plan.backfill == ()
