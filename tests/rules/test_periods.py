from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.hindsight import LATE
from rules.periods import (
    LONGEST,
    CalendarKind,
    Period,
    Starts,
    clock_label,
    instant,
    period_between,
    period_of,
    previous,
)
from watcher.ledger.days import VIEW_DAYS

ZONES = ["UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "Africa/Cairo", "Pacific/Apia"]
KINDS: list[CalendarKind] = ["hour", "day", "week", "month", "quarter", "year"]
FIRST = datetime(2020, 1, 1, tzinfo=UTC)
moments = st.integers(0, 16 * 365 * 86_400).map(lambda seconds: FIRST + timedelta(seconds=seconds))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


begins = st.builds(Starts, weekday=st.integers(0, 6), day=st.integers(1, 31), month=st.integers(1, 12))


@given(st.sampled_from(KINDS), st.sampled_from(ZONES), moments, begins)
def test_a_moment_lies_in_its_period_and_periods_join_without_gap(
    kind: CalendarKind, zone: str, moment: datetime, starts: Starts
) -> None:
    period = period_of(kind, zone, moment, starts)
    assert period.start <= moment < period.end
    assert period_of(kind, zone, period.start, starts) == period
    assert period_of(kind, zone, period.end - timedelta(microseconds=1), starts) == period
    assert period_of(kind, zone, period.end, starts).start == period.end
    before = previous(period)
    assert before is not None
    assert before.end == period.start


@given(st.sampled_from(KINDS), st.sampled_from(ZONES), moments, st.integers(0, 2000))
def test_every_hour_belongs_to_one_period(kind: CalendarKind, zone: str, moment: datetime, hours: int) -> None:
    start = moment.replace(minute=0, second=0, microsecond=0) - timedelta(hours=900)
    period = period_of(kind, zone, moment)
    before, after = previous(period), period_of(kind, zone, period.end)
    assert before is not None
    mine = period.columns(start, hours)
    assert before.columns(start, hours).stop == mine.start
    assert after.columns(start, hours).start == mine.stop
    for column in range(mine.start, mine.stop):
        assert period.start <= start + timedelta(hours=column) < period.end


@pytest.mark.parametrize(
    ("kind", "zone", "now", "start", "end", "label"),
    [
        ("month", "UTC", "2026-11-20T11:00", "2026-11-01T00:00", "2026-12-01T00:00", "November 2026"),
        ("month", "UTC", "2026-12-31T23:59", "2026-12-01T00:00", "2027-01-01T00:00", "December 2026"),
        ("month", "UTC", "2028-02-29T12:00", "2028-02-01T00:00", "2028-03-01T00:00", "February 2028"),
        ("month", "Europe/Berlin", "2026-10-31T23:30", "2026-10-31T23:00", "2026-11-30T23:00", "November 2026"),
        ("week", "UTC", "2026-11-22T23:59", "2026-11-16T00:00", "2026-11-23T00:00", "week of 16 Nov 2026"),
        ("week", "Europe/Berlin", "2026-10-20T00:00", "2026-10-18T22:00", "2026-10-25T23:00", "week of 19 Oct 2026"),
        ("day", "UTC", "2026-11-20T11:00", "2026-11-20T00:00", "2026-11-21T00:00", "20 Nov 2026"),
        ("day", "America/New_York", "2026-03-08T12:00", "2026-03-08T05:00", "2026-03-09T04:00", "8 Mar 2026"),
        ("day", "America/New_York", "2026-11-01T12:00", "2026-11-01T04:00", "2026-11-02T05:00", "1 Nov 2026"),
        ("day", "Asia/Kolkata", "2026-11-20T18:29", "2026-11-19T18:30", "2026-11-20T18:30", "20 Nov 2026"),
        ("day", "Africa/Cairo", "2026-04-24T12:00", "2026-04-23T22:00", "2026-04-24T21:00", "24 Apr 2026"),
        ("day", "America/Havana", "2026-11-01T12:00", "2026-11-01T04:00", "2026-11-02T05:00", "1 Nov 2026"),
    ],
)
def test_periods_are_those_of_the_calendar(
    kind: CalendarKind, zone: str, now: str, start: str, end: str, label: str
) -> None:
    assert period_of(kind, zone, at(now)) == Period(kind, at(start), at(end), zone, label)


@pytest.mark.parametrize(
    ("kind", "starts", "now", "start", "end", "label"),
    [
        ("month", Starts(day=15), "2026-11-14T23:59", "2026-10-15", "2026-11-15", "15 Oct to 14 Nov 2026"),
        ("month", Starts(day=15), "2026-11-15T00:00", "2026-11-15", "2026-12-15", "15 Nov to 14 Dec 2026"),
        ("month", Starts(day=31), "2026-11-30T00:00", "2026-11-30", "2026-12-31", "30 Nov to 30 Dec 2026"),
        ("month", Starts(day=31), "2027-02-27T23:00", "2027-01-31", "2027-02-28", "31 Jan to 27 Feb 2027"),
        ("month", Starts(day=31), "2027-03-30T23:00", "2027-02-28", "2027-03-31", "28 Feb to 30 Mar 2027"),
        ("month", Starts(day=30), "2028-02-29T00:00", "2028-02-29", "2028-03-30", "29 Feb to 29 Mar 2028"),
        ("month", Starts(day=20), "2027-01-02T00:00", "2026-12-20", "2027-01-20", "20 Dec 2026 to 19 Jan 2027"),
        ("week", Starts(weekday=6), "2026-11-21T23:00", "2026-11-15", "2026-11-22", "week of 15 Nov 2026"),
        ("week", Starts(weekday=6), "2026-11-22T00:00", "2026-11-22", "2026-11-29", "week of 22 Nov 2026"),
        ("quarter", Starts(), "2026-11-22T00:00", "2026-10-01", "2027-01-01", "Q4 2026"),
        ("quarter", Starts(month=2), "2026-11-22T00:00", "2026-11-01", "2027-02-01", "1 Nov 2026 to 31 Jan 2027"),
        ("quarter", Starts(day=31), "2027-01-30T00:00", "2026-10-31", "2027-01-31", "31 Oct 2026 to 30 Jan 2027"),
        ("year", Starts(), "2026-11-22T00:00", "2026-01-01", "2027-01-01", "2026"),
        ("year", Starts(month=7), "2026-06-30T23:00", "2025-07-01", "2026-07-01", "1 Jul 2025 to 30 Jun 2026"),
        ("year", Starts(month=2, day=29), "2027-02-28T00:00", "2027-02-28", "2028-02-29", "28 Feb 2027 to 28 Feb 2028"),
    ],
)
def test_periods_begin_where_they_are_told_to(
    kind: CalendarKind, starts: Starts, now: str, start: str, end: str, label: str
) -> None:
    assert period_of(kind, "UTC", at(now), starts) == Period(kind, at(start), at(end), "UTC", label, starts)


@pytest.mark.parametrize(
    ("zone", "now", "label"),
    [
        ("UTC", "2026-11-20T14:05", "20 Nov 2026, 14:00"),
        ("America/New_York", "2026-11-20T04:59", "19 Nov 2026, 23:00"),
        ("Asia/Kolkata", "2026-11-20T18:45", "20 Nov 2026, 23:30"),
    ],
)
def test_an_hour_is_one_of_the_ledger_and_is_called_by_the_clocks_of_its_zone(zone: str, now: str, label: str) -> None:
    start = at(now).replace(minute=0)
    assert period_of("hour", zone, at(now)) == Period("hour", start, start + timedelta(hours=1), zone, label)


def test_given_dates_are_one_period_that_nothing_comes_before() -> None:
    period = period_between(date(2026, 10, 20), date(2026, 11, 3), "Europe/Berlin")
    assert (period.start, period.end) == (at("2026-10-19T22:00"), at("2026-11-02T23:00"))
    assert period.label == "20 Oct to 2 Nov 2026"
    assert period_between(date(2026, 11, 3), date(2026, 11, 4), "UTC").label == "3 Nov 2026"
    assert previous(period) is None


def test_the_longest_window_lies_in_the_view_whole_and_so_does_every_periods_end_as_long_as_it_is_judged() -> None:
    assert timedelta(days=VIEW_DAYS) >= LONGEST + LATE + timedelta(days=1)


def test_now_may_come_in_another_zone() -> None:
    now = datetime(2026, 11, 20, 23, tzinfo=ZoneInfo("America/New_York"))
    assert period_of("day", "UTC", now).label == "21 Nov 2026"


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        period_of("day", "Europe/Atlantis", at("2026-11-20T00:00"))


def test_a_clock_time_names_its_day_only_where_that_is_not_plain() -> None:
    moment = at("2026-11-20T14:05")
    assert clock_label(moment, at("2026-11-20T23:00")) == "14:05 UTC"
    assert clock_label(moment, at("2026-11-21T01:00")) == "20 Nov, 14:05 UTC"
    assert clock_label(moment) == "20 Nov, 14:05 UTC"


def test_an_instant_in_an_identifier_is_utc_whatever_zone_it_came_in() -> None:
    assert instant(datetime(2026, 11, 20, 1, tzinfo=ZoneInfo("Europe/Berlin"))) == "2026-11-20T00:00:00Z"
