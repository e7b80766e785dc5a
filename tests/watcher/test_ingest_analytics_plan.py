from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from watcher.admin_api.errors import BadRequest
from watcher.ingest.analytics_lanes import ROWS_A_READING, Told, in_turn, requests_for
from watcher.ingest.analytics_plan import Reached, lanes
from watcher.ingest.windows import DAY, HOUR, Hours

NOW = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
HOUR_NOW = NOW.replace(minute=0)
TODAY = HOUR_NOW.replace(hour=0)
FIRST = TODAY - 60 * DAY
TRAILING = HOUR_NOW - 48 * HOUR
MINUTE = timedelta(minutes=1)
PLENTY = Told(hours=100, rows=100)


def all_asked(at: datetime = NOW, since: datetime = FIRST, until: datetime = HOUR_NOW) -> dict[datetime, datetime]:
    return {since + n * HOUR: at for n in range((until - since) // HOUR)}


def hours_of(parts: Iterable[Hours]) -> list[datetime]:
    return sorted(part.start + n * HOUR for part in parts for n in range(len(part)))


def test_at_first_all_is_due_newest_first_in_pieces_of_hours_whose_size_is_not_known() -> None:
    due = lanes(Reached(), NOW, FIRST)
    assert due.recent[0] == Hours(HOUR_NOW - 6 * HOUR, HOUR_NOW)
    assert hours_of(due.recent) == list(all_asked(since=TRAILING))
    assert due.older[0].end == TRAILING
    assert [part.start for part in due.older] == sorted((part.start for part in due.older), reverse=True)
    assert hours_of(due.older) == list(all_asked(until=TRAILING))


def test_nothing_is_due_just_after_all_was_read_and_the_trailing_48_hours_are_an_hour_later() -> None:
    reached = Reached(all_asked(), told=PLENTY)
    assert not lanes(reached, NOW + MINUTE, FIRST)
    later = lanes(reached, NOW + HOUR, FIRST)
    assert later.recent == (Hours(TRAILING + HOUR, HOUR_NOW + HOUR),)
    assert later.older == ()
    assert hours_of(lanes(reached, NOW + MINUTE, FIRST, everything=True).recent) == list(all_asked(since=TRAILING))


def test_the_days_in_which_amounts_are_restated_are_read_once_a_utc_day_in_one_piece() -> None:
    midnight = TODAY + DAY
    reached = Reached(all_asked() | all_asked(midnight - HOUR, HOUR_NOW, midnight), told=PLENTY)
    assert lanes(reached, midnight - MINUTE, FIRST).older == ()
    (part,) = lanes(reached, midnight + MINUTE, FIRST).older
    assert part == Hours(midnight - 31 * DAY, midnight - 48 * HOUR)


def test_an_hour_last_read_before_its_thirty_days_were_over_is_read_once_more_however_old_it_is() -> None:
    long_ago = TODAY - 40 * DAY
    young, old = long_ago - 29 * DAY, long_ago - 31 * DAY
    reached = Reached(all_asked() | {young: long_ago, old: long_ago})
    due = hours_of(lanes(reached, NOW, min(young, old)).older)
    assert young in due
    assert old not in due


def test_what_is_held_back_is_asked_for_hourly_also_before_the_history_begins() -> None:
    ancient = FIRST - 9 * DAY
    reached = Reached(all_asked() | {ancient: NOW}, held={ancient, FIRST})
    assert lanes(reached, NOW + 30 * MINUTE, FIRST).older == ()
    assert set(hours_of(lanes(reached, NOW + HOUR, FIRST).older)) >= {ancient, FIRST}


def test_nothing_before_what_the_reports_reach_back_to_is_asked_for() -> None:
    beginning = datetime(2026, 1, 1, tzinfo=UTC)
    for now in (NOW, NOW + 400 * DAY):
        first = hours_of(lanes(Reached(), now, beginning - 99 * DAY).older)[0]
        assert max(beginning, now - 365 * DAY) < first <= max(beginning, now - 365 * DAY) + 2 * HOUR
    assert lanes(Reached(), beginning + HOUR, beginning - DAY).older == ()


def test_the_more_rows_an_hour_has_the_fewer_hours_a_reading_holds() -> None:
    assert Told().longest == 6
    assert Told(hours=10, rows=10 * ROWS_A_READING).longest == 1
    assert Told(hours=10, rows=1000).longest == ROWS_A_READING // 100
    assert Told(hours=10, rows=0).longest == 31 * 24
    assert max(map(len, lanes(Reached(told=Told(24, 24 * 2000)), NOW, FIRST).older)) == 10


def test_a_clock_that_was_ahead_does_not_keep_hours_from_being_read() -> None:
    due = lanes(Reached(all_asked(NOW + 300 * DAY)), NOW, FIRST)
    assert hours_of(due.recent) == list(all_asked(since=TRAILING))
    assert len(hours_of(due.older)) > 25 * 24


@given(
    asked=st.dictionaries(st.integers(0, 12 * 24), st.integers(0, 12 * 24), max_size=60),
    rows=st.integers(0, 200_000),
)
def test_every_hour_is_in_one_reading_at_most_and_none_never_read_is_left_out(asked: dict[int, int], rows: int) -> None:
    first = TODAY - 10 * DAY
    known = {first + hour * HOUR: first + at * HOUR for hour, at in asked.items()}
    due = lanes(Reached(known, told=Told(10, rows)), NOW, first)
    planned = hours_of((*due.recent, *due.older))
    assert len(set(planned)) == len(planned)
    assert set(all_asked(since=first)) - known.keys() <= set(planned)
    assert all(len(part) <= Told(10, rows).longest for part in (*due.recent, *due.older))


def test_a_lane_ends_after_its_requests_and_joins_small_readings_once_it_is_known_how_small_they_are() -> None:
    lane = [Hours(HOUR_NOW - (n + 6) * HOUR, HOUR_NOW - n * HOUR) for n in range(0, 600, 6)]
    told, taken = Told(), []

    def take(window: Hours) -> int:
        taken.append(window)
        told.add(window, 1000 * len(window))
        return requests_for(1000 * len(window))

    in_turn(lane, 50, take, told)
    assert [len(window) for window in taken] == [6, 18, 18, 18]
    assert [window.end for window in taken[1:]] == [window.start for window in taken[:-1]]


def test_a_reading_that_is_refused_does_not_keep_the_others_of_its_lane_from_being_taken() -> None:
    lane = [Hours(HOUR_NOW - (n + 7) * HOUR, HOUR_NOW - (n + 1) * HOUR) for n in range(0, 21, 7)]
    taken: list[Hours] = []

    def take(window: Hours) -> int:
        taken.append(window)
        if len(taken) == 1:
            raise BadRequest("/v1/x", 400, None, "not that")
        return 1

    try:
        in_turn(lane, 50, take, Told())
    except BadRequest:
        pass
    else:
        raise AssertionError("the refusal is told")
    assert taken == lane
